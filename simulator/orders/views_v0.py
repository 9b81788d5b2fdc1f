"""Orders in the shapes of Orders v0.

Source: model ordersV0 of amzn/selling-partner-api-models. What an ordinary token shows follows the answers
quoted in public issues (jlevers/selling-partner-api 238, amzn/selling-partner-api-models 1454): place, but
no person.
"""

from datetime import datetime
from typing import Any

from simulator import operations
from simulator.orders.money import v0 as money
from simulator.orders.paging import stamp
from simulator.orders.progress import Progress, Status
from simulator.people import Buyer
from simulator.world import DELIVER_EARLIEST, DELIVER_LATEST, SHIP_EARLIEST, SHIP_LATEST, Item, Order

Document = dict[str, Any]


def shown(order: Order, progress: Progress, *, elements: frozenset[str], now: datetime) -> Document:
    """Return an order, with the personal data that `elements` name.

    An order that waits for payment shows no price and no person.
    """
    document = _plain(order, progress)
    if progress.status is Status.PENDING:
        return document
    currency = order.marketplace.currency
    document["OrderTotal"] = money(order.total, currency)
    document["ShippingAddress"] = _place(order)
    document["BuyerInfo"] = {}
    if operations.SHIPPING_ADDRESS in elements:
        document["ShippingAddress"] = shipping_address(order, progress, now)
    if operations.BUYER_INFO in elements:
        document["BuyerInfo"] = _buyer(order)
    if operations.BUYER_TAX in elements and order.is_business:
        document["BuyerTaxInformation"] = _tax(order.buyer)
    return document


def address(order: Order, progress: Progress, now: datetime) -> Document:
    """Return the answer of getOrderAddress."""
    document: Document = {"AmazonOrderId": order.order_id}
    if order.is_business:
        document["BuyerCompanyName"] = order.buyer.company
    document["ShippingAddress"] = shipping_address(order, progress, now)
    document["DeliveryPreferences"] = {
        "DropOffLocation": "Front Door",
        "AddressInstructions": f"Ring twice, ask for {order.buyer.marker}",
    }
    return document


def buyer_info(order: Order) -> Document:
    """Return the answer of getOrderBuyerInfo."""
    return {"AmazonOrderId": order.order_id, **_buyer(order)}


def shipping_address(order: Order, progress: Progress, now: datetime) -> Document:
    """Return where an order goes.

    Source: model orders_2026-01-01, CustomerAddress.phone: suppressed for orders that Amazon fulfils, and for
    shipped ones when their latest delivery date has passed.
    """
    person, where = order.buyer, order.buyer.address
    document: Document = {"Name": person.name, "AddressLine1": where.line_1}
    if order.is_business:
        document["CompanyName"] = person.company
    if where.line_2:
        document["AddressLine2"] = where.line_2
    document |= _place(order)
    if is_phone_shown(order, progress, now):
        document["Phone"] = person.phone
    document["AddressType"] = "Commercial" if where.is_commercial else "Residential"
    return document


def is_phone_shown(order: Order, progress: Progress, now: datetime) -> bool:
    """Return whether the buyer's telephone number may still be seen."""
    is_over = progress.status is Status.SHIPPED and now > order.placed_at + DELIVER_LATEST
    return not order.is_amazon_fulfilled and not is_over


def line(
    order: Order, item: Item, progress: Progress, *, elements: frozenset[str], customized_url: str
) -> Document:
    """Return one line of getOrderItems; `customized_url` is empty where nothing was handed in."""
    currency = order.marketplace.currency
    document: Document = {
        "ASIN": item.asin,
        "OrderItemId": item.item_id,
        "SellerSKU": item.sku,
        "Title": item.title,
        "QuantityOrdered": item.quantity,
        "QuantityShipped": progress.shipped.get(item.item_id, 0),
        "ProductInfo": {"NumberOfItems": "1"},
        "IsGift": "true" if order.is_gift else "false",
        "ConditionId": "New",
        "ConditionSubtypeId": "New",
        "SerialNumberRequired": False,
        "IsTransparency": False,
    }
    if progress.status is not Status.PENDING:
        document["ItemPrice"] = money(item.quantity * item.unit_price, currency)
        document["ItemTax"] = money(item.quantity * item.unit_tax, currency)
        document["PromotionDiscount"] = money(0, currency)
        is_shown = operations.BUYER_INFO in elements
        document["BuyerInfo"] = _item_buyer(order, customized_url) if is_shown else {}
    return document


def line_buyer_info(order: Order, item: Item, *, customized_url: str) -> Document:
    """Return one line of getOrderItemsBuyerInfo; `customized_url` as for `line`."""
    return {"OrderItemId": item.item_id, **_item_buyer(order, customized_url)}


def regulated_info(order: Order, *, prescription_url: str) -> Document:
    """Return the answer of getOrderRegulatedInfo, for an order that holds a regulated product or not."""
    texts = {"pet_prescription_name": "Name", "pet_prescription_species": "Species"}
    values = (f"Rex {order.buyer.marker}", "Dog")
    fields = [
        {"FieldId": name, "FieldLabel": label, "FieldType": "Text", "FieldValue": value}
        for (name, label), value in zip(texts.items(), values, strict=True)
    ]
    fields.append(
        {
            "FieldId": "pet_prescription",
            "FieldLabel": "Prescription",
            "FieldType": "FileAttachment",
            "FieldValue": prescription_url,
        }
    )
    return {
        "AmazonOrderId": order.order_id,
        "RequiresDosageLabel": False,
        "RegulatedInformation": {"Fields": fields if order.is_regulated else []},
        "RegulatedOrderVerificationStatus": {
            "Status": "Pending" if order.is_regulated else "Approved",
            "RequiresMerchantAction": order.is_regulated,
            "ValidRejectionReasons": [
                {
                    "RejectionReasonId": "shield_pom_vps_reject_product",
                    "RejectionReasonDescription": "This medicine is not suitable for your pet.",
                }
            ],
        },
    }


def _plain(order: Order, progress: Progress) -> Document:
    """Return what every token may see of an order."""
    placed_at = order.placed_at
    return {
        "AmazonOrderId": order.order_id,
        "SellerOrderId": order.order_id,
        "PurchaseDate": stamp(placed_at),
        "LastUpdateDate": stamp(progress.updated_at),
        "OrderStatus": progress.status.value,
        "FulfillmentChannel": "AFN" if order.is_amazon_fulfilled else "MFN",
        "SalesChannel": order.marketplace.channel,
        "ShipServiceLevel": "Std Sample D2D Dom",
        "NumberOfItemsShipped": progress.quantity_shipped,
        "NumberOfItemsUnshipped": order.quantity - progress.quantity_shipped,
        "PaymentMethod": "Other",
        "PaymentMethodDetails": ["Standard"],
        "MarketplaceId": order.marketplace.marketplace_id,
        "ShipmentServiceLevelCategory": "Standard",
        "OrderType": "StandardOrder",
        "EarliestShipDate": stamp(placed_at + SHIP_EARLIEST),
        "LatestShipDate": stamp(placed_at + SHIP_LATEST),
        "EarliestDeliveryDate": stamp(placed_at + DELIVER_EARLIEST),
        "LatestDeliveryDate": stamp(placed_at + DELIVER_LATEST),
        "IsBusinessOrder": order.is_business,
        "IsPrime": False,
        "IsPremiumOrder": False,
        "IsGlobalExpressEnabled": False,
        "IsReplacementOrder": False,
        "IsSoldByAB": False,
        "IsIBA": False,
        "IsISPU": order.is_pickup,
        "IsAccessPointOrder": False,
        "HasRegulatedItems": order.is_regulated,
        "AutomatedShippingSettings": {"HasAutomatedShippingSettings": False},
        "ElectronicInvoiceStatus": "NotRequired",
    }


def _place(order: Order) -> Document:
    where = order.buyer.address
    return {
        "City": where.city,
        "StateOrRegion": where.state,
        "PostalCode": where.postal_code,
        "CountryCode": where.country,
    }


def _buyer(order: Order) -> Document:
    document: Document = {"BuyerName": order.buyer.name}
    if not order.is_amazon_fulfilled:
        document["BuyerEmail"] = order.buyer.email
    if order.is_business:
        document["PurchaseOrderNumber"] = order.buyer.purchase_order
        document["BuyerTaxInfo"] = {
            "CompanyLegalName": order.buyer.company,
            "TaxingRegion": order.buyer.address.country,
            "TaxClassifications": [{"Name": "VATNumber", "Value": order.buyer.tax_id}],
        }
    return document


def _tax(buyer: Buyer) -> Document:
    return {
        "BuyerLegalCompanyName": buyer.company,
        "BuyerBusinessAddress": f"{buyer.address.line_1}, {buyer.address.city}",
        "BuyerTaxRegistrationId": buyer.tax_id,
        "BuyerTaxOffice": f"Tax office of {buyer.address.city}",
    }


def _item_buyer(order: Order, customized_url: str) -> Document:
    customized = {"BuyerCustomizedInfo": {"CustomizedURL": customized_url}} if customized_url else {}
    return {**customized, **_gift(order)}


def _gift(order: Order) -> Document:
    if not order.is_gift:
        return {}
    currency = order.marketplace.currency
    return {
        "GiftMessageText": order.buyer.gift_message,
        "GiftWrapLevel": "Classic",
        "GiftWrapPrice": money(299, currency),
        "GiftWrapTax": money(25, currency),
    }
