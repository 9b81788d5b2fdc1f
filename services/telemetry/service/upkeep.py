"""What telemetry looks after: intents that nobody concludes, and whether the log can be written at all."""

import asyncio

import chassis.clock
import chassis.errors
from services.telemetry.model.errors import AuditUnavailable, OutcomeAlreadyRecorded
from services.telemetry.model.events import OWN_NAME, Entry, check, timestamp
from services.telemetry.model.intents import Intent, overdue, resolution
from services.telemetry.model.kinds import Kind
from services.telemetry.service.diary import Diary
from services.telemetry.service.ports import IntentStore, Journal, Signals, StoreProbe

# One round of the job; what is left is the next round's.
PAGES_PER_ROUND_MAX = 100
# A pool may need chassis.db.ACQUIRE_S_MAX more to let go of a connection that hangs.
PROBE_S_MAX = 1.0


class Orphans:
    """Says `unknown` about intents whose sender stays silent (R-01)."""

    def __init__(
        self, *, store: IntentStore, journal: Journal, clock: chassis.clock.Clock, signals: Signals
    ) -> None:
        self._store = store
        self._journal = journal
        self._clock = clock
        self._signals = signals

    async def resolve(self) -> None:
        """Give every overdue intent an outcome; stops after PAGES_PER_ROUND_MAX pages."""
        for _ in range(PAGES_PER_ROUND_MAX):
            page = await self._store.intents()
            due = overdue(page, now=self._clock.now())
            orphans = [intent for intent in due if not intent.has_outcome]
            for intent in orphans:
                await self._resolve(intent)
            if due:
                await self._store.mark_resolved(due[-1].sequence)
            self._signals.intents_resolved(len(orphans))
            if not page or len(due) < len(page):
                return

    async def _resolve(self, intent: Intent) -> None:
        try:
            await self._journal.submit([check(OWN_NAME, resolution(intent))])
        except OutcomeAlreadyRecorded:
            return  # the sender spoke while we looked


class Health:
    """Knows whether the log takes events, and leaves a record of each time it began to again.

    A process starts as one whose log is not known to take events: its first record is SERVICE_STARTED.
    After a failed commit nothing but a commit proves that the store healed; that record is STORE_RECOVERED.
    """

    def __init__(
        self, *, probe: StoreProbe, journal: Journal, diary: Diary, clock: chassis.clock.Clock
    ) -> None:
        self._probe = probe
        self._journal = journal
        self._diary = diary
        self._clock = clock
        self._announcement: Entry | None = diary.compose(Kind.SERVICE_STARTED, details={})

    async def check(self) -> bool:
        """Return whether the log takes events.

        Bad news comes within PROBE_S_MAX; good news, after a failure, once the journal has answered.
        """
        if self._announcement is not None:
            return await self._announce(self._announcement)
        if await self._is_well():
            return True
        failed_at = timestamp(self._clock.now())
        self._announcement = self._diary.compose(Kind.STORE_RECOVERED, details={"failed_at": failed_at})
        return False

    async def _announce(self, announcement: Entry) -> bool:
        try:
            await self._diary.write(announcement)
        except AuditUnavailable:
            return False
        self._announcement = None
        return True

    async def _is_well(self) -> bool:
        if self._journal.is_failing:
            return False
        try:
            async with asyncio.timeout(PROBE_S_MAX):
                return await self._probe.is_writable()
        except (chassis.errors.Unavailable, TimeoutError):
            return False
