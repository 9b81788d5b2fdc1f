"""Consents: what a seller granted the application at Amazon, region by region, and how one comes about.

- A state is good for one use, by the session and seller that began it, within STATE_LIFE; where the account
  is known before, for that account only (T-08).
- A seller has at most one active consent per region; a new one ends the older and destroys its token,
  because Amazon leaves older refresh tokens alive (Source: SP-API, "Renew Authorizations").
- An account at Amazon belongs to one seller here.
"""

import hmac
import math
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from chassis.secrecy import Secret
from services.auth.model import ages
from services.auth.model.consent_refusals import OtherAccount
from services.auth.model.refusals import ConsentExpired, ConsentRevoked, InvalidApplication, InvalidState
from services.auth.model.sealing import Place

STATE_LIFE = timedelta(minutes=10)
# Source: SP-API, "Renew Authorizations": an authorization ends after 365 days.
CONSENT_LIFE = timedelta(days=365)
# A grant that nobody used for so long is disabled (T-18).
CONSENT_IDLE_MAX = timedelta(days=90)
# Source: SP-API field reports (models#2840, #2997): `invalid_grant` is at times a false alarm, so a
# refusal counts only when it is repeated after minutes.
REFUSAL_CONFIRMED_AFTER = timedelta(minutes=2)
CONSENTS_LISTED_MAX = 100
A_DAY = timedelta(days=1)

# Older applications are "sellerapps", those of the Solution Provider Portal "sp.solution".
APPLICATION_FORM = re.compile(r"amzn1\.(?:sellerapps\.app|sp\.solution)\.[A-Za-z0-9-]{1,64}", re.ASCII)
CLIENT_FORM = re.compile(r"amzn1\.application-oa2-client\.[A-Za-z0-9-]{1,64}", re.ASCII)
SECRET_FORM = re.compile(r"[\x21-\x7e]{1,512}", re.ASCII)
SELLING_PARTNER_FORM = re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII)
# Source: LWA: allow 2,048 bytes per token.
AMAZON_CODE_FORM = re.compile(r"[\x21-\x7e]{1,2048}", re.ASCII)


class Region(StrEnum):
    """Amazon's regions; one endpoint and one consent each."""

    NA = "na"
    EU = "eu"
    FE = "fe"


class AccountKind(StrEnum):
    """Where an account at Amazon lives: Seller Central or Vendor Central."""

    SELLER = "seller"
    VENDOR = "vendor"


class Ending(StrEnum):
    """Why a consent ended."""

    REPLACED = "replaced"
    REFUSED = "refused"
    IDLE = "idle"
    QUARANTINED = "quarantined"
    DISCONNECTED = "disconnected"
    EXPIRED = "expired"
    OFFBOARDED = "offboarded"


# What a consent's seller is told of how it ended; "revoked" for all others.
ENDINGS_TOLD = MappingProxyType(
    {Ending.EXPIRED: "expired", Ending.DISCONNECTED: "disconnected", Ending.IDLE: "idle"}
)


@dataclass(frozen=True, kw_only=True)
class Application:
    """The vendor's application at Amazon; its client secret lives in the key service only."""

    application_id: str
    client_id: str
    is_draft: bool

    def check(self) -> None:
        """Return if the identifiers have Amazon's form.

        Raises:
            InvalidApplication: they do not.
        """
        is_known_form = APPLICATION_FORM.fullmatch(self.application_id) and CLIENT_FORM.fullmatch(
            self.client_id
        )
        if not is_known_form:
            raise InvalidApplication


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What the application shows LWA."""

    client_id: str
    client_secret: Secret[str]


@dataclass(frozen=True, kw_only=True)
class State:
    """A consent that has begun.

    Attributes:
        selling_partner_digest: of the account that must come back; None where it is not known before.
        used_at: set from the second look on.
        age_s: for how long it has been kept, by storage's clock.
    """

    state_digest: bytes
    session_id: str
    seller_id: str
    marketplace_id: str
    region: Region
    account_kind: AccountKind = AccountKind.SELLER
    application_id: str
    selling_partner_digest: bytes | None = None
    expires_at: datetime
    used_at: datetime | None = None
    age_s: float = field(default=0.0, compare=False)

    def check(self, *, session_id: str, seller_id: str, now: datetime) -> None:
        """Return if this session may complete the consent now.

        Raises:
            InvalidState: used before, too old, or begun by another session or seller.
        """
        is_same_session = hmac.compare_digest(self.session_id, session_id)
        is_own = is_same_session and hmac.compare_digest(self.seller_id, seller_id)
        is_over = ages.left_s(self.expires_at, now, life=STATE_LIFE, age_s=self.age_s) <= 0
        if self.used_at is not None or is_over or not is_own:
            raise InvalidState

    def check_account(self, selling_partner_digest: bytes) -> None:
        """Return if this account may come back.

        Raises:
            OtherAccount: another one was shown when the consent began.
        """
        expected = self.selling_partner_digest
        if expected is not None and not hmac.compare_digest(expected, selling_partner_digest):
            raise OtherAccount


@dataclass(frozen=True, kw_only=True)
class Callback:
    """What Amazon's redirect carried, not believed yet."""

    state: str
    selling_partner_id: str
    code: Secret[str]

    def check(self) -> None:
        """Return if the values have Amazon's form.

        Raises:
            InvalidState: they do not.
        """
        is_partner = SELLING_PARTNER_FORM.fullmatch(self.selling_partner_id)
        if not is_partner or not AMAZON_CODE_FORM.fullmatch(self.code.reveal()):
            raise InvalidState


@dataclass(frozen=True, kw_only=True)
class Consent:
    """A seller's grant for one region, with Amazon's refresh token behind it.

    Attributes:
        refresh_token_sealed: None once it is destroyed.
        refresh_version: how often the refresh token was written anew.
        used_at: when Amazon last accepted the refresh token.
        refused_at: when Amazon first refused it since.
    """

    consent_id: str
    seller_id: str
    region: Region
    marketplace_id: str
    account_kind: AccountKind = AccountKind.SELLER
    application_id: str
    selling_partner_sealed: str
    refresh_token_sealed: str | None = field(repr=False)
    refresh_version: int = 1
    granted_at: datetime
    expires_at: datetime
    used_at: datetime
    refused_at: datetime | None = None
    ended_at: datetime | None = None
    ending: Ending | None = None

    @property
    def selling_partner_place(self) -> Place:
        """Where the selling partner's id is sealed."""
        return selling_partner_place(self.seller_id, self.consent_id)

    @property
    def refresh_token_place(self) -> Place:
        """Where the present refresh token is sealed."""
        return refresh_token_place(self.seller_id, self.consent_id, self.refresh_version)

    @property
    def next_refresh_token_place(self) -> Place:
        """Where the refresh token's successor would be sealed."""
        return refresh_token_place(self.seller_id, self.consent_id, self.refresh_version + 1)

    def status(self, now: datetime) -> str:
        """Return "active", "revoked", "expired", "disconnected" or "idle"."""
        if self.ending is not None:
            return ENDINGS_TOLD.get(self.ending, "revoked")
        return "active" if now < self.expires_at else "expired"

    def check(self, now: datetime) -> None:
        """Return if Amazon may be asked for a token under this consent.

        Raises:
            ConsentRevoked: it has ended.
            ConsentExpired: it is older than CONSENT_LIFE.
        """
        if self.ending is Ending.EXPIRED:
            raise ConsentExpired
        if self.ended_at is not None or self.refresh_token_sealed is None:
            raise ConsentRevoked
        if now >= self.expires_at:
            raise ConsentExpired

    def days_left(self, now: datetime) -> int:
        """Return how many days remain, each begun one counted; 0 at the end."""
        return max(0, math.ceil((self.expires_at - now) / A_DAY))

    def doubt_s(self, now: datetime) -> float:
        """Return how many seconds remain until Amazon's refusal may be checked again; 0 when none is open."""
        if self.refused_at is None:
            return 0.0
        return max(0.0, (self.refused_at + REFUSAL_CONFIRMED_AFTER - now).total_seconds())


@dataclass(frozen=True, kw_only=True)
class OpenConsent:
    """A consent with the account's id in the open, for the seller's own browser."""

    consent: Consent
    selling_partner_id: str = field(repr=False)
    status: str


def selling_partner_place(seller_id: str, consent_id: str) -> Place:
    """Return where the selling partner's id is sealed."""
    return Place(seller_id=seller_id, table="consents", column="selling_partner_sealed", row_id=consent_id)


def refresh_token_place(seller_id: str, consent_id: str, version: int) -> Place:
    """Return where a consent's refresh token is sealed in its n-th writing."""
    return Place(
        seller_id=seller_id,
        table="consents",
        column="refresh_token_sealed",
        row_id=consent_id,
        version=version,
    )
