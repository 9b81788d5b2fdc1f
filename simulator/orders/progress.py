"""What has become of an order at a moment of virtual time.

An order waits for payment, is packed, shipped and delivered. It moves by itself as virtual time passes (the
seller's warehouse ships what nobody confirmed by `Order.ships_at`), or earlier when `confirmShipment`, a
shop's counter or the control interface says so. All of it is worked out from the order, the recorded events
and `now`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from simulator.events import PackageConfirmed, PickupReported
from simulator.world import Order

PAYMENT_TAKES = timedelta(minutes=30)


class Status(StrEnum):
    """How far an order is; the values are those of Orders v0, the names those of Orders 2026-01-01."""

    PENDING = "Pending"
    UNSHIPPED = "Unshipped"
    PARTIALLY_SHIPPED = "PartiallyShipped"
    SHIPPED = "Shipped"


@dataclass(frozen=True)
class History:
    """What was recorded about an order, beyond its seed."""

    packages: Sequence[PackageConfirmed] = ()
    pickup: PickupReported | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True)
class Progress:
    """The state of an order at one moment."""

    status: Status
    updated_at: datetime
    packages: tuple[PackageConfirmed, ...]
    shipped_at: datetime | None
    delivered_at: datetime | None
    shipped: Mapping[str, int] = field(default_factory=dict)

    @property
    def quantity_shipped(self) -> int:
        """How many pieces have left."""
        return sum(self.shipped.values())


def at(order: Order, history: History, now: datetime) -> Progress:
    """Return how far an order is at `now`, which must not lie before it was placed."""
    packages = _packages(order, history, now)
    shipped = _pieces(packages)
    is_shipped = sum(shipped.values()) >= order.quantity
    shipped_at = max(package.confirmed_at for package in packages) if is_shipped else None
    arrives_at = history.delivered_at or (shipped_at + order.travel if shipped_at else None)
    delivered_at = arrives_at if arrives_at and arrives_at <= now else None
    paid_at = order.placed_at + PAYMENT_TAKES
    moments = [order.placed_at, *(package.confirmed_at for package in packages)]
    moments += [history.pickup.pickup_at] if history.pickup else []
    moments += [moment for moment in (delivered_at, paid_at) if moment and moment <= now]
    return Progress(
        status=_status(is_paid=paid_at <= now, is_begun=bool(shipped), is_shipped=is_shipped),
        updated_at=max(moments),
        packages=packages,
        shipped_at=shipped_at,
        delivered_at=delivered_at,
        shipped=shipped,
    )


def remaining(order: Order, shipped: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Return (order item id, quantity) of what has not left yet."""
    open_ = ((item.item_id, item.quantity - shipped.get(item.item_id, 0)) for item in order.items)
    return tuple((item_id, quantity) for item_id, quantity in open_ if quantity > 0)


def parcel(
    order: Order, *, reference: str, at: datetime, items: tuple[tuple[str, int], ...]
) -> PackageConfirmed:
    """Return a package as the order's own warehouse would describe it."""
    return PackageConfirmed(
        order_id=order.order_id,
        reference=reference,
        carrier="Sample Parcel",
        service="Sample Parcel Standard",
        tracking=f"SYN{order.order_id.replace('-', '')}{reference}",
        ship_at=at,
        confirmed_at=at,
        items=items,
    )


def _status(*, is_paid: bool, is_begun: bool, is_shipped: bool) -> Status:
    if is_shipped:
        return Status.SHIPPED
    if is_begun:
        return Status.PARTIALLY_SHIPPED
    return Status.UNSHIPPED if is_paid else Status.PENDING


def _packages(order: Order, history: History, now: datetime) -> tuple[PackageConfirmed, ...]:
    """Return the confirmed packages and, when its time has come, the warehouse's own."""
    confirmed = tuple(sorted(history.packages, key=lambda package: (package.confirmed_at, package.reference)))
    rest = remaining(order, _pieces(confirmed))
    if not rest or now < order.ships_at or order.is_pickup:
        return confirmed
    return (*confirmed, parcel(order, reference="warehouse", at=order.ships_at, items=rest))


def _pieces(packages: Sequence[PackageConfirmed]) -> dict[str, int]:
    pieces: dict[str, int] = {}
    for package in packages:
        for item_id, quantity in package.items:
            pieces[item_id] = pieces.get(item_id, 0) + quantity
    return pieces
