"""Upkeep: is the safe well, how old is its content, how late is erasing; and forgetting what is old."""

from dataclasses import dataclass

import chassis.clock
from services.retention.model.erasures import CLOCK_KEPT_FOR, Subject
from services.retention.model.orders import begins_at, day_of
from services.retention.service.key_cache import KeyCache
from services.retention.service.ports import Erasures, Keys, Measures, Overdue, Signals

CLOCKS_PER_RUN_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class UpkeepPorts:
    """What upkeep looks at."""

    measures: Measures
    erasures: Erasures
    keys: Keys
    cache: KeyCache
    overdue: Overdue
    clock: chassis.clock.Clock
    signals: Signals


class Upkeep:
    """Checks, measures and forgets."""

    def __init__(self, ports: UpkeepPorts) -> None:
        self._ports = ports

    async def check(self) -> None:
        """Return if records can be opened right now: the store and the key service answer, the dead are dead.

        Raises:
            Unavailable: they cannot.
        """
        now = self._ports.clock.now()
        await self._ports.erasures.find_due(now, 1)
        await self._ports.keys.exists(Subject.of_day(day_of(now)))
        await self._ports.overdue.settle()

    async def measure(self) -> None:
        """Show the oldest copy's age and the erasing's lag, and forget orders' clocks that ended long ago."""
        ports, now = self._ports, self._ports.clock.now()
        oldest_at = await ports.measures.oldest_fetched_at()
        due = await ports.erasures.find_due(now, 1)
        begun = [begins_at(subject.day) for subject in due if subject.day is not None]
        ports.signals.measured(
            oldest_age_s=(now - oldest_at).total_seconds() if oldest_at else 0.0,
            erasure_lag_s=(now - begun[0]).total_seconds() if begun else 0.0,
        )
        await ports.measures.purge_clocks(now - CLOCK_KEPT_FOR, CLOCKS_PER_RUN_MAX)

    def forget_keys(self) -> None:
        """Drop unwrapped keys that are too old; to be called every FORGET_PERIOD_S of the cache."""
        self._ports.cache.forget_old()
