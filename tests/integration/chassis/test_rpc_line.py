"""Lines between processes, over real mTLS: one answer for each request, whatever happens to the stream."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

import chassis.clock
import chassis.env
import chassis.errors
import chassis.rpc
import chassis.rpc.hearing
import chassis.rpc.line
import chassis.rpc.transport
import chassis.trace
from tests.integration.chassis import rpc_stage
from tests.integration.chassis.rpc_stage import Stage
from tests.integration.chassis.test_rpc import QuotaUsedUp, UpgradeRequired
from wire.telemetry.v1 import telemetry_pb2, telemetry_pb2_grpc

ROW = chassis.rpc.Method(
    callers=rpc_stage.GATEWAY, deadline_s=rpc_stage.DEADLINE_S, event="telemetry.events.streamed"
)
MESSAGE_BYTES_MAX = 8 * 1024 * 1024

Line = chassis.rpc.Line[telemetry_pb2.AppendRequest, telemetry_pb2.AppendResponse]


@dataclass
class Counter(telemetry_pb2_grpc.TelemetryStreamServicer):
    """Answers each request with the number of its events; does what a test puts into it."""

    error: Exception | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    streams: list[tuple[str, str]] = field(default_factory=list)
    requests: int = 0
    is_curt: bool = False
    is_lingering: bool = False

    def __post_init__(self) -> None:
        self.gate.set()

    async def Append(
        self, request_iterator: AsyncIterator[telemetry_pb2.AppendRequest], _context: object
    ) -> AsyncIterator[telemetry_pb2.AppendResponse]:
        self.streams.append((chassis.rpc.caller(), chassis.trace.request_id()))
        try:
            async for request in request_iterator:
                self.requests += 1
                self.entered.set()
                await self.gate.wait()
                if self.error is not None:
                    raise self.error
                if self.is_curt:
                    return
                yield telemetry_pb2.AppendResponse(sequences=[len(request.events)])
            if self.is_lingering:
                await asyncio.Event().wait()
        finally:
            self.left.set()

    def service(self, row: chassis.rpc.Method = ROW) -> chassis.rpc.Service:
        return chassis.rpc.Service(
            descriptor=telemetry_pb2.DESCRIPTOR.services_by_name["TelemetryStream"],
            add=telemetry_pb2_grpc.add_TelemetryStreamServicer_to_server,
            servicer=self,
            methods={"Append": row},
        )


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
async def stage(counter: Counter) -> AsyncIterator[Stage]:
    async with rpc_stage.open_stage(further=[counter.service()]) as opened:
        yield opened


def line_of(channel: chassis.rpc.Channel) -> Line:
    return channel.line(channel.stub(telemetry_pb2_grpc.TelemetryStreamStub).Append)


async def count(line: Line, events: int) -> int:
    request = telemetry_pb2.AppendRequest(events=[telemetry_pb2.AuditEvent()] * events)
    (answer,) = (await line.ask(request)).sequences
    return answer


@contextmanager
def shortened(name: str, seconds: float) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chassis.rpc.transport, name, seconds)
        yield


async def test_each_request_has_its_answer_on_one_stream(stage: Stage, counter: Counter) -> None:
    line = line_of(await stage.gateway())
    with chassis.trace.bind_request_id("request-0001"):
        assert [await count(line, events) for events in range(5)] == [0, 1, 2, 3, 4]
    assert counter.streams == [("gateway", "request-0001")]


async def test_requests_made_at_once_do_not_take_each_others_answers(stage: Stage) -> None:
    line = line_of(await stage.gateway())
    assert await asyncio.gather(*(count(line, events) for events in range(20))) == list(range(20))


async def test_caller_outside_the_row_is_refused_T24(stage: Stage, counter: Counter) -> None:
    channel = stage.channel(await rpc_stage.keeper_of(stage.authority, "auth"))
    with pytest.raises(chassis.errors.Denied) as caught:
        await count(line_of(channel), 1)
    assert caught.value.code == "caller_not_allowed"
    assert counter.streams == []


@pytest.mark.parametrize(
    "error",
    [QuotaUsedUp(retry_after_s=1.5), UpgradeRequired(), *(kind() for kind in chassis.errors.KINDS)],
    ids=lambda error: type(error).__name__,
)
async def test_error_arrives_as_with_a_call_and_the_next_request_is_answered(
    stage: Stage, counter: Counter, error: chassis.errors.SallyportError
) -> None:
    line = line_of(await stage.gateway())
    assert await count(line, 1) == 1
    counter.error = error
    with pytest.raises(chassis.errors.kind_of(error)) as caught:
        await count(line, 2)
    assert (caught.value.code, caught.value.text) == (error.code, error.text)
    assert (caught.value.http_status, caught.value.retry_after_s) == (error.http_status, error.retry_after_s)
    counter.error = None
    assert await count(line, 3) == 3


async def test_mistake_arrives_as_an_id_without_its_message_T31(stage: Stage, counter: Counter) -> None:
    counter.error = ValueError("Atzr|a-secret")
    with pytest.raises(chassis.errors.Internal) as caught:
        await count(line_of(await stage.gateway()), 1)
    assert "secret" not in caught.value.text


async def test_peer_without_the_method_is_told_from_a_mistake_R26() -> None:
    async with rpc_stage.open_stage() as older:
        line = line_of(await older.gateway())
        for _ in range(2):
            with pytest.raises(chassis.rpc.MethodUnknown):
                await count(line, 1)


async def test_peer_whose_places_are_taken_says_so_and_hears_once_one_is_free_R23(counter: Counter) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chassis.rpc.server, "CALLS_MAX", 1)
        async with rpc_stage.open_stage(further=[counter.service()]) as stage:
            first, second = line_of(await stage.gateway()), line_of(await stage.gateway())
            assert await count(first, 1) == 1
            for _ in range(2):
                with pytest.raises(chassis.errors.Unavailable) as caught:
                    await count(second, 2)
                assert caught.value.code == "peer_overloaded"
            assert await count(first, 3) == 3
            await first.hang_up()
            assert await _persistently(second) == 1
            assert [caller for caller, _ in counter.streams] == ["gateway"] * 2
            assert counter.requests == 3


async def test_late_answer_is_never_taken_for_the_next_ones_R04(stage: Stage, counter: Counter) -> None:
    keeper = await rpc_stage.keeper_of(stage.authority, "gateway")
    line = line_of(stage.channel(keeper, deadline_s=0.5))
    assert await count(line, 1) == 1
    counter.gate.clear()
    with pytest.raises(chassis.errors.Unavailable) as caught:
        await count(line, 2)
    assert caught.value.code == "deadline_exceeded"
    counter.gate.set()
    assert await count(line, 3) == 3
    await counter.left.wait()


async def test_request_is_not_late_because_one_before_it_was_made_long_ago(
    stage: Stage, counter: Counter
) -> None:
    keeper = await rpc_stage.keeper_of(stage.authority, "gateway")
    line, loop = line_of(stage.channel(keeper, deadline_s=0.5)), asyncio.get_running_loop()
    until_s = loop.time() + 1.2
    while loop.time() < until_s:
        assert await count(line, 1) == 1
    assert len(counter.streams) == 1


async def test_answer_to_a_caller_that_left_is_never_taken_for_the_next_ones_R04(
    stage: Stage, counter: Counter
) -> None:
    line = line_of(await stage.gateway())
    counter.gate.clear()
    asking = asyncio.create_task(count(line, 2))
    await counter.entered.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await counter.left.wait()
    counter.gate.set()
    assert await count(line, 3) == 3


async def test_peer_that_ends_the_stream_in_place_of_an_answer_went_away_R04(
    stage: Stage, counter: Counter
) -> None:
    line = line_of(await stage.gateway())
    counter.is_curt = True
    with pytest.raises(chassis.errors.Unavailable) as caught:
        await count(line, 1)
    assert caught.value.code == "peer_unavailable"
    counter.is_curt = False
    assert await count(line, 2) == 2


async def test_peer_that_does_not_hang_up_is_not_waited_for_R11(
    stage: Stage, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chassis.rpc.line, "HANG_UP_S_MAX", 0.05)
    line = line_of(await stage.gateway())
    counter.is_lingering = True
    with shortened("LINE_S_MAX", 0.0):
        assert [await count(line, events) for events in (1, 2)] == [1, 2]
    await counter.left.wait()


async def test_stream_that_is_old_ends_in_order_and_the_next_request_begins_another(
    stage: Stage, counter: Counter
) -> None:
    line = line_of(await stage.gateway())
    with shortened("LINE_S_MAX", 0.0):
        for number in range(3):
            assert await count(line, 1) == 1
            assert len(counter.streams) == number + 1
    await count(line, 1)
    assert counter.requests == 4


async def test_silent_caller_is_not_listened_to_for_ever_R23(stage: Stage, counter: Counter) -> None:
    line = line_of(await stage.gateway())
    with shortened("SILENCE_S_MAX", 0.05), pytest.MonkeyPatch.context() as patch:
        patch.setattr(chassis.rpc.hearing, "LOOK_S", 0.05)
        assert await count(line, 1) == 1
        await counter.left.wait()
    assert await _persistently(line) == 1
    assert counter.requests == 2


async def test_stream_ends_at_its_rows_deadline(counter: Counter) -> None:
    counter.gate.clear()
    further = [counter.service(replace(ROW, deadline_s=0.05))]
    async with rpc_stage.open_stage(further=further) as stage:
        with pytest.raises(chassis.errors.Unavailable) as caught:
            await count(line_of(await stage.gateway()), 1)
        assert caught.value.code == "deadline_exceeded"


async def test_stopping_server_answers_what_it_heard_and_waits_for_nobody_R16(
    stage: Stage, counter: Counter
) -> None:
    line, idle = line_of(await stage.gateway()), line_of(await stage.gateway())
    assert await count(idle, 1) == 1
    counter.entered.clear()
    counter.gate.clear()
    asking = asyncio.create_task(count(line, 7))
    await counter.entered.wait()
    stopping = asyncio.create_task(stage.server.stop(600.0))
    await asyncio.sleep(0)
    counter.gate.set()
    assert await asking == 7
    await stopping
    with pytest.raises(chassis.errors.Unavailable):
        await count(idle, 1)


async def test_closing_a_channel_waits_for_no_line_R16(stage: Stage, counter: Counter) -> None:
    channel = await stage.gateway()
    assert await count(line_of(channel), 1) == 1
    async with asyncio.timeout(2.0):
        await channel.close()
    await counter.left.wait()


async def test_line_holds_while_certificates_rotate_R15(stage: Stage, counter: Counter) -> None:
    keeper = await rpc_stage.keeper_of(stage.authority, "gateway")
    line = line_of(stage.channel(keeper))
    with shortened("LINE_S_MAX", 0.0):
        for events in range(20):
            assert await count(line, events) == events
            await stage.keeper.renew()
            await keeper.renew()
    assert len(counter.streams) == 20


async def test_peer_is_asked_again_once_it_is_back(stage: Stage, counter: Counter) -> None:
    line = line_of(await stage.gateway())
    assert await count(line, 1) == 1
    await stage.server.stop(0.0)
    with pytest.raises(chassis.errors.Unavailable) as caught:
        await count(line, 1)
    assert caught.value.code == "peer_unavailable"
    back = chassis.rpc.Server(
        listen=stage.address,
        keeper=stage.keeper,
        services=[counter.service()],
        clock=chassis.clock.SystemClock(),
    )
    await back.start()
    stage.stack.push_async_callback(back.stop, 0.0)
    assert await _persistently(line) == 1


async def test_peer_that_says_nothing_is_left_in_time_R11(stage: Stage) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    address = chassis.env.Address("127.0.0.1", listening.getsockname()[1])
    keeper = await rpc_stage.keeper_of(stage.authority, "gateway")
    silent = chassis.rpc.Channel(address=address, peer="telemetry", keeper=keeper, deadline_s=0.2)
    stage.stack.push_async_callback(silent.close)
    with listening:
        for _ in range(2):
            async with asyncio.timeout(2.0):
                with pytest.raises(chassis.errors.Unavailable):
                    await count(line_of(silent), 1)


async def test_request_beyond_the_bound_is_not_sent_R23(stage: Stage) -> None:
    line = line_of(await stage.gateway())
    huge = telemetry_pb2.AuditEvent(kind="k" * (MESSAGE_BYTES_MAX + 1))
    with pytest.raises(chassis.errors.InvalidInput) as caught:
        await line.ask(telemetry_pb2.AppendRequest(events=[huge]))
    assert caught.value.code == "message_too_large"
    assert await count(line, 1) == 1


async def _persistently(line: Line) -> int:
    """Ask until it works; the test's own timeout bounds it."""
    while True:
        try:
            return await count(line, 1)
        except chassis.errors.Unavailable:
            await asyncio.sleep(0.01)
