"""The people beside oneself, asked of auth."""

from collections.abc import Sequence
from datetime import UTC

import chassis.rpc
from chassis.secrecy import Secret
from services.gateway.model.members import Invitation, Member, Removal
from services.gateway.model.people import Visit
from services.gateway.model.roles import Role
from services.gateway.peers import sessions
from wire.auth.v1 import people_pb2, people_pb2_grpc

# auth opens every person's sealed name.
NAMES_S_MAX = 15.0


class MembersClient:
    """Fits `service.Members`."""

    def __init__(self, channel: chassis.rpc.Channel) -> None:
        self._auth = channel.stub(people_pb2_grpc.PeopleServiceStub)

    async def list_members(self, visit: Visit) -> Sequence[Member]:
        """Return them, oldest first."""
        request = people_pb2.ListMembersRequest(session_token=visit.session_token.reveal())
        told = await self._auth.ListMembers(request, timeout=NAMES_S_MAX)
        return tuple(member(each) for each in told.members)

    async def invite_member(self, visit: Visit, name: str, role: Role) -> Invitation:
        """Return an invitation for somebody new."""
        return await self._invite(visit, name=name, role=role, user_id="")

    async def invite_again(self, visit: Visit, member: Member) -> Invitation:
        """Return an invitation for somebody who lost every credential; the old ones end."""
        return await self._invite(visit, name=member.name, role=member.role, user_id=member.user_id)

    async def change_role(self, visit: Visit, user_id: str, role: Role) -> None:
        """Give somebody another role."""
        request = people_pb2.ChangeRoleRequest(
            session_token=visit.session_token.reveal(), user_id=user_id, role=sessions.ROLES_ASKED[role]
        )
        await self._auth.ChangeRole(request)

    async def remove_member(self, visit: Visit, user_id: str) -> Removal:
        """End somebody's access at once."""
        request = people_pb2.RemoveMemberRequest(session_token=visit.session_token.reveal(), user_id=user_id)
        told = await self._auth.RemoveMember(request, timeout=NAMES_S_MAX)
        return Removal(told.sessions_ended, told.devices_revoked)

    async def _invite(self, visit: Visit, *, name: str, role: Role, user_id: str) -> Invitation:
        request = people_pb2.InviteMemberRequest(
            session_token=visit.session_token.reveal(),
            name=name,
            role=sessions.ROLES_ASKED[role],
            user_id=user_id,
        )
        told = await self._auth.InviteMember(request)
        return Invitation(Secret(told.invitation), told.expires_at.ToDatetime(tzinfo=UTC))


def member(told: people_pb2.Member) -> Member:
    """Return one person as auth tells of them."""
    return Member(
        user_id=told.user_id,
        name=told.name,
        role=sessions.role(told.role),
        invited_at=told.invited_at.ToDatetime(tzinfo=UTC),
        signed_in_at=told.signed_in_at.ToDatetime(tzinfo=UTC) if told.HasField("signed_in_at") else None,
        credentials=tuple(told.credentials),
    )
