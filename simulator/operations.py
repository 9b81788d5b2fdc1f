"""Amazon's 370 operations, their usage plans, and what the Tokens API calls restricted.

Methods, paths, plans and the shapes of answers stand in `facts/operations.json`, which `facts.build` makes
from Amazon's models; what no model says stands here, with its source.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

FACTS = Path(__file__).parent / "facts" / "operations.json"

# Source: SP-API documentation, "Grantless Operations".
ROTATION_SCOPE = "sellingpartnerapi::client_credential:rotation"
NOTIFICATIONS_SCOPE = "sellingpartnerapi::notifications"

BUYER_INFO = "buyerInfo"
SHIPPING_ADDRESS = "shippingAddress"
BUYER_TAX = "buyerTaxInformation"


class Restriction(StrEnum):
    """What a restricted data token means to an operation."""

    NONE = "none"
    DATA = "data"  # an ordinary token gets an answer without personal data; `dataElements` add it
    ALWAYS = "always"  # an ordinary token is refused
    BY_REPORT = "by_report"  # an ordinary token is refused when the document's report type is restricted


@dataclass(frozen=True)
class Operation:
    """One operation: `rate` is in calls per second, `burst` in calls.

    `elements` are the data elements it can show; for an operation that is restricted always, a role for any
    one of them opens it. `is_dynamic` marks plans that differ from seller to seller. `scope` is that of the
    application's own token, which alone opens the operation. `status` is that of success, `shape` what such
    an answer looks like (`facts.shape`), None when it has no body.
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
    status: int = 200
    shape: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Match:
    """An operation and the values of its path's parameters."""

    operation: Operation
    parameters: Mapping[str, str]


_ALL = frozenset({BUYER_INFO, SHIPPING_ADDRESS, BUYER_TAX})
_BUYER = frozenset({BUYER_INFO})
_ADDRESS = frozenset({SHIPPING_ADDRESS})
_DATA = Restriction.DATA
_ALWAYS = Restriction.ALWAYS
_NONE: frozenset[str] = frozenset()

# What a restricted data token means to an operation, and the elements that it can show.
# Source: SP-API documentation, "Tokens API", list of restricted operations.
_ORDER = "/orders/v0/orders/{orderId}"
_DIRECT = "/vendor/directFulfillment"
_BY_NUMBER = "{purchaseOrderNumber}"
_RESTRICTED: Mapping[tuple[str, str], tuple[Restriction, frozenset[str]]] = {
    ("GET", "/orders/v0/orders"): (_DATA, _ALL),
    ("GET", _ORDER): (_DATA, _ALL),
    ("GET", f"{_ORDER}/buyerInfo"): (_ALWAYS, _BUYER),
    ("GET", f"{_ORDER}/address"): (_ALWAYS, _ADDRESS),
    ("GET", f"{_ORDER}/orderItems"): (_DATA, _BUYER),
    ("GET", f"{_ORDER}/orderItems/buyerInfo"): (_ALWAYS, _BUYER),
    ("GET", f"{_ORDER}/regulatedInfo"): (_ALWAYS, _ADDRESS),
    ("GET", "/reports/2021-06-30/documents/{reportDocumentId}"): (Restriction.BY_REPORT, _NONE),
    **dict.fromkeys(
        (
            ("POST", "/easyShip/2022-03-23/packages/bulk"),
            ("GET", "/mfn/v0/shipments/{shipmentId}"),
            ("DELETE", "/mfn/v0/shipments/{shipmentId}"),
            ("POST", "/mfn/v0/shipments"),
            ("GET", "/fba/outbound/brazil/v0/shipments/{shipmentId}"),
            ("GET", "/shipping/v1/shipments/{shipmentId}"),
            ("POST", f"{_DIRECT}/shipping/2021-12-28/shippingLabels/{_BY_NUMBER}"),
            *(
                ("GET", f"{_DIRECT}/{part}{end}")
                for part in (
                    "orders/v1/purchaseOrders",
                    "orders/2021-12-28/purchaseOrders",
                    "shipping/v1/shippingLabels",
                    "shipping/v1/customerInvoices",
                    "shipping/v1/packingSlips",
                    "shipping/2021-12-28/shippingLabels",
                    "shipping/2021-12-28/customerInvoices",
                    "shipping/2021-12-28/packingSlips",
                )
                for end in ("", f"/{_BY_NUMBER}")
            ),
        ),
        (_ALWAYS, _NONE),
    ),
}

# Operations of the application's own token, by name.
_SCOPES: Mapping[str, str] = {
    "application_2023-11-30.rotateApplicationClientSecret": ROTATION_SCOPE,
    **{
        f"notifications.{name}": NOTIFICATIONS_SCOPE
        for name in (
            "createDestination",
            "deleteDestination",
            "deleteSubscriptionById",
            "getDestination",
            "getDestinations",
            "getSubscriptionById",
            "sendTestNotification",
        )
    },
}

# Source: "Usage Plans and Rate Limits" (blog, 2023): only these plans grow with the seller's business.
_DYNAMIC = frozenset(
    {
        "ordersV0.getOrders",
        "ordersV0.getOrder",
        "ordersV0.getOrderBuyerInfo",
        "ordersV0.getOrderAddress",
        "ordersV0.getOrderItems",
        "productPricing_2022-05-01.getFeaturedOfferExpectedPriceBatch",
    }
)
# Six operations have no plan anywhere.
_PLAN_UNKNOWN = (1.0, 5)


def _operation(row: Mapping[str, Any]) -> Operation:
    rate, burst = row["plan"] or _PLAN_UNKNOWN
    restriction, elements = _RESTRICTED.get((row["method"], row["path"]), (Restriction.NONE, _NONE))
    return Operation(
        name=row["name"],
        method=row["method"],
        path=row["path"],
        rate=rate,
        burst=burst,
        restriction=restriction,
        elements=elements,
        is_dynamic=row["name"] in _DYNAMIC,
        scope=_SCOPES.get(row["name"], ""),
        status=row["status"],
        shape=row.get("shape"),
    )


OPERATIONS = tuple(map(_operation, json.loads(FACTS.read_text(encoding="utf-8"))))

# Amazon publishes no plan of the token endpoint; the control interface can give it one.
LWA_TOKEN = Operation("lwa.token", "POST", "/auth/o2/token", 1_000_000, 1_000_000)

BY_NAME = {operation.name: operation for operation in (*OPERATIONS, LWA_TOKEN)}

QUEUE_ACTIONS = ("sqs.receiveMessage", "sqs.deleteMessage", "sqs.getQueueUrl", "sqs.getQueueAttributes")
STORAGE_ACTIONS = ("storage.getObject", "storage.putObject", "storage.postObject")
# Whatever a fault can be ordered for.
BREAKABLE = frozenset({*BY_NAME, *QUEUE_ACTIONS, *STORAGE_ACTIONS})

# Source: SP-API documentation, "Tokens API": report documents take specific paths only.
SPECIFIC_PATHS_ONLY = frozenset({"/reports/2021-06-30/documents/{reportDocumentId}"})

# Whose last parameter takes what is left of a path.
# Source: Uploads API model, `x-amazon-spds-greedy-path-parameter`.
_GREEDY = frozenset({"/uploads/2020-11-01/uploadDestinations/{resource}"})
SEGMENTS_MAX = 16


def match(method: str, path: str) -> Match | None:
    """Return the operation behind a method and a path, or None when Amazon has none there.

    Where a literal and a parameter both fit, the literal goes first, as with Amazon.
    """
    for operation, pattern in _candidates(method, path):
        if found := pattern.fullmatch(path):
            return Match(operation, found.groupdict())
    return None


def restricted(method: str, path: str) -> Operation | None:
    """Return the restricted operation a resource names, or None when it names none.

    Args:
        method: an HTTP method in upper case.
        path: generic (`/orders/v0/orders/{orderId}`) or specific (with a real identifier).
    """
    for operation, pattern in _candidates(method, path):
        if path == operation.path or pattern.fullmatch(path):
            return operation if operation.restriction is not Restriction.NONE else None
    return None


_Candidate = tuple[Operation, re.Pattern[str]]


def _candidates(method: str, path: str) -> Iterator[_Candidate]:
    _, first, *_ = (*path.split("/", 2), "")
    yield from _PATTERNS.get((method, path.count("/"), first), ())


def _pattern(template: str) -> re.Pattern[str]:
    # A literal `{orderId}` is a template, not an identifier, so braces never match.
    value = "[^{}]+" if template in _GREEDY else "[^/{}]+"
    return re.compile(re.sub(r"\\{(\w+)\\}", rf"(?P<\1>{value})", re.escape(template)))


def _patterns() -> Mapping[tuple[str, int, str], list[_Candidate]]:
    """Return the operations by method, number of segments and first segment, the most literal first."""
    found: defaultdict[tuple[str, int, str], list[_Candidate]] = defaultdict(list)
    for operation in sorted(
        OPERATIONS, key=lambda each: [part.startswith("{") for part in each.path.split("/")]
    ):
        count, first = operation.path.count("/"), operation.path.split("/")[1]
        last = SEGMENTS_MAX if operation.path in _GREEDY else count
        for each in range(count, last + 1):
            found[operation.method, each, first].append((operation, _pattern(operation.path)))
    return dict(found)


_PATTERNS = _patterns()
