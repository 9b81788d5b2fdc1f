"""Calls of the vendor's operators."""

from chassis.secrecy import Secret
from services.auth.model.consents import Application
from services.auth.model.roles import Role
from services.auth.rpc import messages, people_messages
from services.auth.service.admin import AdminService
from services.auth.service.members import MemberService
from wire.auth.v1 import auth_pb2, auth_pb2_grpc


class AuthAdmin(auth_pb2_grpc.AuthAdminServicer):
    """What the vendor decides."""

    def __init__(self, admin: AdminService, members: MemberService) -> None:
        self._admin = admin
        self._members = members

    async def RegisterApplication(  # noqa: N802 - the contract's name
        self, request: auth_pb2.RegisterApplicationRequest, _context: messages.Context
    ) -> auth_pb2.Application:
        """Register the application that sellers consent to."""
        application = Application(
            application_id=request.application_id, client_id=request.client_id, is_draft=request.is_draft
        )
        await self._admin.register_application(application, Secret(request.client_secret))
        return auth_pb2.Application(
            application_id=application.application_id,
            client_id=application.client_id,
            is_draft=application.is_draft,
        )

    async def CreateSeller(  # noqa: N802 - the contract's name
        self, request: auth_pb2.CreateSellerRequest, _context: messages.Context
    ) -> auth_pb2.CreateSellerResponse:
        """Create a seller."""
        return auth_pb2.CreateSellerResponse(seller_id=await self._admin.create_seller(request.name))

    async def InviteUser(  # noqa: N802 - the contract's name
        self, request: auth_pb2.InviteUserRequest, _context: messages.Context
    ) -> auth_pb2.InviteUserResponse:
        """Invite a person of a seller."""
        role = people_messages.role_asked(request.role) if request.role else Role.OWNER
        invited = await self._members.invite_user(
            request.seller_id, request.user_name, role, user_id=request.user_id
        )
        return auth_pb2.InviteUserResponse(
            invitation=invited.invitation.reveal(), expires_at=invited.expires_at, user_id=invited.user_id
        )

    async def SetDeviceScopes(  # noqa: N802 - the contract's name
        self, request: auth_pb2.SetDeviceScopesRequest, _context: messages.Context
    ) -> auth_pb2.SetDeviceScopesResponse:
        """Decide what a device may do."""
        await self._admin.set_device_scopes(
            request.seller_id, request.device_id, tuple(request.scopes), reason=request.reason
        )
        return auth_pb2.SetDeviceScopesResponse()
