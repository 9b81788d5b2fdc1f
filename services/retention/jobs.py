"""Periodic work: erasing what is due, moving what an observation left behind, upkeep, health.

A round that fails is counted and tried again at the next one; a job ends only when it is cancelled.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import chassis.clock
import chassis.rounds
import chassis.trace
from services.retention.model.audit import OWN_NAME, Origin
from services.retention.service.clocks import Clocks
from services.retention.service.erasing import Erasing
from services.retention.service.key_cache import FORGET_PERIOD_S
from services.retention.service.upkeep import Upkeep

ERASING_PERIOD_S = 60.0
MOVING_PERIOD_S = 60.0
UPKEEP_PERIOD_S = 60.0
# Source, readiness tells the truth within 5 s.
HEALTH_PERIOD_S = 2.0
ROUND_S_MAX = 120.0
HEALTH_S_MAX = 3.0
READINESS_NAME = "safe"


class Signals(Protocol):
    """What the jobs make visible."""

    def job_failed(self, job: str, code: str) -> None:
        """Count and log one round that failed."""
        ...


class Readiness(Protocol):
    """Where the truth about this process is kept."""

    def set(self, name: str, ok: bool) -> None:
        """Say whether one thing that this process needs is well."""
        ...


class Jobs:
    """Runs the rounds of retention's periodic work."""

    def __init__(
        self,
        *,
        erasing: Erasing,
        clocks: Clocks,
        upkeep: Upkeep,
        clock: chassis.clock.Clock,
        readiness: Readiness,
        signals: Signals,
    ) -> None:
        self._erasing = erasing
        self._clocks = clocks
        self._upkeep = upkeep
        self._clock = clock
        self._readiness = readiness
        self._signals = signals
        self._readiness.set(READINESS_NAME, ok=False)

    @property
    def tasks(self) -> Sequence[tuple[str, Callable[[], Awaitable[None]]]]:
        """Every job with its name, to be run side by side."""
        return (
            ("erasing", self.erase),
            ("moving", self.move),
            ("upkeep", self.keep_up),
            ("keys", self.forget_keys),
            ("health", self.watch_health),
        )

    async def erase(self) -> None:
        """Keep what is due from outliving its day."""
        await self._repeat("erasing", self._erase_once, ERASING_PERIOD_S)

    async def move(self) -> None:
        """Keep records from lying under too late a day."""
        await self._repeat("moving", lambda: self._clocks.move_due(_origin()), MOVING_PERIOD_S)

    async def keep_up(self) -> None:
        """Keep the numbers true and old clocks forgotten."""
        await self._repeat("upkeep", self._upkeep.measure, UPKEEP_PERIOD_S)

    async def forget_keys(self) -> None:
        """Keep unwrapped keys from staying in memory."""
        while True:
            self._upkeep.forget_keys()
            await self._clock.sleep(FORGET_PERIOD_S)

    async def watch_health(self) -> None:
        """Keep readiness true to whether records can be opened, overdue keys being dead."""
        while True:
            is_well = await self._round("health", self._upkeep.check, HEALTH_S_MAX)
            self._readiness.set(READINESS_NAME, ok=is_well)
            await self._clock.sleep(HEALTH_PERIOD_S)

    async def _erase_once(self) -> None:
        await self._erasing.erase_due(_origin())
        await self._erasing.settle()

    async def _repeat(self, job: str, round_: Callable[[], Awaitable[object]], period_s: float) -> None:
        while True:
            await self._round(job, round_, ROUND_S_MAX)
            await self._clock.sleep(period_s)

    async def _round(self, job: str, round_: Callable[[], Awaitable[object]], limit_s: float) -> bool:
        code = await chassis.rounds.fault_of(round_, limit_s)
        if code is not None:
            self._signals.job_failed(job, code)
        return code is None


def _origin() -> Origin:
    return Origin(OWN_NAME, chassis.trace.request_id())
