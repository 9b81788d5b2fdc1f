"""What sign-in on another machine's browser, revocation and introspection ask auth."""

from datetime import UTC

import chassis.rpc
from chassis.secrecy import Secret
from services.gateway.model.device_grants import BegunGrant, GrantRequest, WaitingDesktop
from services.gateway.model.inspection import Inspection
from services.gateway.model.native import Approval, DeviceCodeGrant, TokenSet
from services.gateway.model.people import Visit
from services.gateway.peers import messages
from wire.auth.v1 import authorization_pb2, authorization_pb2_grpc


class AuthorizationClient:
    """Fits `service.Authorization`."""

    def __init__(self, channel: chassis.rpc.Channel) -> None:
        self._auth = channel.stub(authorization_pb2_grpc.AuthorizationServiceStub)

    async def begin_device_grant(self, request: GrantRequest) -> BegunGrant:
        """Return the codes of a desktop that wants to be let in."""
        asked = authorization_pb2.BeginDeviceGrantRequest(
            client_id=request.client_id,
            scopes=request.scopes,
            facts=messages.facts(request.facts),
            key_thumbprint=request.key_thumbprint,
        )
        begun = await self._auth.BeginDeviceGrant(asked)
        return BegunGrant(
            device_code=Secret(begun.device_code),
            user_code=begun.user_code,
            expires_in_s=begun.expires_in_s,
            interval_s=begun.interval_s,
        )

    async def find_device_grant(self, visit: Visit, user_code: str) -> WaitingDesktop:
        """Return who waits behind a user code."""
        asked = authorization_pb2.FindDeviceGrantRequest(session_token=_token(visit), user_code=user_code)
        found = await self._auth.FindDeviceGrant(asked)
        return WaitingDesktop(
            user_code=found.user_code,
            client_id=found.client_id,
            scopes=tuple(found.scopes),
            facts=messages.facts_told(found.facts),
            expires_at=found.expires_at.ToDatetime(tzinfo=UTC),
        )

    async def approve_device_grant(self, visit: Visit, user_code: str, approval: Approval) -> None:
        """Let the desktop in."""
        decision = authorization_pb2.DecideDeviceGrantRequest(
            session_token=_token(visit),
            user_code=user_code,
            is_approved=True,
            device_name=approval.device_name,
            withheld_scopes=approval.withheld_scopes,
        )
        await self._auth.DecideDeviceGrant(decision)

    async def deny_device_grant(self, visit: Visit, user_code: str) -> None:
        """Do not let the desktop in."""
        decision = authorization_pb2.DecideDeviceGrantRequest(
            session_token=_token(visit), user_code=user_code, is_approved=False
        )
        await self._auth.DecideDeviceGrant(decision)

    async def redeem_device_grant(self, grant: DeviceCodeGrant, key_thumbprint: str) -> TokenSet:
        """Return the first tokens of a desktop that was let in."""
        asked = authorization_pb2.RedeemDeviceGrantRequest(
            client_id=grant.client_id, device_code=grant.device_code.reveal(), key_thumbprint=key_thumbprint
        )
        return messages.token_set(await self._auth.RedeemDeviceGrant(asked))

    async def revoke_token(self, client_id: str, token: Secret[str]) -> None:
        """End what a token stands for."""
        request = authorization_pb2.RevokeTokenRequest(client_id=client_id, token=token.reveal())
        await self._auth.RevokeToken(request)

    async def inspect_token(
        self, access_token: Secret[str], key_thumbprint: str, token: Secret[str]
    ) -> Inspection | None:
        """Return what one of a device's own tokens is worth."""
        request = authorization_pb2.InspectTokenRequest(
            access_token=access_token.reveal(), key_thumbprint=key_thumbprint, token=token.reveal()
        )
        told = await self._auth.InspectToken(request)
        return _inspection(told) if told.is_active else None

    async def withhold_scopes(self, visit: Visit, device_id: str, scopes: tuple[str, ...]) -> None:
        """Take scopes away from a device for good."""
        request = authorization_pb2.WithholdScopesRequest(
            session_token=_token(visit), device_id=device_id, scopes=scopes
        )
        await self._auth.WithholdScopes(request)


def _token(visit: Visit) -> str:
    return visit.session_token.reveal()


def _inspection(told: authorization_pb2.InspectTokenResponse) -> Inspection:
    device = told.device
    return Inspection(
        client_id=told.client_id,
        user_id=told.user_id,
        device_id=device.device_id,
        device_name=device.name,
        scopes=tuple(device.scopes),
        key_thumbprint=device.key_thumbprint,
        facts=messages.facts_told(device.facts),
        issued_at=told.issued_at.ToDatetime(tzinfo=UTC) if told.is_access_token else None,
        expires_at=told.expires_at.ToDatetime(tzinfo=UTC) if told.is_access_token else None,
    )
