"""What pages show of the model's values: words for states, names for ids, dates for moments."""

import functools
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import orjson

from services.gateway.model.calls import Profile
from services.gateway.model.people import Consent, Desktop
from services.gateway.web.render import PAGES

SCOPE_NAMES: Mapping[str, str] = MappingProxyType({"orders": "selling API", "pii": "buyers' data"})
PROFILE_NAMES: Mapping[Profile, str] = MappingProxyType(
    {Profile.BOUND: "bound to its own key", Profile.COMPAT: "SP-API library, personal data masked"}
)
# What the portal says after a redirect; the address carries the word, never the text.
NOTICES: Mapping[str, str] = MappingProxyType(
    {
        "welcome": "You are signed in.",
        "left": "You are signed out.",
        "ended": "Your session has ended. Sign in again; what you sent last was not done.",
        "again": "Sign in again to change what you sign in with.",
        "passkey": "The passkey is set up.",
        "password": "Password and authenticator app are set up.",
        "ended_way": "It signs you in no more.",
        "role": "The role is changed.",
        "removed": "That person is out.",
        "connected": "The Amazon account is connected.",
        "revoked": "The desktop has lost its access.",
    },
)


@functools.cache
def marketplaces() -> tuple[Mapping[str, Any], ...]:
    """Return Amazon's marketplaces by region: region, name, marketplaces[marketplace_id, name].

    Source: SP-API, "Marketplace IDs"; auth has the last word on which one it takes.
    """
    return tuple(orjson.loads((PAGES / "marketplaces.json").read_bytes()))


def consent_row(consent: Consent, now: datetime) -> Mapping[str, str]:
    """Return what the portal shows of a consent."""
    names = {
        known["marketplace_id"]: known["name"]
        for region in marketplaces()
        for known in region["marketplaces"]
    }
    regions = {region["region"]: region["name"] for region in marketplaces()}
    status, tone = _standing(consent, now)
    return {
        "region_name": regions[consent.region.value],
        "marketplace_id": consent.marketplace_id,
        "marketplace_name": names.get(consent.marketplace_id, consent.marketplace_id),
        "selling_partner_id": consent.selling_partner_id,
        "status": status,
        "tone": tone,
        "expiry": f"until {day(consent.expires_at)}" if tone != "off" else "",
    }


def _standing(consent: Consent, now: datetime) -> tuple[str, str]:
    """Return the word for a consent's state, and the tone in which it is said."""
    if consent.status != "active":
        return consent.status, "off"
    if consent.expires_at <= now:
        return "expired", "off"
    return ("renew soon", "warn") if consent.is_due(now) else ("active", "good")


def desktop_row(desktop: Desktop) -> Mapping[str, Any]:
    """Return what the portal shows of a device."""
    return {
        "device_id": desktop.device_id,
        "name": desktop.name,
        "profile_name": PROFILE_NAMES[desktop.profile],
        "enrolled": day(desktop.enrolled_at),
        "scope_names": [SCOPE_NAMES.get(scope, scope) for scope in sorted(desktop.scopes)],
        "is_revoked": desktop.is_revoked,
        "revoke_action": f"/portal/devices/{desktop.device_id}/revoke",
    }


def day(moment: datetime) -> str:
    """Return a date as people read it everywhere, e.g. "3 Dec 2027"."""
    return f"{moment.day} {moment:%b %Y}"
