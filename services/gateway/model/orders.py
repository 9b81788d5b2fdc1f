"""What Amazon's answers tell about orders: the facts that decide how long their data may be kept.

Read from the answers of getOrders, getOrder (Orders v0) and searchOrders, getOrder (2026-01-01).
Only ids, states and times are taken; buyers' fields are not looked at.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

# Retention takes at most this many at a time; a page of Amazon's holds at most 100.
OBSERVATIONS_MAX = 200
# Amazon's order ids have 19 characters; anything much longer is not one.
ORDER_ID_LENGTH_MAX = 64


class OrderState(StrEnum):
    """How far an order has come, as far as its clock cares; UNKNOWN when the answer does not say.

    An answer holds of an order what was asked for, and "not said" is not "not shipped": only an order that
    was seen unshipped may be kept for longer (R-18).
    """

    UNKNOWN = "unknown"
    UNSHIPPED = "unshipped"
    SHIPPED = "shipped"
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class Observation:
    """What one answer said about one order; times are aware UTC, None where it did not tell."""

    order_id: str
    state: OrderState
    purchased_at: datetime | None
    shipped_at: datetime | None
    delivered_at: datetime | None
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class OrderClock:
    """How long an order's personal data may be shown, in retention's words.

    Attributes:
        ends_at: aware UTC; from then on it is not shown, if the order has left.
        has_left: while it has not, a fresh look at the order makes its clock later (R-18).
    """

    order_id: str
    ends_at: datetime
    has_left: bool

    def is_over(self, now: datetime) -> bool:
        """Return whether nothing makes the order's data showable again."""
        return self.has_left and self.ends_at <= now


# The words for an order of which nothing has left. Every other word starts the clock, also one that Amazon
# has not told us yet: the earlier reading is the safe one.
# Source: Orders v0 model, OrderStatus and EasyShipShipmentStatus; Orders 2026-01-01 model, FulfillmentStatus
# and PackageStatus. v0's InvoiceUnconfirmed means that all items have been shipped.
_HERE_V0 = frozenset(
    {
        *("PendingAvailability", "Pending", "Unshipped", "Canceled", "Unfulfillable"),
        *("PendingSchedule", "PendingPickUp", "PendingDropOff", "LabelCanceled"),
    }
)
_HERE_2026 = frozenset({"PENDING_AVAILABILITY", "PENDING", "UNSHIPPED", "CANCELLED", "UNFULFILLABLE"})

# Where an answer holds its orders: the member to enter first (if any), then the one that holds them.
_PLACES = MappingProxyType(
    {
        "ordersV0.getOrders": ("payload", "Orders"),
        "ordersV0.getOrder": ("", "payload"),
        "orders_2026-01-01.searchOrders": ("", "orders"),
        "orders_2026-01-01.getOrder": ("", "order"),
    },
)


def tells_of_orders(operation: str) -> bool:
    """Return whether the answers of an operation (`<api>.<operationId>`) are read for observations."""
    return operation in _PLACES


def observations(operation: str, body: object, now: datetime) -> list[Observation]:
    """Return what a decoded answer tells about orders, in its order, at most OBSERVATIONS_MAX.

    Entries without an order id are passed over: Amazon's answers break their own schema in places.
    """
    if operation not in _PLACES:
        return []
    outer, inner = _PLACES[operation]
    observe = _observe_v0 if operation.startswith("ordersV0.") else _observe_2026
    orders = _each(_member(body, outer) if outer else body, inner)
    found = (observe(order, now) for order in orders)
    return [seen for seen in found if seen is not None][:OBSERVATIONS_MAX]


def _observe_v0(order: Mapping[str, object], now: datetime) -> Observation | None:
    order_id = _order_id(order.get("AmazonOrderId"))
    if order_id is None:
        return None
    words = {_text(order.get("OrderStatus")), _text(order.get("EasyShipShipmentStatus"))} - {""}
    state = OrderState.DELIVERED if "Delivered" in words else _state(words, _HERE_V0)
    return Observation(order_id, state, _time(order.get("PurchaseDate")), None, None, now)


def _observe_2026(order: Mapping[str, object], now: datetime) -> Observation | None:
    order_id = _order_id(order.get("orderId"))
    if order_id is None:
        return None
    packages = list(_each(order, "packages"))
    words = {_text(_member(package.get("packageStatus"), "status")) for package in packages}
    words = (words | {_text(_member(order.get("fulfillment"), "fulfillmentStatus"))}) - {""}
    shipped = [at for package in packages if (at := _time(package.get("shipTime"))) is not None]
    state = OrderState.SHIPPED if shipped else _state(words, _HERE_2026)
    if "DELIVERED" in words:
        state = OrderState.DELIVERED
    return Observation(
        order_id, state, _time(order.get("createdTime")), min(shipped, default=None), None, now
    )


def _state(words: AbstractSet[str], here: AbstractSet[str]) -> OrderState:
    """Return what all words together say of an order that is not known to be delivered."""
    if not words:
        return OrderState.UNKNOWN
    return OrderState.UNSHIPPED if words <= here else OrderState.SHIPPED


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else None


def _each(value: object, name: str) -> Iterable[Mapping[str, object]]:
    found = _member(value, name)
    listed = found if isinstance(found, list) else [found]
    return (entry for entry in listed if isinstance(entry, Mapping))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _order_id(value: object) -> str | None:
    known = _text(value)
    return known if 0 < len(known) <= ORDER_ID_LENGTH_MAX and known.isprintable() else None


def _time(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(_text(value))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
