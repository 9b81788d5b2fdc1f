"""Who is believed, over real mTLS: names in certificates, their ends, and their renewal under traffic."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import grpc.aio
import pytest

import chassis.crypto.tls
import chassis.errors
import chassis.rpc
from fakes.certificates import Authority
from tests.integration.chassis import rpc_stage
from tests.integration.chassis.rpc_stage import Stage

RENEWALS = 20
CALLS_PER_RENEWAL = 50


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with rpc_stage.open_stage() as opened:
        yield opened


async def test_caller_outside_the_row_is_refused_T24(stage: Stage) -> None:
    channel = stage.channel(await rpc_stage.keeper_of(stage.authority, "retention"))
    with pytest.raises(chassis.errors.Denied) as caught:
        await rpc_stage.append(channel)
    assert caught.value.code == "caller_not_allowed"
    assert stage.handlers.callers == []


async def test_caller_outside_the_row_gets_nothing_of_a_stream_T24(stage: Stage) -> None:
    channel = stage.channel(await rpc_stage.keeper_of(stage.authority, "auth"))
    with pytest.raises(chassis.errors.Denied):
        await anext(rpc_stage.export(channel, lines=5))


@pytest.mark.parametrize(
    "names",
    [
        ("gateway.example.com",),
        ("gateway.sallyport.internal", "auth.sallyport.internal"),
        ("sallyport.internal",),
    ],
    ids=["foreign name", "two identities", "no identity"],
)
async def test_certificate_that_does_not_name_one_identity_is_refused_T24(
    stage: Stage, names: tuple[str, ...]
) -> None:
    channel = stage.channel(await rpc_stage.keeper_showing(lambda: stage.authority.issue(*names)))
    with pytest.raises(chassis.errors.Unauthenticated) as caught:
        await rpc_stage.append(channel)
    assert caught.value.code == "caller_unknown"


async def test_certificate_of_another_authority_is_refused_T24(stage: Stage) -> None:
    channel = stage.channel(await rpc_stage.keeper_of(Authority("somebody else"), "gateway"))
    with pytest.raises(chassis.errors.Unavailable):
        await rpc_stage.append(channel)
    assert stage.handlers.callers == []


async def test_callers_expired_certificate_is_refused_R15(stage: Stage) -> None:
    channel = stage.channel(await rpc_stage.keeper_showing(lambda: _expired(stage.authority, "gateway")))
    with pytest.raises(chassis.errors.Unavailable):
        await rpc_stage.append(channel)
    assert stage.handlers.callers == []


async def test_peers_expired_certificate_is_refused_R15(stage: Stage) -> None:
    expired = await rpc_stage.keeper_showing(lambda: _expired(stage.authority, "telemetry"))
    stage.keeper._current = expired.current
    with pytest.raises(chassis.errors.Unavailable):
        await rpc_stage.append(await stage.gateway())
    assert stage.handlers.callers == []


async def test_caller_without_a_certificate_is_refused_T24(stage: Stage) -> None:
    options = [("grpc.ssl_target_name_override", "telemetry.sallyport.internal")]
    credentials = grpc.ssl_channel_credentials(stage.authority.ca_pem)
    async with grpc.aio.secure_channel(str(stage.address), credentials, options=options) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await rpc_stage.raw(channel, "Append")
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert stage.handlers.callers == []


async def test_plain_text_is_refused_T24(stage: Stage) -> None:
    async with grpc.aio.insecure_channel(str(stage.address)) as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await rpc_stage.raw(channel, "Append")


async def test_peer_with_another_name_is_not_called_T24(stage: Stage) -> None:
    keeper = await rpc_stage.keeper_of(stage.authority, "gateway")
    with pytest.raises(chassis.errors.Unavailable) as caught:
        await rpc_stage.append(stage.channel(keeper, peer="auth"))
    assert caught.value.code == "peer_unavailable"


@pytest.mark.parametrize(
    ("version", "is_accepted"), [(ssl.TLSVersion.TLSv1_2, False), (ssl.TLSVersion.TLSv1_3, True)]
)
async def test_only_the_newest_tls_is_spoken_T24(
    stage: Stage, version: ssl.TLSVersion, *, is_accepted: bool
) -> None:
    context = chassis.crypto.tls.client_context(stage.authority.issue("gateway.sallyport.internal"))
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2"])
    try:
        _, writer = await asyncio.open_connection(
            "127.0.0.1", stage.server.port, ssl=context, server_hostname="telemetry.sallyport.internal"
        )
    except (ssl.SSLError, ConnectionError):
        assert not is_accepted
    else:
        assert is_accepted
        writer.close()


async def test_certificates_rotate_under_traffic_without_a_failed_call_R15(stage: Stage) -> None:
    keeper = await rpc_stage.keeper_of(stage.authority, "gateway")
    channel = stage.channel(keeper)
    served = stage.handlers.callers
    is_over = asyncio.Event()

    async def keep_calling() -> None:
        while not is_over.is_set():
            assert await rpc_stage.append(channel) == [0]

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(keep_calling())
        for renewals in range(1, RENEWALS + 1):
            while len(served) < renewals * CALLS_PER_RENEWAL:
                assert await rpc_stage.append(channel) == [0]
            await stage.keeper.renew()
            await keeper.renew()
        assert await rpc_stage.append(channel) == [0]
        is_over.set()
    assert len(stage.handlers.shown) == RENEWALS + 1
    assert channel._retired == []


async def test_renewed_certificate_is_shown_at_the_next_handshake_R15(stage: Stage) -> None:
    context = chassis.crypto.tls.client_context(stage.authority.issue("gateway.sallyport.internal"))
    before = await _shown_certificate(stage, context)
    await stage.keeper.renew()
    after = await _shown_certificate(stage, context)
    assert before != after
    assert after == ssl.PEM_cert_to_DER_cert(stage.keeper.current.certificate_pem.decode())


async def test_call_under_way_ends_on_its_old_connection_R15(stage: Stage) -> None:
    keeper = await rpc_stage.keeper_of(stage.authority, "gateway")
    channel = stage.channel(keeper)
    stage.handlers.is_waiting = True
    slow = asyncio.create_task(rpc_stage.append(channel))
    await stage.handlers.entered.wait()
    stage.handlers.is_waiting = False
    await keeper.renew()
    assert await rpc_stage.append(channel) == [0]
    stage.handlers.gate.set()
    assert await slow == [0]
    assert len(stage.handlers.shown) == 2


async def test_no_connection_outlives_its_certificate_for_want_of_an_end_R15(stage: Stage) -> None:
    keeper = await rpc_stage.keeper_of(stage.authority, "gateway")
    channel = stage.channel(keeper)
    stage.handlers.error = chassis.errors.NotFound()
    await channel.reach()
    await keeper.renew()
    with pytest.raises(chassis.errors.NotFound):
        await rpc_stage.append(channel)
    await keeper.renew()
    with pytest.raises(chassis.errors.NotFound):
        await anext(rpc_stage.export(channel, lines=0))
    await keeper.renew()
    await channel.reach()
    assert channel._retired == []


def _expired(authority: Authority, identity: str) -> chassis.crypto.tls.Certificate:
    start = datetime.now(UTC) - timedelta(hours=2)
    return authority.issue(f"{identity}.sallyport.internal", not_before=start, life=timedelta(hours=1))


async def _shown_certificate(stage: Stage, context: ssl.SSLContext) -> bytes | None:
    context.set_alpn_protocols(["h2"])
    _, writer = await asyncio.open_connection(
        "127.0.0.1", stage.server.port, ssl=context, server_hostname="telemetry.sallyport.internal"
    )
    certificate: bytes | None = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return certificate


async def test_peer_is_reached_only_when_it_is_who_it_must_be_T24(stage: Stage) -> None:
    keeper = await rpc_stage.keeper_of(stage.authority, "gateway")
    await stage.channel(keeper).reach()
    with pytest.raises(chassis.errors.Unavailable) as caught:
        await stage.channel(keeper, peer="auth", deadline_s=0.2).reach()
    assert caught.value.code == "peer_unavailable"
