"""The key that digests are made with is remembered for a minute, whatever becomes of the key service."""

import pytest

from chassis.vault import KeyServiceUnavailable
from fakes.clock import FakeClock
from fakes.entropy import FakeEntropy
from fakes.vault import FakeVault
from services.auth.vault import AuthVault


class House:
    def __init__(self) -> None:
        self.clock, self.kept = FakeClock(), FakeVault()
        self.vault = AuthVault(self.kept, self.clock, FakeEntropy())  # type: ignore[arg-type]

    async def away(self, span_s: float) -> None:
        """Let the key service be away for so long."""
        self.kept.is_available = False
        self.clock.pass_(span_s)


@pytest.fixture
async def house() -> House:
    house = House()
    await house.vault.ensure_digest_key()
    return house


async def test_within_a_minute_digests_are_made_without_the_key_service_R06(house: House) -> None:
    digest = await house.vault.digest("session", "token")
    await house.away(59.9)
    assert await house.vault.digest("session", "token") == digest


async def test_after_a_minute_nothing_is_digested_until_the_key_service_is_back_R06(house: House) -> None:
    digest = await house.vault.digest("session", "token")
    await house.away(60.0)
    with pytest.raises(KeyServiceUnavailable):
        await house.vault.digest("session", "token")
    house.kept.is_available = True
    assert await house.vault.digest("session", "token") == digest


async def test_after_a_minute_the_key_is_not_even_in_memory_R06_T20(house: House) -> None:
    await house.vault.digest("session", "token")
    await house.away(60.0)
    with pytest.raises(KeyServiceUnavailable):
        await house.vault.ping()
    assert house.vault._digest_key is None
