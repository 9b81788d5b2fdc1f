"""The reading operations of Orders v0."""

from typing import Any

import simulator.orders.paging
import simulator.orders.views_v0 as views
from simulator import exchange
from simulator.call import Call
from simulator.exchange import Request
from simulator.orders.handed_in import HandedIn
from simulator.orders.paging import Pager, Turn, one_of
from simulator.orders.progress import Status
from simulator.orders.search import Criteria, Search
from simulator.sealing import Sealer

_STATUSES = frozenset(Status) | {"Canceled", "Unfulfillable", "InvoiceUnconfirmed", "PendingAvailability"}
_FILTERS = frozenset(
    {
        "CreatedAfter",
        "CreatedBefore",
        "LastUpdatedAfter",
        "LastUpdatedBefore",
        "MarketplaceIds",
        "OrderStatuses",
        "FulfillmentChannels",
        "PaymentMethods",
        "EasyShipShipmentStatuses",
        "ElectronicInvoiceStatuses",
        "AmazonOrderIds",
        "BuyerEmail",
        "SellerOrderId",
        "IsISPU",
    }
)


class OrdersV0:
    """Answers with documents; the caller has checked token and plan."""

    def __init__(self, *, search: Search, sealer: Sealer, handed_in: HandedIn) -> None:
        self._search = search
        self._handed_in = handed_in
        self._pager = Pager(sealer, "NextToken", "MaxResultsPerPage", filter_names=_FILTERS)

    def orders(self, call: Call) -> dict[str, Any]:
        """Return the answer of getOrders.

        Raises:
            Refusal: 400, a parameter is missing or wrong.
        """
        turn = self._pager.turn(call.request, call.now)
        criteria = _criteria(turn)
        page = self._search.page(call.access.seller, criteria, pager=self._pager, turn=turn, now=call.now)
        shown = [
            views.shown(order, progress, elements=call.access.elements, now=call.now)
            for order, progress in page.found
        ]
        kind = "LastUpdatedBefore" if criteria.window.is_by_update else "CreatedBefore"
        payload: dict[str, Any] = {
            "Orders": shown,
            kind: simulator.orders.paging.stamp(criteria.window.before),
        }
        if page.next_token:
            payload["NextToken"] = page.next_token
        return {"payload": payload}

    def order(self, call: Call) -> dict[str, Any]:
        """Return the answer of getOrder."""
        order, progress = self._search.one(call.access.seller, call.order_id, call.now)
        return {"payload": views.shown(order, progress, elements=call.access.elements, now=call.now)}

    def address(self, call: Call) -> dict[str, Any]:
        """Return the answer of getOrderAddress."""
        order, progress = self._search.one(call.access.seller, call.order_id, call.now)
        if progress.status is Status.PENDING:
            return {"payload": {"AmazonOrderId": order.order_id}}
        return {"payload": views.address(order, progress, call.now)}

    def buyer_info(self, call: Call) -> dict[str, Any]:
        """Return the answer of getOrderBuyerInfo."""
        order, progress = self._search.one(call.access.seller, call.order_id, call.now)
        if progress.status is Status.PENDING:
            return {"payload": {"AmazonOrderId": order.order_id}}
        return {"payload": views.buyer_info(order)}

    def items(self, call: Call) -> dict[str, Any]:
        """Return the answer of getOrderItems, which never needs a second page."""
        _refuse_page(call.request)
        order, progress = self._search.one(call.access.seller, call.order_id, call.now)
        lines = [
            views.line(
                order,
                item,
                progress,
                elements=call.access.elements,
                customized_url=self._handed_in.customization(order, item, call.now),
            )
            for item in order.items
        ]
        return {"payload": {"AmazonOrderId": order.order_id, "OrderItems": lines}}

    def items_buyer_info(self, call: Call) -> dict[str, Any]:
        """Return the answer of getOrderItemsBuyerInfo, which never needs a second page."""
        _refuse_page(call.request)
        order, progress = self._search.one(call.access.seller, call.order_id, call.now)
        is_pending = progress.status is Status.PENDING
        lines = [
            views.line_buyer_info(
                order, item, customized_url=self._handed_in.customization(order, item, call.now)
            )
            for item in (() if is_pending else order.items)
        ]
        return {"payload": {"AmazonOrderId": order.order_id, "OrderItems": lines}}

    def regulated_info(self, call: Call) -> dict[str, Any]:
        """Return the answer of getOrderRegulatedInfo."""
        order, _ = self._search.one(call.access.seller, call.order_id, call.now)
        prescription_url = self._handed_in.prescription(order, call.now)
        return {"payload": views.regulated_info(order, prescription_url=prescription_url)}


def _criteria(turn: Turn) -> Criteria:
    """Return what getOrders is asked for; filters that no simulated order could meet find nothing."""
    marketplaces = turn.values("MarketplaceIds")
    if not marketplaces:
        raise exchange.invalid_input("Invalid Input", "MarketplaceIds must be specified.")
    order_ids = turn.values("AmazonOrderIds") | turn.values("SellerOrderId")
    statuses = turn.values("OrderStatuses", allowed=_STATUSES)
    methods = turn.values("PaymentMethods", allowed={"COD", "CVS", "Other"})
    invoices = turn.values("ElectronicInvoiceStatuses")
    is_hopeless = (
        bool(turn.values("EasyShipShipmentStatuses"))
        or (bool(methods) and "Other" not in methods)
        or (bool(invoices) and "NotRequired" not in invoices)
    )
    pickup = turn.first("IsISPU")
    return Criteria(
        window=simulator.orders.paging.window(turn, is_optional=bool(order_ids)),
        marketplaces=marketplaces,
        statuses=frozenset({"none"}) if is_hopeless else statuses,
        order_ids=order_ids,
        is_amazon_fulfilled=one_of(turn.values("FulfillmentChannels", allowed={"AFN", "MFN"}), "AFN"),
        is_pickup=None if pickup is None else pickup.lower() == "true",
        email=turn.first("BuyerEmail"),
    )


def _refuse_page(request: Request) -> None:
    if request.first("NextToken"):
        raise exchange.invalid_input("Invalid Input", "NextToken is invalid.")
