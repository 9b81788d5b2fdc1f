"""The audit log over one stream, between the real process and the gateway's own writer, over mutual TLS."""

import asyncio
import signal
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest

import chassis.errors
from sallyport.audit.verify import verify
from services.gateway.model.audit import AuditEvent, AuditUnavailable, Kind, Phase
from services.gateway.peers.audit import AuditLog
from tests.conftest import VaultFor
from tests.integration.telemetry.conftest import CallerFor
from tests.integration.telemetry.process import TelemetryProcess
from tests.integration.telemetry.test_process import fresh, frozen, records

STOP_S_MAX = 10.0
EVENTS = 300


def event() -> AuditEvent:
    return AuditEvent(
        event_id=str(uuid.uuid4()),
        kind=Kind.PII_READ,
        phase=Phase.FACT,
        occurred_at=datetime.now(UTC),
        actor_id=str(uuid.uuid4()),
        seller_id="seller-1",
        request_id="request-0001",
        result="done",
        details={"operation": "ordersV0.getOrderAddress"},
    )


@pytest.fixture
async def log(telemetry: TelemetryProcess, caller_for: CallerFor) -> AsyncIterator[AuditLog]:
    """The gateway's writer, beside a telemetry that runs."""
    assert telemetry.address.port
    made = AuditLog((await caller_for("gateway")).channel)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def insist(log: AuditLog, sent: AuditEvent) -> int:
    """Record an event until it is durable; return how often it was refused."""
    for refusals in range(600):
        try:
            await log.record(sent)
        except AuditUnavailable:
            await asyncio.sleep(0.05)
        else:
            return refusals
    raise AssertionError


async def kept_ids(caller_for: CallerFor) -> list[str]:
    lines = await (await caller_for("console")).export()
    return [record["event_id"] for record in records(lines) if record["sender"] == "gateway"]


@pytest.mark.parametrize("identity", ["auth", "retention", "console", "telemetry"])
async def test_the_stream_serves_only_the_gateway_T24(
    identity: str, telemetry: TelemetryProcess, caller_for: CallerFor
) -> None:
    assert telemetry.address.port
    with pytest.raises(chassis.errors.Denied) as refusal:
        await (await caller_for(identity)).stream(fresh())
    assert refusal.value.code == "caller_not_allowed"


async def test_a_call_and_a_stream_give_one_event_one_sequence_R04(
    telemetry: TelemetryProcess, caller_for: CallerFor
) -> None:
    assert telemetry.address.port
    gateway, same = await caller_for("gateway"), fresh()
    (told,) = await gateway.stream(same)
    assert await gateway.append(same) == await gateway.stream(same) == [told]
    assert await gateway.stream(fresh(), fresh()) == [told + 1, told + 2]


async def test_what_is_refused_on_a_stream_says_why_and_the_next_group_is_taken_T14(
    telemetry: TelemetryProcess, caller_for: CallerFor
) -> None:
    gateway, same = await caller_for("gateway"), fresh()
    with pytest.raises(chassis.errors.InvalidInput) as refusal:
        await gateway.stream(
            fresh(request_id="request-0007"), fresh(details={"note": "Atzr|IwEBIExampleSecret"})
        )
    assert (refusal.value.code, refusal.value.http_status) == ("sensitive_content", 422)
    await gateway.stream(same)
    with pytest.raises(chassis.errors.Conflict) as conflict:
        await gateway.stream(replace(same, result="other"))
    assert conflict.value.code == "idempotency_conflict"
    assert await gateway.stream(fresh())
    metrics = await telemetry.metrics()
    assert 'code="sensitive_content",sender="gateway"} 1.0' in metrics
    assert 'events_appended_total{sender="gateway"} 2.0' in metrics
    assert 'append_seconds_count{sender="gateway"} 2.0' in metrics
    log = await telemetry.logged('"outcome":"sensitive_content"')
    assert '"request_ids":["request-0007"]' in log
    assert "Example" not in log


async def test_killed_in_the_middle_of_a_stream_it_keeps_what_it_acknowledged_once_R03_R04_R12(
    telemetry: TelemetryProcess, log: AuditLog, caller_for: CallerFor, vault_for: VaultFor
) -> None:
    told: list[str] = []
    enough = asyncio.Event()

    async def record() -> int:
        refusals = 0
        for _ in range(EVENTS // 10):
            sent = event()
            refusals += await insist(log, sent)
            told.append(sent.event_id)
            if len(told) % 100 == 0:
                enough.set()
        return refusals

    async def kill() -> int:
        for _ in range(2):
            await enough.wait()
            enough.clear()
            await telemetry.stop(signal.SIGKILL)
            await telemetry.start()
        return 0

    refusals = await asyncio.gather(kill(), *(record() for _ in range(10)))
    assert sum(refusals) > 0
    assert sorted(await kept_ids(caller_for)) == sorted(told)
    lines = await (await caller_for("console")).export()
    assert (
        verify(lines, await (await vault_for("console")).transit_public_pem("telemetry-checkpoint")).fault
        is None
    )


async def test_told_to_end_it_waits_for_no_stream_and_its_successor_is_written_to_R16(
    telemetry: TelemetryProcess, log: AuditLog, caller_for: CallerFor
) -> None:
    before, after = event(), event()
    await log.record(before)
    started_s = time.monotonic()
    assert await telemetry.stop() == 0
    assert time.monotonic() - started_s < STOP_S_MAX
    assert (
        '"kind":"telemetry.events.streamed","caller":"gateway","outcome":"done"'
        in telemetry.log_file.read_text()
    )
    await telemetry.start()
    await insist(log, after)
    assert set(await kept_ids(caller_for)) == {before.event_id, after.event_id}


async def test_told_to_end_while_groups_come_it_loses_none_that_it_acknowledged_R01(
    telemetry: TelemetryProcess, log: AuditLog, caller_for: CallerFor
) -> None:
    sent = [event() for _ in range(EVENTS)]
    recording = [asyncio.create_task(insist(log, each)) for each in sent]
    await recording[0]
    assert await telemetry.stop() == 0
    await telemetry.start()
    await asyncio.gather(*recording)
    assert sorted(await kept_ids(caller_for)) == sorted(each.event_id for each in sent)


async def test_a_telemetry_that_hangs_is_left_in_time_and_its_late_work_counts_once_R02_R04(
    telemetry: TelemetryProcess, log: AuditLog, caller_for: CallerFor
) -> None:
    await log.record(event())
    late = event()
    with frozen(telemetry.pid), pytest.raises(AuditUnavailable):
        await log.record(late)
    await insist(log, late)
    assert (await kept_ids(caller_for)).count(late.event_id) == 1
