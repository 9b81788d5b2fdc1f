"""The people of a seller or of the staff, the sellers as staff see them, and who has access to what."""

from dataclasses import dataclass
from datetime import datetime

import chassis.errors
from chassis.secrecy import Secret
from services.gateway.model.people import RENEWAL_NOTICE, Consent, Desktop
from services.gateway.model.roles import Role


class MemberUnknown(chassis.errors.NotFound):
    """Nobody of these people, or somebody else's: both answer the same (T-07)."""

    code = "member_unknown"
    text = "There is no such person here."


class RoleRefused(chassis.errors.InvalidInput):
    """The role does not exist, or not among these people."""

    code = "role_refused"
    text = "This is not a role that somebody here can have."


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One person.

    Attributes:
        signed_in_at: None until the first time.
        credentials: of "passkey", "password", "provider"; empty for somebody who is invited only.
    """

    user_id: str
    name: str
    role: Role
    invited_at: datetime
    signed_in_at: datetime | None
    credentials: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Invitation:
    """A way in for somebody, good once and until `expires_at`; shown once."""

    invitation: Secret[str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Removal:
    """What ended with a person's access."""

    sessions_ended: int
    devices_revoked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerSummary:
    """One seller in the staff's list; `next_consent_ends_at` is None without an active consent."""

    seller_id: str
    name: str
    active_consents: int
    active_devices: int
    next_consent_ends_at: datetime | None

    def is_due(self, now: datetime) -> bool:
        """Return whether a consent should be renewed: one ends within RENEWAL_NOTICE."""
        ends_at = self.next_consent_ends_at
        return ends_at is not None and ends_at - now <= RENEWAL_NOTICE


@dataclass(frozen=True, slots=True)
class SellerPage:
    """Some sellers, by id, and whether more come after the last one."""

    sellers: tuple[SellerSummary, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class SellerView:
    """One seller, as staff see it.

    Attributes:
        consents: newest first, without the selling partner's id.
        desktops: active ones first, then newest first.
    """

    seller: SellerSummary
    consents: tuple[Consent, ...]
    desktops: tuple[Desktop, ...]
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRow:
    """Who has access to what right now: one row for each user and one for each active device.

    Attributes:
        seller_id: empty for the vendor's staff.
        used_at: last sign-in or last token; None when never.
        device_id: empty in a user's own row.
    """

    seller_id: str
    seller_name: str
    user_id: str
    user_name: str
    role: Role
    credentials: tuple[str, ...]
    since: datetime
    used_at: datetime | None
    device_id: str
    device_name: str
    scopes: tuple[str, ...]
