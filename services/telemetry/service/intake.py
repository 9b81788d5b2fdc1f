"""Events in: checked, then handed to the journal; the caller hears once they are durable."""

from collections.abc import Sequence

import chassis.clock
import chassis.errors
from services.telemetry.model.admission import BATCH_EVENTS_MAX, Call
from services.telemetry.model.errors import (
    EventInvalid,
    IdempotencyConflict,
    KindNotOwned,
    SensitiveContent,
)
from services.telemetry.model.events import Event, check
from services.telemetry.model.kinds import Kind
from services.telemetry.service.diary import Diary
from services.telemetry.service.ports import Journal, Signals

# What is itself put on record.
NOTED = (SensitiveContent, KindNotOwned, IdempotencyConflict)


class Intake:
    """Takes the events of other services."""

    def __init__(
        self, *, journal: Journal, diary: Diary, clock: chassis.clock.Clock, signals: Signals
    ) -> None:
        self._journal = journal
        self._diary = diary
        self._clock = clock
        self._signals = signals

    async def append(self, sender: str, events: Sequence[Event]) -> tuple[int, ...]:
        """Return the sequences of the events, in order, once all of them are durable.

        Args:
            sender: the caller's verified name.
            events: 1 to BATCH_EVENTS_MAX; they enter the log together or not at all.

        Raises:
            EventInvalid, SensitiveContent, KindNotOwned: an event may not enter.
            IdempotencyConflict, IntentUnknown, OutcomeAlreadyRecorded: one does not fit the log.
            AuditUnavailable: it cannot be said that they are durable; ask again with the same ids.
        """
        began_s = self._clock.monotonic_s()
        try:
            sequences = await self._journal.submit(_call(sender, events))
        except chassis.errors.SallyportError as refusal:
            request_ids = (event.request_id for event in events if event.request_id)
            self._signals.refused(sender, refusal.code, request_ids)
            if isinstance(refusal, NOTED):
                await self._note(sender, refusal)
            raise
        self._signals.appended(sender, len(sequences), self._clock.monotonic_s() - began_s)
        return sequences

    async def _note(self, sender: str, refusal: chassis.errors.SallyportError) -> None:
        details = {"refused": sender}
        await self._diary.write(
            self._diary.compose(Kind.APPEND_REFUSED, result=refusal.code, details=details)
        )


def _call(sender: str, events: Sequence[Event]) -> Call:
    if not 1 <= len(events) <= BATCH_EVENTS_MAX:
        raise EventInvalid(f"A call holds 1 to {BATCH_EVENTS_MAX} events.")
    return [check(sender, event) for event in events]
