"""Time that moves only when a test says so."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


class FakeClock:
    """A `chassis.clock.Clock` that stands still until it is advanced.

    `advance` moves the time of day and the monotonic clock together and wakes the sleepers that are
    due, earliest first. `set_now` is a jump of the wall clock: it moves the time of day only.
    """

    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self._elapsed = timedelta(0)
        self._sleepers: list[tuple[timedelta, int, asyncio.Future[None]]] = []
        self._sleeps = 0

    def now(self) -> datetime:
        return self._now

    def monotonic_s(self) -> float:
        return self._elapsed.total_seconds()

    async def sleep(self, delay_s: float) -> None:
        if delay_s <= 0:
            await asyncio.sleep(0)
            return
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleeps += 1
        heapq.heappush(self._sleepers, (self._elapsed + timedelta(seconds=delay_s), self._sleeps, wake))
        await wake

    @property
    def sleepers(self) -> int:
        """How many tasks wait to be woken."""
        return sum(not wake.done() for _, _, wake in self._sleepers)

    @property
    def until_next_s(self) -> float:
        """How long until the next of them is due; 0 when nobody sleeps."""
        due = [moment for moment, _, wake in self._sleepers if not wake.done()]
        return (min(due) - self._elapsed).total_seconds() if due else 0.0

    def set_now(self, now: datetime) -> None:
        self._now = now

    def pass_(self, delay_s: float) -> None:
        """Move both clocks without giving anybody a turn; for tests that are not async."""
        target = self._elapsed + timedelta(seconds=delay_s)
        while self._sleepers and self._sleepers[0][0] <= target:
            due, _, wake = heapq.heappop(self._sleepers)
            self._move_to(due)
            if not wake.done():
                wake.set_result(None)
        self._move_to(target)

    async def advance(self, delay_s: float, *, turns: int = 10) -> None:
        """Move both clocks; before and after each sleeper wakes, give every task `turns` turns."""
        target = self._elapsed + timedelta(seconds=delay_s)
        await _give_turns(turns)
        while self._sleepers and self._sleepers[0][0] <= target:
            self.pass_((self._sleepers[0][0] - self._elapsed).total_seconds())
            await _give_turns(turns)
        self._move_to(target)

    def _move_to(self, moment: timedelta) -> None:
        self._now += moment - self._elapsed
        self._elapsed = moment


async def _give_turns(turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
