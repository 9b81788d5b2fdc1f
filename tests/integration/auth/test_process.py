"""Auth as a process: mutual TLS, Postgres, OpenBao, and an Amazon that answers over TLS."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

import chassis.db
import sallyport.engines.openbao
import sallyport.engines.postgres
from chassis.errors import Denied, InvalidInput, NotFound, SallyportError, Unauthenticated, Unavailable
from fakes.auth_amazon_server import AmazonServer
from services.auth.rpc import ADMIN_METHODS, AUTHORIZATION_METHODS, SERVICE_METHODS
from tests.integration.auth.conftest import CallerFor, ProcessFor
from tests.integration.auth.process import AuthProcess, Caller, Telemetry
from tests.integration.auth.story import DE, DEVICE_NAME, SELLER_NAME, THUMBPRINT, US, Story
from tests.integration.service import until
from wire.auth.v1 import auth_pb2, authorization_pb2, sellers_pb2
from wire.telemetry.v1 import telemetry_pb2

ADDRESS = auth_pb2.Restriction(method="GET", path="/orders/v0/orders/{orderId}/address")
# Far less than `chassis.run.DRAIN_S_MAX`.
END_S_MAX = 5.0
DONE = [(telemetry_pb2.PHASE_INTENT, ""), (telemetry_pb2.PHASE_OUTCOME, "done")]


async def test_a_seller_connects_enrols_a_desktop_and_amazon_is_called(
    story: Story, telemetry: Telemetry
) -> None:
    seller_id, session_token = await story.person()
    consent = await story.connect(session_token)
    assert (consent.region, consent.marketplace_id, consent.status) == (auth_pb2.REGION_NA, US, "active")
    tokens = await story.enrol(session_token)
    assert (tokens.expires_in_s, list(tokens.scopes)) == (3600, ["orders"])
    device = await story.introspect(tokens.access_token)
    assert (device.seller_id, device.name, device.key_thumbprint) == (seller_id, DEVICE_NAME, THUMBPRINT)
    assert (device.profile, list(device.regions)) == (auth_pb2.PROFILE_BOUND, [auth_pb2.REGION_NA])
    assert device.default_marketplace_id == US
    assert (await story.lend(device.device_id)).token.startswith("Atza|")
    assert (await story.lend(device.device_id, ADDRESS)).token.startswith("Atz.sprdt|")
    assert telemetry.told("auth.consent.completed") == DONE
    assert telemetry.told("auth.device.enrolled") == DONE
    assert telemetry.told("auth.amazon_token.requested") == [(telemetry_pb2.PHASE_FACT, "")]
    assert all(event.request_id for event in telemetry.events)


async def test_a_session_shows_names_and_ends(story: Story) -> None:
    _, session_token = await story.person()
    found = await story.gateway.FindSession(auth_pb2.FindSessionRequest(session_token=session_token))
    assert found.seller_name == SELLER_NAME
    await story.gateway.EndSession(auth_pb2.EndSessionRequest(session_token=session_token))
    with pytest.raises(Unauthenticated) as refusal:
        await story.gateway.FindSession(auth_pb2.FindSessionRequest(session_token=session_token))
    assert refusal.value.code == "session_invalid"


async def test_a_compat_device_and_a_handle(story: Story) -> None:
    _, session_token = await story.person()
    enrolled = await story.gateway.EnrolCompatDevice(
        auth_pb2.EnrolCompatDeviceRequest(session_token=session_token, device_name="Back office")
    )
    tokens = await story.gateway.RefreshCompat(
        auth_pb2.RefreshCompatRequest(device_id=enrolled.device_id, refresh_token=enrolled.refresh_token)
    )
    assert tokens.refresh_token == enrolled.refresh_token
    handle = await story.gateway.RestrictAccess(
        auth_pb2.RestrictAccessRequest(access_token=tokens.access_token, restrictions=[ADDRESS])
    )
    device = await story.introspect(handle.access_token)
    assert (device.profile, list(device.restrictions)) == (auth_pb2.PROFILE_COMPAT, [ADDRESS])
    listed = await story.gateway.ListDevices(auth_pb2.ListDevicesRequest(session_token=session_token))
    assert [one.device_id for one in listed.devices] == [enrolled.device_id]


async def test_the_vendor_grants_pii_and_the_device_has_it_at_once(story: Story) -> None:
    _, access_token, device = await story.begin()
    await story.console.SetDeviceScopes(
        auth_pb2.SetDeviceScopesRequest(
            seller_id=device.seller_id,
            device_id=device.device_id,
            scopes=["orders", "pii"],
            reason="Contract 17",
        )
    )
    assert list((await story.introspect(access_token)).scopes) == ["orders", "pii"]


async def test_a_rotated_token_gives_the_same_answer_again_T03(story: Story) -> None:
    _, session_token = await story.person()
    tokens = await story.enrol(session_token)
    first = await story.refresh(tokens.refresh_token)
    assert await story.refresh(tokens.refresh_token) == first
    await story.introspect(first.access_token)


async def test_a_foreign_device_answers_like_an_absent_one_T07(story: Story) -> None:
    _, _, device = await story.begin()
    _, stranger = await story.person()
    answers = []
    for device_id in (device.device_id, "0190b2f0-0000-7000-8000-000000000000", "\x00"):
        with pytest.raises(NotFound) as refusal:
            await story.gateway.RevokeDevice(
                auth_pb2.RevokeDeviceRequest(session_token=stranger, device_id=device_id)
            )
        answers.append((refusal.value.code, refusal.value.text))
    assert len(set(answers)) == 1


async def test_a_request_without_region_is_refused(story: Story) -> None:
    _, _, device = await story.begin()
    with pytest.raises(InvalidInput) as refusal:
        await story.gateway.LendAmazonToken(auth_pb2.LendAmazonTokenRequest(device_id=device.device_id))
    assert refusal.value.code == "region_missing"


async def test_only_the_gateway_serves_and_only_the_console_decides_T24(
    process: AuthProcess, caller_for: CallerFor
) -> None:
    gateway, console = await caller_for("gateway", process), await caller_for("console", process)
    other = await caller_for("retention", process)
    for caller in (console, other):
        with pytest.raises(Denied):
            await caller.service.LendAmazonToken(auth_pb2.LendAmazonTokenRequest())
    for caller in (gateway, other):
        with pytest.raises(Denied):
            await caller.admin.CreateSeller(auth_pb2.CreateSellerRequest(name="Mine"))
        with pytest.raises(Denied):
            await caller.sellers.OffboardSeller(sellers_pb2.OffboardSellerRequest(seller_id="x"))


def test_every_method_has_a_row_with_an_event_kind_T23() -> None:
    contract = auth_pb2.DESCRIPTOR.services_by_name
    assert SERVICE_METHODS.keys() == {method.name for method in contract["AuthService"].methods}
    assert ADMIN_METHODS.keys() == {method.name for method in contract["AuthAdmin"].methods}
    authorization = authorization_pb2.DESCRIPTOR.services_by_name["AuthorizationService"]
    assert AUTHORIZATION_METHODS.keys() == {method.name for method in authorization.methods}
    rows = [*SERVICE_METHODS.values(), *ADMIN_METHODS.values(), *AUTHORIZATION_METHODS.values()]
    assert all(row.event.startswith("auth.") for row in rows)


async def test_20_concurrent_borrowers_on_two_processes_make_one_refresh_R09_R10(
    story: Story, process_for: ProcessFor, caller_for: CallerFor, amazon_server: AmazonServer
) -> None:
    _, _, device = await story.begin()
    other = await caller_for("gateway", await process_for("second"))
    amazon_server.takes_s = 0.5
    request = auth_pb2.LendAmazonTokenRequest(device_id=device.device_id, region=auth_pb2.REGION_NA)
    borrowers = [story.gateway.LendAmazonToken, other.service.LendAmazonToken] * 10
    lent = await asyncio.gather(*(lend(request) for lend in borrowers))
    assert len({one.token for one in lent}) == 1
    assert amazon_server.refreshes == 1


async def test_an_abandoned_lease_is_taken_over_R09(
    story: Story, amazon_server: AmazonServer, owner: chassis.db.Connection
) -> None:
    _, _, device = await story.begin()
    await owner.execute(
        """
        UPDATE auth.access_leases
        SET fence = fence + 1, held_until = clock_timestamp() + make_interval(secs => 1.5)
        """
    )
    await story.lend(device.device_id)
    assert amazon_server.refreshes == 1
    assert await owner.fetchval("SELECT fence FROM auth.access_leases") == 2


async def test_a_revocation_reaches_watchers_of_every_process_T01(
    story: Story, process_for: ProcessFor, caller_for: CallerFor
) -> None:
    session_token, access_token, device = await story.begin()
    other = await caller_for("gateway", await process_for("second"))
    async with _watching(other) as stream:
        assert await anext(stream) == auth_pb2.Revocation()
        await story.gateway.RevokeDevice(
            auth_pb2.RevokeDeviceRequest(session_token=session_token, device_id=device.device_id)
        )
        told = await anext(stream)
    assert told == auth_pb2.Revocation(device_id=device.device_id, seller_id=device.seller_id)
    with pytest.raises(Unauthenticated) as refusal:
        await other.service.Introspect(auth_pb2.IntrospectRequest(access_token=access_token))
    assert refusal.value.code == "device_revoked"


async def test_a_killed_process_loses_nothing_R12(
    story: Story, process: AuthProcess, amazon_server: AmazonServer
) -> None:
    session_token, access_token, device = await story.begin()
    lent = await story.lend(device.device_id)
    await process.stop(signal.SIGKILL)
    await process.start()
    assert (await story.introspect(access_token)).device_id == device.device_id
    again = await story.lend(device.device_id)
    assert (again.token, again.expires_at) == (lent.token, lent.expires_at)
    assert amazon_server.refreshes == 1
    await story.gateway.FindSession(auth_pb2.FindSessionRequest(session_token=session_token))


async def test_the_process_ends_cleanly_when_told_to_R16(process: AuthProcess) -> None:
    assert await process.stop() == 0


async def test_gateways_that_listen_are_told_of_the_end_and_do_not_keep_the_process_R16(
    process: AuthProcess, caller_for: CallerFor
) -> None:
    async with _watching(await caller_for("gateway", process)) as stream:
        assert await anext(stream) == auth_pb2.Revocation()
        async with asyncio.timeout(END_S_MAX):
            assert await process.stop() == 0
        with pytest.raises(Unavailable) as cut_off:
            await anext(stream)
    assert cut_off.value.code == "news_interrupted"


async def test_without_telemetry_nothing_is_changed_and_it_is_told_R02(
    story: Story, telemetry: Telemetry
) -> None:
    session_token, access_token, device = await story.begin()
    revoke = auth_pb2.RevokeDeviceRequest(session_token=session_token, device_id=device.device_id)
    telemetry.is_down = True
    with pytest.raises(Unavailable) as refusal:
        await story.gateway.RevokeDevice(revoke)
    assert refusal.value.code == "audit_unavailable"
    assert not (await story.introspect(access_token)).is_revoked
    telemetry.is_down = False
    await story.gateway.RevokeDevice(revoke)


async def test_while_the_key_service_is_away_nothing_is_opened_and_then_all_is_well_R06(
    story: Story, process: AuthProcess, openbao: sallyport.engines.openbao.OpenBao
) -> None:
    session_token, _, _ = await story.begin()
    request = auth_pb2.FindSessionRequest(session_token=session_token)
    await openbao.stop()
    try:
        with pytest.raises(Unavailable) as refusal:
            await story.gateway.FindSession(request)
        assert refusal.value.code == "key_service_unavailable"
        await until(lambda: _is_not(process), limit_s=5.0)
    finally:
        await openbao.start()
    await until(process.is_ready, limit_s=10.0)
    await story.gateway.FindSession(request)


async def test_after_postgres_was_away_all_is_served_again_R05_R11(
    story: Story, process: AuthProcess, postgres: sallyport.engines.postgres.Postgres, caller_for: CallerFor
) -> None:
    session_token, _, device = await story.begin()
    request = auth_pb2.FindSessionRequest(session_token=session_token)
    watching = await caller_for("gateway", process)
    async with _watching(watching) as stream:
        assert await anext(stream) == auth_pb2.Revocation()
        await postgres.stop()
        try:
            with pytest.raises(Unavailable) as cut_off:
                await anext(stream)
            with pytest.raises(Unavailable) as refusal:
                await story.gateway.FindSession(request)
            await until(lambda: _is_not(process), limit_s=5.0)
        finally:
            await postgres.start()
    assert (cut_off.value.code, refusal.value.code) == ("news_interrupted", "store_unavailable")
    await until(process.is_ready, limit_s=10.0)
    async with _watching(watching) as stream:
        assert await anext(stream) == auth_pb2.Revocation()
        await story.gateway.RevokeDevice(
            auth_pb2.RevokeDeviceRequest(session_token=session_token, device_id=device.device_id)
        )
        assert (await anext(stream)).device_id == device.device_id


async def test_what_amazon_refuses_is_typed_and_says_nothing_of_amazons_T31(
    story: Story, amazon_server: AmazonServer
) -> None:
    _, _, device = await story.begin()
    amazon_server.refresh_tokens.clear()
    with pytest.raises(SallyportError) as refusal:
        await story.lend(device.device_id)
    assert refusal.value.code == "authorization_service_unavailable"
    assert refusal.value.retry_after_s == 120.0
    assert "Atzr" not in refusal.value.text


async def test_metrics_tell_of_refreshes_without_names(story: Story, process: AuthProcess) -> None:
    _, _, device = await story.begin()
    await story.lend(device.device_id)
    metrics = await process.metrics()
    assert 'sallyport_auth_refreshes_total{result="done"} 1.0' in metrics
    assert device.seller_id not in metrics


async def test_consents_of_two_regions_are_listed_newest_first(story: Story) -> None:
    _, session_token = await story.person()
    first = await story.connect(session_token, US)
    second = await story.connect(session_token, DE)
    listed = await story.gateway.ListConsents(auth_pb2.ListConsentsRequest(session_token=session_token))
    assert list(listed.consents) == [second, first]


@asynccontextmanager
async def _watching(caller: Caller) -> AsyncIterator[AsyncIterator[auth_pb2.Revocation]]:
    stream = caller.service.WatchRevocations(auth_pb2.WatchRevocationsRequest())
    async with asyncio.timeout(30), aclosing(stream):  # type: ignore[type-var]
        yield aiter(stream)


async def _is_not(process: AuthProcess) -> bool:
    return not await process.is_ready()
