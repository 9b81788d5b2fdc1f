"""Restricted data tokens: for which operations Amazon gives one, and what may be asked with it.

- Only the 31 operations of OPERATIONS are asked for; data elements only where the operation takes them.
- What is lent is asked for by the operation's template, so that one token serves every order for its hour
  and nobody's order id is in it. A report's document is the exception: it is named by its own path.
- A device without the scope for buyers' data gets no data elements at all: masking needs none of them.

Source: SP-API, "Tokens API" and the Tokens API model (2021-03-01).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from services.auth.model.refusals import DataElementsDenied, InvalidRestriction

# Source: the Tokens API model: at most 50 resources, these methods.
RESTRICTIONS_MAX = 50
METHODS = frozenset({"GET", "PUT", "POST", "DELETE"})
PATH_FORM = re.compile(r"(?:/[A-Za-z0-9{}_.~:,=+@%-]+){2,16}", re.ASCII)
PATH_CHARS_MAX = 512

BUYER_INFO, SHIPPING_ADDRESS, BUYER_TAX = "buyerInfo", "shippingAddress", "buyerTaxInformation"


class Rule(StrEnum):
    """When an operation needs a restricted data token.

    Attributes:
        ALWAYS: it answers nothing without one; the token names no data elements.
        DATA: it answers less without one; the token names data elements.
        DOCUMENT: it depends on the document, which the token names by its own path.
    """

    ALWAYS = "always"
    DATA = "data"
    DOCUMENT = "document"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One restricted operation; `data_elements` are those it takes, none unless its rule is DATA."""

    method: str
    path: str
    rule: Rule
    data_elements: frozenset[str] = frozenset()


_ORDERS = "/orders/v0/orders"
_ALWAYS = (
    ("POST", "/easyShip/2022-03-23/packages/bulk"),
    ("GET", "/mfn/v0/shipments/{shipmentId}"),
    ("DELETE", "/mfn/v0/shipments/{shipmentId}"),
    ("POST", "/mfn/v0/shipments"),
    ("GET", "/orders/v0/orders/{orderId}/buyerInfo"),
    ("GET", "/orders/v0/orders/{orderId}/address"),
    ("GET", "/orders/v0/orders/{orderId}/orderItems/buyerInfo"),
    ("GET", "/orders/v0/orders/{orderId}/regulatedInfo"),
    ("GET", "/fba/outbound/brazil/v0/shipments/{shipmentId}"),
    ("GET", "/shipping/v1/shipments/{shipmentId}"),
    ("GET", "/vendor/directFulfillment/orders/v1/purchaseOrders"),
    ("GET", "/vendor/directFulfillment/orders/v1/purchaseOrders/{purchaseOrderNumber}"),
    ("GET", "/vendor/directFulfillment/orders/2021-12-28/purchaseOrders"),
    ("GET", "/vendor/directFulfillment/orders/2021-12-28/purchaseOrders/{purchaseOrderNumber}"),
    ("GET", "/vendor/directFulfillment/shipping/v1/shippingLabels"),
    ("GET", "/vendor/directFulfillment/shipping/v1/shippingLabels/{purchaseOrderNumber}"),
    ("GET", "/vendor/directFulfillment/shipping/v1/customerInvoices"),
    ("GET", "/vendor/directFulfillment/shipping/v1/customerInvoices/{purchaseOrderNumber}"),
    ("GET", "/vendor/directFulfillment/shipping/v1/packingSlips"),
    ("GET", "/vendor/directFulfillment/shipping/v1/packingSlips/{purchaseOrderNumber}"),
    ("GET", "/vendor/directFulfillment/shipping/2021-12-28/shippingLabels"),
    ("GET", "/vendor/directFulfillment/shipping/2021-12-28/shippingLabels/{purchaseOrderNumber}"),
    ("POST", "/vendor/directFulfillment/shipping/2021-12-28/shippingLabels/{purchaseOrderNumber}"),
    ("GET", "/vendor/directFulfillment/shipping/2021-12-28/customerInvoices"),
    ("GET", "/vendor/directFulfillment/shipping/2021-12-28/customerInvoices/{purchaseOrderNumber}"),
    ("GET", "/vendor/directFulfillment/shipping/2021-12-28/packingSlips"),
    ("GET", "/vendor/directFulfillment/shipping/2021-12-28/packingSlips/{purchaseOrderNumber}"),
)
_DATA = (
    (_ORDERS, frozenset({BUYER_INFO, SHIPPING_ADDRESS, BUYER_TAX})),
    (f"{_ORDERS}/{{orderId}}", frozenset({BUYER_INFO, SHIPPING_ADDRESS, BUYER_TAX})),
    (f"{_ORDERS}/{{orderId}}/orderItems", frozenset({BUYER_INFO})),
)
_DOCUMENT = "/reports/2021-06-30/documents/{reportDocumentId}"


def _table() -> Mapping[tuple[str, int], tuple[Operation, ...]]:
    """Return the operations by method and number of path segments."""
    operations = [
        *(Operation(method=method, path=path, rule=Rule.ALWAYS) for method, path in _ALWAYS),
        *(Operation(method="GET", path=path, rule=Rule.DATA, data_elements=taken) for path, taken in _DATA),
        Operation(method="GET", path=_DOCUMENT, rule=Rule.DOCUMENT),
    ]
    table: dict[tuple[str, int], tuple[Operation, ...]] = {}
    for operation in operations:
        key = (operation.method, operation.path.count("/") + 1)
        table[key] = (*table.get(key, ()), operation)
    return MappingProxyType(table)


OPERATIONS = _table()


@dataclass(frozen=True, kw_only=True)
class Restriction:
    """One operation for which personal data is asked.

    Attributes:
        method: one of METHODS.
        path: specific or generic, e.g. /orders/v0/orders/{orderId}; without a query.
        data_elements: sorted, without repetition.
    """

    method: str
    path: str
    data_elements: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How the audit log calls it."""
        return f"{self.method} {self.path}"

    def check(self) -> Operation:
        """Return the operation it names, if Amazon could be asked for this.

        Raises:
            InvalidRestriction: no such operation is restricted, or it takes no such data elements, or the
                path of a document is generic.
        """
        is_path = len(self.path) <= PATH_CHARS_MAX and PATH_FORM.fullmatch(self.path)
        if self.method not in METHODS or not is_path or ".." in self.path:
            raise InvalidRestriction
        operation = _find(self.method, self.path)
        if operation is None or not operation.data_elements.issuperset(self.data_elements):
            raise InvalidRestriction
        if operation.rule is Rule.DOCUMENT and "{" in self.path:
            raise InvalidRestriction
        return operation

    def lendable(self, *, sees_buyers: bool) -> "Restriction":
        """Return what Amazon is asked for: by the operation's template where Amazon takes one.

        Args:
            sees_buyers: whether the device may see buyers' data.

        Raises:
            InvalidRestriction: as `check`; or the ordinary token would do, as no data elements are asked for.
            DataElementsDenied: it asks for data elements that the device may not see.
        """
        operation = self.check()
        if operation.rule is Rule.DATA and not self.data_elements:
            raise InvalidRestriction
        if self.data_elements and not sees_buyers:
            raise DataElementsDenied
        return self if operation.rule is Rule.DOCUMENT else replace(self, path=operation.path)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """What one restricted data token is good for.

    Attributes:
        restriction: as Amazon is asked for it.
        target_application: of another developer, to which the token is delegated; empty for none.
    """

    restriction: Restriction
    target_application: str = ""


def restrictions(asked: tuple[Restriction, ...]) -> tuple[Restriction, ...]:
    """Return what was asked for, if it may be asked for.

    Raises:
        InvalidRestriction: none, more than RESTRICTIONS_MAX, or one that Amazon would not know.
    """
    if not 1 <= len(asked) <= RESTRICTIONS_MAX:
        raise InvalidRestriction
    for restriction in asked:
        restriction.check()
    return asked


def _find(method: str, path: str) -> Operation | None:
    """Return the restricted operation that a path names, by the most literal template."""
    segments = path.split("/")
    fitting = [
        operation for operation in OPERATIONS.get((method, len(segments)), ()) if _fits(operation, segments)
    ]
    return min(fitting, key=lambda operation: operation.path.count("{"), default=None)


def _fits(operation: Operation, segments: list[str]) -> bool:
    """Return whether a path is this operation's: a parameter stands for any value, or for itself."""
    template = operation.path.split("/")
    return all(
        theirs == ours or (ours.startswith("{") and "{" not in theirs and "}" not in theirs)
        for theirs, ours in zip(segments, template, strict=True)
    )
