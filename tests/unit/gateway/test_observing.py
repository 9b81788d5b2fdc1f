"""What retention hears of orders, how often, and what the gateway remembers of its word."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fakes.clock import FakeClock
from fakes.gateway_ports import Down, FakeSafe, json_answer
from services.gateway.forward.observing import CLOCK_KNOWN_S_MAX, TOLD_S_MAX, Observing
from services.gateway.model.faults import OrderExpired
from services.gateway.model.orders import OBSERVATIONS_MAX, Facts, Observation, OrderClock, OrderState
from services.retention.model.orders import RENEWAL_STEP
from tests.unit.gateway.forwarding import ADDRESS_BYTES, ADDRESS_PATH, ORDER, PII, Rig, error_of

ME, OTHER = "seller-1", "seller-2"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ONE = f"/orders/v0/orders/{ORDER}"
ITEMS = f"{ONE}/orderItems"


def seen(
    order_id: str = "1", state: OrderState = OrderState.UNSHIPPED, **times: datetime
) -> tuple[str, Facts]:
    return order_id, Facts(state, **{"purchased_at": NOW, **times})


def observed(what: tuple[str, Facts]) -> tuple[str, Observation]:
    """Return what the safe hears of what is told NOW."""
    return ME, Observation(*what, NOW)


class GatedSafe(FakeSafe):
    """Lets each call through when told."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.calls: list[Sequence[Observation]] = []

    async def observe_orders(self, seller_id: str, orders: Sequence[Observation]) -> list[OrderClock]:
        self.calls.append(tuple(orders))
        await self.gate.wait()
        return await super().observe_orders(seller_id, orders)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def safe() -> FakeSafe:
    return FakeSafe()


@pytest.fixture
def observing(safe: FakeSafe, clock: FakeClock) -> Observing:
    return Observing(safe=safe, clock=clock)


# --- what is told


async def test_the_same_facts_are_told_once_an_hour_R18(
    observing: Observing, safe: FakeSafe, clock: FakeClock
) -> None:
    for _ in range(0, 61, 15):
        await observing.tell(ME, [seen()])
        await clock.advance(15 * 60)
    assert [each.observed_at for _, each in safe.observed] == [NOW, NOW + timedelta(hours=1)]
    assert timedelta(seconds=TOLD_S_MAX) == RENEWAL_STEP


async def test_a_jump_of_the_time_of_day_has_the_facts_told_again_R14_R18(
    observing: Observing, safe: FakeSafe, clock: FakeClock
) -> None:
    await observing.tell(ME, [seen()])
    clock.set_now(clock.now() + timedelta(days=40))
    await observing.tell(ME, [seen()])
    assert len(safe.observed) == 2


async def test_what_retention_has_erased_is_told_to_it_again_R19(
    observing: Observing, safe: FakeSafe, clock: FakeClock
) -> None:
    await observing.tell(ME, [seen()])
    await clock.advance(CLOCK_KNOWN_S_MAX + 1)
    await observing.check(ME, "1")
    await observing.tell(ME, [seen()])
    assert len(safe.observed) == 2


@pytest.mark.parametrize(
    "changed",
    [
        seen(state=OrderState.SHIPPED),
        seen(purchased_at=NOW + timedelta(1)),
        seen(state=OrderState.SHIPPED, shipped_at=NOW),
        seen(state=OrderState.DELIVERED, delivered_at=NOW),
        seen("2"),
    ],
)
async def test_whatever_is_new_is_told_at_once_R18(
    observing: Observing, safe: FakeSafe, changed: tuple[str, Facts]
) -> None:
    await observing.tell(ME, [seen()])
    await observing.tell(ME, [seen(), changed])
    assert safe.observed == [observed(seen()), observed(changed)]


async def test_another_seller_is_another_matter_T07(observing: Observing, safe: FakeSafe) -> None:
    await observing.tell(ME, [seen()])
    await observing.tell(OTHER, [seen()])
    assert len(safe.observed) == 2


async def test_an_order_of_which_nothing_is_said_is_not_told(observing: Observing, safe: FakeSafe) -> None:
    await observing.tell(ME, [seen(state=OrderState.UNKNOWN)])
    assert not safe.rounds


async def test_what_retention_did_not_hear_is_told_again(observing: Observing, safe: FakeSafe) -> None:
    safe.is_down = True
    with pytest.raises(Down):
        await observing.tell(ME, [seen()])
    safe.is_down = False
    await observing.tell(ME, [seen()])
    assert safe.observed == [observed(seen())]


# --- together


async def test_concurrent_answers_of_a_seller_share_a_call(clock: FakeClock) -> None:
    safe = GatedSafe()
    observing = Observing(safe=safe, clock=clock)
    tellers = [asyncio.create_task(observing.tell(ME, [seen(str(number))])) for number in range(20)]
    other = asyncio.create_task(observing.tell(OTHER, [seen()]))
    await clock.advance(0.0)
    safe.gate.set()
    await asyncio.gather(*tellers, other)
    assert sorted(len(call) for call in safe.calls) == [1, 1, 19]


async def test_a_call_is_never_fuller_than_retention_takes(clock: FakeClock) -> None:
    safe = GatedSafe()
    observing = Observing(safe=safe, clock=clock)
    pages = [[seen(f"{page}-{number}") for number in range(90)] for page in range(6)]
    tellers = [asyncio.create_task(observing.tell(ME, page)) for page in pages]
    await clock.advance(0.0)
    safe.gate.set()
    await asyncio.gather(*tellers)
    assert sum(len(call) for call in safe.calls) == 540
    assert max(len(call) for call in safe.calls) <= 200


@pytest.mark.parametrize("turns", range(12))
@pytest.mark.parametrize("who", range(4))
async def test_whoever_goes_away_while_telling_takes_nobody_along_R18(
    clock: FakeClock, turns: int, who: int
) -> None:
    safe = GatedSafe()
    safe.gate.set()
    observing = Observing(safe=safe, clock=clock)
    tellers = [asyncio.create_task(observing.tell(ME, [seen(str(number))])) for number in range(4)]
    for _ in range(turns):
        await asyncio.sleep(0)
    tellers[who].cancel()
    await asyncio.gather(*tellers, return_exceptions=True)
    told = {observation.order_id for _, observation in safe.observed}
    assert told >= {str(number) for number, teller in enumerate(tellers) if not teller.cancelled()}
    await observing.tell(ME, [seen("9")])
    assert not observing._gathering
    assert not observing._sending


async def test_a_fault_is_heard_by_everybody_who_shared_the_call(clock: FakeClock) -> None:
    safe = GatedSafe()
    safe.is_down = True
    observing = Observing(safe=safe, clock=clock)
    tellers = [asyncio.create_task(observing.tell(ME, [seen(str(number))])) for number in range(3)]
    await clock.advance(0.0)
    safe.gate.set()
    faults = await asyncio.gather(*tellers, return_exceptions=True)
    assert [type(fault) for fault in faults] == [Down] * 3


# --- clocks


def over(order_id: str = "1", *, has_left: bool = True, ends_at: datetime = NOW) -> OrderClock:
    return OrderClock(order_id, ends_at, has_left)


async def test_an_order_past_its_clock_is_refused_without_asking_again_R19(
    observing: Observing, safe: FakeSafe
) -> None:
    safe.clocks["1"] = over()
    for _ in range(3):
        with pytest.raises(OrderExpired):
            await observing.check(ME, "1")
    assert safe.asked == [(ME, "1")]


async def test_only_a_clock_that_is_known_not_to_be_over_needs_no_check_R14_R19(
    observing: Observing, safe: FakeSafe, clock: FakeClock
) -> None:
    assert not observing.is_running(ME, "1")
    await observing.check(ME, "1")
    assert observing.is_running(ME, "1")
    await clock.advance(CLOCK_KNOWN_S_MAX + 1)
    assert not observing.is_running(ME, "1")
    safe.clocks["1"] = over(ends_at=clock.now() + timedelta(seconds=60))
    await observing.check(ME, "1")
    assert observing.is_running(ME, "1")
    assert not observing.is_running(OTHER, "1")
    await clock.advance(60.0)
    assert not observing.is_running(ME, "1")


async def test_a_clock_ends_while_it_is_remembered_R19(
    observing: Observing, safe: FakeSafe, clock: FakeClock
) -> None:
    safe.clocks["1"] = over(ends_at=clock.now() + timedelta(seconds=60))
    await observing.check(ME, "1")
    await clock.advance(60.0)
    with pytest.raises(OrderExpired):
        await observing.check(ME, "1")


async def test_an_order_that_has_not_left_may_be_looked_at_again_R18(
    observing: Observing, safe: FakeSafe
) -> None:
    safe.clocks["1"] = over(has_left=False)
    await observing.check(ME, "1")


async def test_what_retention_said_is_believed_for_a_while(
    observing: Observing, safe: FakeSafe, clock: FakeClock
) -> None:
    await observing.check(ME, "1")
    safe.clocks["1"] = over()
    await observing.check(ME, "1")
    await clock.advance(CLOCK_KNOWN_S_MAX + 1)
    with pytest.raises(OrderExpired):
        await observing.check(ME, "1")
    assert len(safe.asked) == 2


async def test_telling_of_an_order_brings_its_clock_along(observing: Observing, safe: FakeSafe) -> None:
    safe.clocks["1"] = over(ends_at=NOW + timedelta(20))
    await observing.tell(ME, [seen(state=OrderState.SHIPPED)])
    await observing.check(ME, "1")
    assert not safe.asked


async def test_of_several_orders_those_past_their_clocks_are_told_and_the_unheard_ones_asked_for_R19(
    observing: Observing, safe: FakeSafe, clock: FakeClock
) -> None:
    safe.clocks = {"1": over(), "2": over("2", ends_at=clock.now() + timedelta(seconds=60))}
    await observing.check(ME, "2")
    assert await observing.over(ME, ["1", "2", "3"]) == {"1"}
    assert safe.asked == [(ME, "2"), (ME, "1"), (ME, "3")]
    await clock.advance(60.0)
    assert await observing.over(ME, ["1", "2", "3"]) == {"1", "2"}
    assert await observing.over(OTHER, []) == set()
    assert len(safe.asked) == 3


# --- on the forwarding path


def order(**members: Any) -> bytes:
    return json.dumps({"payload": {"AmazonOrderId": ORDER, **members}}).encode()


@pytest.mark.parametrize("target", [ONE, ITEMS])
async def test_personal_data_of_an_order_past_its_clock_is_not_asked_for_R19(target: str) -> None:
    rig = Rig()
    rig.safe.expired.add(ORDER)
    answer = await rig.call(rig.auth.enrol(scopes=PII), target)
    assert (answer.status, error_of(answer)["code"]) == (410, "Gone")
    assert not rig.upstream.requests
    assert rig.told[-1] == ("gateway.pii.read", "outcome", "not_done")


async def test_whoever_sees_no_personal_data_may_look_at_any_order(rig_down: Rig) -> None:
    answer = await rig_down.call(rig_down.auth.enrol(), ITEMS)
    assert answer.status == 200


@pytest.fixture
def rig_down() -> Rig:
    made = Rig()
    made.safe.is_down = True
    return made


async def test_personal_data_does_not_leave_while_nobody_knows_the_clock_R11(rig_down: Rig) -> None:
    answer = await rig_down.call(rig_down.auth.enrol(scopes=PII), ITEMS)
    assert answer.status == 503
    assert error_of(answer)["details"].startswith("retention_unavailable")
    assert not rig_down.upstream.requests


async def test_an_answer_that_tells_that_the_clock_is_over_does_not_leave_R19() -> None:
    rig = Rig()

    async def learn(seller_id: str, orders: Sequence[Observation]) -> list[OrderClock]:
        rig.safe.observed += [(seller_id, each) for each in orders]
        return [over(ORDER)]

    rig.safe.observe_orders = learn  # type: ignore[method-assign]
    rig.upstream.replies.append(
        json_answer(order(OrderStatus="Shipped", PurchaseDate="2026-01-01T00:00:00Z"))
    )
    answer = await rig.call(rig.auth.enrol(scopes=PII), ONE)
    assert answer.status == 410
    assert len(rig.safe.observed) == 1


LIST = "/orders/v0/orders?MarketplaceIds=ATVPDKIKX0DER"
YOUNG = "902-0000000-0000001"


def page(**members: Any) -> bytes:
    """Return a page of two orders, ORDER and YOUNG, alike but for their ids."""
    buyer = {"BuyerInfo": {"BuyerEmail": "jane@example.com"}, "ShippingAddress": {"Name": "Jane Roe"}}
    orders = [{"AmazonOrderId": each, **buyer, **members} for each in (ORDER, YOUNG)]
    return json.dumps({"payload": {"Orders": orders, "NextToken": "n"}}).encode()


@pytest.mark.parametrize("status", [{"OrderStatus": "Shipped"}, {}])
async def test_a_list_shows_no_personal_data_of_an_order_past_its_clock_R19(status: dict[str, str]) -> None:
    rig = Rig()
    rig.safe.expired.add(ORDER)
    rig.upstream.answer = lambda _: json_answer(page(**status))
    answer = await rig.call(rig.auth.enrol(scopes=PII), LIST)
    old, young = json.loads(answer.body)["payload"]["Orders"]
    assert old == {
        "AmazonOrderId": ORDER,
        "BuyerInfo": {"BuyerEmail": "***"},
        "ShippingAddress": {"Name": "***"},
        **status,
    }
    assert young == json.loads(page(**status))["payload"]["Orders"][1]
    assert rig.audit.events[-1].details["order_ids"] == f"{ORDER},{YOUNG}"


async def test_a_list_shows_no_personal_data_of_an_order_that_the_audit_log_cannot_name_R01_R19() -> None:
    rig = Rig()
    buyer = {"BuyerInfo": {"BuyerEmail": "jane@example.com"}}
    named = [{"AmazonOrderId": f"902-0000000-{n:07}", **buyer} for n in range(OBSERVATIONS_MAX + 1)]
    listed = [{"AmazonOrderId": None, **buyer}, *named]
    rig.upstream.answer = lambda _: json_answer(json.dumps({"payload": {"Orders": listed}}).encode())
    answer = await rig.call(rig.auth.enrol(scopes=PII), LIST)
    hidden = {"BuyerInfo": {"BuyerEmail": "***"}}
    shown = json.loads(answer.body)["payload"]["Orders"]
    assert shown == [{"AmazonOrderId": None, **hidden}, *named[:-1], {**named[-1], **hidden}]


async def test_a_list_polled_again_and_again_costs_retention_one_call() -> None:
    rig = Rig()
    rig.upstream.answer = lambda _: json_answer(page(OrderStatus="Unshipped"))
    token = rig.auth.enrol(scopes=PII)
    for _ in range(5):
        answer = await rig.call(token, LIST)
        assert (answer.status, json.loads(answer.body)) == (200, json.loads(page(OrderStatus="Unshipped")))
    assert rig.safe.rounds == 1
    assert not rig.safe.asked


async def test_a_list_does_not_leave_in_full_while_nobody_knows_its_orders_clocks_R11(rig_down: Rig) -> None:
    rig_down.upstream.answer = lambda _: json_answer(page())
    assert (await rig_down.call(rig_down.auth.enrol(scopes=PII), LIST)).status == 503
    masked = await rig_down.call(rig_down.auth.enrol(), LIST)
    assert masked.status == 200
    assert b"Jane" not in masked.body


async def test_a_poll_that_brings_no_news_costs_retention_nothing() -> None:
    rig = Rig()
    rig.upstream.answer = lambda _: json_answer(order(OrderStatus="Unshipped"))
    token = rig.auth.enrol(scopes=PII)
    for _ in range(5):
        assert (await rig.call(token, ONE)).status == 200
    assert rig.safe.rounds == 1
    assert len(rig.safe.asked) == 1


async def test_an_order_that_retention_does_not_know_is_told_to_it_again() -> None:
    rig = Rig()
    token = rig.auth.enrol(scopes=PII)
    rig.upstream.answer = lambda asked: json_answer(
        ADDRESS_BYTES if asked.path.endswith("/address") else order(OrderStatus="Unshipped")
    )
    await rig.call(token, ONE)
    rig.safe.unknown.add(ORDER)
    await rig.call(token, ADDRESS_PATH)
    await rig.call(token, ONE)
    assert rig.safe.rounds == 2
