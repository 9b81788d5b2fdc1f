"""What the forwarding path asks auth and retention: the same suite on the fakes and through real gRPC."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

import pytest

import chassis.errors
from fakes.clock import START, FakeClock
from fakes.gateway_ports import FakeAuthPeer, FakeSafe
from services.gateway.forward.ports import AuthPeer, Safe
from services.gateway.model.calls import Device, Region, Restriction, SafeKey
from services.gateway.model.orders import Facts, Observation, OrderClock, OrderState
from services.gateway.peers.auth import AuthClient
from services.gateway.peers.safe import SafeClient
from tests.contract.gateway_peers import (
    CHANNEL_S_MAX,
    AuthServicer,
    LendingServicer,
    SafeServicer,
    channel_to,
)
from wire.auth.v1 import auth_pb2, auth_pb2_grpc, lending_pb2, lending_pb2_grpc
from wire.retention.v1 import retention_pb2, retention_pb2_grpc

KEY = SafeKey("seller-1", "114-3941689-8772232", "ordersV0.getOrderAddress")


@pytest.fixture
def auth() -> FakeAuthPeer:
    return FakeAuthPeer(FakeClock())


@pytest.fixture(params=["fake", "wire"])
async def auth_peer(request: pytest.FixtureRequest, auth: FakeAuthPeer) -> AsyncIterator[AuthPeer]:
    if request.param == "fake":
        yield auth
        return
    descriptor = auth_pb2.DESCRIPTOR.services_by_name["AuthService"]
    add = auth_pb2_grpc.add_AuthServiceServicer_to_server
    servicer = AuthServicer(auth)  # type: ignore[abstract]
    lending = (
        lending_pb2.DESCRIPTOR.services_by_name["LendingService"],
        lending_pb2_grpc.add_LendingServiceServicer_to_server,
        LendingServicer(auth),
    )
    async with channel_to((descriptor, add, servicer), lending) as channel:
        yield AuthClient(channel)


@pytest.fixture
def kept() -> FakeSafe:
    return FakeSafe()


@pytest.fixture(params=["fake", "wire"])
async def safe(request: pytest.FixtureRequest, kept: FakeSafe) -> AsyncIterator[Safe]:
    if request.param == "fake":
        yield kept
        return
    descriptor = retention_pb2.DESCRIPTOR.services_by_name["RetentionService"]
    add = retention_pb2_grpc.add_RetentionServiceServicer_to_server
    async with channel_to((descriptor, add, SafeServicer(kept))) as channel:
        yield SafeClient(channel)


async def test_a_token_stands_for_its_device(auth_peer: AuthPeer, auth: FakeAuthPeer) -> None:
    token = auth.enrol(
        scopes=frozenset({"orders", "pii"}),
        thumbprint="key-1",
        regions=frozenset({Region.NA, Region.FE}),
    )
    asked = (Restriction("GET", "/orders/v0/orders", ("buyerInfo",)), Restriction("GET", "/x/{y}"))
    auth.devices[token] = replace(auth.devices[token], restrictions=asked)
    assert await auth_peer.introspect(token) == auth.devices[token]


@pytest.mark.parametrize("fate", ["unknown", "expired", "revoked"])
async def test_a_token_that_stands_for_nobody_is_unauthenticated(
    auth_peer: AuthPeer, auth: FakeAuthPeer, fate: str
) -> None:
    token = auth.enrol()
    if fate == "unknown":
        auth.devices.clear()
    if fate == "expired":
        auth.end(token)
    if fate == "revoked":
        auth.revoke(token)
    with pytest.raises(chassis.errors.Unauthenticated) as refusal:
        await auth_peer.introspect(token)
    codes = {"unknown": "token_invalid", "expired": "token_expired", "revoked": "device_revoked"}
    assert refusal.value.code == codes[fate]


async def test_revocations_are_heard_after_a_marker(auth_peer: AuthPeer, auth: FakeAuthPeer) -> None:
    token = auth.enrol()
    async with aclosing(auth_peer.watch_revocations()) as heard:  # type: ignore[type-var]
        assert await anext(heard) is None
        auth.revoke(token)
        auth.keep_alive()
        assert await anext(heard) == auth.devices[token].device_id
        assert await anext(heard) is None
        auth.break_streams()
        with pytest.raises(chassis.errors.Unavailable):
            await anext(heard)


async def test_amazons_token_is_lent_for_a_region_and_a_purpose(
    auth_peer: AuthPeer, auth: FakeAuthPeer
) -> None:
    wanted = Restriction("GET", "/orders/v0/orders/{orderId}/address")
    delegated = wanted._replace(target_application="amzn1.sellerapps.app.1")
    lent = [
        await auth_peer.lend_amazon_token("device-1", region, each, refused_digest=b"", timeout_s=15.0)
        for region, each in ((Region.EU, None), (Region.FE, wanted), (Region.FE, delegated))
    ]
    assert auth.lent == [
        ("device-1", Region.EU, None),
        ("device-1", Region.FE, wanted),
        ("device-1", Region.FE, delegated),
    ]
    assert lent[0].token.reveal() == "Atza|1"
    assert lent[1].expires_in_s == 3600
    assert "Atz" not in repr(lent)
    assert auth.reported == []


async def test_the_applications_own_token_is_lent_without_a_device(
    auth_peer: AuthPeer, auth: FakeAuthPeer
) -> None:
    lent = await auth_peer.lend_grantless_token(refused_digest=b"", timeout_s=15.0)
    assert lent.token.reveal() == "Atza|grantless-1"
    assert lent.expires_in_s == 3_600
    assert CHANNEL_S_MAX < auth.lend_timeouts_s[-1] <= 15.0
    auth.is_down = True
    with pytest.raises(chassis.errors.Unavailable):
        await auth_peer.lend_grantless_token(refused_digest=b"", timeout_s=15.0)


async def test_a_token_that_amazon_did_not_take_is_reported_by_its_digest(
    auth_peer: AuthPeer, auth: FakeAuthPeer
) -> None:
    await auth_peer.lend_amazon_token("device-1", Region.EU, None, refused_digest=b"d" * 32, timeout_s=15.0)
    await auth_peer.lend_grantless_token(refused_digest=b"g" * 32, timeout_s=15.0)
    assert auth.reported == [b"d" * 32, b"g" * 32]


async def test_auth_gets_the_time_that_a_caller_has_R07(auth_peer: AuthPeer, auth: FakeAuthPeer) -> None:
    await auth_peer.lend_amazon_token("device-1", Region.EU, None, refused_digest=b"", timeout_s=15.0)
    (timeout_s,) = auth.lend_timeouts_s
    assert CHANNEL_S_MAX < timeout_s <= 15.0


async def test_a_handle_is_a_token_with_restrictions(auth_peer: AuthPeer, auth: FakeAuthPeer) -> None:
    asked = [Restriction("GET", "/orders/v0/orders", ("buyerInfo", "shippingAddress"))]
    handle, life_s = await auth_peer.restrict_access(auth.enrol(), asked, "")
    assert life_s == 3600
    assert list((await auth_peer.introspect(handle)).restrictions) == asked


async def test_a_handle_for_another_application_is_given_where_the_vendor_named_it(
    auth_peer: AuthPeer, auth: FakeAuthPeer
) -> None:
    asked, token = [Restriction("GET", "/orders/v0/orders/{orderId}/address")], auth.enrol()
    with pytest.raises(chassis.errors.InvalidInput) as refusal:
        await auth_peer.restrict_access(token, asked, "amzn1.sellerapps.app.1")
    assert refusal.value.code == "target_application_refused"
    auth.delegates.add("amzn1.sellerapps.app.1")
    handle, _ = await auth_peer.restrict_access(token, asked, "amzn1.sellerapps.app.1")
    assert (await auth_peer.introspect(handle)).target_application == "amzn1.sellerapps.app.1"


async def test_auth_being_down_is_unavailable(auth_peer: AuthPeer, auth: FakeAuthPeer) -> None:
    auth.is_down = True
    with pytest.raises(chassis.errors.Unavailable):
        await auth_peer.lend_amazon_token("device-1", Region.NA, None, refused_digest=b"", timeout_s=15.0)


async def test_what_is_sealed_can_be_opened_by_its_name_only(safe: Safe) -> None:
    await safe.seal(KEY, b'{"a":"\xc3\xa4"}', START)
    assert await safe.open(KEY, 3600) == b'{"a":"\xc3\xa4"}'
    with pytest.raises(chassis.errors.NotFound):
        await safe.open(replace(KEY, seller_id="seller-2"), 3600)


async def test_an_order_past_its_clock_is_gone(safe: Safe, kept: FakeSafe) -> None:
    kept.expired.add(KEY.order_id)
    for asking in (safe.open(KEY, 3600), safe.seal(KEY, b"{}", START)):
        with pytest.raises(chassis.errors.Gone) as refusal:
            await asking
        assert refusal.value.code == "expired"


async def test_an_order_nobody_told_of_cannot_be_kept(safe: Safe, kept: FakeSafe) -> None:
    kept.unknown.add(KEY.order_id)
    with pytest.raises(chassis.errors.Conflict) as refusal:
        await safe.seal(KEY, b"{}", START)
    assert refusal.value.code == "order_not_observed"


async def test_observations_arrive_as_they_were_made(safe: Safe, kept: FakeSafe) -> None:
    early, late = START - timedelta(days=3), START - timedelta(days=1)
    seen = [
        Observation("1", Facts(OrderState.UNSHIPPED, early), START),
        Observation("2", Facts(OrderState.SHIPPED, early, late), START),
        Observation("3", Facts(OrderState.DELIVERED, None, early, late), START),
    ]
    await safe.observe_orders("seller-1", seen)
    assert kept.observed == [("seller-1", each) for each in seen]


async def test_clocks_come_back_for_the_orders_that_have_one_R19(safe: Safe, kept: FakeSafe) -> None:
    kept.clocks["1"] = OrderClock("1", START + timedelta(days=20), has_left=False)
    kept.clocks["2"] = OrderClock("2", START, has_left=True)
    assert list(await safe.find_clocks("seller-1", ["1", "2", "3"])) == [kept.clocks["1"], kept.clocks["2"]]
    assert kept.asked == [("seller-1", "1"), ("seller-1", "2"), ("seller-1", "3")]
    seen = [Observation("2", Facts(OrderState.SHIPPED, START), START)]
    assert list(await safe.observe_orders("seller-1", seen)) == [kept.clocks["2"]]


def test_a_device_never_shows_its_token() -> None:
    assert "token" not in Device.__slots__
