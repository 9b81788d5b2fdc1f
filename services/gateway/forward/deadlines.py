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
        return Limit(self, until_s)

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

    def _begin(self, limit: "Limit") -> None:
        if limit.until_s <= self._clock.monotonic_s():
            raise DeadlineExceeded
        self._limits.add(limit)

    def _end(self, limit: "Limit") -> None:
        self._limits.discard(limit)


class Limit:
    """One limit of one task; see `Deadlines.within`."""

    def __init__(self, deadlines: Deadlines, until_s: float) -> None:
        self.until_s = until_s
        self._deadlines = deadlines
        self._is_expired = False

    def __enter__(self) -> None:
        """Begin to count."""
        task = asyncio.current_task()
        assert task is not None
        self._task, self._cancelled_before = task, task.cancelling()
        self._deadlines._begin(self)  # noqa: SLF001 - the two are one

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """End; turn a cancellation by this limit, and by nobody else, into DeadlineExceeded."""
        self._deadlines._end(self)  # noqa: SLF001 - as above
        if not self._is_expired:
            return
        is_alone = self._task.uncancel() <= self._cancelled_before
        if is_alone and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise DeadlineExceeded from error

    def expire(self) -> None:
        """Cancel whoever is inside, once."""
        if not self._is_expired:
            self._is_expired = True
            self._task.cancel()
