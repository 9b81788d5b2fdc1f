"""Sign-in on another machine's browser: what desktops and people tell and hear (RFC 8628). Values only."""

from dataclasses import dataclass
from datetime import datetime

from chassis.secrecy import Secret
from services.gateway.model.device_facts import DeviceFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRequest:
    """A desktop's request to be let in; the thumbprint is empty when it has proven no key yet."""

    client_id: str
    scopes: tuple[str, ...]
    facts: DeviceFacts
    key_thumbprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunGrant:
    """What a desktop is told: one code for itself, one to show."""

    device_code: Secret[str]
    user_code: str
    expires_in_s: int
    interval_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingDesktop:
    """Who waits behind a user code; `expires_at` is aware UTC."""

    user_code: str
    client_id: str
    scopes: tuple[str, ...]
    facts: DeviceFacts
    expires_at: datetime
