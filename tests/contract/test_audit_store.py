"""What the audit log's store promises, on the fake and on Postgres."""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import timedelta

import pytest

from fakes.audit_store import FakeAuditStore
from fakes.clock import START
from services.telemetry.model.admission import Answer
from services.telemetry.model.chain import GENESIS, Record
from services.telemetry.model.checkpoints import Checkpoint
from services.telemetry.model.errors import IdempotencyConflict, IntentUnknown, OutcomeAlreadyRecorded
from services.telemetry.model.events import Event, Result, check
from services.telemetry.store import AuditStore
from tests.conftest import PoolFor
from tests.unit.telemetry.house import event_id, fact, intent, outcome

Store = FakeAuditStore | AuditStore


@pytest.fixture
def fake_store() -> FakeAuditStore:
    return FakeAuditStore()


@pytest.fixture
async def real_store(pool_for: PoolFor) -> AuditStore:
    return AuditStore(await pool_for("telemetry"))


@pytest.fixture(params=["fake_store", "real_store"])
def audit_store(request: pytest.FixtureRequest) -> Store:
    store: Store = request.getfixturevalue(request.param)
    return store


async def append(store: Store, *calls: Sequence[Event], sender: str = "gateway") -> list[Answer]:
    checked = [[check(sender, event) for event in call] for call in calls]
    return await store.append(checked, recorded_at=START)


async def holds_a_chain(store: Store, length: int) -> Sequence[Record]:
    previous = bytes(32)
    records = await store.records(1, length + 1)
    assert [record.sequence for record in records] == list(range(1, length + 1))
    for record in records:
        assert record.hash == hashlib.sha256(previous + record.body).digest()
        previous = record.hash
    return records


def checkpoint(number: int, sequence: int) -> Checkpoint:
    return Checkpoint(number, sequence, START, b'{"number":%d}' % number, bytes([number]) * 64)


async def test_a_fresh_log_is_empty(audit_store: Store) -> None:
    tip = await audit_store.tip()
    assert (tip.head, tip.checkpoint_number, tip.checkpoint_sequence) == (GENESIS, 0, 0)
    assert tip.is_covered
    assert await audit_store.record(1) is None
    assert list(await audit_store.records(1, 10)) == []
    assert list(await audit_store.checkpoints(0, 10, (1, 10))) == []
    assert list(await audit_store.intents()) == []
    assert await audit_store.is_writable()


async def test_what_is_appended_is_a_chain_from_one_without_gaps_T22(audit_store: Store) -> None:
    assert await append(audit_store, [fact(1), fact(2)], [fact(3)]) == [(1, 2), (3,)]
    assert await append(audit_store, [fact(4)]) == [(4,)]
    records = await holds_a_chain(audit_store, 4)
    assert (await audit_store.tip()).head == records[-1].head
    assert await audit_store.record(2) == records[1]


async def test_replicas_that_append_by_turns_make_one_chain_T22(
    real_store: AuditStore, pool_for: PoolFor
) -> None:
    stores = [real_store, AuditStore(await pool_for("telemetry"))]
    # Each appends alone for a while, and then finds that the other has been there.
    turns = [0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0]
    for number, turn in enumerate(turns):
        assert await append(stores[turn], [intent(2 * number), fact(2 * number + 1)]) == [
            (2 * number + 1, 2 * number + 2)
        ]
    # What the other appended, it knows nothing about, and answers all the same.
    answers = await append(stores[0], [intent(16)], [outcome(90, of=16)], [outcome(91, of=16)])
    assert answers[:2] == [(17,), (29,)]
    assert isinstance(answers[2], OutcomeAlreadyRecorded)
    await holds_a_chain(real_store, 29)


async def test_an_append_given_up_leaves_those_behind_it_a_true_end_R04(real_store: AuditStore) -> None:
    for number in range(4):
        await append(real_store, [intent(number)])
    given_up = asyncio.create_task(append(real_store, [intent(4)]))
    behind = [asyncio.create_task(append(real_store, [intent(number)])) for number in (5, 6)]
    await asyncio.sleep(0)
    given_up.cancel()
    told = await asyncio.gather(*behind)
    again = await append(real_store, *([intent(number)] for number in (4, 5, 6)))
    assert again[1:] == [answer for [answer] in told]
    await holds_a_chain(real_store, 7)


async def test_alone_or_not_the_same_ids_are_the_same_records_R04(
    real_store: AuditStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.telemetry.store.log.TAIL_IDS_MAX", 4)
    for number in range(1, 13):
        assert await append(real_store, [intent(number)]) == [(number,)]
        assert real_store._tail is not None
        assert len(real_store._tail.ledger.known) <= 4
    # Long forgotten, just appended, and one of each with something new.
    assert await append(real_store, [intent(1)], [intent(12)]) == [(1,), (12,)]
    assert await append(real_store, [fact(20), intent(2)]) == [(13, 2)]
    assert await append(real_store, [fact(21), intent(12)]) == [(14, 12)]
    assert await append(real_store, [outcome(22, of=3)]) == [(15,)]
    again = await append(real_store, [outcome(23, of=3)])
    assert isinstance(again[0], OutcomeAlreadyRecorded)


async def test_the_same_ids_again_are_the_same_records_R04(audit_store: Store) -> None:
    await append(audit_store, [fact(1), fact(2)])
    assert await append(audit_store, [fact(1), fact(2)], [fact(3), fact(2)]) == [(1, 2), (3, 2)]
    assert len(await audit_store.records(1, 100)) == 3


async def test_another_body_under_a_used_id_is_refused_and_its_call_with_it_T35(audit_store: Store) -> None:
    await append(audit_store, [fact(1)])
    answers = await append(audit_store, [fact(2), fact(1, result="other")], [fact(3)])
    assert isinstance(answers[0], IdempotencyConflict)
    assert answers[1] == (2,)
    assert [b"000000000002" in record.body for record in await audit_store.records(1, 9)] == [False, False]


async def test_outcomes_are_held_against_what_the_log_holds(audit_store: Store) -> None:
    await append(audit_store, [intent(1), fact(2)])
    answers = await append(
        audit_store,
        [outcome(3, of=99)],
        [outcome(4, of=2)],
        [outcome(5, of=1, result=Result.UNKNOWN)],
        [outcome(6, of=1)],
    )
    assert isinstance(answers[0], IntentUnknown)
    assert isinstance(answers[1], IntentUnknown)
    assert answers[2:] == [(3,), (4,)]
    later = await append(audit_store, [outcome(7, of=1)], [outcome(6, of=1)])
    assert isinstance(later[0], OutcomeAlreadyRecorded)
    assert later[1] == (4,)


async def test_a_group_in_which_nothing_is_admitted_changes_nothing(audit_store: Store) -> None:
    await append(audit_store, [fact(1)])
    before = await audit_store.tip()
    await append(audit_store, [outcome(2, of=99)], [fact(1)])
    assert await audit_store.tip() == before


async def test_appending_at_the_same_time_leaves_no_gap_and_no_fork_T22(audit_store: Store) -> None:
    groups = [[fact(number * 10 + n) for n in range(5)] for number in range(20)]
    answers = await asyncio.gather(*(append(audit_store, group) for group in groups))
    sequences = sorted(sequence for [answer] in answers if isinstance(answer, tuple) for sequence in answer)
    assert sequences == list(range(1, 101))
    await holds_a_chain(audit_store, 100)


async def test_the_same_call_at_the_same_time_is_one_record_R04(audit_store: Store) -> None:
    answers = await asyncio.gather(*(append(audit_store, [fact(1)]) for _ in range(10)))
    assert answers == [[(1,)]] * 10
    assert len(await audit_store.records(1, 100)) == 1


async def test_a_checkpoint_number_is_taken_once(audit_store: Store) -> None:
    await append(audit_store, [fact(1), fact(2)])
    assert await audit_store.add_checkpoint(checkpoint(1, 1))
    assert not await audit_store.add_checkpoint(checkpoint(1, 2))
    tip = await audit_store.tip()
    assert (tip.checkpoint_number, tip.checkpoint_sequence, tip.is_covered) == (1, 1, False)
    assert await audit_store.add_checkpoint(checkpoint(2, 2))
    assert (await audit_store.tip()).is_covered


async def test_checkpoints_are_found_by_sequence_and_number(audit_store: Store) -> None:
    await append(audit_store, [fact(number) for number in range(1, 6)])
    kept = [checkpoint(1, 2), checkpoint(2, 2), checkpoint(3, 4), checkpoint(4, 5)]
    for each in kept:
        assert await audit_store.add_checkpoint(each)
    assert list(await audit_store.checkpoints(1, 5, (1, 9))) == kept
    assert list(await audit_store.checkpoints(3, 5, (1, 9))) == kept[2:]
    assert list(await audit_store.checkpoints(1, 2, (2, 9))) == [kept[1]]
    assert list(await audit_store.checkpoints(1, 5, (1, 3))) == kept[:3]


async def test_intents_are_listed_until_they_are_marked_R01(audit_store: Store) -> None:
    await append(audit_store, [intent(1), fact(2), intent(3), outcome(4, of=3), intent(5)])
    found = await audit_store.intents()
    assert [(each.sequence, each.event_id, each.has_outcome) for each in found] == [
        (1, event_id(1), False),
        (3, event_id(3), True),
        (5, event_id(5), False),
    ]
    assert all(abs(each.recorded_at - START) < timedelta(microseconds=1) for each in found)
    await audit_store.mark_resolved(3)
    await audit_store.mark_resolved(1)
    assert [each.sequence for each in await audit_store.intents()] == [5]
