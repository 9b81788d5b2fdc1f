"""The gateway's peers as servicers over its fakes, and a channel to them over mutual TLS."""
# ruff: noqa: ARG002 - gRPC's signature

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

import chassis.rpc
from fakes.gateway_ports import FakeAuthPeer, FakeSafe
from services.gateway.model.calls import Profile, Region, Restriction, SafeKey
from services.gateway.model.orders import Facts, Observation, OrderClock, OrderState
from tests.contract.gateway_channel import gateway_channel
from wire.auth.v1 import auth_pb2, auth_pb2_grpc, lending_pb2, lending_pb2_grpc
from wire.retention.v1 import retention_pb2, retention_pb2_grpc

ROW = chassis.rpc.Method(callers=frozenset({"gateway"}), deadline_s=30.0, event="test.call.answered")

REGIONS = {
    Region.NA: auth_pb2.REGION_NA,
    Region.EU: auth_pb2.REGION_EU,
    Region.FE: auth_pb2.REGION_FE,
}
PROFILES = {Profile.BOUND: auth_pb2.PROFILE_BOUND, Profile.COMPAT: auth_pb2.PROFILE_COMPAT}
STATES = {
    retention_pb2.ORDER_STATE_UNSHIPPED: OrderState.UNSHIPPED,
    retention_pb2.ORDER_STATE_SHIPPED: OrderState.SHIPPED,
    retention_pb2.ORDER_STATE_DELIVERED: OrderState.DELIVERED,
}
# What a call that names no time gets.
CHANNEL_S_MAX = 5.0


class AuthServicer(auth_pb2_grpc.AuthServiceServicer):
    """Auth's contract in front of the fake."""

    def __init__(self, auth: FakeAuthPeer) -> None:
        self.auth = auth

    async def Introspect(self, request: auth_pb2.IntrospectRequest, context: Any) -> auth_pb2.Device:
        device = await self.auth.introspect(request.access_token)
        return auth_pb2.Device(
            device_id=device.device_id,
            seller_id=device.seller_id,
            profile=PROFILES[device.profile],
            scopes=sorted(device.scopes),
            key_thumbprint=device.key_thumbprint,
            expires_in_s=int(device.expires_in_s),
            restrictions=[
                auth_pb2.Restriction(method=each.method, path=each.path, data_elements=each.data_elements)
                for each in device.restrictions
            ],
            regions=[REGIONS[each] for each in sorted(device.regions)],
            default_marketplace_id=device.default_marketplace_id,
            target_application=device.target_application,
        )

    async def WatchRevocations(
        self, request: auth_pb2.WatchRevocationsRequest, context: Any
    ) -> AsyncIterator[auth_pb2.Revocation]:
        async for device_id in self.auth.watch_revocations():
            yield auth_pb2.Revocation(device_id=device_id or "")

    async def LendAmazonToken(
        self, request: auth_pb2.LendAmazonTokenRequest, context: Any
    ) -> auth_pb2.AmazonToken:
        (region,) = [each for each, told in REGIONS.items() if told == request.region]
        wanted = restriction(request.restriction) if request.HasField("restriction") else None
        if wanted is not None:
            wanted = wanted._replace(target_application=request.target_application)
        lent = await self.auth.lend_amazon_token(
            request.device_id,
            region,
            wanted,
            refused_digest=request.refused_digest,
            timeout_s=context.time_remaining(),
        )
        return auth_pb2.AmazonToken(token=lent.token.reveal(), expires_in_s=int(lent.expires_in_s))

    async def RestrictAccess(
        self, request: auth_pb2.RestrictAccessRequest, context: Any
    ) -> auth_pb2.RestrictAccessResponse:
        asked = [restriction(each) for each in request.restrictions]
        handle, life_s = await self.auth.restrict_access(
            request.access_token, asked, request.target_application
        )
        return auth_pb2.RestrictAccessResponse(access_token=handle, expires_in_s=life_s)


class LendingServicer(lending_pb2_grpc.LendingServiceServicer):
    """What auth lends of the application's own, in front of the fake."""

    def __init__(self, auth: FakeAuthPeer) -> None:
        self.auth = auth

    async def LendGrantlessToken(
        self, request: lending_pb2.LendGrantlessTokenRequest, context: Any
    ) -> auth_pb2.AmazonToken:
        assert request.scope == lending_pb2.GRANTLESS_SCOPE_NOTIFICATIONS
        lent = await self.auth.lend_grantless_token(
            refused_digest=request.refused_digest, timeout_s=context.time_remaining()
        )
        return auth_pb2.AmazonToken(token=lent.token.reveal(), expires_in_s=int(lent.expires_in_s))


class SafeServicer(retention_pb2_grpc.RetentionServiceServicer):
    """Retention's contract in front of the fake."""

    def __init__(self, safe: FakeSafe) -> None:
        self.safe = safe

    async def ObserveOrders(
        self, request: retention_pb2.ObserveOrdersRequest, context: Any
    ) -> retention_pb2.ObserveOrdersResponse:
        clocks = await self.safe.observe_orders(
            request.seller_id, [observation(each) for each in request.orders]
        )
        return retention_pb2.ObserveOrdersResponse(clocks=[clock_of(each) for each in clocks])

    async def FindClocks(
        self, request: retention_pb2.FindClocksRequest, context: Any
    ) -> retention_pb2.FindClocksResponse:
        clocks = await self.safe.find_clocks(request.seller_id, request.order_ids)
        return retention_pb2.FindClocksResponse(clocks=[clock_of(each) for each in clocks])

    async def Seal(self, request: retention_pb2.SealRequest, context: Any) -> retention_pb2.SealResponse:
        key = SafeKey(request.seller_id, request.order_id, request.field_set)
        await self.safe.seal(key, request.plaintext, request.fetched_at.ToDatetime(tzinfo=UTC))
        return retention_pb2.SealResponse()

    async def Open(self, request: retention_pb2.OpenRequest, context: Any) -> retention_pb2.OpenResponse:
        key = SafeKey(request.seller_id, request.order_id, request.field_set)
        return retention_pb2.OpenResponse(plaintext=await self.safe.open(key, request.age_s_max))


def clock_of(clock: OrderClock) -> retention_pb2.OrderClock:
    return retention_pb2.OrderClock(
        order_id=clock.order_id, ends_at=stamp(clock.ends_at), has_left=clock.has_left
    )


def stamp(moment: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


def restriction(told: auth_pb2.Restriction) -> Restriction:
    return Restriction(told.method, told.path, tuple(told.data_elements))


def observation(told: retention_pb2.OrderObservation) -> Observation:
    facts = Facts(
        state=STATES[told.state],
        purchased_at=moment(told.purchased_at) if told.HasField("purchased_at") else None,
        shipped_at=moment(told.shipped_at) if told.HasField("shipped_at") else None,
        delivered_at=moment(told.delivered_at) if told.HasField("delivered_at") else None,
    )
    return Observation(told.order_id, facts, moment(told.observed_at))


def moment(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(tzinfo=UTC)


@asynccontextmanager
async def channel_to(*offered: tuple[Any, Any, object]) -> AsyncIterator[chassis.rpc.Channel]:
    """Serve contracts and give the gateway's way to them: descriptor, how it is added, servicer."""
    services = [
        chassis.rpc.Service(
            descriptor=descriptor,
            add=add,
            servicer=servicer,
            methods={method.name: ROW for method in descriptor.methods},
        )
        for descriptor, add, servicer in offered
    ]
    async with gateway_channel(services) as channel:
        yield channel
