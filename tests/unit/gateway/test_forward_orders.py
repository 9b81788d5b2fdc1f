"""What Amazon's answers tell about orders' clocks."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.model.orders import (
    OBSERVATIONS_MAX,
    TEXT_LENGTH_MAX,
    Facts,
    OrderState,
    facts,
    outline,
    tells_of_orders,
)

V0_LIST, V0_ONE = "ordersV0.getOrders", "ordersV0.getOrder"
NEW_LIST, NEW_ONE = "orders_2026-01-01.searchOrders", "orders_2026-01-01.getOrder"


def v0(**order: Any) -> Facts:
    ((order_id, seen),) = facts(V0_ONE, {"payload": {"AmazonOrderId": "1", **order}})
    assert order_id == "1"
    return seen


def new(**order: Any) -> Facts:
    ((order_id, seen),) = facts(NEW_ONE, {"order": {"orderId": "1", **order}})
    assert order_id == "1"
    return seen


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("Pending", OrderState.UNSHIPPED),
        ("Unshipped", OrderState.UNSHIPPED),
        ("Canceled", OrderState.UNSHIPPED),
        ("PartiallyShipped", OrderState.SHIPPED),
        ("Shipped", OrderState.SHIPPED),
        ("InvoiceUnconfirmed", OrderState.SHIPPED),
        ("SomethingNew", OrderState.SHIPPED),
        (None, OrderState.UNKNOWN),
        (7, OrderState.UNKNOWN),
    ],
)
def test_a_v0_order_has_left_once_any_part_of_it_has_R18(status: object, state: OrderState) -> None:
    assert v0(OrderStatus=status).state is state


def test_easy_ship_tells_of_the_delivery() -> None:
    assert v0(OrderStatus="Shipped", EasyShipShipmentStatus="Delivered").state is OrderState.DELIVERED
    for status in ("PickedUp", "RejectedByBuyer", "ReturningToSeller", "Lost", "Damaged"):
        assert v0(OrderStatus="Unshipped", EasyShipShipmentStatus=status).state is OrderState.SHIPPED
    assert v0(OrderStatus="Unshipped", EasyShipShipmentStatus="PendingPickUp").state is OrderState.UNSHIPPED


def test_a_v0_order_tells_its_purchase_and_no_other_time() -> None:
    seen = v0(
        OrderStatus="Pending", PurchaseDate="2026-11-01T08:00:00Z", LatestShipDate="2026-11-05T08:00:00Z"
    )
    assert seen == Facts(OrderState.UNSHIPPED, purchased_at=datetime(2026, 11, 1, 8, tzinfo=UTC))


def test_a_word_longer_than_any_of_amazons_starts_the_clock_and_a_longer_time_is_none_R18() -> None:
    fraction = "0" * TEXT_LENGTH_MAX
    seen = v0(OrderStatus="Pending" * TEXT_LENGTH_MAX, PurchaseDate=f"2026-11-01T08:00:00.{fraction}Z")
    assert (seen.state, seen.purchased_at) == (OrderState.SHIPPED, None)


def test_a_2026_order_counts_from_its_first_package() -> None:
    packages = [
        {"shipTime": "2026-11-09T08:00:00Z", "packageStatus": {"status": "SHIPPED"}},
        {"shipTime": "2026-11-07T10:00:00+02:00", "packageStatus": {"status": "DELIVERED"}},
        {"packageStatus": {"status": "PENDING"}},
    ]
    seen = new(createdTime="2026-11-01T08:00:00Z", packages=packages)
    assert seen.state is OrderState.DELIVERED
    assert seen.shipped_at == datetime(2026, 11, 7, 8, tzinfo=UTC)
    assert seen.purchased_at == datetime(2026, 11, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("order", "state"),
    [
        ({"fulfillment": {"fulfillmentStatus": "UNSHIPPED"}}, OrderState.UNSHIPPED),
        ({"fulfillment": {"fulfillmentStatus": "PARTIALLY_SHIPPED"}}, OrderState.SHIPPED),
        ({"packages": [{"packageStatus": {"status": "IN_TRANSIT"}}]}, OrderState.SHIPPED),
        ({"packages": [{"packageStatus": {"status": "PENDING"}}]}, OrderState.UNSHIPPED),
        ({"packages": [{"shipTime": "2026-11-09T08:00:00Z"}]}, OrderState.SHIPPED),
        ({"buyer": {"buyerName": "Jane Roe"}}, OrderState.UNKNOWN),
        ({"packages": []}, OrderState.UNKNOWN),
    ],
)
def test_a_2026_order_has_left_once_any_package_has_R18(order: dict[str, Any], state: OrderState) -> None:
    assert new(**order).state is state


def test_lists_are_read_in_their_order_and_within_bounds() -> None:
    listed = [{"AmazonOrderId": str(number)} for number in range(OBSERVATIONS_MAX + 50)]
    seen = facts(V0_LIST, {"payload": {"Orders": listed}})
    assert [order_id for order_id, _ in seen] == [str(number) for number in range(OBSERVATIONS_MAX)]
    assert [order_id for order_id, _ in facts(NEW_LIST, {"orders": [{"orderId": "a"}]})] == ["a"]


@pytest.mark.parametrize("order_id", [None, "", 7, "x" * 65, "a\nb", ["1"]])
def test_an_entry_without_a_proper_id_is_passed_over(order_id: object) -> None:
    assert facts(V0_LIST, {"payload": {"Orders": [{"AmazonOrderId": order_id}]}}) == []


def test_other_operations_tell_nothing() -> None:
    assert not tells_of_orders("fulfillmentOutbound_2026-07-04.getOrder")
    assert facts("fulfillmentOutbound_2026-07-04.getOrder", {"order": {"orderId": "1"}}) == []


NAMES = st.sampled_from(
    [
        "payload",
        "Orders",
        "orders",
        "order",
        "AmazonOrderId",
        "orderId",
        "packages",
        "shipTime",
        "createdTime",
    ]
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=30) | st.datetimes().map(str),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=25,
)


@settings(deadline=None)
@given(DOCUMENTS, st.sampled_from([V0_LIST, V0_ONE, NEW_LIST, NEW_ONE]))
def test_no_answer_however_strange_breaks_the_reading_T29(document: Any, operation: str) -> None:
    for order_id, seen in facts(operation, document):
        assert 0 < len(order_id) <= 64
        assert all(at is None or at.tzinfo is not None for at in seen[1:])


ORDERS = st.fixed_dictionaries(
    {},
    optional={
        "AmazonOrderId": st.just("1") | DOCUMENTS,
        "OrderStatus": st.sampled_from(["Shipped", "Pending"]) | DOCUMENTS,
        "PurchaseDate": st.just("2026-11-01T08:00:00Z") | DOCUMENTS,
        "orderId": st.just("1") | DOCUMENTS,
        "packages": st.just([{"shipTime": "2026-11-07T10:00:00+02:00"}]) | DOCUMENTS,
        "fulfillment": st.just({"fulfillmentStatus": "UNSHIPPED"}) | DOCUMENTS,
        "BuyerInfo": DOCUMENTS,
    },
)
PAGES = (
    st.fixed_dictionaries(
        {"payload": st.fixed_dictionaries({"Orders": st.lists(ORDERS, max_size=3)}) | ORDERS}
    )
    | st.fixed_dictionaries({"orders": st.lists(ORDERS, max_size=3)})
    | st.fixed_dictionaries({"order": ORDERS})
    | DOCUMENTS
)


@settings(deadline=None)
@given(PAGES, st.sampled_from([V0_LIST, V0_ONE, NEW_LIST, NEW_ONE]))
def test_an_outline_tells_of_orders_what_the_whole_answer_tells(document: Any, operation: str) -> None:
    drawn = outline(operation, orjson.dumps(document))
    assert drawn is None or facts(operation, drawn) == facts(operation, document)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[" * 100_000, b'{"payload":7}', b'{"payload":{"Orders":[{"AmazonOrderId":"\xff"}]}}'],
)
def test_there_is_no_outline_of_what_is_not_of_the_models_shape_T29(body: bytes) -> None:
    assert outline(V0_LIST, body) is None


def test_an_outline_holds_nothing_of_buyers() -> None:
    body = b'{"payload":{"Orders":[{"AmazonOrderId":"1","BuyerInfo":{"BuyerName":"Erika"}}],"NextToken":"x"}}'
    assert outline(V0_LIST, body) == {"payload": {"Orders": [{"AmazonOrderId": "1"}]}}
