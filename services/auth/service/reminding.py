"""Saying in time that a consent ends, once for each mark over all replicas, and ending those that have.

A reminder is kept first, told to the audit log second, noted as told last. Killed in between, or run by two
replicas at once, the next run tells the same record again, which the log knows already.
"""

from chassis.errors import SallyportError, Unavailable
from services.auth.model import reminders
from services.auth.model.consents import Ending
from services.auth.model.reminders import ENDED, MARKS_DAYS, Reminder
from services.auth.service.ports import Ports

REACHED_ROWS_MAX = 200
TOLD_ROWS_MAX = 500


class RemindingService:
    """Reminders of consents' ends."""

    def __init__(self, ports: Ports) -> None:
        self._store = ports.store
        self._audit = ports.audit
        self._signals = ports.signals
        self._clock = ports.clock

    async def remind(self) -> int:
        """Send the reminders that are due and end what is over; return how many were told.

        Raises:
            AuditUnavailable: the rest waits for the next run; nothing ended untold.
        """
        now = self._clock.now()
        # The tightest mark first: whoever has a tighter reminder gets no looser one any more.
        for mark_days in (ENDED, *MARKS_DAYS):
            ends_by = reminders.reached_by(mark_days, now)
            for consent in await self._store.list_reached(mark_days, ends_by, REACHED_ROWS_MAX):
                await self._store.keep_reminder(reminders.reminder(consent, mark_days, now))
        untold = await self._store.list_untold(TOLD_ROWS_MAX)
        for reminder in untold:
            await self._tell(reminder)
        for mark_days, count in (await self._store.count_ending(now)).items():
            self._signals.ending_soon(mark_days, count)
        return len(untold)

    async def _tell(self, reminder: Reminder) -> None:
        try:
            await self._audit.record(reminder.event())
        except Unavailable:
            raise
        except SallyportError:
            self._signals.told_late("lost")
        if await self._store.settle_reminder(reminder, self._clock.now()):
            self._signals.ended("consent", Ending.EXPIRED)
