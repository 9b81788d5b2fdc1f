"""What auth tells the audit log. Details hold identifiers and words, never personal data or a secret."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """Every kind of event that auth writes, with the details it may hold.

    Attributes:
        SESSION_STARTED, SESSION_ENDED: a person came in or left. Details: session_id; of the start also way.
        SIGN_IN_REFUSED: somebody tried to come in as a person; the result says what did not match.
        SIGN_IN_LOCKED: an address failed too often. No details.
        CREDENTIAL_ADDED, CREDENTIAL_REMOVED: what a person signs in with. Details: way, passkey_id.
        CONSENT_COMPLETED: an account was connected. Details: consent_id, region, marketplace_id,
            application_id.
        CONSENT_REFUSED: what came from Amazon was not the session's to answer or complete; the result is the
            code.
        CONSENT_REVOKED: a consent ended. Details: consent_id, region, reason.
        CONSENT_REMINDED: a consent ends soon. Details: consent_id, region, days_left.
        CONSENT_EXPIRED: a consent came to its end; its token is destroyed after. Details: consent_id, region.
        DEVICE_ENROLLED: Details: device_id, profile, scopes.
        DEVICE_SCOPED: the vendor decided what a device may do. Details: device_id, scopes, reason.
        DEVICE_REVOKED: Details: device_id, reason.
        DEVICE_DECIDED: a person let a waiting desktop in, or not. Details: device_id, decision, withheld.
        SCOPES_WITHHELD: a person took scopes away from a device for good. Details: device_id, withheld.
        TOKEN_REVOKED: a device gave one of its access tokens up. Details: device_id.
        GRANT_REFUSED: a code or refresh token was shown that should not have been; the result says why.
        AMAZON_TOKEN_REQUESTED: Amazon is about to be asked for an access token. Details: consent_id, region,
            purpose; of the application's own, application_id and the scope as purpose.
        APPLICATION_REFUSED: Amazon refuses the application itself, and with it every seller; told once, when
            that begins. Details: application_id.
        LENDING_REFUSED: somebody borrows more than any gateway needs to; told once, when that begins.
            Details: borrower, sellers, tokens.
        TOKEN_DELEGATED: Amazon is about to be asked for a token for another application's use. Details:
            consent_id, target_application, operation, data_elements.
        APPLICATION_REGISTERED: Details: application_id, is_draft.
        CLIENT_SECRET_REQUESTED: Amazon is asked for a new client secret. Details: application_id, forced.
        CLIENT_SECRET_KEPT, CLIENT_SECRET_ACCEPTED, CLIENT_SECRET_DATED, CLIENT_SECRET_DESTROYED: a secret
            came; Amazon was seen to accept it; its end was stated; its time is over. Details: application_id,
            newest_id, origin, expires_at, older_id, destroyed_id.
        CLIENT_SECRET_EXPIRING: the secret that the application relies on ends soon. Details: application_id,
            secret_id, days_left, mark.
        SELLER_CREATED: No details.
        SELLER_OFFBOARDED: a seller left, and nobody of theirs gets in any more. Details: reason.
        SELLER_ERASED: nothing that a seller left behind can be opened any more. Details: receipt_id.
        USER_INVITED: Details: user_id, role.
        ROLE_CHANGED: Details: user_id, role.
        USER_REMOVED: a person left, and nothing of theirs lets anybody in any more. Details: user_id, reason.
        ACCESS_REVIEWED: somebody took the list of who has access to what. Details: review_id.
        KEYS_ROTATION_ASKED: an operator wants keys rotated. Details: keys ("all", or whose kind of key).
        KEY_ROTATED: a key has a new version, under which all is sealed from now on. Details: key_kind.
        KEY_VERSIONS_CLOSED: nothing sealed under older versions of a key opens any more. Details: key_kind,
            version.
    """

    SESSION_STARTED = "auth.session.started"
    SESSION_ENDED = "auth.session.ended"
    SIGN_IN_REFUSED = "auth.sign_in.refused"
    SIGN_IN_LOCKED = "auth.sign_in.locked"
    CREDENTIAL_ADDED = "auth.credential.added"
    CREDENTIAL_REMOVED = "auth.credential.removed"
    CONSENT_COMPLETED = "auth.consent.completed"
    CONSENT_REFUSED = "auth.consent.refused"
    CONSENT_REVOKED = "auth.consent.revoked"
    CONSENT_REMINDED = "auth.consent.reminded"
    CONSENT_EXPIRED = "auth.consent.expired"
    DEVICE_ENROLLED = "auth.device.enrolled"
    DEVICE_SCOPED = "auth.device.scoped"
    DEVICE_REVOKED = "auth.device.revoked"
    DEVICE_DECIDED = "auth.device.decided"
    SCOPES_WITHHELD = "auth.device.scopes_withheld"
    TOKEN_REVOKED = "auth.token.revoked"  # noqa: S105 - a kind of event
    GRANT_REFUSED = "auth.grant.refused"
    AMAZON_TOKEN_REQUESTED = "auth.amazon_token.requested"  # noqa: S105 - a kind of event
    APPLICATION_REFUSED = "auth.application.refused"
    LENDING_REFUSED = "auth.lending.refused"
    TOKEN_DELEGATED = "auth.amazon_token.delegated"  # noqa: S105 - a kind of event
    APPLICATION_REGISTERED = "auth.application.registered"
    CLIENT_SECRET_REQUESTED = "auth.client_secret.requested"  # noqa: S105 - kinds of events
    CLIENT_SECRET_KEPT = "auth.client_secret.kept"  # noqa: S105
    CLIENT_SECRET_ACCEPTED = "auth.client_secret.accepted"  # noqa: S105
    CLIENT_SECRET_DATED = "auth.client_secret.dated"  # noqa: S105
    CLIENT_SECRET_DESTROYED = "auth.client_secret.destroyed"  # noqa: S105
    CLIENT_SECRET_EXPIRING = "auth.client_secret.expiring"  # noqa: S105
    SELLER_CREATED = "auth.seller.created"
    SELLER_OFFBOARDED = "auth.seller.offboarded"
    SELLER_ERASED = "auth.seller.erased"
    USER_INVITED = "auth.user.invited"
    ROLE_CHANGED = "auth.role.changed"
    USER_REMOVED = "auth.user.removed"
    ACCESS_REVIEWED = "auth.access.reviewed"
    KEYS_ROTATION_ASKED = "auth.keys.rotation_asked"
    KEY_ROTATED = "auth.key.rotated"
    KEY_VERSIONS_CLOSED = "auth.key.versions_closed"


class Result(StrEnum):
    """What became of an intent."""

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

    kind: Kind
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
        result: of an outcome a `Result`; of a fact: one word or empty; of an intent empty.
    """

    event_id: str
    kind: Kind
    phase: Phase
    occurred_at: datetime
    actor: Actor
    seller_id: str
    request_id: str
    details: Mapping[str, str]
    intent_id: str = ""
    result: str = ""

    def outcome(self, result: Result, now: datetime) -> "AuditEvent":
        """Return the outcome of this intent; its id follows from the intent's, so it is told once."""
        return replace(
            self,
            event_id=str(uuid.uuid5(uuid.UUID(self.event_id), Phase.OUTCOME)),
            phase=Phase.OUTCOME,
            occurred_at=now,
            intent_id=self.event_id,
            result=result,
        )
