"""The operations the simulator answers, their usage plans, and what the Tokens API calls restricted.

Source: the models of amzn/selling-partner-api-models, snapshot 2026-08-05 (paths, rates, bursts), and the
SP-API documentation's page "Tokens API" (restricted operations).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

# Source: SP-API documentation, "Grantless Operations".
ROTATION_SCOPE = "sellingpartnerapi::client_credential:rotation"

BUYER_INFO = "buyerInfo"
SHIPPING_ADDRESS = "shippingAddress"
BUYER_TAX = "buyerTaxInformation"


class Restriction(StrEnum):
    """What a restricted data token means to an operation."""

    NONE = "none"
    DATA = "data"  # an ordinary token gets an answer without personal data; `dataElements` add it
    ALWAYS = "always"  # an ordinary token is refused


@dataclass(frozen=True)
class Operation:
    """One operation: `rate` is in calls per second, `burst` in calls.

    `elements` are the data elements it can show; for an operation that is restricted always, a role for any
    one of them opens it. `is_dynamic` marks plans that differ from seller to seller. `scope` is that of the
    application's own token, which alone opens the operation.
    """

    name: str
    method: str
    path: str
    rate: float
    burst: int
    restriction: Restriction = Restriction.NONE
    elements: frozenset[str] = frozenset()
    is_dynamic: bool = False
    scope: str = ""


@dataclass(frozen=True)
class Match:
    """An operation and the values of its path's parameters."""

    operation: Operation
    parameters: Mapping[str, str]


_ORDER = "/orders/v0/orders/{orderId}"
_ALL = frozenset({BUYER_INFO, SHIPPING_ADDRESS, BUYER_TAX})
_BUYER = frozenset({BUYER_INFO})
_ADDRESS = frozenset({SHIPPING_ADDRESS})
_DATA = Restriction.DATA
_ALWAYS = Restriction.ALWAYS

OPERATIONS = (
    Operation("ordersV0.getOrders", "GET", "/orders/v0/orders", 0.0167, 20, _DATA, _ALL, is_dynamic=True),
    Operation("ordersV0.getOrder", "GET", _ORDER, 0.5, 30, _DATA, _ALL, is_dynamic=True),
    Operation(
        "ordersV0.getOrderBuyerInfo", "GET", f"{_ORDER}/buyerInfo", 0.5, 30, _ALWAYS, _BUYER, is_dynamic=True
    ),
    Operation(
        "ordersV0.getOrderAddress", "GET", f"{_ORDER}/address", 0.5, 30, _ALWAYS, _ADDRESS, is_dynamic=True
    ),
    Operation(
        "ordersV0.getOrderItems", "GET", f"{_ORDER}/orderItems", 0.5, 30, _DATA, _BUYER, is_dynamic=True
    ),
    Operation(
        "ordersV0.getOrderItemsBuyerInfo", "GET", f"{_ORDER}/orderItems/buyerInfo", 0.5, 30, _ALWAYS, _BUYER
    ),
    Operation("ordersV0.getOrderRegulatedInfo", "GET", f"{_ORDER}/regulatedInfo", 0.5, 30, _ALWAYS, _ADDRESS),
    Operation("ordersV0.confirmShipment", "POST", f"{_ORDER}/shipmentConfirmation", 2, 10),
    Operation("ordersV0.updateShipmentStatus", "POST", f"{_ORDER}/shipment", 5, 15),
    Operation("orders_2026-01-01.searchOrders", "GET", "/orders/2026-01-01/orders", 0.0056, 20),
    Operation("orders_2026-01-01.getOrder", "GET", "/orders/2026-01-01/orders/{orderId}", 0.5, 30),
    Operation(
        "tokens_2021-03-01.createRestrictedDataToken", "POST", "/tokens/2021-03-01/restrictedDataToken", 1, 10
    ),
    Operation(
        "application_2023-11-30.rotateApplicationClientSecret",
        "POST",
        "/applications/2023-11-30/clientSecret",
        0.0167,
        1,
        scope=ROTATION_SCOPE,
    ),
)

# Amazon publishes no plan of the token endpoint; the control interface can give it one.
LWA_TOKEN = Operation("lwa.token", "POST", "/auth/o2/token", 1_000_000, 1_000_000)

BY_NAME = {operation.name: operation for operation in (*OPERATIONS, LWA_TOKEN)}

QUEUE_ACTIONS = ("sqs.receiveMessage", "sqs.deleteMessage", "sqs.getQueueUrl", "sqs.getQueueAttributes")
# Whatever a fault can be ordered for.
BREAKABLE = frozenset({*BY_NAME, *QUEUE_ACTIONS})

_DIRECT_V1 = "/vendor/directFulfillment/shipping/v1"
_DIRECT_2021 = "/vendor/directFulfillment/shipping/2021-12-28"
_BY_NUMBER = "{purchaseOrderNumber}"

# Restricted operations that are not simulated: a token for them can be had, a call to them answers NotFound.
RESTRICTED_ELSEWHERE = (
    ("POST", "/easyShip/2022-03-23/packages/bulk"),
    ("GET", "/mfn/v0/shipments/{shipmentId}"),
    ("DELETE", "/mfn/v0/shipments/{shipmentId}"),
    ("POST", "/mfn/v0/shipments"),
    ("GET", "/reports/2021-06-30/documents/{reportDocumentId}"),
    ("GET", "/fba/outbound/brazil/v0/shipments/{shipmentId}"),
    ("GET", "/shipping/v1/shipments/{shipmentId}"),
    ("GET", "/vendor/directFulfillment/orders/v1/purchaseOrders"),
    ("GET", f"/vendor/directFulfillment/orders/v1/purchaseOrders/{_BY_NUMBER}"),
    ("GET", "/vendor/directFulfillment/orders/2021-12-28/purchaseOrders"),
    ("GET", f"/vendor/directFulfillment/orders/2021-12-28/purchaseOrders/{_BY_NUMBER}"),
    ("GET", f"{_DIRECT_V1}/shippingLabels"),
    ("GET", f"{_DIRECT_V1}/shippingLabels/{_BY_NUMBER}"),
    ("GET", f"{_DIRECT_V1}/customerInvoices"),
    ("GET", f"{_DIRECT_V1}/customerInvoices/{_BY_NUMBER}"),
    ("GET", f"{_DIRECT_V1}/packingSlips"),
    ("GET", f"{_DIRECT_V1}/packingSlips/{_BY_NUMBER}"),
    ("GET", f"{_DIRECT_2021}/shippingLabels"),
    ("GET", f"{_DIRECT_2021}/shippingLabels/{_BY_NUMBER}"),
    ("POST", f"{_DIRECT_2021}/shippingLabels/{_BY_NUMBER}"),
    ("GET", f"{_DIRECT_2021}/customerInvoices"),
    ("GET", f"{_DIRECT_2021}/customerInvoices/{_BY_NUMBER}"),
    ("GET", f"{_DIRECT_2021}/packingSlips"),
    ("GET", f"{_DIRECT_2021}/packingSlips/{_BY_NUMBER}"),
)
# Source: SP-API documentation, "Tokens API": report documents take specific paths only.
SPECIFIC_PATHS_ONLY = frozenset({"/reports/2021-06-30/documents/{reportDocumentId}"})


def match(method: str, path: str) -> Match | None:
    """Return the operation behind a method and a path, or None when none is simulated there."""
    for operation, pattern in _PATTERNS:
        found = pattern.fullmatch(path) if operation.method == method else None
        if found:
            return Match(operation, found.groupdict())
    return None


def restricted(method: str, path: str) -> tuple[Operation | None, str] | None:
    """Return the restricted operation a resource names, or None when it names none.

    Args:
        method: an HTTP method in upper case.
        path: generic (`/orders/v0/orders/{orderId}`) or specific (with a real identifier).

    Returns:
        The operation, or None for one that is not simulated; and its path template.
    """
    for operation, pattern in _PATTERNS:
        is_candidate = operation.restriction is not Restriction.NONE and operation.method == method
        if is_candidate and (path == operation.path or pattern.fullmatch(path)):
            return operation, operation.path
    for other, template in RESTRICTED_ELSEWHERE:
        if other == method and (path == template or _pattern(template).fullmatch(path)):
            return None, template
    return None


def _pattern(template: str) -> re.Pattern[str]:
    # A literal `{orderId}` is a template, not an identifier, so braces never match.
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/{}]+)", re.escape(template)))


_PATTERNS = tuple((operation, _pattern(operation.path)) for operation in OPERATIONS)
