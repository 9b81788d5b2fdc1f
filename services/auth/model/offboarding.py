"""How a seller leaves for good (T-18).

Closing is one step: sessions, invitations, devices and consents end together, and the refresh tokens' sealed
texts are gone. Destruction follows, step by step, each harmless when repeated: the seller's key, the buyers'
data in the safe, and after every call that was under way has ended, the safe once more.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.auth.model.audit import SELF, AuditEvent, Kind, Phase
from services.auth.model.people import Seller

# Source: T-18, a leaving seller's keys are destroyed within 24 h.
DESTROYED_WITHIN = timedelta(hours=24)
# A gateway that hears no revocations asks anew after 45 s, and no call lasts longer than a minute or two:
# what such a call may still have put into the safe is erased after this time.
CALLS_END_WITHIN = timedelta(minutes=5)
SELLERS_LISTED_MAX = 100


@dataclass(frozen=True, kw_only=True)
class Offboarding:
    """How far a seller's leaving is; each time is None until its step is done.

    Attributes:
        erased_at: when the safe was first erased.
        finished_at: when it was erased after all calls had ended.
        receipt_id: of the safe's last erasure.
        told_at: when the audit log had all of it.
    """

    seller_id: str
    closed_at: datetime
    key_destroyed_at: datetime | None = None
    erased_at: datetime | None = None
    finished_at: datetime | None = None
    receipt_id: str | None = None
    told_at: datetime | None = None

    def have_calls_ended(self, now: datetime) -> bool:
        """Return whether nothing that began before the closing can be under way."""
        return now >= self.closed_at + CALLS_END_WITHIN

    def is_overdue(self, now: datetime) -> bool:
        """Return whether it should have been finished by now."""
        return self.finished_at is None and now >= self.closed_at + DESTROYED_WITHIN

    def event(self) -> AuditEvent:
        """Return what the audit log is told of a finished one; always the same."""
        assert self.finished_at is not None
        return AuditEvent(
            event_id=str(uuid.uuid5(uuid.UUID(self.seller_id), "erased")),
            kind=Kind.SELLER_ERASED,
            phase=Phase.FACT,
            occurred_at=self.finished_at,
            actor=SELF,
            seller_id=self.seller_id,
            request_id="",
            details={"receipt_id": self.receipt_id or ""},
        )


@dataclass(frozen=True, kw_only=True)
class KnownSeller:
    """A seller as the vendor's operators see them.

    Attributes:
        offboarding: None while the seller stays.
    """

    seller: Seller
    active_consents: int
    active_devices: int
    offboarding: Offboarding | None


@dataclass(frozen=True, kw_only=True)
class NamedSeller:
    """A known seller with its name in the open; empty once the seller's key is destroyed."""

    known: KnownSeller
    name: str
