"""Calls about devices: enrolling, refreshing, listing, revoking."""

from chassis.secrecy import Secret
from services.auth.model.devices import Authorization, Redemption
from services.auth.rpc import messages
from services.auth.service import UseCases
from wire.auth.v1 import auth_pb2


class DeviceCalls:
    """What desktops and the people who own them need."""

    def __init__(self, use_cases: UseCases) -> None:
        self._enrolment = use_cases.enrolment
        self._devices = use_cases.devices
        self._device_tokens = use_cases.tokens

    async def AuthorizeDevice(  # noqa: N802 - the contract's name
        self, request: auth_pb2.AuthorizeDeviceRequest, _context: messages.Context
    ) -> auth_pb2.AuthorizeDeviceResponse:
        """Give a code for a desktop that a person approves."""
        asked = Authorization(
            client_id=request.client_id,
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            scopes=tuple(request.scopes),
            device_name=request.device_name,
            facts=messages.facts_told(request.facts),
            key_thumbprint=request.key_thumbprint,
            withheld_scopes=tuple(request.withheld_scopes),
        )
        code = await self._enrolment.authorize(Secret(request.session_token), asked)
        return auth_pb2.AuthorizeDeviceResponse(code=code.reveal())

    async def ExchangeCode(  # noqa: N802 - the contract's name
        self, request: auth_pb2.ExchangeCodeRequest, _context: messages.Context
    ) -> auth_pb2.TokenSet:
        """Enrol a bound device."""
        shown = Redemption(
            client_id=request.client_id,
            redirect_uri=request.redirect_uri,
            key_thumbprint=request.key_thumbprint,
            code=Secret(request.code),
            code_verifier=Secret(request.code_verifier),
        )
        return messages.token_set(await self._enrolment.exchange(shown))

    async def RefreshBound(  # noqa: N802 - the contract's name
        self, request: auth_pb2.RefreshBoundRequest, _context: messages.Context
    ) -> auth_pb2.TokenSet:
        """Replace a bound device's tokens."""
        tokens = await self._device_tokens.refresh_bound(
            request.client_id,
            Secret(request.refresh_token),
            request.key_thumbprint,
            app_version=request.app_version,
        )
        return messages.token_set(tokens)

    async def EnrolCompatDevice(  # noqa: N802 - the contract's name
        self, request: auth_pb2.EnrolCompatDeviceRequest, _context: messages.Context
    ) -> auth_pb2.EnrolCompatDeviceResponse:
        """Enrol a compat device."""
        device_id, refresh_token = await self._enrolment.enrol_compat(
            Secret(request.session_token), request.device_name
        )
        return auth_pb2.EnrolCompatDeviceResponse(device_id=device_id, refresh_token=refresh_token.reveal())

    async def RefreshCompat(  # noqa: N802 - the contract's name
        self, request: auth_pb2.RefreshCompatRequest, _context: messages.Context
    ) -> auth_pb2.TokenSet:
        """Give a compat device a fresh access token."""
        tokens = await self._device_tokens.refresh_compat(request.device_id, Secret(request.refresh_token))
        return messages.token_set(tokens)

    async def RestrictAccess(  # noqa: N802 - the contract's name
        self, request: auth_pb2.RestrictAccessRequest, _context: messages.Context
    ) -> auth_pb2.RestrictAccessResponse:
        """Give a handle for restricted operations."""
        asked = messages.restrictions_asked(request.restrictions)
        handle = await self._device_tokens.restrict(
            Secret(request.access_token), asked, request.target_application
        )
        return auth_pb2.RestrictAccessResponse(
            access_token=handle.reveal(), expires_in_s=messages.EXPIRES_IN_S
        )

    async def ListDevices(  # noqa: N802 - the contract's name
        self, request: auth_pb2.ListDevicesRequest, _context: messages.Context
    ) -> auth_pb2.ListDevicesResponse:
        """Show the seller's devices."""
        devices = await self._devices.list_all(Secret(request.session_token))
        return auth_pb2.ListDevicesResponse(devices=map(messages.device, devices))

    async def RevokeDevice(  # noqa: N802 - the contract's name
        self, request: auth_pb2.RevokeDeviceRequest, _context: messages.Context
    ) -> auth_pb2.RevokeDeviceResponse:
        """Revoke one of the seller's devices."""
        await self._devices.revoke(Secret(request.session_token), request.device_id)
        return auth_pb2.RevokeDeviceResponse()
