"""Lending Amazon's tokens: how long one may be used, when to renew it, and what may be asked for.

- One refresh is in flight per consent over all replicas: whoever refreshes holds a lease with a fence,
  and a holder whose fence is old cannot write (R-09).
- A token is renewed RENEW_EARLY_S_MIN to RENEW_EARLY_S_MAX before its end, spread by chance (R-10),
  and never used in its last UNUSED_TAIL.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chassis.secrecy import Secret
from services.auth.model.consents import Consent
from services.auth.model.refusals import InvalidRestriction
from services.auth.model.sealing import Place

# Source: SP-API, "Connect to the SP-API": cache the access token until about 60 s before its end.
UNUSED_TAIL = timedelta(seconds=60)
# Source: R-10.
RENEW_EARLY_S_MIN = 300.0
RENEW_EARLY_S_MAX = 900.0
# After a failed early renewal the old token goes on serving; the next attempt waits this long.
RENEW_AGAIN_S = 30.0
# Amazon's tokens live an hour, and no answer makes us believe in more.
AMAZON_LIFE_S_MAX = 3600
# A killed holder's lease ends by itself, well within the 30 s of R-09.
LEASE_S = 20.0
# Within a lease, Amazon is asked only while there is time left for its answers: the attempts of `retried`,
# AMAZON_TIMEOUT_S_MAX each, the pause between them, and the writing.
LEASE_START_S_MAX = 5.0
AMAZON_TIMEOUT_S_MAX = 5.0
WAIT_S_MIN = 0.1
WAIT_S_MAX = 0.3
# Enough turns to outlast a killed holder's lease: 150 waits of 0.2 s on average.
WAITS_MAX = 150

# Source: SP-API, Tokens API model: at most 50 resources, these methods, these elements.
RESTRICTIONS_MAX = 50
METHODS = frozenset({"GET", "PUT", "POST", "DELETE"})
DATA_ELEMENTS = frozenset({"buyerInfo", "shippingAddress", "buyerTaxInformation"})
PATH_FORM = re.compile(r"(?:/[A-Za-z0-9{}_.~:,=+@%-]+){2,16}", re.ASCII)
PATH_CHARS_MAX = 512


class Source(StrEnum):
    """Where a lent token came from."""

    MEMORY = "memory"
    RENEWED = "renewed"


@dataclass(frozen=True, kw_only=True)
class Restriction:
    """One operation for which personal data is asked.

    Attributes:
        method: one of METHODS.
        path: specific or generic, e.g. /orders/v0/orders/{orderId}; without a query.
        data_elements: sorted, without repetition, from DATA_ELEMENTS.
    """

    method: str
    path: str
    data_elements: tuple[str, ...] = ()

    def check(self) -> None:
        """Return if Amazon could be asked for this.

        Raises:
            InvalidRestriction: it could not.
        """
        is_path = (
            len(self.path) <= PATH_CHARS_MAX and PATH_FORM.fullmatch(self.path) and ".." not in self.path
        )
        if self.method not in METHODS or not is_path or not DATA_ELEMENTS.issuperset(self.data_elements):
            raise InvalidRestriction


@dataclass(frozen=True, kw_only=True)
class Grant:
    """LWA's answer: an access token, and the refresh token to keep from now on (None: none was named)."""

    access_token: Secret[str]
    refresh_token: Secret[str] | None
    expires_in_s: int


@dataclass(frozen=True, kw_only=True)
class Lent:
    """A token of Amazon's and its end."""

    token: Secret[str]
    expires_at: datetime

    def is_usable(self, now: datetime) -> bool:
        """Return whether a call may still go out with it."""
        return now < self.expires_at - UNUSED_TAIL


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """An access token in this process's memory, with the moment from which a newer one is wanted."""

    lent: Lent
    renew_at: datetime

    def is_quiet(self, now: datetime) -> bool:
        """Return whether the token can be lent without a thought of renewal."""
        return now < self.renew_at and self.lent.is_usable(now)


@dataclass(frozen=True, kw_only=True)
class SealedAccess:
    """An access token of Amazon's as the replicas share it.

    Attributes:
        fence: of the lease under which it was written.
    """

    consent_id: str
    seller_id: str
    token_sealed: str
    expires_at: datetime
    fence: int

    @property
    def place(self) -> Place:
        """Where the token is sealed."""
        return access_place(self.seller_id, self.consent_id, self.fence)

    def is_newer(self, than: Lent | None, now: datetime) -> bool:
        """Return whether it is usable and better than what is at hand."""
        return now < self.expires_at - UNUSED_TAIL and (than is None or self.expires_at > than.expires_at)


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to refresh for one consent, with the consent and shared token as they were on taking it."""

    fence: int
    consent: Consent
    access: SealedAccess | None


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    """What a refresh leaves behind, written in one step before anybody uses it.

    Attributes:
        refresh_token_sealed: the next refresh token; None when the present one stays.
    """

    access: SealedAccess
    refresh_token_sealed: str | None
    refreshed_at: datetime


def access_place(seller_id: str, consent_id: str, fence: int) -> Place:
    """Return where the access token refreshed under a fence is sealed."""
    return Place(
        seller_id=seller_id, table="access_leases", column="token_sealed", row_id=consent_id, version=fence
    )


def lent(grant: Grant, now: datetime) -> Lent:
    """Return the access token in LWA's answer with its end; never more than an hour away."""
    life_s = min(max(grant.expires_in_s, 0), AMAZON_LIFE_S_MAX)
    return Lent(token=grant.access_token, expires_at=now + timedelta(seconds=life_s))


def restrictions(asked: tuple[Restriction, ...]) -> tuple[Restriction, ...]:
    """Return what was asked for, if it may be asked for.

    Raises:
        InvalidRestriction: none, more than RESTRICTIONS_MAX, or one that Amazon would not know.
    """
    if not 1 <= len(asked) <= RESTRICTIONS_MAX:
        raise InvalidRestriction
    for restriction in asked:
        restriction.check()
    return asked
