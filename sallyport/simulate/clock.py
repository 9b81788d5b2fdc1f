"""Virtual time for the services: it runs with the loop, and jumps when the story says so."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

START = datetime(2027, 3, 1, 9, 0, 0, tzinfo=UTC)


class LoopClock:
    """A `chassis.clock.Clock` on the running loop. A jump moves the time of day and no duration."""

    def __init__(self) -> None:
        self._jumped = timedelta(0)

    def now(self) -> datetime:
        """Return the domain's time in UTC."""
        return START + timedelta(seconds=self.monotonic_s()) + self._jumped

    def monotonic_s(self) -> float:
        """Return virtual seconds since the run began."""
        return asyncio.get_running_loop().time()

    async def sleep(self, delay_s: float) -> None:
        """Return after so many virtual seconds."""
        await asyncio.sleep(max(delay_s, 0.0))

    def jump(self, span: timedelta) -> None:
        """Let this much time have passed, as if every host had been switched off meanwhile."""
        self._jumped += span


@dataclass(frozen=True)
class Moment:
    """One moment by both clocks: virtual seconds, and the domain's time."""

    at_s: float
    at: datetime
