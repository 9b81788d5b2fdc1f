"""The tokens that a device lives on: one family, known by digests.

- Access tokens live ACCESS_LIFE and are looked up at every use, so revocation acts at once.
- A bound device's refresh tokens rotate. A rotated one shown again ends the device, unless it is the same
  key asking again within RETRY_S_MAX: that is a lost answer and gets the same answer (T-03).
- A compat device's one refresh token never rotates, because no SP-API library stores a new one.
"""

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from chassis.secrecy import Secret
from services.auth.model import ages
from services.auth.model.devices import Device, NamedDevice, Profile, Reach
from services.auth.model.refusals import HandleExpired, InvalidGrant, TokenExpired
from services.auth.model.restricted import Restriction

# Never less: two SP-API libraries cache for 3,200 s and 3,600 s whatever `expires_in` says.
ACCESS_LIFE = timedelta(seconds=3600)
# How long an expired token is told apart from an unknown one: one library refreshes only on "expired", and
# has one for each region. A device's newest, handles not counted, is known as long as the device.
ACCESS_MEMORY = timedelta(days=7)
# Source: T-03.
RETRY_S_MAX = 10.0
# The oldest beyond this many of a device's access tokens are dropped, and of its handles: some libraries ask
# for a handle before each call, all of them with the one access token of the hour.
ACCESS_TOKENS_MAX = 1_000


class Verdict(StrEnum):
    """What a refresh token shown by a bound device means."""

    CURRENT = "current"
    RETRY = "retry"
    REPLAY = "replay"
    FOREIGN_KEY = "foreign_key"


@dataclass(frozen=True, kw_only=True)
class RefreshToken:
    """A refresh token of a device as storage knows it.

    Attributes:
        rotated_ago_s: seconds since it was rotated, by storage's own clock, which all replicas share;
            None while it is current. Below 0 when that clock was set back since.
        nonce: what its successors were derived with; None while it is current.
    """

    token_digest: bytes
    device: Device
    rotated_ago_s: float | None = None
    nonce: bytes | None = None

    def check_compat(self, device_id: str) -> None:
        """Return if this is the refresh token of this compat device.

        Raises:
            InvalidGrant: it is not.
        """
        if self.device.profile is not Profile.COMPAT or self.device.device_id != device_id:
            raise InvalidGrant

    def judge(self, key_thumbprint: str) -> Verdict:
        """Return what it means that the holder of this key shows this token."""
        is_same_key = hmac.compare_digest(self.device.key_thumbprint.encode(), key_thumbprint.encode())
        if self.rotated_ago_s is None:
            return Verdict.CURRENT if is_same_key else Verdict.FOREIGN_KEY
        is_retry = is_same_key and abs(self.rotated_ago_s) <= RETRY_S_MAX
        return Verdict.RETRY if is_retry else Verdict.REPLAY


@dataclass(frozen=True, kw_only=True)
class NewAccess:
    """An access token about to be issued.

    Attributes:
        restrictions: of a restricted handle.
        target_application: for whose use it is, when that is another developer's; else empty.
    """

    token_digest: bytes
    issued_at: datetime
    restrictions: tuple[Restriction, ...] = ()
    target_application: str = ""

    @property
    def expires_at(self) -> datetime:
        """When it ends."""
        return self.issued_at + ACCESS_LIFE


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """A device with its first tokens."""

    device: Device
    refresh_digest: bytes
    access: NewAccess | None = None


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """A refresh token's replacement.

    Attributes:
        nonce: fresh chance from which, with the old token and auth's key, the successors follow.
        app_version: of the device's application, as it is now; empty when it was not told.
    """

    token_digest: bytes
    nonce: bytes
    successor_digest: bytes
    access: NewAccess
    app_version: str = ""


@dataclass(frozen=True, kw_only=True)
class AccessToken:
    """What a device's access token stands for.

    Attributes:
        restrictions: not empty only when the token is a restricted handle.
        target_application: for whose use the handle is, when that is another developer's; else empty.
        age_s: for how long it has been kept, by storage's clock.
    """

    device: Device
    issued_at: datetime
    expires_at: datetime
    restrictions: tuple[Restriction, ...]
    target_application: str = ""
    age_s: float = field(default=0.0, compare=False)

    def left_s(self, now: datetime) -> float:
        """Return how many seconds the token has left; zero or less when it is over."""
        return ages.left_s(self.expires_at, now, life=ACCESS_LIFE, age_s=self.age_s)

    def check(self, now: datetime) -> None:
        """Return if the token may be used now.

        Raises:
            DeviceRevoked: its device was revoked, whatever the token's age.
            TokenExpired: it is past its hour.
            HandleExpired: so it is, and it is a handle.
        """
        self.device.check()
        if self.left_s(now) <= 0:
            raise HandleExpired if self.restrictions else TokenExpired


@dataclass(frozen=True, kw_only=True)
class Introspection:
    """A device as the gateway knows it by one of its access tokens, which has `left_s` seconds left."""

    named: NamedDevice
    access: AccessToken
    reach: Reach
    left_s: float


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What a device is told about one of its own tokens; `access` is None for its refresh token."""

    named: NamedDevice
    access: AccessToken | None


@dataclass(frozen=True, kw_only=True)
class TokenSet:
    """What a device is handed; the access token lives ACCESS_LIFE."""

    access_token: Secret[str]
    refresh_token: Secret[str]
    scopes: tuple[str, ...]
