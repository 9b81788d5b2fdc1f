"""What auth tells the audit log. Details hold identifiers and words, never personal data or a secret."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

SESSION_STARTED = "auth.session.started"
SESSION_ENDED = "auth.session.ended"
CONSENT_COMPLETED = "auth.consent.completed"
CONSENT_REFUSED = "auth.consent.refused"
CONSENT_REVOKED = "auth.consent.revoked"
DEVICE_ENROLLED = "auth.device.enrolled"
DEVICE_SCOPED = "auth.device.scoped"
DEVICE_REVOKED = "auth.device.revoked"
GRANT_REFUSED = "auth.grant.refused"
AMAZON_TOKEN_REQUESTED = "auth.amazon_token.requested"  # noqa: S105 - a kind of event
APPLICATION_REGISTERED = "auth.application.registered"
SELLER_CREATED = "auth.seller.created"
USER_INVITED = "auth.user.invited"

DONE = "done"
NOT_DONE = "not_done"
UNKNOWN = "unknown"


class Phase(StrEnum):
    """Where an event stands to its effect."""

    INTENT = "intent"
    OUTCOME = "outcome"
    FACT = "fact"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who did it: a "device", "user", "operator" or "service", and its id."""

    kind: str
    actor_id: str


SELF = Actor(kind="service", actor_id="auth")
OPERATOR = Actor(kind="operator", actor_id="console")


@dataclass(frozen=True, kw_only=True)
class Deed:
    """Something worth telling, before it has an id and a time.

    Attributes:
        result: of a fact, in one word; else empty.
    """

    kind: str
    actor: Actor
    seller_id: str = ""
    result: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AuditEvent:
    """One record of the audit log as its sender makes it.

    Attributes:
        event_id: the idempotency key.
        intent_id: of an outcome: the event_id of its intent; else empty.
        result: of an outcome: DONE, NOT_DONE or UNKNOWN; of a fact: one word or empty; of an intent: empty.
    """

    event_id: str
    kind: str
    phase: Phase
    occurred_at: datetime
    actor: Actor
    seller_id: str
    request_id: str
    details: Mapping[str, str]
    intent_id: str = ""
    result: str = ""

    def outcome(self, result: str, now: datetime) -> "AuditEvent":
        """Return the outcome of this intent; its id follows from the intent's, so it is told once."""
        return replace(
            self,
            event_id=str(uuid.uuid5(uuid.UUID(self.event_id), Phase.OUTCOME)),
            phase=Phase.OUTCOME,
            occurred_at=now,
            intent_id=self.event_id,
            result=result,
        )
