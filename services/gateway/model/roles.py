"""What people are, and what the pages offer each of them.

Auth decides who may do what, at every request anew; this is its table once more, so that nobody is shown
what auth would refuse. A test holds both tables to be the same.
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
        return self not in SELLERS_ROLES


class Right(StrEnum):
    """One thing that somebody may do; the words are auth's."""

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


SELLERS_ROLES = (Role.OWNER, Role.MEMBER)
STAFF_ROLES = (Role.SUPPORT, Role.SECURITY, Role.AUDITOR)

_OF_MEMBERS = frozenset(
    {Right.KEEP_CREDENTIALS, Right.VIEW, Right.VIEW_PEOPLE, Right.ENROL_DEVICE, Right.REVOKE_OWN_DEVICE}
)
_OF_SUPPORT = frozenset({Right.KEEP_CREDENTIALS, Right.VIEW_SELLERS, Right.REVOKE_SELLER_DEVICE})
_OF_AUDITORS = frozenset({Right.KEEP_CREDENTIALS, Right.VIEW_PEOPLE, Right.VIEW_SELLERS, Right.REVIEW_ACCESS})

RIGHTS: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.OWNER: _OF_MEMBERS | {Right.MANAGE_PEOPLE, Right.CONNECT, Right.REVOKE_ANY_DEVICE},
        Role.MEMBER: _OF_MEMBERS,
        Role.SUPPORT: _OF_SUPPORT,
        Role.SECURITY: _OF_SUPPORT | _OF_AUDITORS | {Right.MANAGE_PEOPLE},
        Role.AUDITOR: _OF_AUDITORS,
    }
)
