"""A clock that never goes back while the process lives."""

from datetime import datetime, timedelta

import chassis.clock


class SteadyClock:
    """Another clock whose time of day is only believed forwards.

    When the wall clock jumps back, time goes on by the monotonic clock from the latest moment seen, so that
    no jump gives a record a longer life (R-14). A jump forward is believed: what dies early is a loss, what
    lives too long is a breach.
    """

    def __init__(self, clock: chassis.clock.Clock) -> None:
        self._clock = clock
        self._latest = clock.now()
        self._latest_s = clock.monotonic_s()

    def now(self) -> datetime:
        """Return the time of day in UTC, never earlier than any before it."""
        elapsed_s = self._clock.monotonic_s() - self._latest_s
        self._latest = max(self._clock.now(), self._latest + timedelta(seconds=elapsed_s))
        self._latest_s += elapsed_s
        return self._latest

    def monotonic_s(self) -> float:
        """Return the monotonic clock in seconds."""
        return self._clock.monotonic_s()

    async def sleep(self, delay_s: float) -> None:
        """Let other tasks run for `delay_s` seconds."""
        await self._clock.sleep(delay_s)
