"""What Amazon's answers tell about orders: the facts that decide how long their data may be kept.

Read from the answers of getOrders, getOrder (Orders v0) and searchOrders, getOrder (2026-01-01).
Only ids, states and times are taken; buyers' fields are not read, only hidden (`without`). Of an answer that
is shown as it came, the rest is not even made into values (`outline`): that takes less than half of the time.
"""

import functools
from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, TypedDict

import msgspec

from services.gateway.model.masking import written
from services.gateway.model.operations import Operation

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


class Facts(NamedTuple):
    """What an answer said about an order; times are aware UTC, None where it did not tell.

    A tuple, because those of a whole page are compared with what was told before.
    """

    state: OrderState
    purchased_at: datetime | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None


@dataclass(slots=True)
class Observation:
    """What one answer said about one order, and when, in aware UTC."""

    order_id: str
    facts: Facts
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

# Words and times that answers repeat, read once; about 400 bytes each.
FACTS_MAX = 10_000
TIMES_MAX = 10_000
# No word and no time of Amazon's is longer.
TEXT_LENGTH_MAX = 64
# What stands for a longer one: no time, and no word that is known.
_TOO_LONG = "?"

_Entry = dict[str, object]


class _OrderV0(TypedDict, total=False):
    AmazonOrderId: object
    OrderStatus: object
    PurchaseDate: object
    EasyShipShipmentStatus: object


class _OrdersV0(TypedDict, total=False):
    Orders: list[_OrderV0]


class _ListV0(TypedDict, total=False):
    payload: _OrdersV0


class _OneV0(TypedDict, total=False):
    payload: _OrderV0


class _Order2026(TypedDict, total=False):
    orderId: object
    createdTime: object
    fulfillment: object
    packages: object


class _List2026(TypedDict, total=False):
    orders: list[_Order2026]


class _One2026(TypedDict, total=False):
    order: _Order2026


def tells_of_orders(operation: str) -> bool:
    """Return whether the answers of an operation (`<api>.<operationId>`) are read for observations."""
    return operation in _PLACES


def outline(operation: str, body: bytes) -> object:
    """Return of a JSON answer what `facts` reads; None where its shape is not the models', or it is no JSON.

    The rest is only looked through: a text in it may be no UTF-8, a number too large for a double.
    """
    try:
        return _PLACES[operation].outline.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def facts(operation: str, body: object) -> list[tuple[str, Facts]]:
    """Return what a decoded answer tells about orders by their ids, in its order, at most OBSERVATIONS_MAX.

    Entries without an order id are passed over: Amazon's answers break their own schema in places.
    """
    place = _PLACES.get(operation)
    if place is None:
        return []
    read, named = place.facts, place.named(body)[:OBSERVATIONS_MAX]
    return [(order_id, read(order)) for order_id, order in named]


def count(operation: str, body: object) -> int:
    """Return how many orders a decoded answer holds, those included that `facts` passes over."""
    return len(_PLACES[operation].orders(body))


def showing(operation: Operation, body: object, order_ids: Collection[str]) -> bytes:
    """Return a decoded answer as JSON, with all personal members hidden but those of some of its orders.

    Args:
        operation: tells of orders, and of their buyers.
        body: is used up.
        order_ids: the orders whose personal members are shown.

    Raises:
        Unmaskable: what is to be hidden is nested too deep, or the answer is.
    """
    place = _PLACES[operation.name]
    shown = {id(order) for order_id, order in place.named(body) if order_id in order_ids}
    if operation.mask is not None:
        hidden = [order for order in place.orders(body) if id(order) not in shown]
        operation.mask.hide_in(hidden, place.way)
    return written(body)


def _facts_v0(order: _Entry) -> Facts:
    status, purchased = order.get("OrderStatus"), order.get("PurchaseDate")
    # Nearly all of them are short texts, which need no call.
    if type(status) is not str or len(status) > TEXT_LENGTH_MAX:
        status = _text(status)
    if type(purchased) is not str or len(purchased) > TEXT_LENGTH_MAX:
        purchased = _text(purchased)
    # Few orders are Easy Ship's.
    easy_ship = _text(order["EasyShipShipmentStatus"]) if "EasyShipShipmentStatus" in order else ""
    return _told_v0(status, easy_ship, purchased)


def _facts_2026(order: _Entry) -> Facts:
    packages = _entries(order.get("packages"))
    words = {_text(_member(package.get("packageStatus"), "status")) for package in packages}
    words = (words | {_text(_member(order.get("fulfillment"), "fulfillmentStatus"))}) - {""}
    times = [_time(_text(package.get("shipTime"))) for package in packages]
    shipped = [at for at in times if at is not None]
    state = OrderState.SHIPPED if shipped else _state(words, _HERE_2026)
    if "DELIVERED" in words:
        state = OrderState.DELIVERED
    return Facts(state, _time(_text(order.get("createdTime"))), min(shipped, default=None))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where answers hold their orders, and how those are read.

    Attributes:
        way: the members to enter; the last one holds a list of orders, or one.
        id_name: the member of an order that names it.
        facts: reads an order.
        outline: reads of an answer what `facts` and `named` need.
    """

    way: tuple[str, ...]
    id_name: str
    facts: Callable[[_Entry], Facts]
    outline: msgspec.json.Decoder[Any]

    def orders(self, body: object) -> list[_Entry]:
        """Return the orders in a decoded answer; none where it has another shape."""
        for name in self.way:
            body = _member(body, name)
        return _entries(body)

    def named(self, body: object) -> list[tuple[str, _Entry]]:
        """Return id and order of those that have one."""
        return [
            (order_id, order)
            for order in self.orders(body)
            if type(order_id := order.get(self.id_name)) is str
            and 0 < len(order_id) <= ORDER_ID_LENGTH_MAX
            and order_id.isprintable()
        ]


_PLACES = MappingProxyType(
    {
        "ordersV0.getOrders": _Place(
            ("payload", "Orders"), "AmazonOrderId", _facts_v0, msgspec.json.Decoder(_ListV0)
        ),
        "ordersV0.getOrder": _Place(("payload",), "AmazonOrderId", _facts_v0, msgspec.json.Decoder(_OneV0)),
        "orders_2026-01-01.searchOrders": _Place(
            ("orders",), "orderId", _facts_2026, msgspec.json.Decoder(_List2026)
        ),
        "orders_2026-01-01.getOrder": _Place(
            ("order",), "orderId", _facts_2026, msgspec.json.Decoder(_One2026)
        ),
    },
)


@functools.lru_cache(maxsize=FACTS_MAX)
def _told_v0(status: str, easy_ship: str, purchased: str) -> Facts:
    words = {status, easy_ship} - {""}
    state = OrderState.DELIVERED if "Delivered" in words else _state(words, _HERE_V0)
    return Facts(state, _time(purchased))


def _state(words: AbstractSet[str], here: AbstractSet[str]) -> OrderState:
    """Return what all words together say of an order that is not known to be delivered."""
    if not words:
        return OrderState.UNKNOWN
    return OrderState.UNSHIPPED if words <= here else OrderState.SHIPPED


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _entries(value: object) -> list[_Entry]:
    """Return the objects in a list, or the one that stands where a list might."""
    listed = value if isinstance(value, list) else [value]
    return [entry for entry in listed if isinstance(entry, dict)]


def _text(value: object) -> str:
    if type(value) is not str:
        return ""
    return value if len(value) <= TEXT_LENGTH_MAX else _TOO_LONG


@functools.lru_cache(maxsize=TIMES_MAX)
def _time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
