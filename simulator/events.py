"""What the simulator must not forget, one class for each kind of fact, and how a fact is written on a line.

Tokens, codes and secrets appear as digests only: the journal of a simulator that was fed real credentials by
mistake gives none of them away.
"""

import hashlib
import json
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Born:
    """The world began; its oldest orders are dated from here."""

    seed: int
    born_at: datetime


@dataclass(frozen=True)
class Started:
    """The simulator was started for the `boot`-th time, counted from 1."""

    boot: int


@dataclass(frozen=True)
class ConsentGranted:
    """A seller let an application act for it."""

    consent_id: str
    application_id: str
    seller_id: str
    granted_at: datetime


@dataclass(frozen=True)
class ConsentRevoked:
    """A seller removed an application."""

    consent_id: str
    revoked_at: datetime


@dataclass(frozen=True)
class CodeIssued:
    """An authorization code left for an application's redirect URI."""

    code_digest: str
    consent_id: str
    redirect_uri: str
    expires_at: datetime


@dataclass(frozen=True)
class CodeUsed:
    """An authorization code was exchanged; it works once."""

    code_digest: str


@dataclass(frozen=True)
class TokenIssued:
    """A token left; `resources` are (method, path, data elements) of a restricted data token."""

    token_digest: str
    kind: str
    application_id: str
    expires_at: datetime
    consent_id: str | None = None
    scope: str | None = None
    resources: tuple[tuple[str, str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class SecretRotated:
    """An application got a new client secret."""

    application_id: str
    secret_digest: str
    rotated_at: datetime


@dataclass(frozen=True)
class PackageConfirmed:
    """A parcel of an order was confirmed; `items` are (order item id, quantity)."""

    order_id: str
    reference: str
    carrier: str
    service: str
    tracking: str
    ship_at: datetime
    confirmed_at: datetime
    items: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class PickupReported:
    """A shop reported on an order that its buyer fetches."""

    order_id: str
    status: str
    pickup_at: datetime


@dataclass(frozen=True)
class OrderDelivered:
    """An order reached its buyer ahead of its schedule."""

    order_id: str
    delivered_at: datetime


@dataclass(frozen=True)
class JobCreated:
    """A report, feed or query was asked for; all that becomes of it is decided now.

    `asked` is what was asked, as JSON; `document_id` names what it will leave, empty when it leaves nothing;
    `found` is how many messages were handed in.
    """

    job_id: str
    kind: str
    type_name: str
    application_id: str
    seller_id: str
    marketplace_ids: tuple[str, ...]
    asked: str
    created_at: datetime
    starts_at: datetime
    ends_at: datetime
    outcome: str
    document_id: str
    expires_at: datetime
    found: int = 0


@dataclass(frozen=True)
class JobCancelled:
    """A report, feed or query was taken back before its turn came."""

    job_id: str
    cancelled_at: datetime
    expires_at: datetime


Event = (
    Born
    | Started
    | ConsentGranted
    | ConsentRevoked
    | CodeIssued
    | CodeUsed
    | TokenIssued
    | SecretRotated
    | PackageConfirmed
    | PickupReported
    | OrderDelivered
    | JobCreated
    | JobCancelled
)

_KINDS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        Born,
        Started,
        ConsentGranted,
        ConsentRevoked,
        CodeIssued,
        CodeUsed,
        TokenIssued,
        SecretRotated,
        PackageConfirmed,
        PickupReported,
        OrderDelivered,
        JobCreated,
        JobCancelled,
    )
}


class NotAnEvent(ValueError):
    """A line does not hold an event of a known kind."""


def digest(secret: str) -> str:
    """Return what the journal and the record of calls know a token, code or secret by."""
    return hashlib.sha256(secret.encode()).hexdigest()


def encode(event: Event) -> bytes:
    """Return an event as one line of JSON, newline included."""
    values = {field.name: getattr(event, field.name) for field in fields(event)}
    texts = {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }
    return json.dumps({"event": type(event).__name__, **texts}, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Event:
    """Return the event on a line.

    Raises:
        NotAnEvent: the line holds something else.
    """
    try:
        values = json.loads(line)
        kind = _KINDS[values.pop("event")]
        return kind(**{name: _value(name, value) for name, value in values.items()})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotAnEvent("not an event") from error


def _value(name: str, value: Any) -> Any:
    if name.endswith("_at"):
        return datetime.fromisoformat(value)
    if isinstance(value, list):
        return tuple(_value("", part) for part in value)
    return value
