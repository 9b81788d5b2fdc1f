"""Orders of the simulated Amazon, and the documents in which it shows them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.gateway.model.calls import UpstreamAnswer

V0, V2026 = "/orders/v0/orders", "/orders/2026-01-01/orders"
ADDRESS = "/address"
ADDRESS_TEMPLATE = f"{V0}/{{orderId}}{ADDRESS}"


@dataclass
class Order:
    """One order of one selling partner."""

    order_id: str
    partner_id: str
    purchased_at: datetime
    shipped_at: datetime | None = None

    @property
    def buyer(self) -> str:
        """What must not be seen by the wrong eyes, nor after its time."""
        return f"Canary-{self.order_id}"


@dataclass(frozen=True)
class Path:
    """What a request asks for.

    Attributes:
        is_restricted: only a restricted data token opens it.
        shows_buyer: the answer holds the buyer's data.
    """

    order_id: str
    version: str
    is_restricted: bool

    @property
    def shows_buyer(self) -> bool:
        """Whether the answer holds the buyer's data."""
        return self.is_restricted or self.version == V2026


def parse(path: str) -> Path:
    """Return what a request's path asks for."""
    version, _, order_id = path.removesuffix(ADDRESS).rpartition("/")
    return Path(order_id, version, path.endswith(ADDRESS))


def success(path: Path, order: Order) -> UpstreamAnswer:
    """Return the answer that shows an order."""
    if path.is_restricted:
        return _answer(200, _address(order))
    return _answer(200, _order_2026(order) if path.version == V2026 else _order_v0(order))


def failure(status: int, code: str, message: str) -> UpstreamAnswer:
    """Return an error in Amazon's shape."""
    return _answer(status, {"errors": [{"code": code, "message": message, "details": ""}]})


def _answer(status: int, document: Mapping[str, Any]) -> UpstreamAnswer:
    headers = [("content-type", "application/json"), ("x-amzn-requestid", "simulated")]
    return UpstreamAnswer(status, headers, json.dumps(document).encode())


def _address(order: Order) -> Mapping[str, Any]:
    address = {"Name": order.buyer, "AddressLine1": f"1 {order.buyer} Street", "CountryCode": "US"}
    return {"payload": {"AmazonOrderId": order.order_id, "ShippingAddress": address}}


def _order_v0(order: Order) -> Mapping[str, Any]:
    state = "Unshipped" if order.shipped_at is None else "Shipped"
    purchased_at = order.purchased_at.isoformat()
    return {"payload": {"AmazonOrderId": order.order_id, "PurchaseDate": purchased_at, "OrderStatus": state}}


def _order_2026(order: Order) -> Mapping[str, Any]:
    packages = []
    if order.shipped_at is not None:
        shipped = {"shipTime": order.shipped_at.isoformat(), "packageStatus": {"status": "IN_TRANSIT"}}
        packages.append(shipped)
    return {
        "order": {
            "orderId": order.order_id,
            "createdTime": order.purchased_at.isoformat(),
            "fulfillment": {"fulfillmentStatus": "SHIPPED" if packages else "UNSHIPPED"},
            "packages": packages,
            "buyer": {"buyerName": order.buyer},
            "recipient": {"deliveryAddress": {"name": order.buyer, "addressLine1": order.buyer}},
        }
    }
