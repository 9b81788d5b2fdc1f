"""The audit log as retention sees it, with the rules that telemetry holds everyone to."""

from services.retention.model.audit import AuditEvent, Kind, Phase, Result
from services.retention.model.errors import AuditUnavailable

FINAL = frozenset({Result.DONE, Result.NOT_DONE})


class FakeAudit:
    """Fits `Audit`. `is_down` makes it take nothing."""

    def __init__(self) -> None:
        self.is_down = False
        self.events: dict[str, AuditEvent] = {}

    async def record(self, event: AuditEvent) -> None:
        known = self.events.get(event.event_id)
        if self.is_down or (known is not None and known != event):
            raise AuditUnavailable
        if known is None and event.phase is Phase.OUTCOME:
            self._check_outcome(event)
        self.events[event.event_id] = event

    def of(self, kind: Kind) -> list[AuditEvent]:
        return [event for event in self.events.values() if event.kind is kind]

    def told(self) -> list[tuple[Kind, Phase, str]]:
        """Return what the log says, in order, without ids and times."""
        return [(event.kind, event.phase, event.result) for event in self.events.values()]

    def _check_outcome(self, event: AuditEvent) -> None:
        intent = self.events.get(event.intent_id)
        if intent is None or intent.phase is not Phase.INTENT:
            raise AuditUnavailable
        results = {known.result for known in self.events.values() if known.intent_id == event.intent_id}
        if results & FINAL:
            raise AuditUnavailable
