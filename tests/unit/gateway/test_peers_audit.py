"""The audit log's group commit: durable or refused, never lost, never one event's fault on another."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

import chassis.errors
import chassis.rpc
from fakes.clock import START
from services.gateway.model.audit import AuditEvent, AuditUnavailable, EventRefused, Kind, Phase
from services.gateway.peers import audit
from services.gateway.peers.audit import AuditLog
from wire.telemetry.v1 import telemetry_pb2

EVENT = AuditEvent(
    event_id="00000000-0000-7000-8000-000000000000",
    kind=Kind.PII_READ,
    phase=Phase.OUTCOME,
    occurred_at=START,
    actor_id="device-1",
    seller_id="seller-1",
    request_id="request-1",
    intent_id="00000000-0000-7000-8000-000000000001",
    result="done",
    details={"operation": "ordersV0.getOrderAddress"},
)


class Telemetry:
    """Telemetry's channel, stubs and line: takes groups while `gate` is open, answers as `faults` say."""

    def __init__(self) -> None:
        self.hears_streams = True
        self.calls = 0
        self.groups: list[list[telemetry_pb2.AuditEvent]] = []
        self.faults: deque[Exception | None] = deque()
        self.gate = asyncio.Event()
        self.gate.set()
        self.refuses = ""

    def stub(self, _: object) -> "Telemetry":
        return self

    def line(self, _: object) -> "Telemetry":
        return self

    async def ask(self, request: telemetry_pb2.AppendRequest) -> telemetry_pb2.AppendResponse:
        if not self.hears_streams:
            raise chassis.rpc.MethodUnknown
        return await self._take(request)

    async def Append(self, request: telemetry_pb2.AppendRequest) -> telemetry_pb2.AppendResponse:
        self.calls += 1
        return await self._take(request)

    async def _take(self, request: telemetry_pb2.AppendRequest) -> telemetry_pb2.AppendResponse:
        await self.gate.wait()
        self.groups.append(list(request.events))
        fault = self.faults.popleft() if self.faults else None
        if fault is not None:
            raise fault
        if any(event.event_id == self.refuses for event in request.events):
            raise chassis.errors.InvalidInput
        return telemetry_pb2.AppendResponse(sequences=range(len(request.events)))


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
async def log(telemetry: Telemetry) -> AsyncIterator[AuditLog]:
    made = AuditLog(cast("chassis.rpc.Channel", telemetry))
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def numbered(number: int) -> AuditEvent:
    return replace(EVENT, event_id=f"00000000-0000-7000-8000-{number:012d}")


async def recorded(log: AuditLog, count: int) -> list[Any]:
    return await asyncio.gather(
        *(log.record(numbered(each)) for each in range(count)), return_exceptions=True
    )


async def test_an_event_arrives_whole(log: AuditLog, telemetry: Telemetry) -> None:
    await log.record(EVENT)
    ((message,),) = telemetry.groups
    assert message.kind == "gateway.pii.read"
    assert message.phase == telemetry_pb2.PHASE_OUTCOME
    assert (message.intent_id, message.result) == (EVENT.intent_id, "done")
    assert (message.actor.kind, message.actor.id) == ("device", "device-1")
    assert dict(message.details) == EVENT.details
    assert message.occurred_at.ToDatetime(UTC) == START


@pytest.mark.parametrize("us", [0, 1, 999_999])
async def test_a_moment_arrives_to_the_microsecond(log: AuditLog, telemetry: Telemetry, us: int) -> None:
    moment = datetime(2199, 12, 31, 23, 59, 59, us, UTC)
    await log.record(replace(EVENT, occurred_at=moment))
    assert telemetry.groups[0][0].occurred_at.ToDatetime(UTC) == moment


async def test_nobody_acts_when_nobody_is_known(log: AuditLog, telemetry: Telemetry) -> None:
    await log.record(replace(EVENT, actor_id=""))
    assert not telemetry.groups[0][0].HasField("actor")


async def test_what_gathers_while_telemetry_is_busy_goes_in_one_call(
    log: AuditLog, telemetry: Telemetry
) -> None:
    telemetry.gate.clear()
    recording = asyncio.create_task(recorded(log, 250))
    for _ in range(5):
        await asyncio.sleep(0)
    telemetry.gate.set()
    assert await recording == [None] * 250
    assert sum(map(len, telemetry.groups)) == 250
    assert max(map(len, telemetry.groups)) == audit.GROUP_EVENTS_MAX
    assert len(telemetry.groups) <= 4


async def test_a_group_of_unknown_fate_is_sent_again_with_the_same_ids_R04(
    log: AuditLog, telemetry: Telemetry
) -> None:
    telemetry.faults.append(chassis.errors.Unavailable())
    await log.record(EVENT)
    first, second = telemetry.groups
    assert first == second


async def test_a_store_that_stays_down_is_audit_unavailable_R02(log: AuditLog, telemetry: Telemetry) -> None:
    telemetry.faults.extend([chassis.errors.Unavailable(retry_after_s=7.0)] * audit.SENDS_MAX)
    with pytest.raises(AuditUnavailable) as refusal:
        await log.record(EVENT)
    assert refusal.value.code == "audit_unavailable"
    assert refusal.value.retry_after_s == 7.0
    assert not isinstance(refusal.value, EventRefused)
    await log.record(EVENT)


async def test_an_event_that_telemetry_refuses_fails_alone(log: AuditLog, telemetry: Telemetry) -> None:
    telemetry.refuses = numbered(3).event_id
    telemetry.gate.clear()
    recording = asyncio.create_task(recorded(log, 8))
    for _ in range(5):
        await asyncio.sleep(0)
    telemetry.gate.set()
    fates = await recording
    assert [isinstance(fate, EventRefused) for fate in fates] == [each == 3 for each in range(8)]


async def test_an_event_that_cannot_be_written_down_fails_alone(log: AuditLog, telemetry: Telemetry) -> None:
    lost: list[AuditEvent] = []
    odd = replace(numbered(1), details={"operation": "\ud800"})
    log.hand_over(odd, lost.append)
    await log.record(numbered(2))
    assert lost == [odd]
    assert [[event.event_id for event in group] for group in telemetry.groups] == [[numbered(2).event_id]]


async def test_a_telemetry_of_the_release_before_is_sent_calls_and_loses_nothing_R26(
    log: AuditLog, telemetry: Telemetry
) -> None:
    telemetry.hears_streams = False
    for number in range(3):
        await log.record(numbered(number))
    written = [event.event_id for group in telemetry.groups for event in group]
    assert written == [numbered(number).event_id for number in range(3)]
    assert telemetry.calls == 3


async def test_a_telemetry_that_has_learnt_to_hear_streams_is_sent_no_calls_R26(
    log: AuditLog, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "CALLS_S", 0.0)
    telemetry.hears_streams = False
    await log.record(numbered(1))
    telemetry.hears_streams = True
    await log.record(numbered(2))
    assert (telemetry.calls, len(telemetry.groups)) == (1, 2)


async def test_a_full_queue_refuses_at_once_R23(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "WAITING_EVENTS_MAX", 1)
    log = AuditLog(cast("chassis.rpc.Channel", telemetry))
    waiting = asyncio.create_task(log.record(EVENT))
    await asyncio.sleep(0)
    with pytest.raises(AuditUnavailable):
        await log.record(EVENT)
    waiting.cancel()


async def test_nobody_waits_for_ever_R02(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "RECORD_S_MAX", 0.01)
    log = AuditLog(cast("chassis.rpc.Channel", telemetry))
    with pytest.raises(AuditUnavailable):
        await log.record(EVENT)


async def test_an_event_whose_sender_left_is_not_written(log: AuditLog, telemetry: Telemetry) -> None:
    telemetry.gate.clear()
    first = asyncio.create_task(log.record(numbered(1)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = asyncio.create_task(log.record(numbered(2)))
    await asyncio.sleep(0)
    second.cancel()
    telemetry.gate.set()
    await first
    await log.record(numbered(3))
    written = [event.event_id for group in telemetry.groups for event in group]
    assert written == [numbered(1).event_id, numbered(3).event_id]


async def test_an_event_that_is_handed_over_goes_with_the_next_one(
    log: AuditLog, telemetry: Telemetry
) -> None:
    back: list[AuditEvent] = []
    log.hand_over(numbered(1), back.append)
    await log.record(numbered(2))
    ((first, second),) = telemetry.groups
    assert [first.event_id, second.event_id] == [numbered(1).event_id, numbered(2).event_id]
    assert not back


async def test_an_event_that_was_handed_over_comes_back_when_it_is_not_durable_R01(
    log: AuditLog, telemetry: Telemetry
) -> None:
    telemetry.faults.extend([chassis.errors.Unavailable()] * audit.SENDS_MAX)
    back: asyncio.Future[AuditEvent] = asyncio.get_running_loop().create_future()
    log.hand_over(EVENT, back.set_result)
    async with asyncio.timeout(5.0):
        assert await back is EVENT
