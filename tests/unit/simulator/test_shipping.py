from typing import Any

import pytest

from simulator.exchange import Answer
from simulator.world import Order
from tests.unit.simulator.rig import Rig


def parcel(order: Order, *, reference: str = "1", items: Any = None, **changes: Any) -> dict[str, Any]:
    everything = [{"orderItemId": item.item_id, "quantity": item.quantity} for item in order.items]
    detail = {
        "packageReferenceId": reference,
        "carrierCode": "UPS",
        "trackingNumber": "1Z999",
        "shipDate": "2026-01-05T08:00:00Z",
        "orderItems": everything if items is None else items,
    }
    return {"marketplaceId": order.marketplace.marketplace_id, "packageDetail": detail | changes}


def confirm(rig: Rig, token: str, order: Order, document: Any) -> Answer:
    return rig.post(f"/orders/v0/orders/{order.order_id}/shipmentConfirmation", token, document)


def status(rig: Rig, order: Order) -> str:
    shown: str = rig.controls.order(order.order_id)["status"]
    return shown


def test_a_confirmed_shipment_answers_204_and_ships_the_order() -> None:
    rig = Rig()
    token, order = rig.access(), rig.orders()[23]
    answer = confirm(rig, token, order, parcel(order))
    assert (answer.status, answer.body, answer.header("Content-Type")) == (204, b"", None)
    payload = rig.get(f"/orders/v0/orders/{order.order_id}", token).document()["payload"]
    assert (payload["OrderStatus"], payload["NumberOfItemsUnshipped"]) == ("Shipped", 0)
    assert payload["LastUpdateDate"] == "2026-01-05T08:00:00Z"


def test_parcels_ship_an_order_piece_by_piece() -> None:
    rig = Rig()
    token, order = rig.access(), rig.orders()[23]
    rows = parcel(order)["packageDetail"]["orderItems"]
    assert confirm(rig, token, order, parcel(order, items=rows[:1])).status == 204
    assert status(rig, order) == "PartiallyShipped"
    assert confirm(rig, token, order, parcel(order, reference="2", items=rows)).status == 400
    assert confirm(rig, token, order, parcel(order, reference="2", items=rows[1:])).status == 204
    assert status(rig, order) == "Shipped"


def test_confirming_the_same_parcel_again_changes_nothing_but_its_description() -> None:
    rig = Rig()
    token, order = rig.access(), rig.orders()[23]
    confirm(rig, token, order, parcel(order))
    before = rig.controls.order(order.order_id)
    rig.clock.advance(minutes=30)
    assert confirm(rig, token, order, parcel(order, trackingNumber="1Z000")).status == 204
    assert rig.controls.order(order.order_id) == before
    assert rig.core.ledger.history(order.order_id).packages[0].tracking == "1Z000"
    fewer = parcel(order)["packageDetail"]["orderItems"][:1]
    assert confirm(rig, token, order, parcel(order, items=fewer)).status == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"packageReferenceId": ""},
        {"carrierCode": None},
        {"trackingNumber": "x" * 257},
        {"shippingMethod": 1},
        {"shipDate": "02/21/2022"},
        {"shipDate": "2025-01-01T00:00:00Z"},
        {"shipDate": "2026-02-01T00:00:00Z"},
        {"orderItems": []},
        {"orderItems": "all"},
        {"orderItems": [{"orderItemId": "1", "quantity": 1}]},
        {"orderItems": [{"orderItemId": "1", "quantity": True}]},
        {"orderItems": [{"orderItemId": "1", "quantity": 0}]},
        {"orderItems": ["1"]},
    ],
)
def test_a_parcel_that_does_not_fit_is_refused_and_nothing_is_recorded(changes: dict[str, Any]) -> None:
    rig = Rig()
    token, order = rig.access(), rig.orders()[23]
    recorded = len(rig.journal.events)
    assert confirm(rig, token, order, parcel(order, **changes)).status == 400
    assert len(rig.journal.events) == recorded
    assert status(rig, order) == "Unshipped"


def test_another_marketplace_or_no_parcel_is_refused() -> None:
    rig = Rig()
    token, order = rig.access(), rig.orders()[23]
    wrong = confirm(rig, token, order, parcel(order) | {"marketplaceId": "1"})
    assert wrong.document()["errors"][0]["details"] == "1001"
    assert confirm(rig, token, order, parcel(order) | {"packageDetail": []}).status == 400
    assert confirm(rig, token, order, []).status == 400


def test_an_item_named_twice_is_refused() -> None:
    rig = Rig()
    token, order = rig.access(), rig.orders()[23]
    row = {"orderItemId": order.items[0].item_id, "quantity": 1}
    assert confirm(rig, token, order, parcel(order, items=[row, row])).status == 400


def test_amazons_own_and_other_sellers_orders_cannot_be_confirmed() -> None:
    rig = Rig()
    token = rig.access()
    amazons, foreign = rig.orders()[21], rig.orders(1)[23]
    assert amazons.is_amazon_fulfilled
    assert confirm(rig, token, amazons, parcel(amazons)).status == 400
    assert confirm(rig, token, foreign, parcel(foreign)).status == 404


def pick_up(rig: Rig, token: str, order: Order, shipment_status: Any) -> Answer:
    document = {"marketplaceId": order.marketplace.marketplace_id, "shipmentStatus": shipment_status}
    return rig.post(f"/orders/v0/orders/{order.order_id}/shipment", token, document)


def test_an_order_picked_up_in_a_shop_is_shipped_and_delivered_at_once() -> None:
    rig = Rig()
    token, order = rig.access(), rig.orders()[7]
    assert order.is_pickup
    assert pick_up(rig, token, order, "ReadyForPickup").status == 204
    assert status(rig, order) == "Unshipped"
    assert pick_up(rig, token, order, "PickedUp").status == 204
    shown = rig.controls.order(order.order_id)
    assert (shown["status"], shown["delivered_at"]) == ("Shipped", rig.clock.now().isoformat())
    assert pick_up(rig, token, order, "PickedUp").status == 204


def test_a_pickup_status_fits_pickup_orders_only() -> None:
    rig = Rig()
    token = rig.access()
    assert pick_up(rig, token, rig.orders()[23], "PickedUp").status == 400
    assert pick_up(rig, token, rig.orders()[7], "Eaten").status == 400
    assert pick_up(rig, token, rig.orders()[7], ["PickedUp"]).status == 400
