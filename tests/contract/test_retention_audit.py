"""What the audit log promises retention, on the fake and on telemetry over mutual TLS and Postgres."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime

import pytest

import chassis.clock
import chassis.env
import chassis.rpc
import services.telemetry.rpc
from fakes.audit_store import FakeAuditStore
from fakes.clock import FakeClock
from fakes.entropy import FakeEntropy
from fakes.retention_audit import FakeAudit
from fakes.telemetry import FakeCheckpointKey, FakeSignals
from fakes.telemetry_webhook import FakeReceiver, FakeWebhookSecrets, FakeWebhookSignals, FakeWebhookStore
from services.retention.model.audit import AuditEvent, Kind, Origin, Phase, Result
from services.retention.model.errors import AuditUnavailable
from services.retention.peers import AuditLog
from services.telemetry.committer import Committer
from services.telemetry.model.webhooks import Selection
from services.telemetry.service.checkpoints import Checkpoints
from services.telemetry.service.diary import Diary
from services.telemetry.service.exporting import Exporter
from services.telemetry.service.intake import Intake
from services.telemetry.service.webhooks import Ports, Webhooks
from services.telemetry.store import AuditStore
from tests.conftest import KeeperFor, PoolFor

Audit = FakeAudit | AuditLog
NOW = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
LOOPBACK = chassis.env.Address("127.0.0.1", 0)


def _untold(archive: AuditStore, diary: Diary, clock: FakeClock) -> Webhooks:
    """Return the webhook of a house that tells nobody outside."""
    ports = Ports(
        store=FakeWebhookStore(FakeAuditStore(), clock),
        archive=archive,
        receiver=FakeReceiver(""),
        secrets=FakeWebhookSecrets(),
        signals=FakeWebhookSignals(),
        clock=clock,
        entropy=FakeEntropy(),
    )
    return Webhooks(ports, diary, Selection.of(("auth.consent.",)))


@pytest.fixture
def fake_audit() -> FakeAudit:
    return FakeAudit()


@pytest.fixture
async def real_audit(pool_for: PoolFor, keeper_for: KeeperFor) -> AsyncIterator[AuditLog]:
    store, clock, signals = AuditStore(await pool_for("telemetry")), FakeClock(), FakeSignals()
    committer = Committer(store=store, clock=clock, signals=signals)
    diary = Diary(journal=committer, clock=clock, entropy=FakeEntropy())
    checkpoints = Checkpoints(store=store, key=FakeCheckpointKey(), diary=diary, clock=clock, signals=signals)
    server = chassis.rpc.Server(
        listen=LOOPBACK,
        keeper=await keeper_for("telemetry"),
        services=services.telemetry.rpc.services(
            intake=Intake(journal=committer, diary=diary, clock=clock, signals=signals),
            exporter=Exporter(archive=store, checkpoints=checkpoints, diary=diary),
            webhooks=_untold(store, diary, clock),
        ),
        clock=chassis.clock.SystemClock(),
    )
    writer = asyncio.create_task(committer.run())
    async with AsyncExitStack() as stack:
        await server.start()
        stack.push_async_callback(server.stop, 0.0)
        channel = chassis.rpc.Channel(
            address=chassis.env.Address("127.0.0.1", server.port),
            peer="telemetry",
            keeper=await keeper_for("retention"),
        )
        stack.push_async_callback(channel.close)
        log = AuditLog(channel)
        sender = asyncio.create_task(log.run())
        yield log
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)


@pytest.fixture(params=["fake_audit", "real_audit"])
def audit(request: pytest.FixtureRequest) -> Audit:
    chosen: Audit = request.getfixturevalue(request.param)
    return chosen


def intent(number: int = 1) -> AuditEvent:
    return AuditEvent(
        event_id=f"00000000-0000-7000-8000-{number:012}",
        kind=Kind.DAY_ERASED,
        phase=Phase.INTENT,
        occurred_at=NOW,
        origin=Origin("console", "request-0001"),
        details={"subject": "day:2026-12-22", "records": "2"},
    )


def outcome(number: int, result: Result, of: AuditEvent) -> AuditEvent:
    return replace(
        intent(number), phase=Phase.OUTCOME, result=result, intent_id=of.event_id, seller_id="seller-1"
    )


async def is_kept(audit: Audit, event: AuditEvent) -> bool:
    """Return whether an event is durable: then its id is good for no other one."""
    try:
        await audit.record(replace(event, details={"subject": "somebody else's"}))
    except AuditUnavailable:
        return True
    return False


async def test_every_kind_is_taken_in_every_phase(audit: Audit) -> None:
    for number, kind in enumerate(Kind):
        planned = replace(intent(10 * number + 1), kind=kind)
        await audit.record(planned)
        done = replace(outcome(10 * number + 2, Result.DONE, planned), kind=kind)
        await audit.record(done)
        fact = replace(intent(10 * number + 3), kind=kind, phase=Phase.FACT, result="expired")
        await audit.record(fact)
        assert [await is_kept(audit, event) for event in (planned, done, fact)] == [True] * 3


async def test_what_happens_at_nobodys_request_is_taken(audit: Audit) -> None:
    nobodys = replace(intent(), origin=Origin("retention", ""))
    await audit.record(nobodys)
    assert await is_kept(audit, nobodys)


async def test_the_same_event_twice_is_taken_R04(audit: Audit) -> None:
    done = outcome(2, Result.DONE, intent())
    for event in (intent(), intent(), done, done):
        await audit.record(event)
    assert await is_kept(audit, done)


async def test_another_event_under_a_used_id_is_refused_T35(audit: Audit) -> None:
    await audit.record(intent())
    with pytest.raises(AuditUnavailable):
        await audit.record(replace(intent(), details={"subject": "day:2026-12-23"}))


async def test_an_outcome_needs_its_intent(audit: Audit) -> None:
    with pytest.raises(AuditUnavailable):
        await audit.record(outcome(2, Result.DONE, intent()))


async def test_an_open_fate_may_be_settled_and_a_settled_one_stays(audit: Audit) -> None:
    await audit.record(intent())
    await audit.record(outcome(2, Result.UNKNOWN, intent()))
    await audit.record(outcome(3, Result.DONE, intent()))
    with pytest.raises(AuditUnavailable):
        await audit.record(outcome(4, Result.NOT_DONE, intent()))
