"""Readiness follows what the gateway stands on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

import chassis.errors
from chassis.secrecy import Secret
from chassis.web import Readiness
from fakes.clock import FakeClock
from fakes.entropy import FakeEntropy
from services.gateway.jobs import HEALTH_PERIOD_S, KEY_AGAIN_S, KEY_PERIOD_S, Jobs
from services.gateway.model.audit import Kind
from services.gateway.service import AuditProbe
from tests.unit.gateway.doors import FakeAudit, FakeSignals


class Peer:
    """Something that answers, or does not."""

    def __init__(self) -> None:
        self.fault: Exception | None = None

    async def check(self) -> None:
        if self.fault is not None:
            raise self.fault


class Lost(chassis.errors.Unavailable):
    code = "peer_unavailable"


@asynccontextmanager
async def watched(peer: Peer, readiness: Readiness, signals: FakeSignals) -> AsyncIterator[FakeClock]:
    clock = FakeClock()
    watch = Jobs(readiness=readiness, clock=clock, signals=signals).watch("auth", peer.check)
    task = asyncio.create_task(watch)
    await clock.advance(0)
    yield clock
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("fault", [Lost(), TimeoutError(), KeyError("a mistake of ours")])
async def test_readiness_is_lost_and_found_with_its_peer_R16(fault: Exception) -> None:
    peer, readiness, signals = Peer(), Readiness(), FakeSignals()
    async with watched(peer, readiness, signals) as clock:
        assert readiness.truths == {"auth": True}
        peer.fault = fault
        await clock.advance(HEALTH_PERIOD_S)
        assert readiness.truths == {"auth": False}
        peer.fault = None
        await clock.advance(HEALTH_PERIOD_S)
        assert readiness.truths == {"auth": True}


async def test_the_nonces_key_is_read_again_and_again_and_soon_after_a_loss_R06() -> None:
    clock, signals, learned = FakeClock(), FakeSignals(), list[bytes]()
    faults: list[Exception | None] = [None, Lost(), Lost(), None]

    async def read() -> Secret[bytes]:
        fault = faults.pop(0) if faults else None
        if fault is not None:
            raise fault
        return Secret(b"k" * 32)

    jobs = Jobs(readiness=Readiness(), clock=clock, signals=signals)
    task = asyncio.create_task(jobs.renew_key("nonce_key", read, lambda key: learned.append(key.reveal())))
    await clock.advance(KEY_PERIOD_S)
    assert (len(learned), len(signals.failures)) == (1, 1)
    await clock.advance(2 * KEY_AGAIN_S)
    assert (len(learned), signals.failures) == (2, [("nonce_key", "peer_unavailable")])
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_lasting_loss_is_told_once() -> None:
    peer, signals = Peer(), FakeSignals()
    peer.fault = Lost()
    async with watched(peer, Readiness(), signals) as clock:
        for _ in range(5):
            await clock.advance(HEALTH_PERIOD_S)
    assert signals.failures == [("health", "peer_unavailable")]


async def test_asking_the_audit_log_again_leaves_one_record_R04() -> None:
    audit = FakeAudit()
    probe = AuditProbe(audit=audit, clock=FakeClock(), entropy=FakeEntropy())
    await probe.check()
    await probe.check()
    assert len({event.event_id for event in audit.events}) == 1
    assert {event.kind for event in audit.events} == {Kind.PROCESS_STARTED}


async def test_an_audit_log_that_takes_nothing_is_told_R02() -> None:
    audit = FakeAudit(failure=Lost())
    probe = AuditProbe(audit=audit, clock=FakeClock(), entropy=FakeEntropy())
    with pytest.raises(chassis.errors.Unavailable):
        await probe.check()
