"""Ceremonies: what somebody begins and completes minutes later, once.

A ceremony is chance and an end, in the open. What must stay secret or unforgeable about it (a challenge, a
nonce, a new secret) follows from its text and auth's own key, so nothing is kept for those who only begin;
that one was completed is kept until its end has come by every host's clock.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.auth.model import words
from services.auth.model.people_refusals import CeremonyOver

CEREMONY_FORM = re.compile(r"[A-Za-z0-9_-]{43}\.[0-9]{10,11}", re.ASCII)
# Source: WebAuthn, 15.1: 5 to 10 minutes where a user verifies.
PASSKEY_LIFE = timedelta(minutes=5)
ENROLMENT_LIFE = timedelta(minutes=10)
PROVIDER_LIFE = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Ceremony:
    """Something begun; whoever completes it shows the text again."""

    text: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Spent:
    """A ceremony about to be completed: it counts once, and is remembered until it is over anyway."""

    ceremony_digest: bytes
    expires_at: datetime


def begin(chance: bytes, expires_at: datetime) -> Ceremony:
    """Return a fresh ceremony.

    Args:
        chance: words.TOKEN_BYTES bytes.
        expires_at: aware; fractions of a second are dropped.
    """
    end_s = int(expires_at.timestamp())
    text = f"{words.token('', chance)}.{end_s}"
    return Ceremony(text=text, expires_at=datetime.fromtimestamp(end_s, UTC))


def read(text: str, now: datetime) -> Ceremony:
    """Return the ceremony of a text; only what follows from it shows that auth began it.

    Raises:
        CeremonyOver: it has not the form of one, or its end has come.
    """
    if not CEREMONY_FORM.fullmatch(text):
        raise CeremonyOver
    ceremony = Ceremony(text=text, expires_at=datetime.fromtimestamp(int(text.partition(".")[2]), UTC))
    if now >= ceremony.expires_at:
        raise CeremonyOver
    return ceremony
