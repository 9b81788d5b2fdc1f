"""The audit log as auth uses it, in memory; and the counters, which tests may look at."""

from collections import Counter

from services.auth.model.audit import AuditEvent, Phase
from services.auth.model.refusals import AuditUnavailable


class FakeAudit:
    """Refuses everything while `is_down`; the same event twice is one record."""

    def __init__(self) -> None:
        self.is_down = False
        self.events: dict[str, AuditEvent] = {}

    async def record(self, event: AuditEvent) -> None:
        if self.is_down:
            raise AuditUnavailable
        self.events.setdefault(event.event_id, event)

    def told(self, kind: str) -> list[tuple[Phase, str]]:
        """Return phase and result of every record of a kind, in order."""
        return [(event.phase, event.result) for event in self.events.values() if event.kind == kind]

    def details(self, kind: str) -> list[dict[str, str]]:
        """Return the details of every record of a kind, in order."""
        return [dict(event.details) for event in self.events.values() if event.kind == kind]


class FakeSignals:
    """Counts by name and labels."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, ...]] = Counter()
        self.access_review: tuple[float, bool] | None = None
        self.days_left: dict[str, float] = {}

    def lent(self, kind: str, source: str) -> None:
        self.counts["lent", kind, source] += 1

    def refreshed(self, result: str) -> None:
        self.counts["refreshed", result] += 1

    def reported(self, result: str) -> None:
        self.counts["reported", result] += 1

    def turn_taken(self, wait_s: float) -> None:
        assert wait_s >= 0
        self.counts["turn_taken",] += 1

    def held_back(self) -> None:
        self.counts["held_back",] += 1

    def application_refused(self) -> None:
        self.counts["application_refused",] += 1

    def overdrawn(self, *, is_alarm: bool) -> None:
        self.counts["overdrawn", "alarm" if is_alarm else "counted"] += 1

    def refused(self, kind: str, reason: str) -> None:
        self.counts["refused", kind, reason] += 1

    def ended(self, what: str, why: str) -> None:
        self.counts["ended", what, why] += 1

    def ending_soon(self, within_days: int, count: int) -> None:
        self.counts["ending_soon", str(within_days)] = count

    def offboardings(self, *, under_way: int, overdue: int) -> None:
        self.counts["offboardings", "under_way"] = under_way
        self.counts["offboardings", "overdue"] = overdue

    def access_review_age(self, age_s: float, *, is_overdue: bool) -> None:
        self.access_review = (age_s, is_overdue)

    def told_late(self, result: str) -> None:
        self.counts["told_late", result] += 1

    def key_age(self, oldest_s: float) -> None:
        self.oldest_key_s = oldest_s

    def sealed_damaged(self, values: int) -> None:
        self.counts["sealed_damaged",] += values

    def secret_refused(self, which: str) -> None:
        self.counts["secret_refused", which] += 1

    def secret_days_left(self, application_id: str, days: float) -> None:
        self.days_left[application_id] = days

    def secret_expiring(self, days_left: float) -> None:
        self.counts["secret_expiring", str(int(days_left))] += 1

    def rotation(self, result: str) -> None:
        self.counts["rotation", result] += 1

    def notice(self, result: str) -> None:
        self.counts["notice", result] += 1
