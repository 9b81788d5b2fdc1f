"""Consents: what a seller granted the application at Amazon, region by region, and how one comes about.

- A state is good for one use, by the session and seller that began it, within STATE_LIFE (T-08).
- A seller has at most one active consent per region; a new one ends the older and destroys its token,
  because Amazon leaves older refresh tokens alive (Source: SP-API, "Renew Authorizations").
- An account at Amazon belongs to one seller here.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlencode

from chassis.secrecy import Secret
from services.auth.model.refusals import (
    ConsentExpired,
    ConsentRevoked,
    InvalidApplication,
    InvalidState,
    UnknownMarketplace,
)
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

CONSENT_PATH = "/apps/authorize/consent"
CALLBACK_PATH = "/consent/callback"
APPLICATION_FORM = re.compile(r"amzn1\.sellerapps\.app\.[A-Za-z0-9-]{1,64}", re.ASCII)
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


class Ending(StrEnum):
    """Why a consent ended."""

    REPLACED = "replaced"
    REFUSED = "refused"
    IDLE = "idle"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, kw_only=True)
class Marketplace:
    """One row of the marketplace table.

    Attributes:
        country: two letters.
        seller_host: Seller Central's host, where sellers consent.
    """

    marketplace_id: str
    country: str
    region: Region
    seller_host: str


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
    """A consent that has begun; `used_at` is set from the second look on."""

    state_digest: bytes
    session_id: str
    seller_id: str
    marketplace_id: str
    region: Region
    application_id: str
    expires_at: datetime
    used_at: datetime | None = None

    def check(self, *, session_id: str, seller_id: str, now: datetime) -> None:
        """Return if this session may complete the consent now.

        Raises:
            InvalidState: used before, too old, or begun by another session or seller.
        """
        is_same_session = hmac.compare_digest(self.session_id, session_id)
        is_own = is_same_session and hmac.compare_digest(self.seller_id, seller_id)
        if self.used_at is not None or now >= self.expires_at or not is_own:
            raise InvalidState


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
        """Return "active", "revoked" or "expired"."""
        if self.ended_at is not None:
            return "revoked"
        return "active" if now < self.expires_at else "expired"

    def check(self, now: datetime) -> None:
        """Return if Amazon may be asked for a token under this consent.

        Raises:
            ConsentRevoked: it has ended.
            ConsentExpired: it is older than CONSENT_LIFE.
        """
        if self.ended_at is not None or self.refresh_token_sealed is None:
            raise ConsentRevoked
        if now >= self.expires_at:
            raise ConsentExpired

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


@dataclass(frozen=True, kw_only=True)
class ConsentPages:
    """Where sellers consent, and where Amazon sends them back to.

    Attributes:
        marketplaces: by Amazon's id.
        redirect_uri: registered with the application at Amazon.
        override_url: stands in for every Seller Central host; None outside development.
    """

    marketplaces: Mapping[str, Marketplace]
    redirect_uri: str
    override_url: str | None = None

    def find(self, marketplace_id: str) -> Marketplace:
        """Return a row of the table.

        Raises:
            UnknownMarketplace: there is none.
        """
        if marketplace_id not in self.marketplaces:
            raise UnknownMarketplace
        return self.marketplaces[marketplace_id]

    def url(self, marketplace: Marketplace, application: Application, state: str) -> str:
        """Return the address of Amazon's consent page. Source: SP-API, "Website Authorization Workflow"."""
        query = {
            "application_id": application.application_id,
            "state": state,
            "redirect_uri": self.redirect_uri,
        }
        if application.is_draft:
            query["version"] = "beta"
        base = self.override_url or f"https://{marketplace.seller_host}"
        return f"{base}{CONSENT_PATH}?{urlencode(query)}"


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
