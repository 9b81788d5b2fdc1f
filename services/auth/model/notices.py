"""What Amazon writes to the vendor's queue about client secrets, read strictly and believed only in part.

A notice is an envelope with a type and a payload; what the envelope has beyond that is not looked at, since
Amazon adds to it. Nothing of a notice that could not be read may be shown: it may hold a secret.

Source: SP-API, "Notification Type Values": APPLICATION_OAUTH_CLIENT_NEW_SECRET and ..._SECRET_EXPIRY.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from chassis.secrecy import Secret
from services.auth.model.consents import CLIENT_FORM, SECRET_FORM

BODY_CHARS_MAX = 65_536
NEW_SECRET = "APPLICATION_OAUTH_CLIENT_NEW_SECRET"  # noqa: S105 - a type of notice
SECRET_EXPIRY = "APPLICATION_OAUTH_CLIENT_SECRET_EXPIRY"  # noqa: S105 - a type of notice


class Outcome(StrEnum):
    """What became of a letter."""

    KEPT = "kept"
    DATED = "dated"
    KNOWN = "known"
    FOREIGN = "foreign"
    MALFORMED = "malformed"


# These stay in the queue: for whom they are meant, or for its dead letters.
UNREAD = frozenset({Outcome.FOREIGN, Outcome.MALFORMED})


class NoticeMalformed(ValueError):
    """It is not a notice that Amazon would write; nothing says what it was."""


class NoticeForeign(ValueError):
    """It is about something else, so it is somebody else's to read."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What lies in the queue: its text, and by what the queue knows this delivery of it."""

    body: Secret[str]
    receipt: str


@dataclass(frozen=True, kw_only=True)
class QueueKey:
    """What lets auth into the vendor's queue: a key of Amazon's cloud, temporary when it has a token."""

    access_key_id: str
    secret_access_key: Secret[str]
    session_token: Secret[str] | None = None


@dataclass(frozen=True, kw_only=True)
class NewSecret:
    """Amazon made a new secret for a client."""

    client_id: str
    secret: Secret[str]
    expires_at: datetime
    older_expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class SecretExpiry:
    """Amazon reminds of the end of a client's secret."""

    client_id: str
    expires_at: datetime
    stated_at: datetime


Notice = NewSecret | SecretExpiry


def read(body: Secret[str]) -> Notice:
    """Return the notice in a letter's text.

    Raises:
        NoticeMalformed: it is no notice, or one with wrong values.
        NoticeForeign: it is a notice of another type.
    """
    envelope = _envelope(body.reveal())
    kind = _member(envelope, "notificationType", str)
    if kind not in {NEW_SECRET, SECRET_EXPIRY}:
        raise NoticeForeign
    payload = _member(envelope, "payload", dict)
    if kind == NEW_SECRET:
        return _new_secret(_member(payload, "applicationOAuthClientNewSecret", dict))
    content = _member(payload, "applicationOAuthClientSecretExpiry", dict)
    return _expiry(content, stated_at=_time(envelope, "eventTime"))


def _envelope(text: str) -> Mapping[str, Any]:
    envelope = _parsed(text) if len(text) <= BODY_CHARS_MAX else None
    if not isinstance(envelope, dict):
        raise NoticeMalformed
    return envelope


def _parsed(text: str) -> object:
    """Return the JSON value in a text or None; the parser's error, which quotes the text, ends here."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _new_secret(content: Mapping[str, Any]) -> NewSecret:
    secret = _member(content, "newClientSecret", str)
    if not SECRET_FORM.fullmatch(secret):
        raise NoticeMalformed
    return NewSecret(
        client_id=_client_id(content),
        secret=Secret(secret),
        expires_at=_time(content, "newClientSecretExpiryTime"),
        older_expires_at=_time(content, "oldClientSecretExpiryTime"),
    )


def _expiry(content: Mapping[str, Any], *, stated_at: datetime) -> SecretExpiry:
    return SecretExpiry(
        client_id=_client_id(content),
        expires_at=_time(content, "clientSecretExpiryTime"),
        stated_at=stated_at,
    )


def _client_id(content: Mapping[str, Any]) -> str:
    client_id: str = _member(content, "clientId", str)
    if not CLIENT_FORM.fullmatch(client_id):
        raise NoticeMalformed
    return client_id


def _time(content: Mapping[str, Any], name: str) -> datetime:
    text = _member(content, name, str)
    try:
        stated = datetime.fromisoformat(text)
        moment = stated.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise NoticeMalformed from error
    if stated.tzinfo is None:
        raise NoticeMalformed
    return moment


def _member(content: Mapping[str, Any], name: str, kind: type) -> Any:
    value = content.get(name)
    if not isinstance(value, kind):
        raise NoticeMalformed
    return value
