"""What the verb asks auth, as the identity `console`."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import sallyport.access
from wire.auth.v1 import auth_pb2, people_pb2

ROLES_OF_SELLERS = {"owner": auth_pb2.ROLE_OWNER, "member": auth_pb2.ROLE_MEMBER}
ROLES_OF_STAFF = {
    "support": auth_pb2.ROLE_SUPPORT,
    "security": auth_pb2.ROLE_SECURITY,
    "auditor": auth_pb2.ROLE_AUDITOR,
}
ROLE_NAMES = {number: name for name, number in {**ROLES_OF_SELLERS, **ROLES_OF_STAFF}.items()}


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Who is to be invited.

    Attributes:
        role: of ROLES_OF_STAFF without a seller, of ROLES_OF_SELLERS with one.
        seller_id: empty for the vendor's staff.
        user_id: of somebody who lost every credential; empty for somebody new.
    """

    name: str
    role: str
    seller_id: str
    user_id: str


@dataclass(frozen=True)
class Invited:
    """An invitation, shown once."""

    user_id: str
    invitation: str
    expires_at: datetime


async def invite(config: sallyport.access.Config, wish: Wish) -> Invited:
    """Return the invitation of somebody of a seller, or of the vendor's staff."""
    told: auth_pb2.InviteUserResponse | people_pb2.InviteMemberResponse
    async with sallyport.access.open_admin(config) as admin:
        if wish.seller_id:
            told = await admin.auth.InviteUser(
                auth_pb2.InviteUserRequest(
                    seller_id=wish.seller_id,
                    user_name=wish.name,
                    role=ROLES_OF_SELLERS[wish.role],
                    user_id=wish.user_id,
                )
            )
        else:
            told = await admin.people.InviteStaff(
                people_pb2.InviteStaffRequest(
                    name=wish.name, role=ROLES_OF_STAFF[wish.role], user_id=wish.user_id
                )
            )
    return Invited(told.user_id, told.invitation, told.expires_at.ToDatetime())


async def remove(
    config: sallyport.access.Config, user_id: str, reason: str
) -> people_pb2.RemoveMemberResponse:
    """Return what ended with somebody's access."""
    async with sallyport.access.open_admin(config) as admin:
        return await admin.people.RemoveUser(people_pb2.RemoveUserRequest(user_id=user_id, reason=reason))


async def review(config: sallyport.access.Config) -> AsyncIterator[people_pb2.AccessRow]:
    """Yield who has access to what: each user, and each active device."""
    async with sallyport.access.open_admin(config) as admin:
        async for row in admin.people.ExportAccess(people_pb2.ExportAccessRequest()):
            yield row
