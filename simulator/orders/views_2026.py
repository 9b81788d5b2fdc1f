"""Orders in the shapes of Orders 2026-01-01: the caller picks datasets, roles decide about personal data.

Source: model orders_2026-01-01 of amzn/selling-partner-api-models.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

from simulator import operations
from simulator.orders.money import v2026 as money
from simulator.orders.paging import stamp
from simulator.orders.progress import Progress, Status
from simulator.orders.views_v0 import is_phone_shown
from simulator.people import Address
from simulator.world import DELIVER_EARLIEST, DELIVER_LATEST, SHIP_EARLIEST, SHIP_LATEST, Item, Order

Document = dict[str, Any]


class Dataset(StrEnum):
    """What `includedData` can ask for."""

    BUYER = "BUYER"
    RECIPIENT = "RECIPIENT"
    PROCEEDS = "PROCEEDS"
    EXPENSE = "EXPENSE"
    PROMOTION = "PROMOTION"
    CANCELLATION = "CANCELLATION"
    FULFILLMENT = "FULFILLMENT"
    PACKAGES = "PACKAGES"
    TAX = "TAX"
    PAYMENT = "PAYMENT"
    FULFILLMENT_ORDERS = "FULFILLMENT_ORDERS"


# Source: model orders_2026-01-01 and "Access Orders PII": the roles behind each dataset with personal data.
_ELEMENTS = {
    Dataset.BUYER: operations.BUYER_INFO,
    Dataset.RECIPIENT: operations.SHIPPING_ADDRESS,
    Dataset.TAX: operations.BUYER_TAX,
}


def shown(
    order: Order, progress: Progress, *, datasets: frozenset[str], elements: frozenset[str], now: datetime
) -> Document:
    """Return an order with the datasets asked for, without those that `elements` (the roles) do not open."""
    open_ = {name for name in Dataset if name in datasets and _ELEMENTS.get(name) in elements | {None}}
    document: Document = {
        "orderId": order.order_id,
        "orderAliases": [{"aliasId": order.order_id, "aliasType": "SELLER_ORDER_ID"}],
        "createdTime": stamp(order.placed_at),
        "lastUpdatedTime": stamp(progress.updated_at),
        "programs": _programs(order),
        "associatedOrders": [],
        "salesChannel": {
            "channelName": "AMAZON",
            "marketplaceId": order.marketplace.marketplace_id,
            "marketplaceName": order.marketplace.channel,
        },
    }
    makers: dict[Dataset, tuple[str, Callable[[], Any]]] = {
        Dataset.BUYER: ("buyer", lambda: _buyer(order)),
        Dataset.RECIPIENT: ("recipient", lambda: _recipient(order, progress, now)),
        Dataset.PROCEEDS: ("proceeds", lambda: _proceeds(order)),
        Dataset.PAYMENT: ("payment", lambda: _payment(order)),
        Dataset.TAX: ("tax", lambda: _tax(order)),
        Dataset.FULFILLMENT: ("fulfillment", lambda: _fulfillment(order, progress)),
        Dataset.PACKAGES: ("packages", lambda: _packages(order, progress)),
    }
    is_pending = progress.status is Status.PENDING
    for dataset, (name, make) in makers.items():
        if dataset in open_ and (dataset is Dataset.FULFILLMENT or not is_pending):
            document[name] = make()
    document["orderItems"] = [_item(order, item, progress, open_=open_) for item in order.items]
    return document


def _programs(order: Order) -> list[str]:
    programs = {"AMAZON_BUSINESS": order.is_business, "IN_STORE_PICK_UP": order.is_pickup}
    return [name for name, is_member in programs.items() if is_member]


def _buyer(order: Order) -> Document:
    """Source: model, Buyer.buyerEmail: only for orders that the seller fulfils."""
    document: Document = {"buyerName": order.buyer.name}
    if not order.is_amazon_fulfilled:
        document["buyerEmail"] = order.buyer.email
    if order.is_business:
        document["buyerCompanyName"] = order.buyer.company
        document["buyerPurchaseOrderNumber"] = order.buyer.purchase_order
    return document


def _recipient(order: Order, progress: Progress, now: datetime) -> Document:
    where = _address(order.buyer.address, order.buyer.name)
    if order.is_business:
        where["companyName"] = order.buyer.company
    if is_phone_shown(order, progress, now):
        where["phone"] = order.buyer.phone
    where["addressType"] = "COMMERCIAL" if order.buyer.address.is_commercial else "RESIDENTIAL"
    preference = {
        "dropOffLocation": "FRONT_DOOR",
        "addressInstruction": f"Ring twice, ask for {order.buyer.marker}",
    }
    return {"deliveryAddress": where, "deliveryPreference": preference}


def _address(address: Address, name: str) -> Document:
    document: Document = {"name": name, "addressLine1": address.line_1}
    if address.line_2:
        document["addressLine2"] = address.line_2
    return document | {
        "city": address.city,
        "stateOrRegion": address.state,
        "postalCode": address.postal_code,
        "countryCode": address.country,
    }


def _proceeds(order: Order) -> Document:
    currency = order.marketplace.currency
    tax = sum(item.quantity * item.unit_tax for item in order.items)
    return {
        "grandTotal": money(order.total, currency),
        "breakdowns": [
            {"type": "ITEM", "subtotal": money(order.total - tax, currency)},
            {"type": "TAX", "subtotal": money(tax, currency)},
        ],
    }


def _payment(order: Order) -> Document:
    amount = money(order.total, order.marketplace.currency)
    return {"paymentExecutions": [{"paymentMethod": "Other", "paymentAmount": amount}]}


def _tax(order: Order) -> Document:
    if not order.is_business:
        return {"taxInvoicing": {"buyerInvoicePreference": "INDIVIDUAL", "invoiceStatus": "NotRequired"}}
    buyer = order.buyer
    registration = {
        "entityType": "BUYER",
        "legalName": buyer.company,
        "taxRegistrationType": "VAT",
        "taxRegistrationNumber": buyer.tax_id,
        "taxRegistrationAddress": _address(buyer.address, buyer.name) | {"companyName": buyer.company},
        "taxRegistrationAttributes": [{"key": "TAX_OFFICE", "value": f"Tax office of {buyer.address.city}"}],
    }
    invoicing = {"buyerInvoicePreference": "BUSINESS", "invoiceStatus": "NotRequired"}
    return {"taxRegistrations": [registration], "taxInvoicing": invoicing}


def _fulfillment(order: Order, progress: Progress) -> Document:
    placed_at = order.placed_at
    return {
        "fulfillmentStatus": progress.status.name,
        "fulfilledBy": "AMAZON" if order.is_amazon_fulfilled else "MERCHANT",
        "fulfillmentServiceLevel": "STANDARD",
        "shipByWindow": _window(placed_at + SHIP_EARLIEST, placed_at + SHIP_LATEST),
        "deliverByWindow": _window(placed_at + DELIVER_EARLIEST, placed_at + DELIVER_LATEST),
    }


def _window(earliest: datetime, latest: datetime) -> Document:
    return {"earliestDateTime": stamp(earliest), "latestDateTime": stamp(latest)}


def _packages(order: Order, progress: Progress) -> list[Document]:
    """Source: model, Order.packages: only for orders that the seller fulfils."""
    if order.is_amazon_fulfilled:
        return []
    is_delivered = progress.delivered_at is not None
    return [
        {
            "packageReferenceId": package.reference,
            "createdTime": stamp(package.confirmed_at),
            "packageStatus": {
                "status": "DELIVERED" if is_delivered else "IN_TRANSIT",
                "detailedStatus": "DELIVERED" if is_delivered else "PICKED_UP",
            },
            "carrier": package.carrier,
            "shipTime": stamp(package.ship_at),
            "shippingService": package.service,
            "trackingNumber": package.tracking,
            "packageItems": [
                {"orderItemId": item_id, "quantity": quantity} for item_id, quantity in package.items
            ],
        }
        for package in progress.packages
    ]


def _item(order: Order, item: Item, progress: Progress, *, open_: set[Dataset]) -> Document:
    currency, is_pending = order.marketplace.currency, progress.status is Status.PENDING
    document: Document = {
        "orderItemId": item.item_id,
        "quantityOrdered": item.quantity,
        "programs": [],
        "product": {
            "asin": item.asin,
            "title": item.title,
            "sellerSku": item.sku,
            "condition": {"conditionType": "NEW", "conditionSubtype": "NEW", "conditionNote": ""},
        },
    }
    if not is_pending:
        document["product"]["price"] = {"unitPrice": money(item.unit_price, currency)}
    if Dataset.PROCEEDS in open_ and not is_pending:
        subtotal = money(item.quantity * item.unit_price, currency)
        document["proceeds"] = {
            "proceedsTotal": subtotal,
            "breakdowns": [{"type": "ITEM", "subtotal": subtotal}],
        }
    if Dataset.FULFILLMENT in open_:
        shipped = progress.shipped.get(item.item_id, 0)
        fulfillment: Document = {"quantityFulfilled": shipped, "quantityUnfulfilled": item.quantity - shipped}
        if order.is_gift and not is_pending:
            gift = {"giftMessage": order.buyer.gift_message, "giftWrapLevel": "Classic"}
            fulfillment["packing"] = {"giftOption": gift}
        document["fulfillment"] = fulfillment
    return document
