"""Secrets that were written wrong, by hand or otherwise: none of them is used, nor is part of one."""

from datetime import timedelta
from typing import Any, cast

import pytest

import chassis.vault
from fakes.clock import START, FakeClock
from fakes.entropy import FakeEntropy
from fakes.vault import FakeVault
from services.auth.model.people_refusals import ProviderUnavailable
from services.auth.model.secret_refusals import QueueUnavailable
from services.auth.vault import AuthVault

APPLICATION = "auth/applications/application"
DATED = {
    "client_id": "c",
    "client_secret": "s",
    "secret_id": "1",
    "origin": "queue",
    "kept_at": START.isoformat(),
    "expires_at": (START + timedelta(days=180)).isoformat(),
    "is_estimated": "false",
    "accepted_at": "",
}
OLDER = {f"older_{name}": value for name, value in DATED.items() if name != "client_id"}
QUEUE = {"access_key_id": "a", "secret_access_key": "s"}


class House:
    def __init__(self) -> None:
        self.kept = cast("chassis.vault.Vault", FakeVault())
        self.vault = AuthVault(self.kept, FakeClock(), FakeEntropy())


@pytest.fixture
def house() -> House:
    return House()


def spoilt(whole: dict[str, str]) -> list[dict[str, Any]]:
    """Return an entry once without each of its members, and once with each of them of another type."""
    without = [{name: value for name, value in whole.items() if name != gone} for gone in whole]
    return [*without, *({**whole, name: 7} for name in whole)]


@pytest.mark.parametrize(
    "data",
    [
        *(data for data in spoilt(DATED) if "secret_id" in data),
        *(data for data in spoilt(DATED | OLDER) if {"secret_id", "older_secret_id"} <= data.keys()),
        {"client_id": "c"},
        {"client_secret": "s"},
        {"client_id": "c", "client_secret": None},
        DATED | {"origin": "heaven"},
        DATED | {"kept_at": "yesterday"},
        DATED | {"expires_at": "2026-11-22T12:00:00"},
        DATED | {"accepted_at": "never"},
    ],
)
async def test_a_damaged_pair_of_client_secrets_is_not_used(house: House, data: dict[str, Any]) -> None:
    await house.kept.kv_write(APPLICATION, DATED | OLDER)
    assert (await house.vault.find_secrets("application")).pair.older is not None
    await house.kept.kv_write(APPLICATION, data)
    with pytest.raises(chassis.vault.SecretDamaged):
        await house.vault.find_secrets("application")


@pytest.mark.parametrize("data", [{}, {"key": 7}, {"key": "ä"}, {"key": "AAAA"}])
async def test_nothing_is_digested_with_a_damaged_key_R06(house: House, data: dict[str, Any]) -> None:
    await house.kept.kv_write("auth/digest-key", data)
    with pytest.raises(chassis.vault.SecretDamaged):
        await house.vault.digest("session", "token")


@pytest.mark.parametrize("data", spoilt({"client_secret": "s"}))
async def test_a_damaged_secret_for_the_identity_provider_keeps_its_sign_in_away(
    house: House, data: dict[str, Any]
) -> None:
    await house.kept.kv_write("auth/identity-provider", data)
    with pytest.raises(ProviderUnavailable):
        await house.vault.find_provider_secret()


@pytest.mark.parametrize("data", [*spoilt(QUEUE), QUEUE | {"session_token": 7}])
async def test_a_damaged_key_of_the_queue_opens_no_queue(house: House, data: dict[str, Any]) -> None:
    await house.kept.kv_write("auth/queue", data)
    with pytest.raises(QueueUnavailable):
        await house.vault.find_queue_key()


@pytest.mark.parametrize("token", ["t", "", None])
async def test_a_key_of_the_queue_may_come_with_a_session(house: House, token: str | None) -> None:
    await house.kept.kv_write("auth/queue", QUEUE if token is None else QUEUE | {"session_token": token})
    key = await house.vault.find_queue_key()
    assert (key.access_key_id, key.secret_access_key.reveal()) == ("a", "s")
    assert (key.session_token.reveal() if key.session_token else "") == (token or "")
