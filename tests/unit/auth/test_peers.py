"""Auth's way to the audit log: events share calls, and each hears what became of itself."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, cast

import pytest

import chassis.errors
import chassis.rpc
from fakes.clock import START
from services.auth.model.audit import SELF, AuditEvent, Kind, Phase
from services.auth.model.refusals import AuditUnavailable
from services.auth.peers import AuditLog
from wire.telemetry.v1 import telemetry_pb2


class Telemetry:
    """Telemetry's channel and stub: takes calls while `gate` is open, unless `judge` raises."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.calls: list[list[str]] = []
        self.judge: Callable[[list[str]], None] = lambda _ids: None

    def stub(self, _stub_class: object) -> Any:
        return self

    async def Append(self, request: telemetry_pb2.AppendRequest) -> telemetry_pb2.AppendResponse:
        ids = [event.event_id for event in request.events]
        self.calls.append(ids)
        await self.gate.wait()
        self.judge(ids)
        return telemetry_pb2.AppendResponse(sequences=range(len(ids)))


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


def event(number: int) -> AuditEvent:
    return AuditEvent(
        event_id=f"event-{number}",
        kind=Kind.SESSION_STARTED,
        phase=Phase.FACT,
        occurred_at=START,
        actor=SELF,
        seller_id="seller-1",
        request_id="request-0001",
        details={},
    )


async def recorded(log: AuditLog, telemetry: Telemetry, count: int) -> list[BaseException | None]:
    """Return what became of so many events, of which the first waits while the others are handed in."""
    recording = [asyncio.create_task(log.record(event(number))) for number in range(count)]
    while not telemetry.calls:  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0)
    assert not any(task.done() for task in recording)
    telemetry.gate.set()
    return await asyncio.gather(*recording, return_exceptions=True)


async def test_events_that_wait_for_a_call_share_the_next_one_and_return_once_it_is_durable_R01(
    log: AuditLog, telemetry: Telemetry
) -> None:
    first = asyncio.create_task(log.record(event(0)))
    while not telemetry.calls:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0)
    assert await recorded(log, telemetry, 5) == [None] * 5
    await first
    assert telemetry.calls == [["event-0"], [f"event-{number}" for number in range(5)]]


async def test_an_event_that_telemetry_will_not_have_fails_alone_and_says_why(
    log: AuditLog, telemetry: Telemetry
) -> None:
    def judge(ids: list[str]) -> None:
        if "event-2" in ids:
            raise chassis.errors.InvalidInput("A reason holds an e-mail address.")

    telemetry.judge = judge
    told = await recorded(log, telemetry, 4)
    assert [type(each) for each in told] == [type(None)] * 2 + [chassis.errors.InvalidInput, type(None)]


@pytest.mark.parametrize("kind", [chassis.errors.Unavailable, chassis.errors.Denied, chassis.errors.Internal])
async def test_whatever_else_goes_wrong_means_that_the_log_is_not_available_R02(
    log: AuditLog, telemetry: Telemetry, kind: type[chassis.errors.SallyportError]
) -> None:
    def judge(_ids: list[str]) -> None:
        raise kind

    telemetry.judge = judge
    assert {type(each) for each in await recorded(log, telemetry, 3)} == {AuditUnavailable}
