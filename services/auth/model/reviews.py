"""The quarterly review of who has access to what (DPP-1.2c), and the sellers as the vendor's staff sees."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.auth.model.consents import OpenConsent
from services.auth.model.devices import Device, NamedDevice
from services.auth.model.people import Member, NamedMember, Seller
from services.auth.model.roles import Role

# Source: DPP-1.2c, each quarter.
REVIEW_PERIOD = timedelta(days=92)
SELLERS_PAGE_MAX = 100
MEMBERS_PAGE_MAX = 100


@dataclass(frozen=True, kw_only=True)
class SellerSummary:
    """A seller in a list.

    Attributes:
        next_consent_ends_at: of the active consent that ends first; None without one.
    """

    seller: Seller
    active_consents: int
    active_devices: int
    next_consent_ends_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class NamedSeller:
    """A summary with the name in the open; empty when the seller's key was destroyed."""

    summary: SellerSummary
    name: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class SellerView:
    """One seller in full, but for the accounts' ids at Amazon."""

    seller: NamedSeller
    consents: tuple[OpenConsent, ...]
    devices: tuple[NamedDevice, ...]
    members: tuple[NamedMember, ...]


@dataclass(frozen=True, kw_only=True)
class Access:
    """One person's access, as storage knows it.

    Attributes:
        seller: None for staff.
        devices: the active ones that the person let in.
    """

    seller: Seller | None
    member: Member
    devices: tuple[Device, ...]


@dataclass(frozen=True, kw_only=True)
class AccessRow:
    """One row of the review: a person, or one active device that a person let in.

    Attributes:
        seller_id, seller_name: empty for staff.
        used_at: the last sign-in or token; None when never.
        device_id, device_name: empty in a person's own row.
    """

    seller_id: str
    seller_name: str = field(repr=False)
    user_id: str
    user_name: str = field(repr=False)
    role: Role
    credentials: tuple[str, ...]
    since: datetime
    used_at: datetime | None
    device_id: str = ""
    device_name: str = field(default="", repr=False)
    scopes: tuple[str, ...] = ()
