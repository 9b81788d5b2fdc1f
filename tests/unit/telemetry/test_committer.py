import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import pytest

from fakes.audit_store import FakeAuditStore
from fakes.clock import FakeClock
from fakes.telemetry import FakeSignals
from services.telemetry import committer as committing
from services.telemetry.committer import COMMIT_ROWS_MAX, QUEUE_ROWS_MAX, Committer
from services.telemetry.model.admission import Answer, Call
from services.telemetry.model.errors import AuditUnavailable, IdempotencyConflict
from services.telemetry.model.events import Entry, check
from tests.unit.telemetry.house import fact


class GatedStore(FakeAuditStore):
    """Commits only while its gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def append(self, calls: Sequence[Call], *, recorded_at: datetime) -> list[Answer]:
        await self.gate.wait()
        return await super().append(calls, recorded_at=recorded_at)


class BrokenStore(FakeAuditStore):
    """Fails in a way nobody thought of, once."""

    def __init__(self) -> None:
        super().__init__()
        self.faults = [ZeroDivisionError()]

    async def append(self, calls: Sequence[Call], *, recorded_at: datetime) -> list[Answer]:
        if self.faults:
            raise self.faults.pop()
        return await super().append(calls, recorded_at=recorded_at)


def call(*numbers: int) -> list[Entry]:
    return [check("gateway", fact(number)) for number in numbers]


@asynccontextmanager
async def running(store: FakeAuditStore) -> AsyncIterator[tuple[Committer, FakeSignals]]:
    signals = FakeSignals()
    committer = Committer(store=store, clock=FakeClock(), signals=signals)
    writer = asyncio.create_task(committer.run())
    try:
        yield committer, signals
    finally:
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)


async def give_turns(turns: int = 5) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)


async def test_calls_that_wait_share_one_commit_and_each_gets_its_own_sequences() -> None:
    store = GatedStore()
    async with running(store) as (committer, signals):
        first = asyncio.create_task(committer.submit(call(1)))
        await give_turns()
        others = [asyncio.create_task(committer.submit(call(n, n + 1))) for n in range(2, 200, 2)]
        await give_turns()
        assert signals.rows_queued == 198
        store.gate.set()
        assert await first == (1,)
        assert [await other for other in others] == [(n, n + 1) for n in range(2, 200, 2)]
    assert store.commits == [1, 198]
    assert signals.rows_queued == 0


async def test_a_commit_takes_a_bounded_number_of_rows() -> None:
    store = GatedStore()
    async with running(store) as (committer, _):
        tasks = [asyncio.create_task(committer.submit(call(*range(n, n + 600)))) for n in (1, 601, 1201)]
        await give_turns()
        store.gate.set()
        await asyncio.gather(*tasks)
    assert store.commits == [600, 600, 600]
    assert max(store.commits) <= COMMIT_ROWS_MAX


async def test_a_refused_call_does_not_spoil_the_others_of_its_commit() -> None:
    store = GatedStore()
    async with running(store) as (committer, _):
        good = asyncio.create_task(committer.submit(call(1)))
        await give_turns()
        bad = asyncio.create_task(committer.submit([check("gateway", fact(1, result="other"))]))
        last = asyncio.create_task(committer.submit(call(2)))
        await give_turns()
        store.gate.set()
        assert await good == (1,)
        with pytest.raises(IdempotencyConflict):
            await bad
        assert await last == (2,)


async def test_a_failed_commit_refuses_its_calls_and_the_next_one_is_tried_R02() -> None:
    store = FakeAuditStore()
    async with running(store) as (committer, signals):
        store.is_down = True
        with pytest.raises(AuditUnavailable) as refusal:
            await committer.submit(call(1))
        assert refusal.value.code == "audit_unavailable"
        assert refusal.value.retry_after_s is not None
        is_failing_meanwhile = committer.is_failing
        store.is_down = False
        assert await committer.submit(call(1)) == (1,)
        assert (is_failing_meanwhile, committer.is_failing) == (True, False)
        assert len(signals.failures) == 1


async def test_a_fault_nobody_thought_of_is_audit_unavailable_at_once_too_R02() -> None:
    async with running(BrokenStore()) as (committer, signals):
        refused = asyncio.create_task(committer.submit(call(1)))
        await give_turns(20)
        assert isinstance(refused.exception(), AuditUnavailable)
        assert await committer.submit(call(1)) == (1,)
        assert isinstance(signals.failures[0], ZeroDivisionError)


async def test_a_lost_answer_is_found_out_by_asking_again_R04() -> None:
    store = FakeAuditStore()
    async with running(store) as (committer, _):
        await committer.submit(call(1))
        store.loses_answer = True
        with pytest.raises(AuditUnavailable):
            await committer.submit(call(2, 3))
        assert await committer.submit(call(2, 3)) == (2, 3)
    assert len(store.entries()) == 3


async def test_a_full_queue_refuses_at_once_R23() -> None:
    store, rows = GatedStore(), call(*range(COMMIT_ROWS_MAX))
    async with running(store) as (committer, _):
        waiting = []
        # One call more than the queue holds: the first is under way.
        for _ in range(QUEUE_ROWS_MAX // COMMIT_ROWS_MAX + 1):
            waiting.append(asyncio.create_task(committer.submit(rows)))
            await give_turns()
        with pytest.raises(AuditUnavailable):
            await committer.submit(call(1))
        store.gate.set()
        await asyncio.gather(*waiting)


async def test_a_caller_that_gave_up_is_left_out_of_the_commit() -> None:
    store = GatedStore()
    async with running(store) as (committer, _):
        first = asyncio.create_task(committer.submit(call(1)))
        await give_turns()
        second = asyncio.create_task(committer.submit(call(2)))
        await give_turns()
        second.cancel()
        await give_turns()
        store.gate.set()
        assert await first == (1,)
        assert await committer.submit(call(3)) == (2,)
    assert [each.entry.event.event_id for each in store.entries()] == [
        call(1)[0].event.event_id,
        call(3)[0].event.event_id,
    ]


async def test_a_store_that_hangs_is_audit_unavailable_R02(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committing, "COMMIT_S_MAX", 0.01)
    store = GatedStore()
    async with running(store) as (committer, signals):
        with pytest.raises(AuditUnavailable):
            await committer.submit(call(1))
        assert isinstance(signals.failures[0], TimeoutError)


async def test_nobody_waits_for_ever_behind_a_commit_that_does_not_end_R23(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(committing, "ANSWER_S_MAX", 0.01)
    store = GatedStore()
    async with running(store) as (committer, _):
        became = await asyncio.gather(
            committer.submit(call(1)), committer.submit(call(2)), return_exceptions=True
        )
        assert all(isinstance(each, AuditUnavailable) for each in became)
        store.gate.set()
        assert await committer.submit(call(3)) == (3,)


async def test_stopping_tells_everyone_who_waits_at_once() -> None:
    store = GatedStore()
    async with running(store) as (committer, _):
        under_way = asyncio.create_task(committer.submit(call(1)))
        await give_turns()
        queued = asyncio.create_task(committer.submit(call(2)))
        await give_turns()
    await give_turns()
    for task in (under_way, queued):
        assert isinstance(task.exception(), AuditUnavailable)
