import pytest

from simulator.exchange import Answer
from simulator.orders.views_2026 import Dataset
from tests.unit.simulator.rig import Rig, error

LIST = "/orders/2026-01-01/orders"
EVERYTHING = ",".join(Dataset)


def found(answer: Answer) -> list[str]:
    assert answer.status == 200, answer
    return [order["orderId"] for order in answer.document()["orders"]]


def test_an_ordinary_token_shows_the_datasets_asked_for() -> None:
    rig = Rig()
    token = rig.access()
    order = rig.orders()[23]
    plain = rig.get(f"{LIST}/{order.order_id}", token).document()["order"]
    assert plain.keys().isdisjoint(
        {"buyer", "recipient", "proceeds", "fulfillment", "packages", "tax", "payment"}
    )
    full = rig.get(f"{LIST}/{order.order_id}", token, includedData=EVERYTHING).document()["order"]
    assert full["buyer"]["buyerEmail"] == order.buyer.email
    assert full["recipient"]["deliveryAddress"]["addressLine1"] == order.buyer.address.line_1
    assert full["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"
    assert (
        full["orderItems"][0]["fulfillment"]["packing"]["giftOption"]["giftMessage"]
        == order.buyer.gift_message
    )
    one = rig.get(f"{LIST}/{order.order_id}", token, includedData="BUYER").document()["order"]
    assert "recipient" not in one


def test_packages_tell_when_an_order_was_shipped_and_delivered() -> None:
    rig = Rig()
    token = rig.access()
    order_id = rig.orders()[23].order_id

    def package() -> dict[str, object]:
        document = rig.get(f"{LIST}/{order_id}", token, includedData="PACKAGES").document()
        (only,) = document["order"]["packages"]
        shown: dict[str, object] = only
        return shown

    rig.controls.ship(order_id)
    shipped = package()
    assert (shipped["packageStatus"], shipped["shipTime"]) == (
        {"status": "IN_TRANSIT", "detailedStatus": "PICKED_UP"},
        "2026-01-05T08:00:00Z",
    )
    rig.controls.deliver(order_id)
    assert package()["packageStatus"] == {"status": "DELIVERED", "detailedStatus": "DELIVERED"}


def test_a_business_order_carries_its_tax_registration() -> None:
    rig = Rig()
    order = rig.orders()[3]
    document = rig.get(f"{LIST}/{order.order_id}", rig.access(), includedData="TAX").document()["order"]
    assert document["tax"]["taxRegistrations"][0]["taxRegistrationNumber"] == order.buyer.tax_id
    assert document["programs"] == ["AMAZON_BUSINESS"]


def test_pages_hold_every_order_once() -> None:
    rig = Rig()
    token = rig.access()
    query = {"createdAfter": "2025-12-01", "maxResultsPerPage": "5", "includedData": "FULFILLMENT"}
    answer = rig.get(LIST, token, **query)
    seen = found(answer)
    while "pagination" in answer.document():
        assert "fulfillment" in answer.document()["orders"][0]
        page = answer.document()["pagination"]["nextToken"]
        answer = rig.get(LIST, token, **query, paginationToken=page)
        seen += found(answer)
    assert seen == [order.order_id for order in rig.orders()]


def test_a_page_token_of_one_version_is_unknown_to_the_other() -> None:
    rig = Rig()
    token = rig.access()
    answer = rig.get(LIST, token, createdAfter="2025-12-01", maxResultsPerPage="5")
    page = answer.document()["pagination"]["nextToken"]
    assert rig.get("/orders/v0/orders", token, NextToken=page).status == 400


def test_filters_choose_orders() -> None:
    rig = Rig()
    token = rig.access()
    amazon = [order.order_id for order in rig.orders() if order.is_amazon_fulfilled]
    query = {"createdAfter": "2025-12-01"}
    assert found(rig.get(LIST, token, **query, fulfilledBy="AMAZON")) == amazon
    assert len(found(rig.get(LIST, token, **query, fulfilledBy="MERCHANT"))) == 24 - len(amazon)
    shipped = found(rig.get(LIST, token, **query, fulfillmentStatuses="SHIPPED"))
    unshipped = found(rig.get(LIST, token, **query, fulfillmentStatuses="UNSHIPPED"))
    assert len(shipped) + len(unshipped) == 24
    assert found(rig.get(LIST, token, **query, fulfillmentStatuses="CANCELLED")) == []
    elsewhere = rig.sellers[1].marketplaces[0].marketplace_id
    assert found(rig.get(LIST, token, **query, marketplaceIds=elsewhere)) == []


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"createdAfter": "2025-12-01", "lastUpdatedAfter": "2025-12-01"},
        {"createdAfter": "2025-12-01", "lastUpdatedBefore": "2025-12-02"},
        {"createdAfter": "2025-12-01", "createdBefore": "2026-01-05T07:59:00Z"},
        {"createdAfter": "2025-12-01", "includedData": "BUYER,SECRETS"},
        {"createdAfter": "2025-12-01", "fulfillmentStatuses": "Unshipped"},
        {"createdAfter": "2025-12-01", "fulfilledBy": "NOBODY"},
        {"createdAfter": "2025-12-01", "paginationToken": "2YgYW55"},
    ],
)
def test_a_search_that_makes_no_sense_is_invalid_input(query: dict[str, str]) -> None:
    rig = Rig()
    answer = rig.get(LIST, rig.access(), **query)
    assert (answer.status, error(answer)["code"]) == (400, "InvalidInput")


def test_foreign_and_absent_orders_answer_the_same_T07() -> None:
    rig = Rig()
    token = rig.access()
    foreign = rig.get(f"{LIST}/{rig.orders(1)[0].order_id}", token)
    absent = rig.get(f"{LIST}/902-0000000-0000000", token)
    assert (foreign.status, foreign.body) == (absent.status, absent.body) == (404, absent.body)
