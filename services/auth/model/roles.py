"""Roles and the rights that each holds: the one table that says who may do what (DPP-1.3).

Every use case that a person starts asks for one right by name. A role holds the rights in its row of RIGHTS
and no other; rights are never lent, inherited or stored beside the role.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What a person is: the first two of a seller, the others of the vendor's staff."""

    OWNER = "owner"
    MEMBER = "member"
    SUPPORT = "support"
    SECURITY = "security"
    AUDITOR = "auditor"

    @property
    def is_staff(self) -> bool:
        """Return whether people of this role are the vendor's, and so of no seller."""
        return self not in {Role.OWNER, Role.MEMBER}


class Right(StrEnum):
    """One thing that somebody may do.

    Attributes:
        KEEP_CREDENTIALS: register and remove one's own ways in. The only right of a session that an
            invitation opened.
        VIEW: see one's own seller's consents and devices.
        VIEW_PEOPLE: see the people of one's own seller; for staff, the staff.
        MANAGE_PEOPLE: invite and remove them, and change their roles.
        CONNECT: connect the seller's accounts at Amazon, and end such a connection.
        ENROL_DEVICE: let a desktop in under one's own name.
        REVOKE_OWN_DEVICE: end a device that one let in.
        REVOKE_ANY_DEVICE: end any device of one's own seller.
        VIEW_SELLERS: see every seller's consents, devices and people.
        REVOKE_SELLER_DEVICE: end a device of any seller, with a reason.
        REVIEW_ACCESS: see who has access to what, everywhere.
    """

    KEEP_CREDENTIALS = "keep_credentials"
    VIEW = "view"
    VIEW_PEOPLE = "view_people"
    MANAGE_PEOPLE = "manage_people"
    CONNECT = "connect"
    ENROL_DEVICE = "enrol_device"
    REVOKE_OWN_DEVICE = "revoke_own_device"
    REVOKE_ANY_DEVICE = "revoke_any_device"
    VIEW_SELLERS = "view_sellers"
    REVOKE_SELLER_DEVICE = "revoke_seller_device"
    REVIEW_ACCESS = "review_access"


RIGHTS: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.OWNER: frozenset(
            {
                Right.KEEP_CREDENTIALS,
                Right.VIEW,
                Right.VIEW_PEOPLE,
                Right.MANAGE_PEOPLE,
                Right.CONNECT,
                Right.ENROL_DEVICE,
                Right.REVOKE_OWN_DEVICE,
                Right.REVOKE_ANY_DEVICE,
            }
        ),
        Role.MEMBER: frozenset(
            {
                Right.KEEP_CREDENTIALS,
                Right.VIEW,
                Right.VIEW_PEOPLE,
                Right.ENROL_DEVICE,
                Right.REVOKE_OWN_DEVICE,
            }
        ),
        Role.SUPPORT: frozenset(
            {
                Right.KEEP_CREDENTIALS,
                Right.VIEW_SELLERS,
                Right.REVOKE_SELLER_DEVICE,
            }
        ),
        Role.SECURITY: frozenset(
            {
                Right.KEEP_CREDENTIALS,
                Right.VIEW_PEOPLE,
                Right.MANAGE_PEOPLE,
                Right.VIEW_SELLERS,
                Right.REVOKE_SELLER_DEVICE,
                Right.REVIEW_ACCESS,
            }
        ),
        Role.AUDITOR: frozenset(
            {
                Right.KEEP_CREDENTIALS,
                Right.VIEW_PEOPLE,
                Right.VIEW_SELLERS,
                Right.REVIEW_ACCESS,
            }
        ),
    }
)
