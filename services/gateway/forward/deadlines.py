"""Deadlines by the injected clock: whatever a peer does, no step of a call takes longer than it may (R-07).

Limits are looked at every TICK_S by `run`, one of the process's tasks, which costs a call next to nothing.
Who is over one is cancelled where it waits and goes on with `DeadlineExceeded`; a cancellation by anybody
else, a client that has gone for one, passes through unchanged.
"""

import asyncio
from types import TracebackType

from chassis.clock import Clock
from services.gateway.model.faults import DeadlineExceeded

TICK_S = 0.125
# How much longer a call may take for what it would be worse to lose than to wait for.
GRACE_S = 0.5


class Deadlines:
    """Every limit under which something waits right now."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._limits: set[Limit] = set()

    def within(self, until_s: float) -> "Limit":
        """Return a limit to be entered with `with`: until a reading of the monotonic clock, and TICK_S.

        Raises on entering and inside:
            DeadlineExceeded: that moment has passed.
        """
        return Limit(self._limits, self._clock, until_s)

    def grant(self, more_s: float) -> None:
        """Give the task that asks more time within every limit that it is inside of."""
        task = asyncio.current_task()
        for limit in self._limits:
            if limit.task is task:
                limit.until_s += more_s

    async def run(self) -> None:
        """End what is over its limit, for ever."""
        while True:
            await self._clock.sleep(TICK_S)
            self.look()

    def look(self) -> None:
        """End what is over its limit now."""
        now_s = self._clock.monotonic_s()
        for limit in [each for each in self._limits if each.until_s <= now_s]:
            limit.expire()


class Limit:
    """One limit of one task; see `Deadlines.within`."""

    __slots__ = ("_cancelled_before", "_clock", "_is_expired", "_limits", "task", "until_s")

    def __init__(self, limits: "set[Limit]", clock: Clock, until_s: float) -> None:
        self.until_s = until_s
        self._limits = limits
        self._clock = clock
        self._is_expired = False

    def __enter__(self) -> None:
        """Begin to count."""
        if self.until_s <= self._clock.monotonic_s():
            raise DeadlineExceeded
        task = asyncio.current_task()
        assert task is not None
        self.task, self._cancelled_before = task, task.cancelling()
        self._limits.add(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """End; turn a cancellation by this limit, and by nobody else, into DeadlineExceeded."""
        self._limits.discard(self)
        if not self._is_expired:
            return
        is_alone = self.task.uncancel() <= self._cancelled_before
        if is_alone and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise DeadlineExceeded from error

    def expire(self) -> None:
        """Cancel whoever is inside, once."""
        if not self._is_expired:
            self._is_expired = True
            self.task.cancel()
