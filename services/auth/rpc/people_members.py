"""Calls about who belongs here, and what the vendor's staff sees and does."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from chassis.secrecy import Secret
from services.auth.rpc import messages, people_messages
from services.auth.rpc.people_entry import CredentialCalls, EntryCalls
from services.auth.service.people import PeopleCases
from wire.auth.v1 import people_pb2, people_pb2_grpc


class MemberCalls:
    """The people of one's own seller or, for staff, the staff."""

    def __init__(self, people: PeopleCases) -> None:
        self._members = people.members

    async def ListMembers(  # noqa: N802 - the contract's name
        self, request: people_pb2.ListMembersRequest, _context: messages.Context
    ) -> people_pb2.ListMembersResponse:
        """Show them."""
        members = await self._members.list_own(Secret(request.session_token))
        return people_pb2.ListMembersResponse(members=map(people_messages.member, members))

    async def InviteMember(  # noqa: N802 - the contract's name
        self, request: people_pb2.InviteMemberRequest, _context: messages.Context
    ) -> people_pb2.InviteMemberResponse:
        """Invite somebody new, or somebody who lost every credential."""
        invited = await self._members.invite_own(
            Secret(request.session_token),
            request.name,
            people_messages.role_asked(request.role),
            user_id=request.user_id,
        )
        return people_messages.invited(invited)

    async def ChangeRole(  # noqa: N802 - the contract's name
        self, request: people_pb2.ChangeRoleRequest, _context: messages.Context
    ) -> people_pb2.ChangeRoleResponse:
        """Give somebody another role."""
        role = people_messages.role_asked(request.role)
        await self._members.change_role(Secret(request.session_token), request.user_id, role)
        return people_pb2.ChangeRoleResponse()

    async def RemoveMember(  # noqa: N802 - the contract's name
        self, request: people_pb2.RemoveMemberRequest, _context: messages.Context
    ) -> people_pb2.RemoveMemberResponse:
        """End somebody's access."""
        removed = await self._members.remove_own(Secret(request.session_token), request.user_id)
        return people_messages.removal(removed)


class StaffCalls:
    """Sellers, for the vendor's staff."""

    def __init__(self, people: PeopleCases) -> None:
        self._staff = people.staff
        self._reviews = people.reviews

    async def ListSellers(  # noqa: N802 - the contract's name
        self, request: people_pb2.ListSellersRequest, _context: messages.Context
    ) -> people_pb2.ListSellersResponse:
        """Show some sellers."""
        page, has_more = await self._staff.list_sellers(Secret(request.session_token), request.after)
        return people_pb2.ListSellersResponse(sellers=map(people_messages.seller, page), has_more=has_more)

    async def ViewSeller(  # noqa: N802 - the contract's name
        self, request: people_pb2.ViewSellerRequest, _context: messages.Context
    ) -> people_pb2.ViewSellerResponse:
        """Show one seller."""
        view = await self._staff.view_seller(Secret(request.session_token), request.seller_id)
        return people_pb2.ViewSellerResponse(
            seller=people_messages.seller(view.seller),
            consents=map(messages.consent, view.consents),
            devices=map(messages.device, view.devices),
            members=map(people_messages.member, view.members),
        )

    async def RevokeSellerDevice(  # noqa: N802 - the contract's name
        self, request: people_pb2.RevokeSellerDeviceRequest, _context: messages.Context
    ) -> people_pb2.RevokeSellerDeviceResponse:
        """Revoke a device of any seller."""
        await self._staff.revoke_device(
            Secret(request.session_token), request.seller_id, request.device_id, reason=request.reason
        )
        return people_pb2.RevokeSellerDeviceResponse()

    async def ReviewAccess(  # noqa: N802 - the contract's name
        self, request: people_pb2.ReviewAccessRequest, _context: messages.Context
    ) -> AsyncIterator[people_pb2.AccessRow]:
        """Tell who has access to what."""
        async with aclosing(self._reviews.review(Secret(request.session_token))) as rows:
            async for row in rows:
                yield people_messages.access(row)


class PeopleService(
    EntryCalls, CredentialCalls, MemberCalls, StaffCalls, people_pb2_grpc.PeopleServiceServicer
):
    """What people do for themselves, for each other, and as the vendor's staff."""

    def __init__(self, people: PeopleCases) -> None:
        EntryCalls.__init__(self, people)
        CredentialCalls.__init__(self, people)
        MemberCalls.__init__(self, people)
        StaffCalls.__init__(self, people)


class PeopleAdmin(people_pb2_grpc.PeopleAdminServicer):
    """What the vendor's operators decide about people."""

    def __init__(self, people: PeopleCases) -> None:
        self._members = people.members
        self._reviews = people.reviews

    async def InviteStaff(  # noqa: N802 - the contract's name
        self, request: people_pb2.InviteStaffRequest, _context: messages.Context
    ) -> people_pb2.InviteMemberResponse:
        """Invite somebody of the staff."""
        role = people_messages.role_asked(request.role)
        invited = await self._members.invite_staff(request.name, role, user_id=request.user_id)
        return people_messages.invited(invited)

    async def RemoveUser(  # noqa: N802 - the contract's name
        self, request: people_pb2.RemoveUserRequest, _context: messages.Context
    ) -> people_pb2.RemoveMemberResponse:
        """End anybody's access."""
        removed = await self._members.remove_anybody(request.user_id, reason=request.reason)
        return people_messages.removal(removed)

    async def ExportAccess(  # noqa: N802 - the contract's name
        self, _request: people_pb2.ExportAccessRequest, _context: messages.Context
    ) -> AsyncIterator[people_pb2.AccessRow]:
        """Tell who has access to what."""
        async with aclosing(self._reviews.export()) as rows:
            async for row in rows:
                yield people_messages.access(row)
