"""The programs that want tokens: the vendor's own, and those with an unmodified SP-API library."""

from collections.abc import Mapping

from chassis.secrecy import Secret
from services.gateway.model import native
from services.gateway.model.native import (
    AuthorizationRequest,
    CodeGrant,
    NativeClient,
    RefreshGrant,
    TokenSet,
)
from services.gateway.model.people import Visit, device_name
from services.gateway.service.ports import People, Tokens


class NativeApps:
    """The vendor's desktop application: a public client bound to a key of the device."""

    def __init__(self, *, people: People, tokens: Tokens, client: NativeClient, issuer: str) -> None:
        self._people = people
        self._tokens = tokens
        self._client = client
        self._issuer = issuer

    def read(self, parameters: Mapping[str, str]) -> AuthorizationRequest:
        """Return the authorization request that parameters make; see `model.native.read_request`."""
        return native.read_request(parameters, self._client, issuer=self._issuer)

    async def approve(self, visit: Visit, request: AuthorizationRequest, name: str) -> str:
        """Return where the browser goes with the code, once the person approved.

        Raises:
            DeviceNameRefused: see `model.people.device_name`.
        """
        code = await self._people.authorize_device(visit, request, device_name(name))
        return request.answered(code=code.reveal(), issuer=self._issuer)

    def deny(self, request: AuthorizationRequest) -> str:
        """Return where the browser goes when the person did not approve."""
        return request.denied(issuer=self._issuer)

    async def redeem(self, grant: CodeGrant | RefreshGrant, key_thumbprint: str) -> TokenSet:
        """Return the tokens that a grant gives to the holder of a key.

        Raises:
            ClientUnknown: the grant names another application.
        """
        if grant.client_id != self._client.client_id:
            raise native.ClientUnknown
        if isinstance(grant, CodeGrant):
            return await self._tokens.exchange_code(grant, key_thumbprint)
        return await self._tokens.refresh_bound(grant, key_thumbprint)


class LibraryApps:
    """A program with an unmodified SP-API library, which takes the gateway for Login with Amazon."""

    def __init__(self, *, tokens: Tokens) -> None:
        self._tokens = tokens

    async def refresh(self, device_id: str, refresh_token: Secret[str]) -> TokenSet:
        """Return a new access token; the refresh token in the answer is the one given (1.1 of the wire)."""
        return await self._tokens.refresh_compat(device_id, refresh_token)
