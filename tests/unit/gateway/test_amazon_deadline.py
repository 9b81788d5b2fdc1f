"""One deadline after another on one timer: none is missed in silence, none ends what has more time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.gateway.amazon.deadline import Deadline

SOON_S, LATER_S, NEVER_S = 0.01, 0.03, 3_600.0
PATIENCE_S = 10.0
# Loops round to milliseconds.
CLOCK_S = 0.002


class Passed(asyncio.Event):
    """Is set when a deadline has passed, and tells when."""

    def __init__(self) -> None:
        super().__init__()
        self.deadline = Deadline(self.set)

    def give(self, time_s: float) -> float:
        """Set the deadline; return when it is."""
        until_s = asyncio.get_running_loop().time() + time_s
        self.deadline.set(until_s)
        return until_s

    async def at_s(self) -> float:
        await asyncio.wait_for(self.wait(), PATIENCE_S)
        self.clear()
        return asyncio.get_running_loop().time()


@asynccontextmanager
async def passed() -> AsyncIterator[Passed]:
    made = Passed()
    yield made
    made.deadline.clear()


async def test_one_deadline_after_another_is_called() -> None:
    async with passed() as each:
        for _ in range(3):
            until_s = each.give(SOON_S)
            assert await each.at_s() >= until_s - CLOCK_S


async def test_a_later_deadline_is_not_called_at_the_time_of_an_earlier_one() -> None:
    async with passed() as each:
        each.give(SOON_S)
        until_s = each.give(LATER_S)
        assert await each.at_s() >= until_s - CLOCK_S


async def test_an_earlier_deadline_is_not_called_at_the_time_of_a_later_one() -> None:
    async with passed() as each:
        never_s = each.give(NEVER_S)
        each.give(SOON_S)
        assert await each.at_s() < never_s


async def test_a_deadline_that_was_cleared_is_not_called() -> None:
    async with passed() as cleared, passed() as other:
        cleared.give(SOON_S)
        cleared.deadline.clear()
        other.give(LATER_S)
        await other.at_s()
        assert not cleared.is_set()
