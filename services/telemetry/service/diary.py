"""What telemetry writes about itself, in the same log and under the same rules as everybody's events."""

from collections.abc import Mapping
from dataclasses import replace

import chassis.clock
import chassis.entropy
from services.telemetry.model.events import OWN_NAME, Actor, Entry, Event, Phase, Result, check
from services.telemetry.model.kinds import Kind
from services.telemetry.service.ports import Journal

SELF = Actor("service", OWN_NAME)


class Diary:
    """Composes telemetry's own events and brings them into the log."""

    def __init__(
        self, *, journal: Journal, clock: chassis.clock.Clock, entropy: chassis.entropy.Entropy
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._entropy = entropy

    def compose(self, kind: Kind, *, result: str | None = None, details: Mapping[str, str]) -> Entry:
        """Return a fact, not yet written, so that it can be tried again under the same id."""
        return check(OWN_NAME, replace(self._event(kind, Phase.FACT, details), result=result))

    async def write(self, entry: Entry) -> None:
        """Return once an entry is durable.

        Raises:
            AuditUnavailable: it cannot be said that it is.
        """
        await self._journal.submit([entry])

    async def intend(
        self,
        kind: Kind,
        *,
        actor: Actor = SELF,
        request_id: str | None = None,
        details: Mapping[str, str],
    ) -> str:
        """Return the id of an intent that is durable now.

        Raises:
            AuditUnavailable: it cannot be said that it is; do nothing.
        """
        event = replace(self._event(kind, Phase.INTENT, details), actor=actor, request_id=request_id)
        await self.write(check(OWN_NAME, event))
        return event.event_id

    async def conclude(self, kind: Kind, intent_id: str, result: Result) -> None:
        """Write what became of an intent.

        Raises:
            AuditUnavailable: it cannot be said that it is durable.
        """
        event = replace(self._event(kind, Phase.OUTCOME, {}), intent_id=intent_id, result=result)
        await self.write(check(OWN_NAME, event))

    def _event(self, kind: Kind, phase: Phase, details: Mapping[str, str]) -> Event:
        return Event(
            event_id=chassis.entropy.new_id(self._clock, self._entropy),
            kind=kind,
            phase=phase,
            occurred_at=self._clock.now(),
            actor=SELF,
            details=details,
        )
