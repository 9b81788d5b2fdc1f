"""Calls of an authorization server for desktops: device grants, revocation, inspection, withheld scopes."""

from chassis.secrecy import Secret
from services.auth.model.device_grants import DEVICE_GRANT_LIFE, INTERVAL_S, shown_user_code
from services.auth.rpc import messages
from services.auth.service import UseCases
from wire.auth.v1 import auth_pb2, authorization_pb2, authorization_pb2_grpc

GRANT_EXPIRES_IN_S = int(DEVICE_GRANT_LIFE.total_seconds())


class AuthorizationService(authorization_pb2_grpc.AuthorizationServiceServicer):
    """What the gateway asks for desktops and for the people who let them in."""

    def __init__(self, use_cases: UseCases) -> None:
        self._grants = use_cases.device_grants
        self._own_tokens = use_cases.own_tokens
        self._devices = use_cases.devices

    async def BeginDeviceGrant(  # noqa: N802 - the contract's name
        self, request: authorization_pb2.BeginDeviceGrantRequest, _context: messages.Context
    ) -> authorization_pb2.BeginDeviceGrantResponse:
        """Give a desktop its codes."""
        device_code, letters = await self._grants.begin(
            request.client_id,
            tuple(request.scopes),
            messages.facts_told(request.facts),
            key_thumbprint=request.key_thumbprint,
        )
        return authorization_pb2.BeginDeviceGrantResponse(
            device_code=device_code.reveal(),
            user_code=shown_user_code(letters),
            expires_in_s=GRANT_EXPIRES_IN_S,
            interval_s=INTERVAL_S,
        )

    async def FindDeviceGrant(  # noqa: N802 - the contract's name
        self, request: authorization_pb2.FindDeviceGrantRequest, _context: messages.Context
    ) -> authorization_pb2.DeviceGrant:
        """Show a person who waits behind a user code."""
        letters, grant = await self._grants.find(Secret(request.session_token), request.user_code)
        return authorization_pb2.DeviceGrant(
            user_code=shown_user_code(letters),
            client_id=grant.client_id,
            scopes=grant.scopes,
            facts=messages.facts(grant.facts),
            expires_at=grant.expires_at,
        )

    async def DecideDeviceGrant(  # noqa: N802 - the contract's name
        self, request: authorization_pb2.DecideDeviceGrantRequest, _context: messages.Context
    ) -> authorization_pb2.DecideDeviceGrantResponse:
        """Take a person's decision."""
        session_token = Secret(request.session_token)
        if request.is_approved:
            await self._grants.approve(
                session_token,
                request.user_code,
                request.device_name,
                withheld_scopes=tuple(request.withheld_scopes),
            )
        else:
            await self._grants.deny(session_token, request.user_code)
        return authorization_pb2.DecideDeviceGrantResponse()

    async def RedeemDeviceGrant(  # noqa: N802 - the contract's name
        self, request: authorization_pb2.RedeemDeviceGrantRequest, _context: messages.Context
    ) -> auth_pb2.TokenSet:
        """Enrol a bound device that a person let in."""
        tokens = await self._grants.redeem(
            request.client_id, Secret(request.device_code), request.key_thumbprint
        )
        return messages.token_set(tokens)

    async def RevokeToken(  # noqa: N802 - the contract's name
        self, request: authorization_pb2.RevokeTokenRequest, _context: messages.Context
    ) -> authorization_pb2.RevokeTokenResponse:
        """End what a token stands for."""
        await self._own_tokens.revoke(request.client_id, Secret(request.token))
        return authorization_pb2.RevokeTokenResponse()

    async def InspectToken(  # noqa: N802 - the contract's name
        self, request: authorization_pb2.InspectTokenRequest, _context: messages.Context
    ) -> authorization_pb2.InspectTokenResponse:
        """Tell a device about one of its own tokens."""
        found = await self._own_tokens.inspect(
            Secret(request.access_token), request.key_thumbprint, Secret(request.token)
        )
        if found is None:
            return authorization_pb2.InspectTokenResponse()
        message = authorization_pb2.InspectTokenResponse(
            is_active=True,
            is_access_token=found.access is not None,
            device=messages.device(found.named),
            client_id=found.named.device.client_id,
            user_id=found.named.device.user_id,
        )
        if found.access is not None:
            message.issued_at.FromDatetime(found.access.issued_at)
            message.expires_at.FromDatetime(found.access.expires_at)
        return message

    async def WithholdScopes(  # noqa: N802 - the contract's name
        self, request: authorization_pb2.WithholdScopesRequest, _context: messages.Context
    ) -> authorization_pb2.WithholdScopesResponse:
        """Take scopes away from one of the seller's devices."""
        await self._devices.withhold(Secret(request.session_token), request.device_id, tuple(request.scopes))
        return authorization_pb2.WithholdScopesResponse()
