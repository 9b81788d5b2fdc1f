"""Asking Amazon for another client secret: when, how often, and what is known of the last time.

- One call is in flight over all replicas: whoever looks after an application's secrets holds a lease.
- A call may have had its effect even when no answer came, so none follows within ROTATION_PAUSE unless an
  operator insists: each makes one more secret, and shortens the life of the one before.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.auth.model.consents import Region
from services.auth.model.credentials import ClientSecret, SecretPair
from services.auth.model.secret_refusals import RotationTooSoon

# Source: the application management model gives one call a minute; one a day is plenty.
ROTATION_PAUSE = timedelta(days=1)
# More than the 7 days that a secret has left beside one that Amazon never accepted.
AHEAD_DAYS_MIN = 8
AHEAD_DAYS_MAX = 90
# Time for proofs, the call with its token, the audit log and the writing; a killed holder's ends by itself.
LEASE_S = 90.0
APPLICATIONS_MAX = 64


@dataclass(frozen=True, kw_only=True)
class RotationPlan:
    """What the vendor decided about rotation.

    Attributes:
        ahead: so long before a secret's end the next one is asked for, AHEAD_DAYS_MIN to AHEAD_DAYS_MAX days.
        region: whose endpoint is asked; the secret is the same everywhere.
        is_heard: whether a queue is configured on which the new secret arrives.
    """

    ahead: timedelta = timedelta(days=30)
    region: Region = Region.NA
    is_heard: bool = False

    def rotates_at(self, pair: SecretPair, now: datetime) -> datetime:
        """Return from when on another secret should be asked for."""
        return pair.counted(now).expires_at - self.ahead


@dataclass(frozen=True, kw_only=True)
class RotationState:
    """What is remembered of an application's rotations.

    Attributes:
        asked_at: when Amazon was last asked and did not refuse.
        refused_at: when it last refused since, and `refusal` the code of why.
        told_secret_id: the secret whose end was told of, and `told_days` the lowest mark told.
    """

    asked_at: datetime | None = None
    refused_at: datetime | None = None
    refusal: str = ""
    told_secret_id: str = ""
    told_days: int | None = None

    def check(self, now: datetime) -> None:
        """Return if Amazon may be asked now.

        Raises:
            RotationTooSoon: it was, within ROTATION_PAUSE, and did not refuse.
        """
        if self.asked_at is not None and now < self.asked_at + ROTATION_PAUSE:
            raise RotationTooSoon(retry_after_s=(self.asked_at + ROTATION_PAUSE - now).total_seconds())

    def is_due(self, pair: SecretPair, plan: RotationPlan, now: datetime) -> bool:
        """Return whether another secret should be asked for by itself, at most once in ROTATION_PAUSE."""
        tried_at = [at for at in (self.asked_at, self.refused_at) if at is not None]
        is_quiet = all(now >= at + ROTATION_PAUSE for at in tried_at)
        return plan.is_heard and is_quiet and now >= plan.rotates_at(pair, now)

    def untold_mark(self, secret: ClientSecret, now: datetime) -> int | None:
        """Return the mark that should be told of a secret's end; None when it was told."""
        mark = secret.mark(now)
        if mark is None or self.told_secret_id != secret.secret_id or self.told_days is None:
            return mark
        return mark if mark < self.told_days else None


@dataclass(frozen=True, kw_only=True)
class RotationLease:
    """The right to look after an application's secrets, with what was remembered on taking it."""

    application_id: str
    fence: int
    state: RotationState
