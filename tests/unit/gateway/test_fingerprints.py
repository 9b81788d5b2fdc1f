"""Fingerprints of ids: the same on every replica, and of nobody else's making."""

from collections.abc import Sequence
from typing import cast

import chassis.vault
from chassis.secrecy import Secret
from fakes.clock import FakeClock
from fakes.entropy import FakeEntropy
from fakes.vault import FakeVault
from services.gateway.fingerprints import FINGERPRINT_BYTES, FingerprintedHomes
from services.gateway.model.calls import Region
from services.gateway.shared_key import SharedKey
from services.gateway.vault import GatewayVault

IDS = ("114-3941689-8772232", "a report's", "", "ü" * 2_048)


class Seen:
    """Fits `fingerprints.FingerprintStore`: remembers what it was shown."""

    def __init__(self) -> None:
        self.fingerprints: list[bytes] = []

    async def settle(self, seller_id: str, fingerprints: Sequence[bytes], region: Region) -> None:
        assert seller_id
        assert region in Region
        self.fingerprints += fingerprints

    async def homes(self, seller_id: str, fingerprint: bytes) -> frozenset[Region]:
        assert seller_id
        self.fingerprints.append(fingerprint)
        return frozenset()


async def shown(key: Secret[bytes], seller_id: str = "seller-1") -> list[bytes]:
    """Return what storage is shown of some ids, told and asked for."""
    shared, seen = SharedKey(FakeClock()), Seen()
    shared.learn(key)
    homes = FingerprintedHomes(key=shared, store=seen)
    await homes.settle(seller_id, IDS, Region.EU)
    for each in IDS:
        await homes.homes(seller_id, each)
    return seen.fingerprints


async def test_what_was_told_is_asked_for_by_the_same_fingerprint() -> None:
    fingerprints = await shown(Secret(b"h" * 32))
    assert fingerprints[: len(IDS)] == fingerprints[len(IDS) :]
    assert {len(each) for each in fingerprints} == {FINGERPRINT_BYTES}


async def test_another_key_or_seller_makes_other_fingerprints_T07_T15() -> None:
    made = [
        await shown(Secret(b"h" * 32)),
        await shown(Secret(b"i" * 32)),
        await shown(Secret(b"h" * 32), "seller-2"),
    ]
    assert len({each for one in made for each in one}) == 3 * len(IDS)


async def test_replicas_make_one_key_between_them() -> None:
    vault = cast("chassis.vault.Vault", FakeVault())
    one, other = (GatewayVault(vault, FakeEntropy(seed)) for seed in (1, 2))
    assert (await one.read_home_key()).reveal() == (await other.read_home_key()).reveal()
