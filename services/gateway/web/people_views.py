"""What pages show of people, of what they sign in with, and of sellers as the staff sees them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from services.gateway.model.credentials import Credentials
from services.gateway.model.members import Member, SellerSummary, SellerView
from services.gateway.model.roles import Role
from services.gateway.web import consent_views, views

ROLE_NAMES: Mapping[Role, str] = MappingProxyType(
    {
        Role.OWNER: "Owner",
        Role.MEMBER: "Member",
        Role.SUPPORT: "Support",
        Role.SECURITY: "Security",
        Role.AUDITOR: "Auditor",
    }
)
ROLE_PROMISES: Mapping[Role, str] = MappingProxyType(
    {
        Role.OWNER: "connects Amazon accounts, decides on people and desktops",
        Role.MEMBER: "uses desktops and looks after their own",
        Role.SUPPORT: "sees sellers' connections and desktops, revokes desktops",
        Role.SECURITY: "as support; looks after the staff and reviews access",
        Role.AUDITOR: "sees everything here, changes nothing, reviews access",
    }
)
CREDENTIAL_NAMES: Mapping[str, str] = MappingProxyType(
    {"passkey": "passkey", "password": "password and app", "provider": "identity provider"}
)


def credentials(held: Credentials) -> Mapping[str, Any]:
    """Return what the page of one's own credentials shows."""
    return {
        "passkeys": [
            {
                "name": passkey.name,
                "since": f"added {views.day(passkey.registered_at)}",
                "used": f"last used {views.day(passkey.used_at)}" if passkey.used_at else "not used yet",
                "remove_action": f"/portal/security/passkeys/{passkey.passkey_id}/remove",
            }
            for passkey in held.passkeys
        ],
        "has_password": held.has_password,
        "password_until": views.day(held.password_expires_at) if held.password_expires_at else "",
        "email": held.email,
        "is_provider_linked": held.is_provider_linked,
        "is_provider_offered": held.is_provider_offered,
    }


def role_choices(roles: Sequence[Role], *, chosen: Role | None = None) -> Sequence[Mapping[str, Any]]:
    """Return roles as a form offers them."""
    return [
        {
            "role": role.value,
            "name": ROLE_NAMES[role],
            "promise": ROLE_PROMISES[role],
            "is_chosen": role is chosen,
        }
        for role in roles
    ]


def member_row(member: Member, *, own_user_id: str = "") -> Mapping[str, Any]:
    """Return what a list shows of a person."""
    ways = [CREDENTIAL_NAMES.get(each, each) for each in member.credentials]
    signed_in_at = member.signed_in_at
    return {
        "user_id": member.user_id,
        "name": member.name,
        "role": ROLE_NAMES[member.role],
        "ways": ", ".join(ways),
        "is_invited_only": not ways,
        "is_oneself": member.user_id == own_user_id,
        "invited": f"invited {views.day(member.invited_at)}",
        "signed_in": f"last here {views.day(signed_in_at)}" if signed_in_at else "never signed in",
        "action": f"/portal/team/{member.user_id}",
    }


def seller_row(seller: SellerSummary, now: datetime) -> Mapping[str, Any]:
    """Return what the list of sellers shows of one; its end is that of the consent that ends first."""
    ends_at = seller.next_consent_ends_at
    return {
        "seller_id": seller.seller_id,
        "name": seller.name,
        "consents": _count(seller.active_consents, "connection"),
        "devices": _count(seller.active_devices, "desktop"),
        "ending": f"until {views.day(ends_at)}" if ends_at else "not connected",
        "tone": "off" if ends_at is None else "warn" if seller.is_due(now) else "good",
    }


def seller(view: SellerView, now: datetime) -> Mapping[str, Any]:
    """Return what the page of one seller shows."""
    seller_id = view.seller.seller_id
    return {
        "seller": seller_row(view.seller, now),
        "consents": [consent_views.consent_row(consent, now) for consent in view.consents],
        "devices": [
            {
                **views.desktop_row(desktop),
                "revoke_action": f"/portal/sellers/{seller_id}/devices/{desktop.device_id}/revoke",
            }
            for desktop in view.desktops
        ],
        "members": [member_row(member) for member in view.members],
    }


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
