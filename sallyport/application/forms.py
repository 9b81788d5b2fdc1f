"""How an application is shown at the console: lines for people, one object for scripts."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from wire.auth.v1 import applications_pb2

WAYS = {"registered": "registered", "queue": "came by the queue", "pasted": "pasted"}


def lines(details: applications_pb2.ApplicationDetails) -> Iterator[str]:
    """Yield what an operator wants to know of an application."""
    yield f"application  {details.application_id}"
    yield f"client       {details.client_id}"
    yield f"draft        {'yes' if details.is_draft else 'no'}"
    for place, secret in zip(("newest", "older"), details.secrets, strict=False):
        first, *others = _secret(secret)
        yield f"{place:<12} {first}"
        yield from (f"{'':<12} {line}" for line in others)
    yield f"rotation     {_rotation(details)}"


def document(details: applications_pb2.ApplicationDetails) -> dict[str, Any]:
    """Return the same for scripts; times in ISO 8601, absent ones as null."""
    rotation = details.rotation
    return {
        "application_id": details.application_id,
        "client_id": details.client_id,
        "is_draft": details.is_draft,
        "secrets": [_dates(secret) for secret in details.secrets],
        "rotation": {
            "is_heard": rotation.is_heard,
            "due_at": _iso(rotation, "due_at"),
            "asked_at": _iso(rotation, "asked_at"),
            "refused_at": _iso(rotation, "refused_at"),
            "refusal": rotation.refusal or None,
        },
    }


def end(secret: applications_pb2.SecretDates) -> str:
    """Return when a secret ends, in words."""
    latest = " at the latest, since nobody stated its date" if secret.is_estimated else ""
    return f"{'ends' if secret.days_left > 0 else 'ended'} {_day(secret.expires_at)}, {_away(secret)}{latest}"


def _away(secret: applications_pb2.SecretDates) -> str:
    days = math.ceil(abs(secret.days_left))
    span = f"{days} day" if days == 1 else f"{days} days"
    return f"in {span}" if secret.days_left > 0 else f"{span} ago"


def _secret(secret: applications_pb2.SecretDates) -> Iterator[str]:
    yield end(secret)
    accepted = (
        f"accepted by Amazon since {_day(secret.accepted_at)}"
        if secret.HasField("accepted_at")
        else "not seen to be accepted by Amazon yet"
    )
    yield f"{WAYS.get(secret.origin, secret.origin)} {_day(secret.kept_at)}, {accepted}"
    if secret.HasField("destroyed_at"):
        yield f"destroyed here after {_day(secret.destroyed_at)}, once Amazon accepts the newest"
    yield f"id {secret.secret_id}"


def _rotation(details: applications_pb2.ApplicationDetails) -> str:
    rotation = details.rotation
    parts = [
        f"by itself from {_day(rotation.due_at)} on"
        if rotation.is_heard
        else "not by itself: no queue is configured (docs/client-secrets.md)"
    ]
    if rotation.HasField("asked_at"):
        is_answered = details.secrets[0].kept_at.ToDatetime() >= rotation.asked_at.ToDatetime()
        parts.append(f"asked {_moment(rotation.asked_at)}{'' if is_answered else ', nothing arrived yet'}")
    if rotation.HasField("refused_at"):
        parts.append(f"refused {_moment(rotation.refused_at)}: {rotation.refusal}")
    return "; ".join(parts)


def _dates(secret: applications_pb2.SecretDates) -> dict[str, Any]:
    return {
        "secret_id": secret.secret_id,
        "origin": secret.origin,
        "kept_at": _iso(secret, "kept_at"),
        "expires_at": _iso(secret, "expires_at"),
        "is_estimated": secret.is_estimated,
        "days_left": round(secret.days_left, 2),
        "accepted_at": _iso(secret, "accepted_at"),
        "destroyed_at": _iso(secret, "destroyed_at"),
    }


def _iso(message: applications_pb2.SecretDates | applications_pb2.SecretRotation, name: str) -> str | None:
    return _time(getattr(message, name)).isoformat() if message.HasField(name) else None


def _day(moment: Timestamp) -> str:
    return f"{_time(moment):%Y-%m-%d}"


def _moment(moment: Timestamp) -> str:
    return f"{_time(moment):%Y-%m-%d %H:%M} UTC"


def _time(moment: Timestamp) -> datetime:
    return moment.ToDatetime(tzinfo=UTC)
