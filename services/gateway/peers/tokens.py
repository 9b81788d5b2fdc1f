"""What devices ask auth when they want tokens."""

import chassis.rpc
from chassis.secrecy import Secret
from services.gateway.model.native import CodeGrant, RefreshGrant, TokenSet
from services.gateway.peers import messages
from wire.auth.v1 import auth_pb2, auth_pb2_grpc


class TokensClient:
    """Fits `service.Tokens`."""

    def __init__(self, channel: chassis.rpc.Channel) -> None:
        self._auth = channel.stub(auth_pb2_grpc.AuthServiceStub)

    async def exchange_code(self, grant: CodeGrant, key_thumbprint: str) -> TokenSet:
        """Return the first tokens of a device bound to a key."""
        request = auth_pb2.ExchangeCodeRequest(
            client_id=grant.client_id,
            code=grant.code.reveal(),
            code_verifier=grant.code_verifier.reveal(),
            redirect_uri=grant.redirect_uri,
            key_thumbprint=key_thumbprint,
        )
        return messages.token_set(await self._auth.ExchangeCode(request))

    async def refresh_bound(self, grant: RefreshGrant, key_thumbprint: str) -> TokenSet:
        """Return new tokens of a bound device."""
        request = auth_pb2.RefreshBoundRequest(
            client_id=grant.client_id,
            refresh_token=grant.refresh_token.reveal(),
            key_thumbprint=key_thumbprint,
            app_version=grant.app_version,
        )
        return messages.token_set(await self._auth.RefreshBound(request))

    async def refresh_compat(self, device_id: str, refresh_token: Secret[str]) -> TokenSet:
        """Return a new access token of a compat device."""
        request = auth_pb2.RefreshCompatRequest(device_id=device_id, refresh_token=refresh_token.reveal())
        return messages.token_set(await self._auth.RefreshCompat(request))
