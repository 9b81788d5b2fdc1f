"""Lending Amazon's tokens: how long one may be used, and when it is renewed.

- One refresh is in flight per consent over all replicas: whoever refreshes holds a lease with a fence,
  and a holder whose fence is old cannot write (R-09).
- A token that was lent lately is renewed ahead, RENEW_EARLY_S_MIN to RENEW_EARLY_S_MAX before its end. The
  moment is drawn once, when the token is written, so that all replicas agree on it (R-10). No token is used
  in its last UNUSED_TAIL.
- A token that Amazon refused is forgotten on the word of whoever met the refusal, unless it is younger than
  REPORT_AGE_S_MIN: whatever is reported, no token is refreshed more often than that.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import chassis.crypto.digest
from chassis.secrecy import Secret
from services.auth.model import ages
from services.auth.model.consents import Consent
from services.auth.model.devices import Device
from services.auth.model.sealing import Place

# Source: SP-API, "Connect to the SP-API": cache the access token until about 60 s before its end.
UNUSED_TAIL = timedelta(seconds=60)
# Source: R-10.
RENEW_EARLY_S_MIN = 300.0
RENEW_EARLY_S_MAX = 900.0
# A short-lived token is not renewed before this share of its life has passed.
RENEW_SHARE_MIN = 0.5
# After a renewal ahead that failed, the old token goes on serving; the next attempt waits, spread by chance.
RENEW_AGAIN_S_MIN = 30.0
RENEW_AGAIN_S_MAX = 90.0
# The gateway keeps a token for its hour, so a seller who is served at all is lent one each hour.
USED_LATELY = timedelta(hours=1)
# How exactly it is known when a token was last lent.
LENT_NOTED_EVERY = timedelta(minutes=10)
REPORT_AGE_S_MIN = 60.0
# Amazon's tokens live an hour, and no answer makes us believe in more.
AMAZON_LIFE_MAX = timedelta(hours=1)
# A killed holder's lease ends by itself, well within the 30 s of R-09.
LEASE_S = 20.0
# Under a lease, Amazon is asked only so long after it was asked for: an answer, at most AMAZON_TIMEOUT_S_MAX
# later, must be written before the lease ends.
ASK_S_MAX = 11.0
AMAZON_TIMEOUT_S_MAX = 5.0
WAIT_S_MIN = 0.1
WAIT_S_MAX = 0.3
# Enough turns to outlast a killed holder's lease: 150 waits of 0.2 s on average.
WAITS_MAX = 150
# A refresh that Amazon granted is written as often as this before it is given up.
SETTLE_ATTEMPTS_MAX = 3
SETTLE_PAUSE_S = 0.5


class Source(StrEnum):
    """Where a lent token came from: it was there for everybody, or Amazon was asked for it."""

    SHARED = "shared"
    RENEWED = "renewed"


@dataclass(frozen=True, kw_only=True)
class Grant:
    """LWA's answer: an access token, and the refresh token to keep from now on (None: none was named)."""

    access_token: Secret[str]
    refresh_token: Secret[str] | None
    expires_in_s: int


@dataclass(frozen=True, kw_only=True)
class Lent:
    """A token of Amazon's and its end.

    Attributes:
        fence: of the lease under which it was fetched; 0 when no other replica knows it.
    """

    token: Secret[str]
    expires_at: datetime
    fence: int = 0

    def is_usable(self, now: datetime) -> bool:
        """Return whether a call may still go out with it."""
        return now < self.expires_at - UNUSED_TAIL

    def is_meant(self, digest: bytes) -> bool:
        """Return whether a digest is the token's."""
        return chassis.crypto.digest.equal(chassis.crypto.digest.sha256(self.token.reveal().encode()), digest)


@dataclass(frozen=True, kw_only=True)
class SealedAccess:
    """An access token of Amazon's as the replicas share it.

    Attributes:
        fence: of the lease under which it was written.
        age_s: for how long it has been shared, by storage's clock.
    """

    consent_id: str
    seller_id: str
    token_sealed: str
    expires_at: datetime
    fence: int
    age_s: float = field(default=0.0, compare=False)

    @property
    def place(self) -> Place:
        """Where the token is sealed."""
        return access_place(self.seller_id, self.consent_id, self.fence)

    def is_newer(self, than: Lent | None, now: datetime) -> bool:
        """Return whether it is usable and better than what is at hand."""
        left_s = ages.left_s(self.expires_at, now, life=AMAZON_LIFE_MAX, age_s=self.age_s)
        is_usable = left_s > UNUSED_TAIL.total_seconds()
        return is_usable and (than is None or self.expires_at > than.expires_at)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What decides whether a device may be lent a token, and what there is to lend.

    Attributes:
        consent: of the device's seller for the region asked about; None when there never was one.
        access: the shared token, be it over or not.
        lent_at: when it, or one before it, was last lent.
    """

    device: Device
    consent: Consent | None
    access: SealedAccess | None
    lent_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to refresh for one consent, with the consent and shared token as they were on taking it."""

    fence: int
    consent: Consent
    access: SealedAccess | None


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    """What a refresh leaves behind, written in one step before anybody uses it; writing it again is harmless.

    Attributes:
        renew_at: when the token is to be renewed ahead.
        refresh_token_sealed: the next refresh token; None when the present one stays.
        refresh_version: how often the refresh token was written anew by then.
    """

    access: SealedAccess
    renew_at: datetime
    refresh_token_sealed: str | None
    refresh_version: int
    refreshed_at: datetime


def access_place(seller_id: str, consent_id: str, fence: int) -> Place:
    """Return where the access token refreshed under a fence is sealed."""
    return Place(
        seller_id=seller_id, table="access_leases", column="token_sealed", row_id=consent_id, version=fence
    )


def lent(grant: Grant, now: datetime, fence: int = 0) -> Lent:
    """Return the access token in Amazon's answer with its end; never more than an hour away."""
    life = min(timedelta(seconds=max(grant.expires_in_s, 0)), AMAZON_LIFE_MAX)
    return Lent(token=grant.access_token, expires_at=now + life, fence=fence)


def renew_at(expires_at: datetime, now: datetime, early_s: float) -> datetime:
    """Return when a token fetched now is to be renewed: `early_s` before its end, yet not right away."""
    return max(expires_at - timedelta(seconds=early_s), now + RENEW_SHARE_MIN * (expires_at - now))
