"""Reminders that a consent's end is near, and the word that it has come.

A reminder is due at each of MARKS_DAYS before the end; whoever comes late sends the tightest one only. What
the audit log is told follows from the reminder as it was first kept, so it can be told again as the same
record. Mark 0 is the end itself.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.auth.model.audit import SELF, AuditEvent, Kind, Phase
from services.auth.model.consents import Consent, Region

# Tightest first.
MARKS_DAYS = (1, 7, 14, 30)
ENDED = 0


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """One reminder, as it was first kept.

    Attributes:
        mark_days: one of MARKS_DAYS, or ENDED.
        days_left: at most `mark_days`; fewer when the reminder came late.
    """

    consent_id: str
    seller_id: str
    region: Region
    mark_days: int
    days_left: int
    reminded_at: datetime

    def event(self) -> AuditEvent:
        """Return what the audit log is told; always the same of one reminder."""
        facts = {"consent_id": self.consent_id, "region": self.region}
        is_over = self.mark_days == ENDED
        return AuditEvent(
            event_id=str(uuid.uuid5(uuid.UUID(self.consent_id), f"reminder {self.mark_days}")),
            kind=Kind.CONSENT_EXPIRED if is_over else Kind.CONSENT_REMINDED,
            phase=Phase.FACT,
            occurred_at=self.reminded_at,
            actor=SELF,
            seller_id=self.seller_id,
            request_id="",
            details=facts if is_over else {**facts, "days_left": str(self.days_left)},
        )


def reminder(consent: Consent, mark_days: int, now: datetime) -> Reminder:
    """Return the reminder of a consent at a mark that was reached."""
    return Reminder(
        consent_id=consent.consent_id,
        seller_id=consent.seller_id,
        region=consent.region,
        mark_days=mark_days,
        days_left=min(consent.days_left(now), mark_days),
        reminded_at=now,
    )


def reached_by(mark_days: int, now: datetime) -> datetime:
    """Return the latest end at which consents have reached a mark."""
    return now + timedelta(days=mark_days)
