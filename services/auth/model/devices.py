"""Devices: enrolled desktops, and how they come in.

- The bound profile (RFC 8252, 7636, 9449): a person approves, a code that lives CODE_LIFE is good once,
  and what it issues is bound to the device's key. The code shown again ends the device (T-04).
- The compat profile: a person enrols it and is shown one refresh token, for unmodified SP-API libraries.
- Every device starts with DEFAULT_SCOPES, whatever it asks for; "pii" is the vendor's decision. What a person
  of the seller withholds from a device, nobody gives it any more.
"""

import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

import chassis.crypto.digest
from chassis.secrecy import Secret
from services.auth.model import ages
from services.auth.model.consents import Region
from services.auth.model.device_facts import NOTHING_KNOWN, DeviceFacts
from services.auth.model.refusals import (
    DeviceRevoked,
    InvalidChallenge,
    InvalidGrant,
    InvalidRedirect,
    InvalidScope,
)
from services.auth.model.sealing import Place
from services.auth.model.words import SHA256_FORM

# Source: T-04.
CODE_LIFE = timedelta(seconds=60)
# How long a used code is remembered, so that its reuse is noticed.
CODE_MEMORY = timedelta(hours=24)
# A device that nobody used for so long is revoked (T-18); rotated tokens are remembered as long.
DEVICE_IDLE_MAX = timedelta(days=90)
DEVICES_ACTIVE_MAX = 100
DEVICES_LISTED_MAX = 200
REDIRECT_CHARS_MAX = 256
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1"})
# Source: RFC 7636, 4.1.
VERIFIER_FORM = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)
PRINTABLE_FORM = re.compile(r"[\x21-\x7e]+", re.ASCII)

ORDERS = "orders"
PII = "pii"
SCOPES = frozenset({ORDERS, PII})
DEFAULT_SCOPES = (ORDERS,)


class Profile(StrEnum):
    """How a device proves itself: `bound` to a key (DPoP), or `compat` with unmodified libraries."""

    BOUND = "bound"
    COMPAT = "compat"


@dataclass(frozen=True, kw_only=True)
class Device:
    """One enrolled desktop of one seller.

    Attributes:
        scopes: sorted, from SCOPES.
        client_id: the desktop application's, in the bound profile; else empty.
        key_thumbprint: of the device's key, in the bound profile; else empty.
        used_at: when it last got a token.
        withheld_scopes: what a person of the seller does not let it have, ever; sorted.
    """

    device_id: str
    seller_id: str
    user_id: str
    profile: Profile
    scopes: tuple[str, ...]
    client_id: str
    key_thumbprint: str
    name_sealed: str
    enrolled_at: datetime
    used_at: datetime
    revoked_at: datetime | None = None
    facts: DeviceFacts = NOTHING_KNOWN
    withheld_scopes: tuple[str, ...] = ()

    @property
    def name_place(self) -> Place:
        """Where the name is sealed."""
        return device_name_place(self.seller_id, self.device_id)

    def check(self) -> None:
        """Return if the device is active.

        Raises:
            DeviceRevoked: it is not.
        """
        if self.revoked_at is not None:
            raise DeviceRevoked

    def is_client(self, client_id: str) -> bool:
        """Return whether a client that names itself so holds this device's tokens.

        A bound device's client is the vendor's application; in the compat profile the device is its own.
        """
        own = self.client_id if self.profile is Profile.BOUND else self.device_id
        return hmac.compare_digest(own.encode(), client_id.encode())


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Where a device's seller may be served: what a gateway needs to route its calls.

    Attributes:
        regions: with an active consent, sorted.
        default_marketplace_id: of the newest active consent; empty when there is none.
    """

    regions: tuple[Region, ...]
    default_marketplace_id: str


@dataclass(frozen=True, kw_only=True)
class Authorization:
    """What a desktop asks for in the user's browser, and what the user makes of it.

    Attributes:
        key_thumbprint: of the only key that may redeem the code; empty when the desktop named none.
        withheld_scopes: what the user does not let it have, ever.
    """

    client_id: str
    redirect_uri: str
    code_challenge: str
    scopes: tuple[str, ...]
    device_name: str = field(repr=False)
    facts: DeviceFacts = NOTHING_KNOWN
    key_thumbprint: str = ""
    withheld_scopes: tuple[str, ...] = ()

    def check(self) -> None:
        """Return if the request is one for a native app's loopback redirect with PKCE.

        Raises:
            InvalidRedirect, InvalidChallenge, InvalidScope: the part that is not.
        """
        if not is_loopback(self.redirect_uri):
            raise InvalidRedirect
        check_sha256(self.code_challenge)
        if self.key_thumbprint:
            check_sha256(self.key_thumbprint)
        check_scopes(self.scopes)
        granted_scopes(self.withheld_scopes)


@dataclass(frozen=True, kw_only=True)
class Code:
    """An authorization code on its way; the device that it will enrol has its id and name already.

    Attributes:
        age_s: for how long it has been kept, by storage's clock.
    """

    code_digest: bytes
    device_id: str
    seller_id: str
    user_id: str
    client_id: str
    redirect_uri: str
    code_challenge: str
    name_sealed: str
    expires_at: datetime
    used_at: datetime | None = None
    facts: DeviceFacts = NOTHING_KNOWN
    key_thumbprint: str = ""
    withheld_scopes: tuple[str, ...] = ()
    age_s: float = field(default=0.0, compare=False)

    @property
    def name_place(self) -> Place:
        """Where the device's name is sealed, before and after enrolment."""
        return device_name_place(self.seller_id, self.device_id)

    def check(self, redemption: "Redemption", now: datetime) -> None:
        """Return if this client may have the tokens now.

        Raises:
            InvalidGrant: too old, another client, redirect or key, or not the verifier of the challenge
                (T-04; RFC 9449, 10).
        """
        is_client = hmac.compare_digest(self.client_id.encode(), redemption.client_id.encode())
        is_redirect = hmac.compare_digest(self.redirect_uri.encode(), redemption.redirect_uri.encode())
        is_verified = matches_challenge(redemption.code_verifier, self.code_challenge)
        is_key = self.key_thumbprint in {"", redemption.key_thumbprint}
        is_over = ages.left_s(self.expires_at, now, life=CODE_LIFE, age_s=self.age_s) <= 0
        if is_over or not (is_client and is_redirect and is_verified and is_key):
            raise InvalidGrant

    def device(self, key_thumbprint: str, now: datetime) -> Device:
        """Return the device that this code enrols for the holder of a key."""
        return Device(
            device_id=self.device_id,
            seller_id=self.seller_id,
            user_id=self.user_id,
            profile=Profile.BOUND,
            scopes=granted_scopes(self.withheld_scopes),
            client_id=self.client_id,
            key_thumbprint=key_thumbprint,
            name_sealed=self.name_sealed,
            facts=self.facts,
            withheld_scopes=self.withheld_scopes,
            enrolled_at=now,
            used_at=now,
        )


@dataclass(frozen=True, kw_only=True)
class Redemption:
    """What a desktop shows to turn its code into tokens; the gateway verified the key."""

    client_id: str
    redirect_uri: str
    key_thumbprint: str
    code: Secret[str]
    code_verifier: Secret[str]


@dataclass(frozen=True, kw_only=True)
class NamedDevice:
    """A device with its name in the open."""

    device: Device
    name: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """News about a device: whoever remembers anything about it forgets that and asks again."""

    device_id: str
    seller_id: str


def is_loopback(redirect_uri: str) -> bool:
    """Return whether a redirect stays on the desktop: plain http, a loopback address, a port, a path.

    Source: RFC 8252, 7.3 and 8.3 (addresses, not the name "localhost").
    """
    if len(redirect_uri) > REDIRECT_CHARS_MAX or not PRINTABLE_FORM.fullmatch(redirect_uri):
        return False
    try:
        parts = urlsplit(redirect_uri)
        port = parts.port
    except ValueError:
        return False
    is_address = parts.hostname in LOOPBACK_HOSTS and parts.username is None
    is_plain = parts.scheme == "http" and not parts.fragment and not parts.query
    return is_address and is_plain and bool(port) and "\\" not in redirect_uri


def check_sha256(text: str) -> None:
    """Return if a text has the form of a SHA-256 value in base64url.

    Raises:
        InvalidChallenge: it has not.
    """
    if not SHA256_FORM.fullmatch(text):
        raise InvalidChallenge


def check_scopes(scopes: tuple[str, ...]) -> None:
    """Return if every scope exists.

    Raises:
        InvalidScope: one does not.
    """
    if not SCOPES.issuperset(scopes):
        raise InvalidScope


def granted_scopes(withheld_scopes: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a device starts with when a person withholds these scopes from it; sorted.

    Raises:
        InvalidScope: one does not exist, or nothing would be left.
    """
    check_scopes(withheld_scopes)
    return left_scopes(DEFAULT_SCOPES, withheld_scopes)


def left_scopes(scopes: tuple[str, ...], withheld_scopes: tuple[str, ...]) -> tuple[str, ...]:
    """Return what is left of a device's scopes, sorted.

    Raises:
        InvalidScope: nothing is; then the device should be revoked.
    """
    left = tuple(sorted(set(scopes).difference(withheld_scopes)))
    if not left:
        raise InvalidScope
    return left


def matches_challenge(verifier: Secret[str], challenge: str) -> bool:
    """Return whether a code verifier belongs to a challenge."""
    if not VERIFIER_FORM.fullmatch(verifier.reveal()):
        return False
    return hmac.compare_digest(chassis.crypto.digest.pkce_s256(verifier.reveal()), challenge)


def device_name_place(seller_id: str, device_id: str) -> Place:
    """Return where a device's name is sealed."""
    return Place(seller_id=seller_id, table="devices", column="name_sealed", row_id=device_id)
