"""The fake of device grants, revocation and inspection behind its gRPC contract."""

from typing import TYPE_CHECKING, Any

import grpc.aio

import chassis.rpc
from chassis.secrecy import Secret
from fakes.gateway_auth_server import facts, facts_told, token_set
from fakes.gateway_authorization import FakeAuthorization
from services.gateway.model.device_grants import GrantRequest
from services.gateway.model.native import Approval, DeviceCodeGrant
from services.gateway.model.people import Visit
from wire.auth.v1 import auth_pb2, authorization_pb2, authorization_pb2_grpc

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]


class FakeAuthorizationServer(authorization_pb2_grpc.AuthorizationServiceServicer):
    """Serves a FakeAuthorization."""

    def __init__(self, authorization: FakeAuthorization) -> None:
        self._authorization = authorization

    async def BeginDeviceGrant(
        self, request: authorization_pb2.BeginDeviceGrantRequest, _context: "Context"
    ) -> authorization_pb2.BeginDeviceGrantResponse:
        asked = GrantRequest(
            client_id=request.client_id,
            scopes=tuple(request.scopes),
            facts=facts_told(request.facts),
            key_thumbprint=request.key_thumbprint,
        )
        begun = await self._authorization.begin_device_grant(asked)
        return authorization_pb2.BeginDeviceGrantResponse(
            device_code=begun.device_code.reveal(),
            user_code=begun.user_code,
            expires_in_s=begun.expires_in_s,
            interval_s=begun.interval_s,
        )

    async def FindDeviceGrant(
        self, request: authorization_pb2.FindDeviceGrantRequest, _context: "Context"
    ) -> authorization_pb2.DeviceGrant:
        visit = await self._visit(request.session_token)
        found = await self._authorization.find_device_grant(visit, request.user_code)
        told = authorization_pb2.DeviceGrant(
            user_code=found.user_code,
            client_id=found.client_id,
            scopes=found.scopes,
            facts=facts(found.facts),
        )
        told.expires_at.FromDatetime(found.expires_at)
        return told

    async def DecideDeviceGrant(
        self, request: authorization_pb2.DecideDeviceGrantRequest, _context: "Context"
    ) -> authorization_pb2.DecideDeviceGrantResponse:
        visit = await self._visit(request.session_token)
        if request.is_approved:
            approval = Approval(request.device_name, tuple(request.withheld_scopes))
            await self._authorization.approve_device_grant(visit, request.user_code, approval)
        else:
            await self._authorization.deny_device_grant(visit, request.user_code)
        return authorization_pb2.DecideDeviceGrantResponse()

    async def RedeemDeviceGrant(
        self, request: authorization_pb2.RedeemDeviceGrantRequest, _context: "Context"
    ) -> auth_pb2.TokenSet:
        grant = DeviceCodeGrant(client_id=request.client_id, device_code=Secret(request.device_code))
        return token_set(await self._authorization.redeem_device_grant(grant, request.key_thumbprint))

    async def RevokeToken(
        self, request: authorization_pb2.RevokeTokenRequest, _context: "Context"
    ) -> authorization_pb2.RevokeTokenResponse:
        await self._authorization.revoke_token(request.client_id, Secret(request.token))
        return authorization_pb2.RevokeTokenResponse()

    async def InspectToken(
        self, request: authorization_pb2.InspectTokenRequest, _context: "Context"
    ) -> authorization_pb2.InspectTokenResponse:
        found = await self._authorization.inspect_token(
            Secret(request.access_token), request.key_thumbprint, Secret(request.token)
        )
        if found is None:
            return authorization_pb2.InspectTokenResponse()
        told = authorization_pb2.InspectTokenResponse(
            is_active=True,
            is_access_token=found.issued_at is not None,
            device=auth_pb2.Device(
                device_id=found.device_id,
                name=found.device_name,
                scopes=found.scopes,
                key_thumbprint=found.key_thumbprint,
                facts=facts(found.facts),
            ),
            client_id=found.client_id,
            user_id=found.user_id,
        )
        if found.issued_at is not None and found.expires_at is not None:
            told.issued_at.FromDatetime(found.issued_at)
            told.expires_at.FromDatetime(found.expires_at)
        return told

    async def WithholdScopes(
        self, request: authorization_pb2.WithholdScopesRequest, _context: "Context"
    ) -> authorization_pb2.WithholdScopesResponse:
        visit = await self._visit(request.session_token)
        await self._authorization.withhold_scopes(visit, request.device_id, tuple(request.scopes))
        return authorization_pb2.WithholdScopesResponse()

    async def _visit(self, session_token: str) -> Visit:
        return await self._authorization.auth.find_session(Secret(session_token))


def service(authorization: FakeAuthorization) -> chassis.rpc.Service:
    """Return what a `chassis.rpc.Server` serves; every row lets the gateway in."""
    descriptor = authorization_pb2.DESCRIPTOR.services_by_name["AuthorizationService"]
    row = chassis.rpc.Method(callers=frozenset({"gateway"}), deadline_s=5.0, event="auth.fake.asked")
    return chassis.rpc.Service(
        descriptor=descriptor,
        add=authorization_pb2_grpc.add_AuthorizationServiceServicer_to_server,
        servicer=FakeAuthorizationServer(authorization),
        methods={method.name: row for method in descriptor.methods},
    )
