"""What reports say: files made from the world's orders, the same for the same seed and virtual times.

Types for shipping, invoicing and tax hold the buyers, with all their markers; every other type holds none of
them. Types that Amazon delivers as XML or JSON are such; the rest is text in columns.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from simulator.documents.storage import Content
from simulator.events import JobCreated
from simulator.orders.paging import instant, stamp
from simulator.seed import Seed
from simulator.world import Order, Seller, World

# Source: SP-API documentation, "Tokens API Use Case Guide", restricted report types (list of 2021).
RESTRICTED = frozenset(
    {
        "GET_AMAZON_FULFILLED_SHIPMENTS_DATA_INVOICING",
        "GET_AMAZON_FULFILLED_SHIPMENTS_DATA_TAX",
        "GET_EASYSHIP_DOCUMENTS",
        "GET_FLAT_FILE_ACTIONABLE_ORDER_DATA_SHIPPING",
        "GET_FLAT_FILE_ORDERS_RECONCILIATION_DATA_INVOICING",
        "GET_FLAT_FILE_ORDERS_RECONCILIATION_DATA_SHIPPING",
        "GET_FLAT_FILE_ORDERS_RECONCILIATION_DATA_TAX",
        "GET_FLAT_FILE_ORDER_REPORT_DATA_INVOICING",
        "GET_FLAT_FILE_ORDER_REPORT_DATA_SHIPPING",
        "GET_FLAT_FILE_ORDER_REPORT_DATA_TAX",
        "GET_GST_MTR_B2B_CUSTOM",
        "GET_ORDER_REPORT_DATA_INVOICING",
        "GET_ORDER_REPORT_DATA_SHIPPING",
        "GET_ORDER_REPORT_DATA_TAX",
        "GET_VAT_TRANSACTION_DATA",
        "SC_VAT_TAX_REPORT",
    }
)
FILE_BYTES_MAX = 64 * 1_048_576
COMPRESSIONS = ("gzip", "none", "mixed")
TEXT_TYPE = "text/plain; charset=UTF-8"
XML_TYPE = "text/xml; charset=UTF-8"
JSON_TYPE = "application/json; charset=UTF-8"

_ORDER_WORDS = ("ORDER", "SHIPMENT", "VAT", "GST", "EASYSHIP")
_XML_BEGINNINGS = ("GET_ORDER_REPORT_DATA", "GET_XML_")
_JSON_WORDS = ("SALES_AND_TRAFFIC", "BRAND_ANALYTICS", "VENDOR_")

Row = dict[str, str]


class ReportFiles:
    """Makes reports.

    `compression` is `gzip`, `none`, or `mixed` (by the seed). `bytes_min` makes files larger by repeating
    their rows.
    """

    def __init__(self, *, seed: Seed, world: World) -> None:
        self.compression = "mixed"
        self.bytes_min = 0
        self._seed = seed
        self._world = world

    def is_empty(self, type_name: str, seller: Seller, asked: Mapping[str, Any], *, now: datetime) -> bool:
        """Return whether a report of orders would find none."""
        return _is_about_orders(type_name) and not any(True for _ in self._orders(seller, asked, now))

    def is_gzip(self, job: JobCreated) -> bool:
        """Return whether a report's file is compressed."""
        if self.compression == "mixed":
            return self._seed.below(2, job.document_id, "compression") == 0
        return self.compression == "gzip"

    def content(self, job: JobCreated) -> Content | None:
        """Return a report's file as the storage holds it."""
        seller = self._world.seller(job.seller_id)
        if seller is None:
            return None
        body, content_type = self._file(job, seller)
        if self.is_gzip(job):
            # Without a time of its own, so that the same text gives the same bytes.
            body = gzip.compress(body, mtime=0)
        return Content(body, content_type, job.seller_id)

    def _file(self, job: JobCreated, seller: Seller) -> tuple[bytes, str]:
        if job.outcome != "DONE":
            return json.dumps({"errorDetails": f"{job.type_name} could not be made."}).encode(), JSON_TYPE
        rows = list(self._rows(job, seller))
        if job.type_name.startswith(_XML_BEGINNINGS):
            return _xml(self._repeated(rows)), XML_TYPE
        if any(word in job.type_name for word in _JSON_WORDS):
            told = {"reportSpecification": {"reportType": job.type_name}, "rows": self._repeated(rows)}
            return json.dumps(told, ensure_ascii=False).encode(), JSON_TYPE
        return _columns(self._repeated(rows)), TEXT_TYPE

    def _rows(self, job: JobCreated, seller: Seller) -> Iterator[Row]:
        if not _is_about_orders(job.type_name):
            yield from self._products(seller)
            return
        for order in self._orders(seller, json.loads(job.asked), job.ends_at):
            yield from _order_rows(order, is_personal=job.type_name in RESTRICTED)

    def _orders(self, seller: Seller, asked: Mapping[str, Any], now: datetime) -> Iterator[Order]:
        """Yield the orders that a report covers; it tells of them only what never changes."""
        since, until = instant(asked["dataStartTime"]), instant(asked["dataEndTime"])
        for order in self._world.placed(seller, now):
            if (
                since <= order.placed_at <= until
                and order.marketplace.marketplace_id in asked["marketplaceIds"]
            ):
                yield order

    def _products(self, seller: Seller) -> Iterator[Row]:
        for item in self._world.products():
            quantity = self._world.stock(seller, item.sku)
            yield {
                "item-name": item.title,
                "seller-sku": item.sku,
                "asin1": item.asin,
                "price": f"{item.unit_price / 100:.2f}",
                "quantity": str(quantity),
                "status": "Active" if quantity else "Inactive",
            }

    def _repeated(self, rows: list[Row]) -> list[Row]:
        """Return rows, as often as it takes to fill `bytes_min`."""
        size = sum(len(value.encode()) + 1 for row in rows for value in row.values())
        return rows * max(1, -(-self.bytes_min // max(size, 1)))


def _is_about_orders(type_name: str) -> bool:
    return any(word in type_name for word in _ORDER_WORDS)


def _order_rows(order: Order, *, is_personal: bool) -> Iterator[Row]:
    buyer, where = order.buyer, order.buyer.address
    personal = {
        "buyer-email": buyer.email,
        "buyer-name": buyer.name,
        "buyer-phone-number": buyer.phone,
        "recipient-name": buyer.name,
        "ship-address-1": where.line_1,
        "ship-address-2": where.line_2 or "",
        "buyer-company-name": buyer.company if order.is_business else "",
        "buyer-tax-registration-id": buyer.tax_id if order.is_business else "",
        "gift-message-text": buyer.gift_message if order.is_gift else "",
    }
    for item in order.items:
        yield {
            "order-id": order.order_id,
            "order-item-id": item.item_id,
            "purchase-date": stamp(order.placed_at),
            "sku": item.sku,
            "product-name": item.title,
            "quantity-purchased": str(item.quantity),
            "currency": order.marketplace.currency,
            "item-price": f"{item.quantity * item.unit_price / 100:.2f}",
            **(personal if is_personal else {}),
            "ship-city": where.city,
            "ship-state": where.state,
            "ship-postal-code": where.postal_code,
            "ship-country": where.country,
        }


def _columns(rows: list[Row]) -> bytes:
    names = list(rows[0]) if rows else []
    lines = ["\t".join(names), *("\t".join(row.values()) for row in rows)]
    return ("\r\n".join(lines) + "\r\n").encode()


def _xml(rows: list[Row]) -> bytes:
    messages = (
        "<Message><OrderReport>"
        + "".join(f"<{_tag(name)}>{escape(value)}</{_tag(name)}>" for name, value in row.items())
        + "</OrderReport></Message>"
        for row in rows
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<AmazonEnvelope>' + "".join(messages) + "</AmazonEnvelope>"
    ).encode()


def _tag(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))
