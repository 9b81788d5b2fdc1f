"""Nonces: which are ours, how long they live, and what happens without the key."""

import base64
from datetime import timedelta
from typing import Any, cast

import pytest

import chassis.clock
import chassis.vault
from chassis.secrecy import Secret
from fakes.clock import START, FakeClock
from fakes.entropy import FakeEntropy
from fakes.vault import FakeVault
from services.gateway.nonces import NONCE_LIFE_S, STEP_S, Nonces
from services.gateway.shared_key import KEY_S_MAX
from services.gateway.vault import GatewayVault
from tests.unit.gateway.proofs import NONCE_KEY, nonces_for

KEY = base64.b64encode(bytes(32)).decode()


def test_every_replica_knows_every_others_nonces() -> None:
    clock = FakeClock()
    assert nonces_for(clock).is_fresh(nonces_for(clock).newest())


@pytest.mark.parametrize("stranger", [None, "", "AAAAAAAAAAAAAAAAAAAAAA", 7, ["x"], "\ud800", "n" * 10_000])
def test_what_is_not_ours_is_not_fresh_T10(stranger: object) -> None:
    assert not nonces_for(FakeClock()).is_fresh(stranger)


def test_a_nonce_of_another_key_is_not_fresh() -> None:
    clock = FakeClock()
    others = Nonces(clock)
    others.learn(Secret(b"o" * 32))
    assert not nonces_for(clock).is_fresh(others.newest())


def test_a_nonce_ends_with_the_key_it_was_made_with() -> None:
    nonces = nonces_for(FakeClock())
    older = nonces.newest()
    nonces.learn(Secret(b"n" * 32))
    assert not nonces.is_fresh(older)
    assert nonces.is_fresh(nonces.newest())


def test_a_nonce_lives_for_five_minutes_and_no_longer_T02() -> None:
    clock = FakeClock(START + timedelta(seconds=STEP_S - 1))
    nonces = nonces_for(clock)
    nonce = nonces.newest()
    for _ in range(int(NONCE_LIFE_S / STEP_S)):
        assert nonces.is_fresh(nonce)
        clock.pass_(KEY_S_MAX)
        nonces.learn(NONCE_KEY)
    assert NONCE_LIFE_S == 300
    assert not nonces.is_fresh(nonce)


def test_a_new_nonce_is_there_long_before_the_old_one_ends() -> None:
    clock = FakeClock()
    nonces = nonces_for(clock)
    first = nonces.newest()
    clock.pass_(STEP_S)
    assert nonces.newest() != first
    assert nonces.is_fresh(first)


def test_no_jump_of_the_wall_clock_makes_a_nonce_live_longer_R14() -> None:
    clock = FakeClock()
    nonces = Nonces(chassis.clock.SteadyClock(clock))
    nonces.learn(NONCE_KEY)
    nonce = nonces.newest()
    for _ in range(6):
        clock.pass_(KEY_S_MAX)
        nonces.learn(NONCE_KEY)
        clock.set_now(START)
    assert not nonces.is_fresh(nonce)


@pytest.mark.parametrize(("skew_s", "is_known"), [(-300, False), (-240, True), (60, True), (120, False)])
def test_a_replica_with_another_clock_is_known_within_bounds_R14(skew_s: int, *, is_known: bool) -> None:
    other = nonces_for(FakeClock(START + timedelta(seconds=skew_s)))
    assert nonces_for(FakeClock()).is_fresh(other.newest()) is is_known


def test_without_a_fresh_key_nothing_is_proven_R06() -> None:
    clock = FakeClock()
    nonces = nonces_for(clock)
    nonce = nonces.newest()
    clock.pass_(KEY_S_MAX)
    assert nonces.is_fresh(nonce)
    clock.pass_(1)
    with pytest.raises(chassis.vault.KeyServiceUnavailable):
        nonces.newest()
    with pytest.raises(chassis.vault.KeyServiceUnavailable):
        nonces.is_fresh(nonce)
    nonces.learn(NONCE_KEY)
    assert nonces.is_fresh(nonce)


async def test_replicas_make_one_key_between_them() -> None:
    vault = cast("chassis.vault.Vault", FakeVault())
    one, other = GatewayVault(vault, FakeEntropy(1)), GatewayVault(vault, FakeEntropy(2))
    await one.ensure_nonce_key()
    key = await one.read_nonce_key()
    await other.ensure_nonce_key()
    assert (await other.read_nonce_key()).reveal() == key.reveal()


async def test_an_absent_key_counts_as_an_absent_key_service_R06() -> None:
    keys = GatewayVault(cast("chassis.vault.Vault", FakeVault()), FakeEntropy())
    with pytest.raises(chassis.vault.KeyServiceUnavailable):
        await keys.read_nonce_key()


@pytest.mark.parametrize(
    "damaged",
    [{}, {"kee": KEY}, {"key": 7}, {"key": None}, {"key": "not base64"}, {"key": "ä"}, {"key": "AAAA"}],
)
async def test_a_damaged_key_counts_as_an_absent_key_service_R06(damaged: dict[str, Any]) -> None:
    vault = cast("chassis.vault.Vault", FakeVault())
    keys = GatewayVault(vault, FakeEntropy())
    for path, read in (
        ("gateway/nonce-key", keys.read_nonce_key),
        ("gateway/document-key", keys.read_document_key),
        ("gateway/home-key", keys.read_home_key),
    ):
        await vault.kv_write(path, damaged)
        with pytest.raises(chassis.vault.SecretDamaged):
            await read()
        await vault.kv_write(path, {"key": KEY})
        assert (await read()).reveal() == bytes(32)
