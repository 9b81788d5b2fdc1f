"""What people see in the portal: their session, their consents and their desktops.

Values only, as auth tells them. Tokens are Secrets: they exist to be handed on, never to be shown
again.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import chassis.errors
from chassis.secrecy import Secret
from services.gateway.model.calls import Profile, Region
from services.gateway.model.consents import AccountKind
from services.gateway.model.device_facts import DeviceFacts
from services.gateway.model.roles import RIGHTS, Right, Role

DEVICE_NAME_CHARS_MAX = 64
# How long before its end a consent is shown as due. Amazon ends it after 365 days.
# Source: SP-API, "Renew Authorizations".
RENEWAL_NOTICE = timedelta(days=30)


class SessionMissing(chassis.errors.Unauthenticated):
    """The browser shows no session, or one that has ended."""

    code = "session_missing"
    text = "You are not signed in on this browser."


class CredentialNeeded(chassis.errors.Denied):
    """An invitation opened the session, and nothing is set up yet to sign in with."""

    code = "credential_needed"
    text = "Set up a way to sign in first."


class DeviceNameRefused(chassis.errors.InvalidInput):
    """The name is empty, too long, or holds characters that cannot be shown."""

    code = "device_name_refused"
    text = f"A desktop's name has 1 to {DEVICE_NAME_CHARS_MAX} visible characters."


class StateRefused(chassis.errors.InvalidInput):
    """Amazon's answer does not belong to anything this browser began (T-08)."""

    code = "invalid_state"
    text = "This answer from Amazon does not belong to a connection that you began here. Begin again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One person's sign-in on one browser.

    Attributes:
        seller_id: empty for the vendor's staff, as is `seller_name`.
        expires_at: aware UTC.
        needs_credential: opened by an invitation; may only set up a way to sign in.
    """

    session_id: str
    user_id: str
    user_name: str
    seller_id: str
    seller_name: str
    expires_at: datetime
    role: Role
    needs_credential: bool

    def may(self, right: Right) -> bool:
        """Return whether the person's role holds a right; for what pages offer, auth decides again."""
        return right in RIGHTS[self.role]

    def may_change(self, desktop: "Desktop") -> bool:
        """Return whether the person may end a device, or take scopes from it: one's own, or any."""
        return self.may(Right.REVOKE_ANY_DEVICE) or desktop.user_id == self.user_id


@dataclass(frozen=True, slots=True)
class Visit:
    """A person on a browser, with the token that the browser shows for the session."""

    session_token: Secret[str]
    session: Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A seller's grant for one region.

    Attributes:
        status: "active", "revoked", "expired", "disconnected" or "idle".
    """

    consent_id: str
    region: Region
    selling_partner_id: str
    marketplace_id: str
    account_kind: AccountKind = AccountKind.SELLER
    granted_at: datetime
    expires_at: datetime
    status: str

    def is_due(self, now: datetime) -> bool:
        """Return whether it should be renewed: it ends within RENEWAL_NOTICE, or has ended."""
        return self.expires_at - now <= RENEWAL_NOTICE

    def days_left(self, now: datetime) -> int:
        """Return how many days remain, each begun one counted; 0 at the end."""
        return max(0, math.ceil((self.expires_at - now) / timedelta(days=1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Desktop:
    """One enrolled device as its seller sees it.

    Attributes:
        facts: what it says about itself.
        used_at: when it last got a token, aware UTC.
        withheld_scopes: what a person of the seller does not let it have, ever.
        user_id: of whoever let it in.
    """

    device_id: str
    name: str
    profile: Profile
    scopes: frozenset[str]
    enrolled_at: datetime
    is_revoked: bool
    facts: DeviceFacts
    used_at: datetime
    withheld_scopes: frozenset[str]
    user_id: str


@dataclass(frozen=True, slots=True)
class CompatCredentials:
    """What a program with an unmodified SP-API library is given, once."""

    device_id: str
    refresh_token: Secret[str]


@dataclass(frozen=True, slots=True)
class Home:
    """What the portal's first page tells; both lists newest first."""

    consents: tuple[Consent, ...]
    desktops: tuple[Desktop, ...]


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    """What Amazon's consent page sent back through the browser."""

    state: Secret[str]
    selling_partner_id: str
    code: Secret[str]


def device_name(text: str) -> str:
    """Return a device's name without white space around it.

    Raises:
        DeviceNameRefused: empty, longer than DEVICE_NAME_CHARS_MAX, or with invisible characters.
    """
    name = text.strip()
    if not 1 <= len(name) <= DEVICE_NAME_CHARS_MAX or not name.isprintable():
        raise DeviceNameRefused
    return name
