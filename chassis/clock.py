"""Time, as an injected part: the domain's time of day, durations, and waiting.

Nothing else in Sallyport asks the machine for the time (R-27). Durations use the monotonic clock,
so a jump of the wall clock never stretches or shrinks them (R-14).
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

# A shift beyond this is a mistake in the file, not a wish to travel in time.
SHIFT_S_MAX = 10 * 366 * 86_400.0


class Clock(Protocol):
    """What a part needs to know about time."""

    def now(self) -> datetime:
        """Return the domain's time, aware, in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds since some fixed point; only differences mean anything."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Return after `delay_s` seconds; at once, but yielding, when it is zero or less."""
        ...


class SystemClock:
    """The machine's own clocks."""

    # The machine's monotonic clock itself, without a step of ours: it is read several times in every call.
    monotonic_s = staticmethod(time.monotonic)

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)

    async def sleep(self, delay_s: float) -> None:
        """Let other tasks run for `delay_s` seconds."""
        await asyncio.sleep(max(delay_s, 0.0))


class ShiftedClock(SystemClock):
    """The machine's clocks with the time of day shifted by what a file says; for development only.

    The file holds one number: seconds to add. It is read again when it changes. While it is absent,
    or does not hold a number within SHIFT_S_MAX, the last shift stays. Durations are not shifted.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version: tuple[int, int] | None = None
        self._shift = timedelta(0)

    def now(self) -> datetime:
        """Return the machine's time in UTC plus the shift."""
        self._reread()
        return super().now() + self._shift

    def _reread(self) -> None:
        try:
            status = self._path.stat()
            version = (status.st_ino, status.st_mtime_ns)
            if version == self._version:
                return
            shift_s = float(self._path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return
        self._version = version
        if abs(shift_s) <= SHIFT_S_MAX:
            self._shift = timedelta(seconds=shift_s)


class SteadyClock:
    """Another clock whose time of day is only believed forwards.

    When the wall clock jumps back, time goes on by the monotonic clock from the latest moment seen, so that
    no jump gives anything a longer life (R-14). A jump forward is believed: what dies early is a loss, what
    lives too long is a breach.
    """

    def __init__(self, clock: Clock) -> None:
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


def choose(shift_file: Path | None) -> Clock:
    """Return the clock a process runs on: shifted when a shift file is configured."""
    return SystemClock() if shift_file is None else ShiftedClock(shift_file)
