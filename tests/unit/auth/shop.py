"""Connected sellers with devices, how to borrow for them, and time that passes for everybody at once."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from fakes.auth_house import US, House, Person
from fakes.clock import FakeClock
from services.auth.model.consents import Region
from services.auth.model.lending import Lent
from services.auth.model.restricted import Restriction

T = TypeVar("T")

STEPS_MAX = 100_000


class Shop:
    """One seller with one device."""

    def __init__(self, house: House, person: Person, *, device_id: str, consent_id: str) -> None:
        self.house = house
        self.person = person
        self.device_id = device_id
        self.consent_id = consent_id

    @classmethod
    async def open(
        cls, house: House | None = None, marketplace_id: str = US, partner_id: str = "A1"
    ) -> "Shop":
        house = house or House()
        person = await house.person()
        connected = await house.connect(person, marketplace_id, partner_id)
        device = await house.bound(person)
        return cls(house, person, device_id=device.device_id, consent_id=connected.consent.consent_id)

    async def lend(
        self, restriction: Restriction | None = None, region: Region = Region.NA, **changes: object
    ) -> Lent:
        return await self.house.lend(self.device_id, region, restriction=restriction, **changes)

    async def allow_buyers(self) -> None:
        await self.house.use.admin.set_device_scopes(
            self.person.seller_id, self.device_id, ("orders", "pii"), reason="support contract"
        )

    @property
    def refreshes(self) -> int:
        return self.house.amazon.calls["refresh"]


async def together(clock: FakeClock, *work: Awaitable[T]) -> list[T | BaseException]:
    """Return what comes of things done at the same time, on a clock that passes for all of them."""
    doing = asyncio.gather(*work, return_exceptions=True)
    for _ in range(STEPS_MAX):
        if doing.done():
            return doing.result()
        await clock.advance(clock.until_next_s, turns=5)
    raise AssertionError("it never came to an end")


async def alone(clock: FakeClock, work: Awaitable[T]) -> T:
    """Return what one thing comes to, letting time pass as long as it takes."""
    (answer,) = await together(clock, work)
    if isinstance(answer, BaseException):
        raise answer
    return answer


def kept(pace_per_s: float, burst: int, asked_s: list[float]) -> bool:
    """Return whether a bucket of `burst` that fills at a rate was never found empty."""
    level, last_s = float(burst), 0.0
    for at_s in sorted(asked_s):
        level = min(float(burst), level + (at_s - last_s) * pace_per_s) - 1.0
        last_s = at_s
        # The fake clock counts microseconds.
        if level < -0.001:
            return False
    return True
