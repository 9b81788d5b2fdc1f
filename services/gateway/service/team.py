"""The people beside oneself: those of the own seller or, for the vendor's staff, the staff."""

from collections.abc import Sequence

from services.gateway.model.members import Invitation, Member, MemberUnknown, Removal, RoleRefused
from services.gateway.model.people import Visit
from services.gateway.model.roles import SELLERS_ROLES, STAFF_ROLES, Role
from services.gateway.service.people_ports import Members


class Team:
    """A person who looks at, and maybe looks after, the people beside them."""

    def __init__(self, *, members: Members) -> None:
        self._members = members

    async def members(self, visit: Visit) -> Sequence[Member]:
        """Return everybody, oldest first."""
        return await self._members.list_members(visit)

    async def member(self, visit: Visit, user_id: str) -> Member:
        """Return one of them.

        Raises:
            MemberUnknown: nobody of these people.
        """
        for member in await self._members.list_members(visit):
            if member.user_id == user_id:
                return member
        raise MemberUnknown

    async def invite(self, visit: Visit, name: str, role: str) -> Invitation:
        """Return an invitation for somebody new.

        Raises:
            RoleRefused: see `roles_of`.
        """
        return await self._members.invite_member(visit, name.strip(), _role(visit, role))

    async def invite_again(self, visit: Visit, member: Member) -> Invitation:
        """Return an invitation for somebody who lost every credential; the old ones end."""
        return await self._members.invite_again(visit, member)

    async def change_role(self, visit: Visit, user_id: str, role: str) -> None:
        """Give somebody another role.

        Raises:
            RoleRefused: see `roles_of`.
        """
        await self._members.change_role(visit, user_id, _role(visit, role))

    async def remove(self, visit: Visit, user_id: str) -> Removal:
        """End somebody's access at once."""
        return await self._members.remove_member(visit, user_id)


def roles_of(visit: Visit) -> tuple[Role, ...]:
    """Return the roles that people beside this person can have."""
    return STAFF_ROLES if visit.session.role.is_staff else SELLERS_ROLES


def _role(visit: Visit, word: str) -> Role:
    for role in roles_of(visit):
        if role.value == word:
            return role
    raise RoleRefused
