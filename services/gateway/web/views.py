"""What pages show of the model's values: words for states, names for ids, dates for moments."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from services.gateway.model.application_policy import SCOPE_CALL, SCOPE_PII
from services.gateway.model.calls import Profile
from services.gateway.model.people import Desktop
from services.gateway.web import desktop_views

SCOPE_NAMES: Mapping[str, str] = MappingProxyType({SCOPE_CALL: "selling API", SCOPE_PII: "buyers' data"})
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
        "disconnected": "The Amazon account is disconnected; what Amazon gave for it is destroyed.",
        "revoked": "The desktop has lost its access.",
        "withheld": "The desktop will not see buyers' data.",
    },
)


def desktop_row(desktop: Desktop) -> Mapping[str, Any]:
    """Return what the portal shows of a device."""
    return {
        "device_id": desktop.device_id,
        "name": desktop.name,
        "profile_name": PROFILE_NAMES[desktop.profile],
        "facts": desktop_views.facts(desktop.facts),
        "enrolled": day(desktop.enrolled_at),
        "used": day(desktop.used_at),
        "scope_names": [SCOPE_NAMES.get(scope, scope) for scope in sorted(desktop.scopes)],
        "is_revoked": desktop.is_revoked,
        "is_withheld": bool(desktop.withheld_scopes),
        "revoke_action": f"/portal/devices/{desktop.device_id}/revoke",
        "withhold_action": f"/portal/devices/{desktop.device_id}/withhold",
    }


def day(moment: datetime) -> str:
    """Return a date as people read it everywhere, e.g. "3 Dec 2027"."""
    return f"{moment.day} {moment:%b %Y}"
