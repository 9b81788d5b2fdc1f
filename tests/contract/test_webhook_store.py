"""What the webhook's bookmark promises, on the fake and on Postgres."""

from datetime import timedelta

import pytest

from fakes.audit_store import FakeAuditStore
from fakes.clock import START, FakeClock
from fakes.telemetry_webhook import FakeWebhookStore
from services.telemetry.model.events import check
from services.telemetry.model.webhooks import DeadLetter, Turn
from services.telemetry.store import AuditStore, WebhookStore
from tests.conftest import PoolFor
from tests.unit.telemetry.house import event_id, fact

Log = FakeAuditStore | AuditStore
Store = FakeWebhookStore | WebhookStore
Pair = tuple[Log, Store]

TURN_S = 1_000.0
DIGEST = bytes(range(32))


@pytest.fixture
def fake_pair() -> Pair:
    log = FakeAuditStore()
    return log, FakeWebhookStore(log, FakeClock())


@pytest.fixture
async def real_pair(pool_for: PoolFor) -> Pair:
    pool = await pool_for("telemetry")
    return AuditStore(pool), WebhookStore(pool)


@pytest.fixture(params=["fake_pair", "real_pair"])
def pair(request: pytest.FixtureRequest) -> Pair:
    found: Pair = request.getfixturevalue(request.param)
    return found


async def append(log: Log, *numbers: int) -> None:
    await log.append([[check("gateway", fact(number)) for number in numbers]], recorded_at=START)


async def begun(pair: Pair, turn_s: float = TURN_S) -> Turn:
    """Return the receiver's second turn, which is the first that anything can be told in."""
    _, store = pair
    assert await store.take(turn_s) is None
    turn = await store.take(turn_s)
    assert turn is not None
    return turn


def letter(sequence: int, status: int = 404) -> DeadLetter:
    return DeadLetter(sequence=sequence, kind="a.b.c", status=status, attempts=8, given_up_at=START)


async def test_a_receiver_begins_at_the_logs_end(pair: Pair) -> None:
    log, store = pair
    await append(log, 1, 2)
    before = await store.standing()
    assert (before.sequence, before.head) == (2, 2)
    turn = await begun(pair)
    assert (turn.sequence, turn.attempts, turn.retry_at, turn.gone_digest) == (2, 0, None, None)
    await append(log, 3)
    standing = await store.standing()
    assert (standing.sequence, standing.head, standing.dead_letters) == (2, 3, ())


async def test_one_has_the_turn_until_it_is_given_back(pair: Pair) -> None:
    _, store = pair
    first = await begun(pair)
    assert await store.take(TURN_S) is None
    await store.give_back(first.fence)
    second = await store.take(TURN_S)
    assert second is not None
    assert second.fence > first.fence
    await store.give_back(first.fence)
    assert await store.take(TURN_S) is None


async def test_a_turn_further_ahead_than_any_is_given_holds_nobody_up_R14(pair: Pair) -> None:
    """As when storage's clock was set back after whoever had it had died."""
    _, store = pair
    lost = await begun(pair, turn_s=10 * TURN_S)
    present = await store.take(TURN_S)
    assert present is not None
    assert present.fence > lost.fence
    assert await store.take(TURN_S) is None


async def test_a_turn_ends_by_itself_and_its_holder_cannot_write_any_more(pair: Pair) -> None:
    _, store = pair
    late = await begun(pair, turn_s=0.0)
    present = await store.take(TURN_S)
    assert present is not None
    assert not await store.settle(late.fence, 5)
    assert not await store.postpone(late.fence, 1, START)
    assert not await store.abandon(late.fence, letter(5))
    assert not await store.note_gone(late.fence, DIGEST)
    standing = await store.standing()
    assert (standing.sequence, standing.attempts, standing.gone_digest) == (0, 0, None)
    assert standing.dead_letters == ()


async def test_what_is_settled_never_goes_back_and_ends_a_failure(pair: Pair) -> None:
    _, store = pair
    turn = await begun(pair)
    assert await store.postpone(turn.fence, 3, START + timedelta(seconds=5))
    failing = await store.standing()
    assert (failing.attempts, failing.retry_at) == (3, START + timedelta(seconds=5))
    assert await store.settle(turn.fence, 7)
    assert await store.settle(turn.fence, 4)
    standing = await store.standing()
    assert (standing.sequence, standing.attempts, standing.retry_at) == (7, 0, None)


async def test_a_dead_letter_is_kept_once_and_gone_past(pair: Pair) -> None:
    _, store = pair
    turn = await begun(pair)
    assert await store.postpone(turn.fence, 7, START)
    assert await store.abandon(turn.fence, letter(3))
    assert await store.abandon(turn.fence, letter(9, 302))
    assert await store.abandon(turn.fence, letter(3))
    standing = await store.standing()
    assert standing.dead_letters == (letter(9, 302), letter(3))
    assert (standing.sequence, standing.attempts) == (9, 0)


async def test_a_receiver_that_is_gone_comes_back(pair: Pair) -> None:
    _, store = pair
    turn = await begun(pair)
    assert await store.note_gone(turn.fence, DIGEST)
    assert (await store.standing()).gone_digest == DIGEST
    await store.note_back()
    assert (await store.standing()).gone_digest is None


async def test_an_event_is_found_by_its_id(pair: Pair) -> None:
    log, store = pair
    await append(log, 1, 2)
    found = await store.find_event(event_id(2))
    assert found is not None
    assert found == await log.record(2)
    assert await store.find_event(event_id(3)) is None
