import hashlib
import json

from hypothesis import given
from hypothesis import strategies as st

from fakes.clock import START
from services.telemetry.model.admission import Admitted, Answer, Known, Ledger, admit, mentioned_ids
from services.telemetry.model.chain import GENESIS, SHARD
from services.telemetry.model.errors import IdempotencyConflict, IntentUnknown, OutcomeAlreadyRecorded
from services.telemetry.model.events import Entry, Event, Result, check
from tests.unit.telemetry.house import event_id, fact, intent, outcome


def enter(
    ledger: Ledger, *calls: list[Event], sender: str = "gateway"
) -> tuple[list[Admitted], list[Answer]]:
    return admit(ledger, [[check(sender, event) for event in call] for call in calls], recorded_at=START)


def empty() -> Ledger:
    return Ledger(GENESIS, {}, set())


def test_records_follow_each_other_from_one_without_gaps() -> None:
    admitted, answers = enter(empty(), [fact(1), fact(2)], [fact(3)])
    assert answers == [(1, 2), (3,)]
    previous = bytes(32)
    for sequence, each in enumerate(admitted, start=1):
        assert each.record.sequence == sequence
        assert each.record.hash == hashlib.sha256(previous + each.record.body).digest()
        previous = each.record.hash


def test_a_record_says_what_was_sent_and_where_it_stands() -> None:
    admitted, _ = enter(empty(), [fact(1, request_id=None)])
    assert json.loads(admitted[0].record.body) == {
        "actor": {"id": "0192aa00-0000-7000-8000-000000000001", "kind": "device"},
        "details": {"operation": "getOrderAddress"},
        "event_id": event_id(1),
        "kind": "gateway.operation.refused",
        "occurred_at": "2026-11-22T12:00:00.000000Z",
        "phase": "fact",
        "recorded_at": "2026-11-22T12:00:00.000000Z",
        "result": "operation_not_allowed",
        "seller_id": "seller-1",
        "sender": "gateway",
        "sequence": 1,
        "shard": SHARD,
    }


def test_the_same_event_again_gets_the_same_sequence_R04() -> None:
    ledger = empty()
    enter(ledger, [fact(1), fact(2)])
    admitted, answers = enter(ledger, [fact(2), fact(3), fact(3)])
    assert answers == [(2, 3, 3)]
    assert [each.record.sequence for each in admitted] == [3]


def test_another_body_under_the_same_id_is_a_conflict_T35() -> None:
    ledger = empty()
    enter(ledger, [fact(1)])
    _, answers = enter(ledger, [fact(1, result="other")])
    assert isinstance(answers[0], IdempotencyConflict)
    assert answers[0].code == "idempotency_conflict"


def test_another_sender_cannot_reuse_an_id_T35() -> None:
    ledger = empty()
    enter(ledger, [fact(1, kind="gateway.pii.read")])
    _, answers = enter(ledger, [fact(1, kind="auth.pii.read")], sender="auth")
    assert isinstance(answers[0], IdempotencyConflict)


def test_a_refused_call_leaves_nothing_and_its_neighbours_enter() -> None:
    admitted, answers = enter(empty(), [fact(1)], [fact(2), fact(1, result="other")], [fact(3)])
    assert answers[0] == (1,)
    assert isinstance(answers[1], IdempotencyConflict)
    assert answers[2] == (2,)
    assert [each.entry.event.event_id for each in admitted] == [event_id(1), event_id(3)]


def test_an_outcome_needs_its_intent() -> None:
    _, answers = enter(empty(), [outcome(2, of=1)])
    assert isinstance(answers[0], IntentUnknown)


def test_an_outcome_of_a_fact_is_refused() -> None:
    _, answers = enter(empty(), [fact(1)], [outcome(2, of=1)])
    assert isinstance(answers[1], IntentUnknown)


def test_an_outcome_of_a_foreign_intent_is_refused_like_one_of_none_T35() -> None:
    ledger = empty()
    enter(ledger, [intent(1)])
    _, answers = enter(ledger, [outcome(2, of=1, kind="auth.token.lent")], sender="auth")
    assert isinstance(answers[0], IntentUnknown)


def test_telemetry_may_conclude_any_intent_R01() -> None:
    ledger = empty()
    enter(ledger, [intent(1)])
    resolved = outcome(2, of=1, result=Result.UNKNOWN, kind="telemetry.intent.resolved")
    _, answers = enter(ledger, [resolved], sender="telemetry")
    assert answers == [(2,)]


def test_a_real_outcome_may_follow_unknown_and_nothing_follows_a_final_one_R01() -> None:
    ledger = empty()
    _, answers = enter(
        ledger,
        [intent(1)],
        [outcome(2, of=1, result=Result.UNKNOWN)],
        [outcome(3, of=1, result=Result.DONE)],
        [outcome(4, of=1, result=Result.NOT_DONE)],
        [outcome(5, of=1, result=Result.UNKNOWN)],
        [outcome(3, of=1, result=Result.DONE)],
    )
    assert answers[:3] == [(1,), (2,), (3,)]
    assert isinstance(answers[3], OutcomeAlreadyRecorded)
    assert isinstance(answers[4], OutcomeAlreadyRecorded)
    assert answers[5] == (3,)


def test_an_intent_settled_in_the_store_takes_no_second_verdict() -> None:
    entry = check("gateway", intent(1))
    known = {event_id(1): Known(7, "gateway", entry.event.phase, entry.digest)}
    _, answers = enter(Ledger(GENESIS, known, {event_id(1)}), [outcome(2, of=1)])
    assert isinstance(answers[0], OutcomeAlreadyRecorded)


def test_everything_a_call_mentions_is_looked_up() -> None:
    calls: list[list[Entry]] = [[check("gateway", outcome(2, of=1))], [check("gateway", fact(3))]]
    assert mentioned_ids(calls) == {event_id(1), event_id(2), event_id(3)}


@given(st.lists(st.lists(st.integers(1, 12), min_size=1, max_size=4), max_size=12), st.data())
def test_however_calls_are_grouped_and_repeated_each_id_is_one_record_R04(
    numbers: list[list[int]], data: st.DataObject
) -> None:
    calls = [[fact(number) for number in call] for call in numbers]
    ledger = empty()
    bodies: list[bytes] = []
    sequences: dict[int, set[int]] = {}
    while calls:
        size = data.draw(st.integers(1, len(calls)))
        group, calls, taken = calls[:size], calls[size:], numbers[:size]
        numbers = numbers[size:]
        admitted, answers = enter(ledger, *group)
        bodies += [each.record.body for each in admitted]
        for asked, answer in zip(taken, answers, strict=True):
            assert isinstance(answer, tuple)
            for number, sequence in zip(asked, answer, strict=True):
                sequences.setdefault(number, set()).add(sequence)
    assert all(len(found) == 1 for found in sequences.values())
    assert [json.loads(body)["sequence"] for body in bodies] == list(range(1, len(sequences) + 1))


intent_numbers = st.integers(1, 3)
said = st.one_of(
    st.builds(intent, intent_numbers),
    st.builds(fact, st.integers(11, 14)),
    st.builds(outcome, st.integers(21, 24), of=intent_numbers, result=st.sampled_from(Result)),
)


@given(st.lists(st.lists(said, min_size=1, max_size=2), max_size=30), st.integers(1, 4))
def test_whoever_remembers_a_part_of_the_log_answers_as_whoever_holds_all_of_it_R04(
    calls: list[list[Event]], ids_max: int
) -> None:
    log, tail = empty(), empty()
    for call in calls:
        ask_if_needed(log, tail, call)
        _, expected = enter(log, call)
        _, answers = enter(tail, call)
        assert list(map(repr, answers)) == list(map(repr, expected))
        assert tail.head == log.head
        tail.forget(ids_max)
        assert len(tail.known) <= ids_max
        assert tail.settled <= tail.known.keys()


def ask_if_needed(log: Ledger, tail: Ledger, call: list[Event]) -> None:
    """Let the tail learn of the log as a store does: about intents, and events whose ids are taken there."""
    entries = [check("gateway", event) for event in call]
    is_repeated = any(event.event_id in log.known.keys() - tail.known.keys() for event in call)
    if is_repeated or not tail.covers([entries]):
        mentioned = mentioned_ids([entries])
        known = {event_id: log.known[event_id] for event_id in mentioned & log.known.keys()}
        tail.learn(Ledger(log.head, known, log.settled & mentioned))
