"""No call takes longer than it may, whatever a peer does, and one that ends on its way leaves nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from fakes.clock import FakeClock
from fakes.gateway_ports import json_answer
from services.gateway.forward import late
from services.gateway.forward.deadlines import GRACE_S, TICK_S, Deadlines
from services.gateway.forward.forwarder import DEADLINE_S
from services.gateway.model.calls import Region, UpstreamAnswer
from services.gateway.model.faults import DeadlineExceeded
from tests.unit.gateway.forwarding import ADDRESS_BYTES, ADDRESS_PATH, ORDER, PII, Rig, call, talking
from tests.unit.gateway.test_peers_audit import EVENT

ITEM = "/listings/2021-08-01/items/SELLER/SKU-1"
LIST_PATH = "/orders/v0/orders"
LIST_BYTES = json.dumps(
    {"payload": {"Orders": [{"AmazonOrderId": ORDER, "BuyerInfo": {"BuyerName": "Jane Roe"}}]}}
).encode()
LONGEST_S = DEADLINE_S + GRACE_S + 2 * TICK_S
Block = Callable[..., Awaitable[Any]]


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """Give a rig whose forwarder's tasks run."""
    made = Rig()
    made.upstream.answer = lambda _: json_answer(ADDRESS_BYTES)
    async with talking(made.limiter):
        tasks = [asyncio.ensure_future(work()) for _, work in made.forwarder.tasks]
        try:
            yield made
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def hang(*_: Any, **__: Any) -> Any:
    """Stand for a peer that never answers, and that no time-out of its own ends."""
    await asyncio.Event().wait()


def block(rig: Rig, where: str) -> None:
    """Have one of the forwarder's peers hang."""
    port, _, method = where.partition(".")
    setattr(
        {"auth": rig.auth, "safe": rig.safe, "audit": rig.audit, "upstream": rig.upstream}[port], method, hang
    )


async def passed(rig: Rig, task: asyncio.Task[Any]) -> None:
    while not task.done():
        await rig.clock.advance(TICK_S)


@pytest.mark.parametrize(
    "where",
    ["auth.introspect", "auth.lend_amazon_token", "safe.open", "safe.seal", "audit.record", "upstream.send"],
)
@pytest.mark.parametrize(("target", "method"), [(ADDRESS_PATH, "GET"), (ITEM, "PUT")])
async def test_an_answer_comes_in_time_whoever_hangs_R07(
    rig: Rig, where: str, target: str, method: str
) -> None:
    token = rig.auth.enrol(scopes=PII)
    block(rig, where)
    task = asyncio.create_task(rig.forwarder.handle(call(token, target, method, body=b"{}")))
    await passed(rig, task)
    assert rig.clock.monotonic_s() <= LONGEST_S <= DEADLINE_S + 1
    is_used = not (where.startswith("safe") and method == "PUT")
    assert (task.result().status in {503, 504}) == is_used
    assert not rig.signals.crashes


async def test_a_list_whose_outcome_cannot_be_told_in_time_stays_here_and_is_told_later_R07(rig: Rig) -> None:
    record, gate = rig.audit.record, asyncio.Event()

    async def slow(event: Any) -> None:
        if event.phase == "outcome":
            await gate.wait()
        await record(event)

    rig.audit.record = slow  # type: ignore[method-assign]
    rig.upstream.answer = lambda _: json_answer(LIST_BYTES)
    token = rig.auth.enrol(scopes=PII)
    task = asyncio.create_task(rig.forwarder.handle(call(token, LIST_PATH)))
    await passed(rig, task)
    assert task.result().status == 503
    assert b"Jane" not in task.result().body
    gate.set()
    await rig.clock.advance(TICK_S)
    assert [event.phase for event in rig.audit.events] == ["intent", "outcome"]


async def test_a_write_that_amazon_did_in_time_is_answered_though_what_it_taught_is_kept_slowly(
    rig: Rig,
) -> None:
    async def late_feed(*_: Any, **__: Any) -> UpstreamAnswer:
        await rig.clock.sleep(DEADLINE_S - 2 * TICK_S)
        return json_answer(b'{"feedId":"50001"}', 202)

    async def settle(*_: Any) -> None:
        await rig.clock.sleep(GRACE_S)

    rig.upstream.send = late_feed  # type: ignore[method-assign]
    rig.homes.settle = settle  # type: ignore[assignment, method-assign]
    token = rig.auth.enrol(regions=frozenset({Region.NA, Region.EU}))
    feed = json.dumps({"feedType": "JSON_LISTINGS_FEED", "marketplaceIds": ["ATVPDKIKX0DER"]}).encode()
    task = asyncio.create_task(
        rig.forwarder.handle(call(token, "/feeds/2021-06-30/feeds", "POST", body=feed))
    )
    await passed(rig, task)
    assert (task.result().status, task.result().body) == (202, b'{"feedId":"50001"}')
    assert DEADLINE_S < rig.clock.monotonic_s() <= LONGEST_S


@pytest.mark.parametrize(
    ("target", "method", "scopes"),
    [(ADDRESS_PATH, "GET", PII), (LIST_PATH, "GET", frozenset({"orders"})), (ITEM, "PUT", PII)],
    ids=["the intent names the order", "nothing personal is shown", "an effect"],
)
async def test_an_answer_does_not_wait_for_an_outcome_that_is_told_when_the_log_is_back_R01(
    rig: Rig, target: str, method: str, scopes: frozenset[str]
) -> None:
    rig.audit.fails_from = 1
    token = rig.auth.enrol(scopes=scopes)
    answer = await rig.forwarder.handle(call(token, target, method, body=b"{}" if method == "PUT" else b""))
    assert (answer.status, [event.phase for event in rig.audit.events]) == (200, ["intent"])
    rig.audit.fails_from = None
    await rig.clock.advance(late.PAUSE_S)
    assert [event.phase for event in rig.audit.events] == ["intent", "outcome"]


async def test_an_outcome_that_is_refused_for_good_is_counted_as_lost_under_its_requests_id(rig: Rig) -> None:
    rig.audit.fails_from = 1
    sent = call(rig.auth.enrol(), ITEM, "PUT", body=b"{}")
    await rig.forwarder.handle(sent)
    await rig.clock.advance(late.PAUSE_S * late.TRIES_MAX)
    assert rig.signals.outcomes_lost == [(sent.request_id, "audit_unavailable")]


async def test_a_deadline_in_the_middle_of_an_effect_leaves_its_fate_open_R01(rig: Rig) -> None:
    block(rig, "upstream.send")
    task = asyncio.create_task(rig.forwarder.handle(call(rig.auth.enrol(), ITEM, "PUT", body=b"{}")))
    await passed(rig, task)
    assert rig.told[-1][1:] == ("outcome", "unknown")
    assert rig.audit.events[-1].details["status"] == str(task.result().status)


# --- a client that goes away


@pytest.mark.parametrize("turns", range(40))
@pytest.mark.parametrize(("target", "method"), [(ADDRESS_PATH, "GET"), (ITEM, "PUT"), (LIST_PATH, "GET")])
async def test_a_client_that_goes_away_at_any_moment_leaves_nothing_behind_R23(
    rig: Rig, target: str, method: str, turns: int
) -> None:
    if target == LIST_PATH:
        rig.upstream.answer = lambda _: json_answer(LIST_BYTES)
    token = rig.auth.enrol(scopes=PII)
    slow_down(rig)
    task = asyncio.create_task(rig.forwarder.handle(call(token, target, method, body=b"{}")))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await rig.clock.advance(3.0)
    circuits = rig.forwarder._reading._attempts._circuits
    assert not circuits._under_way
    assert not any(usage.under_way for usage in rig.limiter._usages.values())
    assert not rig.forwarder._deadlines._limits
    intents = [event.event_id for event in rig.audit.events if event.phase == "intent"]
    outcomes = [event.intent_id for event in rig.audit.events if event.phase == "outcome"]
    assert sorted(set(outcomes)) == sorted(outcomes) == sorted(intents)


def slow_down(rig: Rig) -> None:
    """Have every peer take a turn of the loop before it does anything, and one before it answers."""
    for port, names in [
        (rig.auth, ("introspect", "lend_amazon_token")),
        (rig.safe, ("open", "seal")),
        (rig.upstream, ("send",)),
    ]:
        for name in names:
            setattr(port, name, taking_turns(getattr(port, name)))


def taking_turns(work: Block) -> Block:
    async def slow(*given: Any, **named: Any) -> Any:
        await asyncio.sleep(0)
        result = await work(*given, **named)
        await asyncio.sleep(0)
        return result

    return slow


# --- limits by themselves


async def test_a_limit_ends_what_waits_inside_it() -> None:
    clock = FakeClock()
    deadlines = Deadlines(clock)

    async def wait() -> None:
        with deadlines.within(1.0):
            await clock.sleep(5.0)

    task = asyncio.create_task(wait())
    await clock.advance(2.0)
    deadlines.look()
    with pytest.raises(DeadlineExceeded):
        await task
    with pytest.raises(DeadlineExceeded):
        await wait()


async def test_a_cancellation_by_somebody_else_stays_one() -> None:
    clock = FakeClock()
    deadlines = Deadlines(clock)

    async def wait() -> None:
        with deadlines.within(1.0):
            await clock.sleep(5.0)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    clock.pass_(2.0)
    task.cancel()
    deadlines.look()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_late_events_are_bounded_and_those_lost_are_counted_R23(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(late, "EVENTS_MAX", 0)
    rig = Rig()
    queue = late.Late(audit=rig.audit, clock=rig.clock, signals=rig.signals)
    queue.put(EVENT)
    assert rig.signals.outcomes_lost == [(EVENT.request_id, "deadline_exceeded")]


async def test_a_late_event_is_handed_in_again_a_few_times(rig: Rig) -> None:
    rig.audit.fails_from = 1
    block(rig, "upstream.send")
    task = asyncio.create_task(rig.forwarder.handle(call(rig.auth.enrol(), ITEM, "PUT", body=b"{}")))
    await rig.clock.advance(1.0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await rig.clock.advance(3.0)
    rig.audit.fails_from = None
    await rig.clock.advance(3.0)
    assert rig.told[-1][1:] == ("outcome", "unknown")


async def test_a_late_event_that_telemetry_judged_wrong_does_not_hold_up_the_next(rig: Rig) -> None:
    wrong, right = replace(EVENT, event_id="wrong", request_id="request-2"), EVENT
    rig.audit.refused.add(wrong.event_id)
    queue = late.Late(audit=rig.audit, clock=rig.clock, signals=rig.signals)
    queue.put(wrong)
    queue.put(right)
    running = asyncio.create_task(queue.run())
    await rig.clock.advance(0.0)
    running.cancel()
    assert rig.audit.events == [right]
    assert rig.signals.outcomes_lost == [(wrong.request_id, "audit_unavailable")]
