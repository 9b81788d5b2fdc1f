from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from simulator.orders import progress
from simulator.orders.progress import History, Status
from simulator.seed import Seed
from simulator.world import Order, World
from tests.unit.simulator.rig import BORN_AT

WORLD = World(seed=Seed(1), born_at=BORN_AT, sellers_count=1)
STEPS = list(Status)


def order_number(number: int) -> Order:
    found = WORLD.order(WORLD.order_id(WORLD.sellers[0], number))
    assert found is not None
    return found


def at(order: Order, moment: datetime, history: History | None = None) -> progress.Progress:
    return progress.at(order, history or History(), moment)


def test_an_order_waits_for_payment_is_packed_shipped_and_delivered_as_time_passes() -> None:
    order = order_number(23)
    delivered_at = order.ships_at + order.travel
    assert at(order, order.placed_at).status is Status.PENDING
    assert at(order, order.placed_at + timedelta(minutes=30)).status is Status.UNSHIPPED
    assert at(order, order.ships_at - timedelta(seconds=1)).status is Status.UNSHIPPED
    shipped = at(order, order.ships_at)
    assert (shipped.status, shipped.shipped_at, shipped.delivered_at) == (
        Status.SHIPPED,
        order.ships_at,
        None,
    )
    assert at(order, delivered_at).delivered_at == delivered_at


def test_the_newest_order_at_birth_has_not_been_shipped() -> None:
    assert at(order_number(23), BORN_AT).status is Status.UNSHIPPED


@given(number=st.integers(0, 400), hours=st.lists(st.integers(0, 24 * 30), min_size=2, max_size=5))
def test_an_order_never_goes_backwards_as_time_passes(number: int, hours: list[int]) -> None:
    order = order_number(number)
    seen = [at(order, order.placed_at + timedelta(hours=hour)) for hour in sorted(hours)]
    assert [STEPS.index(one.status) for one in seen] == sorted(STEPS.index(one.status) for one in seen)
    assert [one.updated_at for one in seen] == sorted(one.updated_at for one in seen)
    assert all(one.quantity_shipped in (0, order.quantity) for one in seen)


def test_a_confirmed_parcel_ships_part_of_an_order_and_the_warehouse_the_rest() -> None:
    order = order_number(23)
    (first, *others) = order.items
    confirmed_at = order.placed_at + timedelta(hours=1)
    parcel = progress.parcel(order, reference="1", at=confirmed_at, items=((first.item_id, first.quantity),))
    history = History(packages=(parcel,))
    part = at(order, confirmed_at, history)
    assert (part.status, part.shipped) == (Status.PARTIALLY_SHIPPED, {first.item_id: first.quantity})
    whole = at(order, order.ships_at, history)
    assert whole.status is Status.SHIPPED
    assert len(whole.packages) == 2
    assert sum(quantity for _, quantity in whole.packages[1].items) == sum(item.quantity for item in others)


def test_an_order_that_is_fetched_waits_at_the_counter() -> None:
    order = order_number(7)
    assert order.is_pickup
    assert at(order, order.placed_at + timedelta(days=200)).status is Status.UNSHIPPED


def test_a_recorded_delivery_comes_before_the_scheduled_one() -> None:
    order = order_number(22)
    early = order.ships_at + timedelta(minutes=5)
    history = History(delivered_at=early)
    assert at(order, early, history).delivered_at == early
    assert at(order, early, replace(history, delivered_at=None)).delivered_at is None
