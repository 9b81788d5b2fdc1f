from datetime import timedelta
from typing import Any

import pytest

from simulator.exchange import Answer
from tests.unit.simulator.rig import PLAIN, RESOURCES, Rig, error, marketplaces

LIST = "/orders/v0/orders"


def listed(rig: Rig, token: str, seller: int = 0, **query: str) -> Answer:
    fields = {"MarketplaceIds": marketplaces(rig.sellers[seller]), "CreatedAfter": "2025-12-01"} | query
    return rig.get(LIST, token, **{name: value for name, value in fields.items() if value})


def ids(answer: Answer) -> list[str]:
    assert answer.status == 200, answer
    return [order["AmazonOrderId"] for order in answer.document()["payload"]["Orders"]]


def leaks(rig: Rig, answer: Answer) -> list[str]:
    text = answer.body.decode()
    return [needle for order in rig.orders() for needle in order.buyer.needles() if needle in text]


def test_an_ordinary_token_shows_places_but_no_person() -> None:
    rig = Rig()
    token = rig.access()
    answers = [listed(rig, token)]
    for order in rig.orders():
        answers += [
            rig.get(f"{LIST}/{order.order_id}", token),
            rig.get(f"{LIST}/{order.order_id}/orderItems", token),
        ]
    assert [leak for answer in answers for leak in leaks(rig, answer)] == []
    shown = answers[0].document()["payload"]["Orders"][0]
    assert shown["ShippingAddress"].keys() == {"City", "StateOrRegion", "PostalCode", "CountryCode"}
    assert shown["BuyerInfo"] == {}


@pytest.mark.parametrize(
    ("element", "shows"),
    [
        ("buyerInfo", "BuyerInfo.BuyerName"),
        ("shippingAddress", "ShippingAddress.AddressLine1"),
        ("buyerTaxInformation", "BuyerTaxInformation.BuyerTaxRegistrationId"),
    ],
)
def test_each_data_element_adds_its_own_data_and_no_other(element: str, shows: str) -> None:
    rig = Rig()
    path = "/orders/v0/orders/{orderId}"
    token = rig.restricted(rig.access(), [{"method": "GET", "path": path, "dataElements": [element]}])
    business = rig.orders()[3]
    payload = rig.get(f"{LIST}/{business.order_id}", token).document()["payload"]
    found = {
        "BuyerInfo.BuyerName": "BuyerName" in payload["BuyerInfo"],
        "ShippingAddress.AddressLine1": "AddressLine1" in payload["ShippingAddress"],
        "BuyerTaxInformation.BuyerTaxRegistrationId": "BuyerTaxInformation" in payload,
    }
    assert [name for name, is_there in found.items() if is_there] == [shows]


def test_a_restricted_token_shows_the_buyer_of_one_order_everywhere() -> None:
    rig = Rig()
    token = rig.restricted(rig.access())
    order = rig.orders()[23]
    person = order.buyer
    address = rig.get(f"{LIST}/{order.order_id}/address", token).document()["payload"]
    assert address["ShippingAddress"]["Name"] == person.name
    assert address["ShippingAddress"]["AddressLine1"] == person.address.line_1
    assert address["ShippingAddress"]["Phone"] == person.phone
    buyer = rig.get(f"{LIST}/{order.order_id}/buyerInfo", token).document()["payload"]
    assert (buyer["BuyerName"], buyer["BuyerEmail"]) == (person.name, person.email)
    gifts = rig.get(f"{LIST}/{order.order_id}/orderItems/buyerInfo", token).document()["payload"][
        "OrderItems"
    ]
    assert {gift["GiftMessageText"] for gift in gifts} == {person.gift_message}
    items = rig.get(f"{LIST}/{order.order_id}/orderItems", token).document()["payload"]["OrderItems"]
    assert [item["OrderItemId"] for item in items] == [item.item_id for item in order.items]
    assert items[0]["BuyerInfo"]["GiftMessageText"] == person.gift_message
    regulated = rig.get(f"{LIST}/{rig.orders()[6].order_id}/regulatedInfo", token).document()["payload"]
    assert regulated["RegulatedOrderVerificationStatus"]["Status"] == "Pending"


def test_an_order_of_amazons_warehouse_shows_neither_telephone_nor_email() -> None:
    rig = Rig()
    token = rig.restricted(rig.access())
    order = rig.orders()[1]
    payload = rig.get(f"{LIST}/{order.order_id}", token).document()["payload"]
    assert payload["FulfillmentChannel"] == "AFN"
    assert "Phone" not in payload["ShippingAddress"]
    assert "BuyerEmail" not in payload["BuyerInfo"]


def test_an_order_that_waits_for_payment_shows_no_person_and_no_price() -> None:
    rig = Rig()
    connected = rig.connect()["refresh_token"]
    new = rig.core.world.placed(rig.sellers[0], rig.clock.now() + timedelta(hours=10))[-1]
    rig.clock.advance(seconds=(new.placed_at - rig.clock.now()).total_seconds() + 1)
    access = rig.lwa(grant_type="refresh_token", refresh_token=connected).document()["access_token"]
    token = rig.restricted(access)
    payload = rig.get(f"{LIST}/{new.order_id}", token).document()["payload"]
    assert payload["OrderStatus"] == "Pending"
    assert payload.keys().isdisjoint({"BuyerInfo", "ShippingAddress", "OrderTotal"})
    for part in ("address", "buyerInfo", "orderItems/buyerInfo", "orderItems"):
        answer = rig.get(f"{LIST}/{new.order_id}/{part}", token)
        assert not [needle for needle in new.buyer.needles() if needle in answer.body.decode()]


def test_foreign_absent_and_future_orders_answer_the_same_T07() -> None:
    rig = Rig()
    token = rig.restricted(rig.access())
    future = rig.core.world.order_id(rig.sellers[0], 1_000)
    answers = [
        rig.get(f"{LIST}/{order_id}{part}", token)
        for order_id in (rig.orders(1)[0].order_id, "902-0000000-0000000", "x", future)
        for part in ("", "/address", "/buyerInfo", "/orderItems")
    ]
    assert {(answer.status, answer.body) for answer in answers} == {(404, answers[0].body)}


def test_pages_hold_every_order_once_and_the_token_carries_the_search() -> None:
    rig = Rig()
    token = rig.access()
    answer = listed(rig, token, MaxResultsPerPage="7")
    seen = ids(answer)
    while "NextToken" in answer.document()["payload"]:
        next_token = answer.document()["payload"]["NextToken"]
        answer = rig.get(LIST, token, NextToken=next_token, MaxResultsPerPage="7")
        seen += ids(answer)
    assert seen == [order.order_id for order in rig.orders()]


def test_a_page_token_that_is_changed_late_or_of_another_search_is_refused() -> None:
    rig = Rig()
    connected = rig.connect()
    token = connected["access_token"]
    page = listed(rig, token, MaxResultsPerPage="7").document()["payload"]["NextToken"]
    assert listed(rig, token, NextToken=page).status == 200
    assert listed(rig, token, NextToken=page, Unheard="of").status == 200
    assert listed(rig, token, NextToken=page, CreatedAfter="2025-12-02").status == 400
    assert rig.get(LIST, token, NextToken=page[:-4] + "AAAA").status == 400
    assert rig.get(LIST, token, NextToken="€").status == 400
    rig.clock.advance(hours=24, seconds=1)
    fresh = rig.lwa(grant_type="refresh_token", refresh_token=connected["refresh_token"]).document()
    assert rig.get(LIST, fresh["access_token"], NextToken=page).status == 400


def test_a_page_token_tells_nobody_what_was_searched_for() -> None:
    rig = Rig()
    token = rig.access()
    page = listed(rig, token, MaxResultsPerPage="7").document()["payload"]["NextToken"]
    again = listed(rig, token, MaxResultsPerPage="7").document()["payload"]["NextToken"]
    assert page == again
    assert "2025" not in page


def test_filters_choose_orders() -> None:
    rig = Rig()
    token = rig.access()
    orders = rig.orders()
    by_status = {
        row["order_id"]: row["status"]
        for row in rig.controls.orders(rig.sellers[0].seller_id, None)["orders"]
    }
    first, second = rig.sellers[0].marketplaces

    def expect(chosen: list[Any], **query: str) -> None:
        assert ids(listed(rig, token, 0, **query)) == [order.order_id for order in chosen]

    expect([o for o in orders if o.marketplace == first], MarketplaceIds=first.marketplace_id)
    expect([o for o in orders if o.is_amazon_fulfilled], FulfillmentChannels="AFN")
    expect([o for o in orders if not o.is_amazon_fulfilled], FulfillmentChannels="MFN")
    expect(orders, FulfillmentChannels="MFN,AFN")
    expect([o for o in orders if by_status[o.order_id] == "Unshipped"], OrderStatuses="Unshipped,Canceled")
    expect([orders[3]], BuyerEmail=orders[3].buyer.email)
    expect(orders[2:4], AmazonOrderIds=f"{orders[2].order_id},{orders[3].order_id}", CreatedAfter="")
    expect([orders[4]], SellerOrderId=orders[4].order_id, CreatedAfter="")
    expect([o for o in orders if o.is_pickup], IsISPU="true")
    expect([], EasyShipShipmentStatuses="Delivered")
    expect([], PaymentMethods="COD")
    expect([], ElectronicInvoiceStatuses="Accepted")
    cut = orders[12].placed_at.isoformat()
    expect(orders[12:], CreatedAfter=cut)
    expect(orders[:13], CreatedBefore=cut)
    assert second.marketplace_id in {o.marketplace.marketplace_id for o in orders}


def test_a_repeated_parameter_counts_like_a_comma_joined_one() -> None:
    rig = Rig()
    query = [("MarketplaceIds", m.marketplace_id) for m in rig.sellers[0].marketplaces]
    query.append(("CreatedAfter", "2025-12-01T00:00:00Z"))
    answer = rig.send("GET", LIST, query, headers={"x-amz-access-token": rig.access()})
    assert len(ids(answer)) == 24


def test_a_search_by_update_is_sorted_by_update_and_sees_a_shipment_two_minutes_later() -> None:
    rig = Rig()
    token = rig.access()
    order = rig.orders()[23]
    since = rig.clock.now().isoformat()
    rig.controls.ship(order.order_id)
    assert ids(listed(rig, token, CreatedAfter="", LastUpdatedAfter=since)) == []
    rig.clock.advance(minutes=2)
    answer = listed(rig, token, CreatedAfter="", LastUpdatedAfter=since)
    assert ids(answer) == [order.order_id]
    assert "LastUpdatedBefore" in answer.document()["payload"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"CreatedAfter": ""},
        {"MarketplaceIds": ""},
        {"LastUpdatedAfter": "2025-12-01"},
        {"LastUpdatedBefore": "2025-12-01"},
        {"CreatedAfter": "TEST_CASE_200"},
        {"CreatedAfter": "0001-01-01T00:00:00+23:59"},
        {"CreatedBefore": "2025-11-01"},
        {"CreatedBefore": "2026-01-05T07:59:00Z"},
        {"MaxResultsPerPage": "0"},
        {"MaxResultsPerPage": "101"},
        {"MaxResultsPerPage": "many"},
        {"OrderStatuses": "Delivered"},
        {"FulfillmentChannels": "FBA"},
        {"MarketplaceIds": ",".join(f"M{n}" for n in range(51))},
    ],
)
def test_a_search_that_makes_no_sense_is_invalid_input(wrong: dict[str, str]) -> None:
    rig = Rig()
    answer = listed(rig, rig.access(), 0, **wrong)
    assert (answer.status, error(answer)["code"]) == (400, "InvalidInput")


def test_order_items_have_one_page_only() -> None:
    rig = Rig()
    order_id = rig.orders()[0].order_id
    assert rig.get(f"{LIST}/{order_id}/orderItems", rig.access(), NextToken="x").status == 400


def test_an_application_without_roles_sees_no_person_in_any_version() -> None:
    rig = Rig()
    token = rig.access(application=PLAIN)
    order_id = rig.orders()[3].order_id
    data = "BUYER,RECIPIENT,TAX,PACKAGES"
    answer = rig.get(f"/orders/2026-01-01/orders/{order_id}", token, includedData=data)
    assert answer.status == 200
    assert leaks(rig, answer) == leaks(rig, listed(rig, token)) == []


def test_the_resources_of_the_rig_cover_every_restricted_operation_of_orders() -> None:
    assert len(RESOURCES) == 7
