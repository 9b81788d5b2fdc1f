"""What the forwarding path asks auth: whose token this is, and with what to call Amazon."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import cast

import chassis.rpc
from chassis.errors import Unavailable
from chassis.secrecy import Secret
from services.gateway.model.calls import AmazonToken, Device, Profile, Region, Restriction
from wire.auth.v1 import auth_pb2, auth_pb2_grpc, lending_pb2, lending_pb2_grpc

# Auth says something each 15 s; a stream that is silent for three times that is dead.
# Source: proto/wire/auth/v1/auth.proto, Revocation.
SILENCE_S_MAX = 45.0

_REGIONS = {
    Region.NA: auth_pb2.REGION_NA,
    Region.EU: auth_pb2.REGION_EU,
    Region.FE: auth_pb2.REGION_FE,
}
_REGIONS_TOLD = {told: region for region, told in _REGIONS.items()}
_PROFILES_TOLD = {auth_pb2.PROFILE_BOUND: Profile.BOUND, auth_pb2.PROFILE_COMPAT: Profile.COMPAT}


class AuthSilent(Unavailable):
    """The stream of revocations fell silent."""

    code = "auth_silent"
    text = "Revocations are not heard right now."


class AuthClient:
    """Fits `forward.ports.AuthPeer`."""

    def __init__(self, channel: chassis.rpc.Channel) -> None:
        self._auth = channel.stub(auth_pb2_grpc.AuthServiceStub)
        self._lending = channel.stub(lending_pb2_grpc.LendingServiceStub)

    async def introspect(self, access_token: str) -> Device:
        """Return the device behind a token."""
        return _device(await self._auth.Introspect(auth_pb2.IntrospectRequest(access_token=access_token)))

    async def watch_revocations(self) -> AsyncIterator[str | None]:
        """Yield None for a marker or a keep-alive, a device id for each revocation; until it ends.

        Raises:
            AuthSilent: nothing came for SILENCE_S_MAX.
            Unavailable: the stream broke.
        """
        told = self._auth.WatchRevocations(auth_pb2.WatchRevocationsRequest())
        async with aclosing(cast("AsyncGenerator[auth_pb2.Revocation, None]", told)) as revocations:
            while True:
                try:
                    async with asyncio.timeout(SILENCE_S_MAX):
                        revocation = await anext(revocations)
                except StopAsyncIteration:
                    return
                except TimeoutError as error:
                    raise AuthSilent from error
                yield revocation.device_id or None

    async def lend_amazon_token(
        self,
        device_id: str,
        region: Region,
        restriction: Restriction | None,
        *,
        refused_digest: bytes,
        timeout_s: float,
    ) -> AmazonToken:
        """Return Amazon's token for the device's seller; restricted to one operation when asked."""
        request = auth_pb2.LendAmazonTokenRequest(
            device_id=device_id, region=_REGIONS[region], refused_digest=refused_digest
        )
        if restriction is not None:
            request.restriction.CopyFrom(_restriction(restriction))
            request.target_application = restriction.target_application
        lent = await self._auth.LendAmazonToken(request, timeout=timeout_s)
        return AmazonToken(Secret(lent.token), lent.expires_in_s)

    async def lend_grantless_token(self, *, refused_digest: bytes, timeout_s: float) -> AmazonToken:
        """Return the application's own token for notifications."""
        request = lending_pb2.LendGrantlessTokenRequest(
            scope=lending_pb2.GRANTLESS_SCOPE_NOTIFICATIONS, refused_digest=refused_digest
        )
        lent = await self._lending.LendGrantlessToken(request, timeout=timeout_s)
        return AmazonToken(Secret(lent.token), lent.expires_in_s)

    async def restrict_access(
        self, access_token: str, restrictions: Sequence[Restriction], target_application: str
    ) -> tuple[str, int]:
        """Return a restricted handle and its life in seconds."""
        request = auth_pb2.RestrictAccessRequest(
            access_token=access_token,
            restrictions=[_restriction(each) for each in restrictions],
            target_application=target_application,
        )
        given = await self._auth.RestrictAccess(request)
        return given.access_token, given.expires_in_s


def _restriction(restriction: Restriction) -> auth_pb2.Restriction:
    return auth_pb2.Restriction(
        method=restriction.method, path=restriction.path, data_elements=restriction.data_elements
    )


def _device(told: auth_pb2.Device) -> Device:
    return Device(
        device_id=told.device_id,
        seller_id=told.seller_id,
        profile=_PROFILES_TOLD[told.profile],
        scopes=frozenset(told.scopes),
        key_thumbprint=told.key_thumbprint,
        expires_in_s=told.expires_in_s,
        restrictions=tuple(
            Restriction(each.method, each.path, tuple(each.data_elements)) for each in told.restrictions
        ),
        regions=frozenset(_REGIONS_TOLD[each] for each in told.regions if each in _REGIONS_TOLD),
        default_marketplace_id=told.default_marketplace_id,
        target_application=told.target_application,
    )
