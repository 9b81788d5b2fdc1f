"""A desktop's call and the safe: kept copies, orders past their clocks, what answers tell about orders."""

import json

import pytest

from fakes.gateway_ports import json_answer
from services.gateway.model.calls import SafeKey
from tests.unit.gateway.forwarding import ADDRESS_BYTES, ADDRESS_PATH, ORDER, PII, Rig, error_of


@pytest.fixture
def rig() -> Rig:
    return Rig()


BUYER_PATH = f"/orders/v0/orders/{ORDER}/buyerInfo"
BUYER_BYTES = json.dumps({"payload": {"AmazonOrderId": ORDER, "BuyerName": "Jane Roe"}}).encode()


@pytest.mark.parametrize(
    ("path", "body", "operation"),
    [
        (ADDRESS_PATH, ADDRESS_BYTES, "ordersV0.getOrderAddress"),
        (BUYER_PATH, BUYER_BYTES, "ordersV0.getOrderBuyerInfo"),
    ],
)
async def test_the_kept_copy_is_served_without_asking_amazon(
    rig: Rig, path: str, body: bytes, operation: str
) -> None:
    rig.upstream.replies.append(json_answer(body))
    trusted, other = rig.auth.enrol(scopes=PII), rig.auth.enrol()
    first = await rig.call(trusted, path)
    again = await rig.call(trusted, path)
    masked = await rig.call(other, path)
    assert first.body == again.body == body
    assert b"Jane" not in masked.body
    assert len(rig.upstream.requests) == 1
    assert rig.safe.kept == {SafeKey("seller-1", ORDER, operation): body}


async def test_another_seller_never_gets_the_kept_copy_T07(rig: Rig) -> None:
    rig.upstream.replies.append(json_answer(ADDRESS_BYTES))
    rig.upstream.answer = lambda _: json_answer(b'{"errors":[{"code":"NotFound","message":"None."}]}', 404)
    await rig.call(rig.auth.enrol(scopes=PII), ADDRESS_PATH)
    foreign = await rig.call(rig.auth.enrol(seller_id="seller-2", scopes=PII), ADDRESS_PATH)
    absent = await rig.call(
        rig.auth.enrol(seller_id="seller-2", scopes=PII), "/orders/v0/orders/000-0000000-0000000/address"
    )
    assert foreign.status == 404
    assert (foreign.status, foreign.body, foreign.headers) == (absent.status, absent.body, absent.headers)


async def test_an_order_past_its_clock_is_gone_even_if_amazon_would_tell(rig: Rig) -> None:
    rig.safe.expired.add(ORDER)
    answer = await rig.call(rig.auth.enrol(scopes=PII), ADDRESS_PATH)
    assert (answer.status, error_of(answer)["code"]) == (410, "Gone")
    assert error_of(answer)["details"].startswith("expired")
    assert not rig.upstream.requests


async def test_personal_data_does_not_leave_when_the_safe_cannot_be_told(rig: Rig) -> None:
    rig.safe.is_down = True
    answer = await rig.call(rig.auth.enrol(scopes=PII), ADDRESS_PATH)
    assert answer.status == 503
    assert not rig.upstream.requests


async def test_an_order_that_nobody_listed_is_served_and_not_kept(rig: Rig) -> None:
    rig.safe.unknown.add(ORDER)
    rig.upstream.replies.append(json_answer(ADDRESS_BYTES))
    answer = await rig.call(rig.auth.enrol(scopes=PII), ADDRESS_PATH)
    assert answer.status == 200
    assert rig.signals.side_failures == [("seal", "order_not_observed")]
    assert not rig.safe.kept


ORDERS_BYTES = json.dumps(
    {
        "payload": {
            "Orders": [
                {"AmazonOrderId": ORDER, "OrderStatus": "Shipped", "PurchaseDate": "2026-11-01T08:00:00Z"},
                {"AmazonOrderId": "114-0000000-0000001", "OrderStatus": "Unshipped"},
            ]
        }
    }
).encode()


async def test_what_a_list_tells_about_orders_reaches_retention_first(rig: Rig) -> None:
    rig.upstream.replies.append(json_answer(ORDERS_BYTES))
    answer = await rig.call(rig.auth.enrol(), "/orders/v0/orders")
    assert answer.status == 200
    assert [(seller, seen.order_id, seen.facts.state) for seller, seen in rig.safe.observed] == [
        ("seller-1", ORDER, "shipped"),
        ("seller-1", "114-0000000-0000001", "unshipped"),
    ]


async def test_an_answer_that_does_not_say_whether_an_order_left_moves_no_clock_R18(rig: Rig) -> None:
    said = {"orders": [{"orderId": ORDER, "createdTime": "2026-11-01T08:00:00Z", "buyer": {}}]}
    rig.upstream.replies.append(json_answer(json.dumps(said).encode()))
    answer = await rig.call(rig.auth.enrol(scopes=PII), "/orders/2026-01-01/orders?includedData=BUYER")
    assert answer.status == 200
    assert not rig.safe.observed
    assert rig.audit.events[-1].details["order_ids"] == ORDER


@pytest.mark.parametrize(("scopes", "status"), [(PII, 503), (frozenset({"orders"}), 200)])
async def test_a_deaf_safe_stops_only_answers_with_personal_data(
    rig: Rig, scopes: frozenset[str], status: int
) -> None:
    rig.safe.is_down = True
    rig.upstream.replies.append(json_answer(ORDERS_BYTES))
    answer = await rig.call(rig.auth.enrol(scopes=scopes), "/orders/v0/orders")
    assert answer.status == status
    if status == 200:
        assert rig.signals.side_failures == [("observe_orders", "store_unavailable")]
