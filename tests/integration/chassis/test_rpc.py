"""Calls between processes, over real mTLS: who may, in what time, and what arrives when it goes wrong."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import cast

import grpc.aio
import pytest

import chassis.clock
import chassis.errors
import chassis.rpc
import chassis.rpc.transport
import chassis.trace
from chassis import ciphers
from fakes.certificates import Authority
from tests.integration.chassis import rpc_stage
from tests.integration.chassis.rpc_stage import Stage

MESSAGE_BYTES_MAX = 8 * 1024 * 1024


class QuotaUsedUp(chassis.errors.LimitExceeded):
    code = "quota_used_up"
    text = "The quota is used up; größer geht nicht."


class UpgradeRequired(chassis.errors.InvalidInput):
    code = "upgrade_required"
    text = "Please update."
    http_status = 426


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with rpc_stage.open_stage() as opened:
        yield opened


async def test_call_is_served_to_its_caller_under_the_callers_request_id(stage: Stage) -> None:
    channel = await stage.gateway()
    with chassis.trace.bind_request_id("request-0001"):
        assert await rpc_stage.append(channel, events=3) == [0, 1, 2]
    assert stage.handlers.callers == ["gateway"]
    assert stage.handlers.request_ids == ["request-0001"]


async def test_stream_is_served_to_its_end(stage: Stage) -> None:
    lines = [line.line async for line in rpc_stage.export(await stage.gateway(), lines=5)]
    assert lines == [b"0", b"1", b"2", b"3", b"4"]
    assert stage.handlers.callers == ["gateway"]


def test_nobody_calls_outside_of_a_call() -> None:
    with pytest.raises(LookupError):
        chassis.rpc.caller()


async def test_unknown_method_is_not_served(stage: Stage) -> None:
    keeper = await rpc_stage.keeper_of(stage.authority, "gateway")
    channel = stage.channel(keeper).stub(lambda facade: facade)
    with pytest.raises(chassis.errors.Internal):
        await rpc_stage.raw(channel, "Truncate")


@pytest.mark.parametrize(
    "rows",
    [
        {},
        {"Append": rpc_stage.APPEND, "Truncate": rpc_stage.APPEND},
        {"Append": replace(rpc_stage.APPEND, callers=frozenset())},
        {"Append": replace(rpc_stage.APPEND, deadline_s=0.0)},
        {"Append": replace(rpc_stage.APPEND, event="append")},
    ],
    ids=["missing row", "row too many", "no callers", "no deadline", "no event kind"],
)
async def test_table_that_does_not_fit_the_service_refuses_to_start_T23(
    rows: dict[str, chassis.rpc.Method],
) -> None:
    with pytest.raises(chassis.errors.StartRefused) as caught:
        chassis.rpc.Server(
            listen=rpc_stage.LOOPBACK,
            keeper=await rpc_stage.keeper_of(Authority(), "telemetry"),
            services=rpc_stage.services(rpc_stage.Handlers(), rows, {"Export": rpc_stage.EXPORT}),
            clock=chassis.clock.SystemClock(),
        )
    assert caught.value.code == "methods_incomplete"


async def test_a_server_that_could_not_insist_on_the_newest_tls_refuses_to_start_T24(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ciphers, "IS_TLS_1_3_ONLY", False)
    with pytest.raises(chassis.errors.StartRefused) as caught:
        chassis.rpc.Server(
            listen=rpc_stage.LOOPBACK, keeper=stage.keeper, services=[], clock=chassis.clock.SystemClock()
        )
    assert caught.value.code == "tls_required"


async def test_a_server_that_never_started_stops(stage: Stage) -> None:
    idle = chassis.rpc.Server(
        listen=rpc_stage.LOOPBACK, keeper=stage.keeper, services=[], clock=chassis.clock.SystemClock()
    )
    await idle.stop(30.0)


async def test_taken_address_refuses_to_start(stage: Stage) -> None:
    second = chassis.rpc.Server(
        listen=stage.address, keeper=stage.keeper, services=[], clock=chassis.clock.SystemClock()
    )
    with pytest.raises(chassis.errors.StartRefused) as caught:
        await second.start()
    assert caught.value.code == "address_unavailable"


@pytest.mark.parametrize(
    "error",
    [
        QuotaUsedUp(retry_after_s=1.5),
        UpgradeRequired(),
        *(kind() for kind in chassis.errors.KINDS),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_error_arrives_as_its_kind_with_code_and_text(
    stage: Stage, error: chassis.errors.SallyportError
) -> None:
    stage.handlers.error = error
    with pytest.raises(chassis.errors.kind_of(error)) as caught:
        await rpc_stage.append(await stage.gateway())
    assert type(caught.value) is chassis.errors.kind_of(error)
    assert (caught.value.code, caught.value.text) == (error.code, error.text)
    assert caught.value.http_status == error.http_status
    assert caught.value.retry_after_s == error.retry_after_s


async def test_error_in_the_middle_of_a_stream_arrives_after_what_came_before(stage: Stage) -> None:
    stage.handlers.error = QuotaUsedUp()
    lines = rpc_stage.export(await stage.gateway(), lines=2)
    assert [(await anext(lines)).line, (await anext(lines)).line] == [b"0", b"1"]
    with pytest.raises(chassis.errors.LimitExceeded):
        await anext(lines)


async def test_mistake_arrives_as_an_id_without_its_message_T31(stage: Stage) -> None:
    stage.handlers.error = ValueError("Atzr|a-secret")
    with pytest.raises(chassis.errors.Internal) as caught:
        await rpc_stage.append(await stage.gateway())
    assert caught.value.code == "internal"
    assert "secret" not in caught.value.text


async def test_every_call_leaves_a_line_with_its_kind_its_caller_and_what_became_of_it(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    channel = await stage.gateway()
    await rpc_stage.append(channel)
    stage.handlers.error = QuotaUsedUp()
    with pytest.raises(chassis.errors.LimitExceeded):
        await rpc_stage.append(channel)
    with pytest.raises(chassis.errors.Denied):
        await rpc_stage.append(stage.channel(await rpc_stage.keeper_of(stage.authority, "auth")))
    stage.handlers.error, stage.handlers.is_waiting = None, True
    leaving = asyncio.create_task(rpc_stage.append(channel))
    await stage.handlers.entered.wait()
    leaving.cancel()
    await stage.handlers.left.wait()
    await stage.server.stop(30.0)
    told = [vars(record) for record in caplog.records if record.getMessage() == "call_served"]
    lines = [(line["levelname"], line["sallyport_fields"]) for line in told]
    assert [(level, line["caller"], line["outcome"]) for level, line in lines] == [
        ("INFO", "gateway", "done"),
        ("INFO", "gateway", "quota_used_up"),
        ("WARNING", "auth", "caller_not_allowed"),
        ("INFO", "gateway", "cancelled"),
    ]
    assert {line["kind"] for _, line in lines} == {rpc_stage.APPEND.event}
    assert all(line["duration_ms"] >= 0 for _, line in lines)


async def test_handler_is_cancelled_at_its_rows_deadline_R11() -> None:
    async with rpc_stage.open_stage(append=replace(rpc_stage.APPEND, deadline_s=0.05)) as stage:
        stage.handlers.is_waiting = True
        with pytest.raises(chassis.errors.Unavailable) as caught:
            await rpc_stage.append(await stage.gateway())
        assert caught.value.code == "deadline_exceeded"
        await stage.handlers.left.wait()


async def test_stream_ends_at_its_rows_deadline() -> None:
    async with rpc_stage.open_stage(export=replace(rpc_stage.EXPORT, deadline_s=0.05)) as stage:
        stage.handlers.is_waiting = True
        with pytest.raises(chassis.errors.Unavailable) as caught:
            await anext(rpc_stage.export(await stage.gateway(), lines=0))
        assert caught.value.code == "deadline_exceeded"


async def test_caller_stops_waiting_at_its_own_deadline_R11(stage: Stage) -> None:
    stage.handlers.is_waiting = True
    keeper = await rpc_stage.keeper_of(stage.authority, "gateway")
    with pytest.raises(chassis.errors.Unavailable) as caught:
        await rpc_stage.append(stage.channel(keeper, deadline_s=0.05))
    assert caught.value.code == "deadline_exceeded"


async def test_handler_of_a_stream_ends_when_the_caller_leaves(stage: Stage) -> None:
    stage.handlers.is_waiting = True
    lines = rpc_stage.export(await stage.gateway(), lines=1)
    async with aclosing(cast("AsyncGenerator[object]", lines)):
        await anext(lines)
        await stage.handlers.entered.wait()
    assert await stage.handlers.left.wait()


async def test_request_beyond_the_bound_is_not_sent_R23(stage: Stage) -> None:
    channel = (await stage.gateway()).stub(lambda facade: facade)
    with pytest.raises(chassis.errors.InvalidInput) as caught:
        await rpc_stage.raw(channel, "Append", bytes(MESSAGE_BYTES_MAX + 1))
    assert caught.value.code == "message_too_large"


async def test_request_beyond_the_bound_is_not_taken_R23(stage: Stage) -> None:
    certificate = stage.authority.issue("gateway.sallyport.internal")
    credentials = chassis.rpc.transport.channel_credentials(certificate)
    options = [("grpc.ssl_target_name_override", "telemetry.sallyport.internal")]
    async with grpc.aio.secure_channel(str(stage.address), credentials, options=options) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await rpc_stage.raw(channel, "Append", bytes(MESSAGE_BYTES_MAX + 1))
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert stage.handlers.callers == []


async def test_stopping_server_finishes_what_is_under_way_R16(stage: Stage) -> None:
    channel = await stage.gateway()
    stage.handlers.is_waiting = True
    slow = asyncio.create_task(rpc_stage.append(channel))
    await stage.handlers.entered.wait()
    stopping = asyncio.create_task(stage.server.stop(30.0))
    await asyncio.sleep(0)
    stage.handlers.gate.set()
    assert await slow == [0]
    await stopping


async def test_stopping_server_says_farewell_to_streams_without_an_end_of_their_own_R16() -> None:
    async with rpc_stage.open_stage(farewell=lambda handlers: handlers.gate.set()) as stage:
        stage.handlers.is_waiting = True
        lines = rpc_stage.export(await stage.gateway(), lines=1)
        assert (await anext(lines)).line == b"0"
        async with asyncio.timeout(5.0):
            await stage.server.stop(30.0)
        assert [line async for line in lines] == []


async def test_peer_is_called_again_once_it_is_back(stage: Stage) -> None:
    channel = await stage.gateway()
    assert await rpc_stage.append(channel) == [0]
    await stage.server.stop(0.0)
    with pytest.raises(chassis.errors.Unavailable) as caught:
        await rpc_stage.append(channel)
    assert caught.value.code == "peer_unavailable"
    back = chassis.rpc.Server(
        listen=stage.address,
        keeper=stage.keeper,
        services=rpc_stage.services(
            stage.handlers, {"Append": rpc_stage.APPEND}, {"Export": rpc_stage.EXPORT}
        ),
        clock=chassis.clock.SystemClock(),
    )
    await back.start()
    stage.stack.push_async_callback(back.stop, 0.0)
    assert await _persistently(channel) == [0]


async def _persistently(channel: chassis.rpc.Channel) -> list[int]:
    """Call until it works; the test's own timeout bounds it."""
    while True:
        try:
            return await rpc_stage.append(channel)
        except chassis.errors.Unavailable:
            await asyncio.sleep(0.01)


async def test_peer_that_ended_is_not_reached(stage: Stage) -> None:
    channel = stage.channel(await rpc_stage.keeper_of(stage.authority, "gateway"), deadline_s=0.5)
    await channel.reach()
    await stage.server.stop(0.0)
    with pytest.raises(chassis.errors.Unavailable):
        await _reach_for_ever(channel)


async def _reach_for_ever(channel: chassis.rpc.Channel) -> None:
    """Reach until it fails; a channel hears of its peer's end a moment later, and a test has its timeout."""
    while True:
        await channel.reach()
        await asyncio.sleep(0)
