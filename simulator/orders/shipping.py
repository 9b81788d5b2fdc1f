"""The operations of Orders v0 that change something: confirmShipment and updateShipmentStatus.

Source: model ordersV0 of amzn/selling-partner-api-models.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import simulator.orders.paging
import simulator.orders.progress
from simulator import exchange
from simulator.call import Call
from simulator.events import OrderDelivered, PackageConfirmed, PickupReported
from simulator.ledger import Ledger
from simulator.orders.progress import Progress, Status
from simulator.orders.search import Search
from simulator.world import Order

PACKAGE_ITEMS_MAX = 100
TEXT_SIZE_MAX = 256
# A shipment that is confirmed in the evening may be dated for the next morning.
SHIP_DATE_AHEAD_MAX = timedelta(days=1)
_PICKUP_STATUSES = frozenset({"ReadyForPickup", "PickedUp", "RefusedPickup"})


class Shipping:
    """Changes orders; the caller has checked token and plan."""

    def __init__(self, *, search: Search, ledger: Ledger) -> None:
        self._search = search
        self._ledger = ledger

    def confirm(self, call: Call) -> None:
        """Record a parcel; the same reference again describes the same parcel anew.

        Raises:
            Refusal: 404, no such order; 400, the parcel does not fit the order.
        """
        body = call.body()
        order, progress = self._search.one(call.access.seller, call.order_id, call.now)
        _check_marketplace(order, body)
        package = _package(order, body.get("packageDetail"), call.now)
        known = self._ledger.state.packages.get(order.order_id, {}).get(package.reference)
        if order.is_amazon_fulfilled or progress.status is Status.PENDING:
            raise exchange.invalid_input("The order cannot be confirmed by the seller now.")
        if known is None:
            _check_quantities(order, progress, package)
        elif known.items != package.items:
            raise exchange.invalid_input("A confirmed package keeps its items.")
        else:
            package = replace(package, confirmed_at=known.confirmed_at)
        self._ledger.commit(package)

    def update_status(self, call: Call) -> None:
        """Record what the shop's counter says about an order that its buyer fetches.

        Raises:
            Refusal: 404, no such order; 400, it is not fetched, or the status is unknown.
        """
        body = call.body()
        order, progress = self._search.one(call.access.seller, call.order_id, call.now)
        _check_marketplace(order, body)
        status = body.get("shipmentStatus")
        if not isinstance(status, str) or status not in _PICKUP_STATUSES or not order.is_pickup:
            raise exchange.invalid_input("Invalid Input", "shipmentStatus doesn't apply to this order.")
        reported = PickupReported(order.order_id, status, pickup_at=call.now)
        rest = simulator.orders.progress.remaining(order, progress.shipped)
        if status != "PickedUp" or not rest:
            self._ledger.commit(reported)
            return
        parcel = simulator.orders.progress.parcel(order, reference="counter", at=call.now, items=rest)
        self._ledger.commit(reported, parcel, OrderDelivered(order.order_id, delivered_at=call.now))


def _check_marketplace(order: Order, body: Mapping[str, Any]) -> None:
    if body.get("marketplaceId") != order.marketplace.marketplace_id:
        raise exchange.invalid_input("Marketplace ID is not defined", "1001")


def _check_quantities(order: Order, progress: Progress, package: PackageConfirmed) -> None:
    rest = dict(simulator.orders.progress.remaining(order, progress.shipped))
    for item_id, quantity in package.items:
        if quantity > rest.get(item_id, 0):
            raise exchange.invalid_input("An item is unknown, or fewer of it remain to be shipped.")


def _package(order: Order, detail: Any, now: datetime) -> PackageConfirmed:
    """Return the parcel a request describes."""
    if not isinstance(detail, dict):
        raise exchange.invalid_input("Missing request parameter: packageDetail.")
    carrier, service = _text(detail, "carrierCode"), detail.get("shippingMethod", "")
    if not isinstance(service, str) or len(service) > TEXT_SIZE_MAX:
        raise exchange.invalid_input("Invalid request parameter: shippingMethod.")
    try:
        ship_at = simulator.orders.paging.instant(_text(detail, "shipDate"))
    except ValueError as error:
        raise exchange.invalid_input("Invalid Input", "shipDate is not an ISO 8601 date.") from error
    if not order.placed_at <= ship_at <= now + SHIP_DATE_AHEAD_MAX:
        raise exchange.invalid_input("Invalid Input", "shipDate lies before the order or too far ahead.")
    return PackageConfirmed(
        order_id=order.order_id,
        reference=_text(detail, "packageReferenceId"),
        carrier=carrier,
        service=service,
        tracking=_text(detail, "trackingNumber"),
        ship_at=ship_at,
        confirmed_at=now,
        items=_items(detail.get("orderItems")),
    )


def _items(rows: Any) -> tuple[tuple[str, int], ...]:
    """Return (order item id, quantity) of a parcel, sorted; an item may be named once."""
    if not isinstance(rows, list) or not 1 <= len(rows) <= PACKAGE_ITEMS_MAX:
        raise exchange.invalid_input("Missing request parameter: orderItems.")
    items: dict[str, int] = {}
    for row in rows:
        item_id, quantity = _pair(row)
        if quantity < 1 or item_id in items:
            raise exchange.invalid_input("Invalid request parameter: orderItems.")
        items[item_id] = quantity
    return tuple(sorted(items.items()))


def _pair(row: Any) -> tuple[str, int]:
    match row:
        case {"orderItemId": str(item_id), "quantity": int(quantity)} if not isinstance(quantity, bool):
            return item_id, quantity
        case _:
            raise exchange.invalid_input("Invalid request parameter: orderItems.")


def _text(detail: Mapping[str, Any], name: str) -> str:
    value = detail.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= TEXT_SIZE_MAX:
        raise exchange.invalid_input(f"Missing request parameter: {name}.")
    return value
