"""The programs that want tokens: the vendor's own, and those with an unmodified SP-API library."""

from collections.abc import Mapping

from chassis.secrecy import Secret
from services.gateway.model import native
from services.gateway.model.device_facts import DeviceFacts
from services.gateway.model.device_grants import BegunGrant, GrantRequest
from services.gateway.model.inspection import Inspection
from services.gateway.model.native import (
    AuthorizationRequest,
    CodeGrant,
    DeviceCodeGrant,
    NativeClient,
    RefreshGrant,
    TokenSet,
)
from services.gateway.model.people import Visit
from services.gateway.service.authorization_ports import Authorization
from services.gateway.service.desktops import approval
from services.gateway.service.ports import People, Tokens

Grant = CodeGrant | RefreshGrant | DeviceCodeGrant


class NativeApps:
    """The vendor's desktop application: a public client bound to a key of the device."""

    def __init__(
        self,
        *,
        people: People,
        tokens: Tokens,
        authorization: Authorization,
        client: NativeClient,
        issuer: str,
    ) -> None:
        self._people = people
        self._tokens = tokens
        self._authorization = authorization
        self._client = client
        self._issuer = issuer

    def read(self, parameters: Mapping[str, str]) -> AuthorizationRequest:
        """Return the authorization request that parameters make; see `model.native.read_request`."""
        return native.read_request(parameters, self._client, issuer=self._issuer)

    async def approve(self, visit: Visit, request: AuthorizationRequest, fields: Mapping[str, str]) -> str:
        """Return where the browser goes with the code, once the person approved.

        Args:
            visit: who approves.
            request: what is approved.
            fields: of the form: the desktop's name, and a box for each optional scope.

        Raises:
            DeviceNameRefused: see `model.people.device_name`.
        """
        code = await self._people.authorize_device(visit, request, approval(request.scopes, fields))
        return request.answered(code=code.reveal(), issuer=self._issuer)

    def deny(self, request: AuthorizationRequest) -> str:
        """Return where the browser goes when the person did not approve."""
        return request.denied(issuer=self._issuer)

    async def redeem(self, grant: Grant, key_thumbprint: str) -> TokenSet:
        """Return the tokens that a grant gives to the holder of a key.

        Raises:
            ClientUnknown: the grant names another application.
        """
        self._check_client(grant.client_id)
        if isinstance(grant, CodeGrant):
            return await self._tokens.exchange_code(grant, key_thumbprint)
        if isinstance(grant, DeviceCodeGrant):
            return await self._authorization.redeem_device_grant(grant, key_thumbprint)
        return await self._tokens.refresh_bound(grant, key_thumbprint)

    async def begin(
        self, client_id: str, scopes: tuple[str, ...], facts: DeviceFacts, *, key_thumbprint: str
    ) -> BegunGrant:
        """Return the codes of a desktop that is to be let in on another machine's browser.

        Args:
            client_id: as the desktop names itself.
            scopes: what it asks for.
            facts: what it says about itself.
            key_thumbprint: of the key that it has proven; empty when it has proven none.

        Raises:
            ClientUnknown: another application.
            ScopeUnknown: a scope that does not exist.
        """
        self._check_client(client_id)
        if not native.are_known(scopes):
            raise native.ScopeUnknown
        request = GrantRequest(client_id=client_id, scopes=scopes, facts=facts, key_thumbprint=key_thumbprint)
        return await self._authorization.begin_device_grant(request)

    async def revoke(self, client_id: str, token: Secret[str]) -> None:
        """End what a token stands for; harmless when that is nothing, or another client's device."""
        await self._authorization.revoke_token(client_id, token)

    async def inspect(
        self, access_token: Secret[str], key_thumbprint: str, token: Secret[str]
    ) -> Inspection | None:
        """Return what one of a device's own tokens is worth; None when it is worth nothing to it."""
        return await self._authorization.inspect_token(access_token, key_thumbprint, token)

    def _check_client(self, client_id: str) -> None:
        if client_id != self._client.client_id:
            raise native.ClientUnknown


class LibraryApps:
    """A program with an unmodified SP-API library, which takes the gateway for Login with Amazon."""

    def __init__(self, *, tokens: Tokens) -> None:
        self._tokens = tokens

    async def refresh(self, device_id: str, refresh_token: Secret[str]) -> TokenSet:
        """Return a new access token; the refresh token in the answer is the one given (1.1 of the wire)."""
        return await self._tokens.refresh_compat(device_id, refresh_token)
