"""An application's client secrets: the newest, and the one before it while that may still be needed.

- The newest is shown to Amazon first, the older one when Amazon does not accept it. Dates are advice, some of
  them estimated; what counts is what Amazon accepts.
- A secret that Amazon has accepted is never given up for one that it has not.
- Saying the same thing twice, or late, changes nothing: a known secret is never kept a second time, and one
  that was replaced before it arrived does not become the newest.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chassis.secrecy import Secret
from services.auth.model.consents import SECRET_FORM, Credentials
from services.auth.model.secret_refusals import InvalidExpiry, InvalidSecret

# Source: SP-API, "Rotate your Application's LWA Credentials": a secret lives 180 days, and 7 more after its
# successor was made.
SECRET_LIFE = timedelta(days=180)
SECRET_OVERLAP = timedelta(days=7)
# No end further away than this is believed.
SECRET_LIFE_MAX = timedelta(days=366)
# A secret that just came is given so long to be accepted; then the older one's end counts instead.
ACCEPTANCE_PATIENCE = timedelta(days=1)
# The vendor is told so many days before the end, each time once.
MARKS_DAYS = (90, 60, 30, 15, 7, 1)
# From this mark on it is an error that nobody has acted.
URGENT_DAYS = 15


class Origin(StrEnum):
    """How a secret came here."""

    REGISTERED = "registered"
    QUEUE = "queue"
    PASTED = "pasted"


class Verdict(StrEnum):
    """What Amazon says of a secret."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class ClientSecret:
    """One secret with its dates.

    Attributes:
        secret_id: names it where the secret itself must not be seen.
        expires_at: when Amazon stops accepting it.
        is_estimated: nobody stated that date; it is the latest that is possible.
        accepted_at: when Amazon was first seen to accept it.
    """

    secret_id: str
    secret: Secret[str]
    origin: Origin
    kept_at: datetime
    expires_at: datetime
    is_estimated: bool
    accepted_at: datetime | None = None

    def days_left(self, now: datetime) -> float:
        """Return how many days remain; below zero after the end."""
        return (self.expires_at - now) / timedelta(days=1)

    def is_expired(self, now: datetime) -> bool:
        """Return whether its date has passed."""
        return now >= self.expires_at

    def mark(self, now: datetime) -> int | None:
        """Return the lowest of MARKS_DAYS that has been reached."""
        return min((mark for mark in MARKS_DAYS if self.days_left(now) <= mark), default=None)


@dataclass(frozen=True, kw_only=True)
class SecretPair:
    """What an application may show Amazon's token endpoint."""

    client_id: str
    newest: ClientSecret
    older: ClientSecret | None = None

    @property
    def held(self) -> tuple[ClientSecret, ...]:
        """Every secret there is, newest first: one or two."""
        return (self.newest,) if self.older is None else (self.newest, self.older)

    @property
    def relied_on(self) -> ClientSecret:
        """The newest, unless only the older one was ever accepted."""
        if self.older is None or self.older.accepted_at is None or self.newest.accepted_at is not None:
            return self.newest
        return self.older

    def credentials(self, secret: ClientSecret) -> Credentials:
        """Return what a call to Amazon's token endpoint carries."""
        return Credentials(client_id=self.client_id, client_secret=secret.secret)

    def older_ends_at(self) -> datetime | None:
        """Return when the older secret is of no more use."""
        if self.older is None:
            return None
        return min(self.older.expires_at, self.newest.kept_at + SECRET_OVERLAP)

    def dated(self) -> tuple[ClientSecret, ...]:
        """Return every secret with the end that it has now: an older one may have got an earlier one."""
        ends_at = self.older_ends_at()
        if self.older is None or ends_at is None or ends_at == self.older.expires_at:
            return self.held
        return self.newest, replace(self.older, expires_at=ends_at, is_estimated=True)

    def counted(self, now: datetime) -> ClientSecret:
        """Return the secret whose end is counted down: the newest, while it may yet be accepted."""
        is_patient = now < self.newest.kept_at + ACCEPTANCE_PATIENCE
        return self.newest if is_patient or self.relied_on is self.newest else self.dated()[-1]

    def with_secret(self, new: ClientSecret, *, older_expires_at: datetime | None = None) -> "SecretPair":
        """Return the pair after a secret came; the same pair when it says nothing new.

        Args:
            new: its `kept_at` is now.
            older_expires_at: when its forerunner ends, if that was stated.
        """
        known = next((held for held in self.held if held.secret == new.secret), None)
        if known is not None:
            return self._redated(known, new)
        if self._is_late(new):
            is_useful = self.older is None and new.kept_at < self.newest.kept_at + SECRET_OVERLAP
            return replace(self, older=new) if is_useful else self
        kept = self.relied_on
        if older_expires_at is not None and older_expires_at < kept.expires_at:
            kept = replace(kept, expires_at=older_expires_at, is_estimated=False)
        return replace(self, newest=new, older=kept)

    def with_expiry(self, expires_at: datetime, *, stated_at: datetime) -> "SecretPair":
        """Return the pair after Amazon stated its end; what was stated before the newest came is ignored."""
        if stated_at < self.newest.kept_at:
            return self
        return replace(self, newest=replace(self.newest, expires_at=expires_at, is_estimated=False))

    def with_acceptance(self, secret: Secret[str], now: datetime) -> "SecretPair":
        """Return the pair after Amazon accepted a secret; the same pair when it is none of these."""
        newest, *older = (
            replace(held, accepted_at=held.accepted_at or now) if held.secret == secret else held
            for held in self.held
        )
        return replace(self, newest=newest, older=older[0] if older else None)

    def without_older(self) -> "SecretPair":
        """Return the newest secret alone."""
        return replace(self, older=None)

    def _is_late(self, new: ClientSecret) -> bool:
        """Return whether a secret that was sent was replaced before it arrived."""
        is_stated = not (new.is_estimated or self.newest.is_estimated)
        return new.origin is Origin.QUEUE and is_stated and new.expires_at < self.newest.expires_at

    def _redated(self, known: ClientSecret, new: ClientSecret) -> "SecretPair":
        """Return the pair with a stated date of a secret that is known; one that was pasted goes first."""
        is_repeated = new.origin is known.origin is Origin.QUEUE
        if not new.is_estimated and not is_repeated:
            known = replace(known, expires_at=new.expires_at, is_estimated=False)
        if known.secret_id == self.newest.secret_id:
            return replace(self, newest=known)
        if new.origin is Origin.PASTED:
            return replace(self, newest=replace(known, kept_at=new.kept_at), older=self.newest)
        return replace(self, older=known)


@dataclass(frozen=True, kw_only=True)
class KeptPair:
    """A pair as the key service has it; `number` is the version that a change must follow."""

    pair: SecretPair
    number: int


def check_secret(secret: Secret[str]) -> None:
    """Return if this could be a client secret.

    Raises:
        InvalidSecret: it is empty, too long, or holds what is not printable ASCII.
    """
    if not SECRET_FORM.fullmatch(secret.reveal()):
        raise InvalidSecret


def check_expiry(expires_at: datetime, now: datetime) -> None:
    """Return if a secret that is good now may end then.

    Raises:
        InvalidExpiry: it has ended, or lies further away than SECRET_LIFE_MAX.
    """
    if not now < expires_at <= now + SECRET_LIFE_MAX:
        raise InvalidExpiry
