"""Amazon's SDK for Python, `amzn-sp-api`, as a desktop program uses it."""

import gzip
import time
from typing import Any

import requests
from settings import connect  # type: ignore[import-not-found] # laid out from docs/libraries.md
from spapi.api.feeds_v2021_06_30.feeds_api import FeedsApi
from spapi.api.orders_v0.orders_v0_api import OrdersV0Api
from spapi.api.reports_v2021_06_30.reports_api import ReportsApi
from spapi.api.tokens_v2021_03_01.tokens_api import TokensApi

from tests.e2e.libraries.stage import serve

UNDER_WAY = ("IN_QUEUE", "IN_PROGRESS")

client = connect()


def list_orders(marketplace_id: str, statuses: list[str], since: str) -> list[str]:
    listed = OrdersV0Api(client).get_orders([marketplace_id], created_after=since, order_statuses=statuses)
    return [order.amazon_order_id for order in listed.payload.orders]


def read_order(order_id: str) -> str:
    return str(OrdersV0Api(client).get_order(order_id).payload.amazon_order_id)


def read_items(order_id: str) -> int:
    return len(OrdersV0Api(client).get_order_items(order_id).payload.order_items)


def read_anew(order_id: str) -> str:
    return str(OrdersV0Api(connect()).get_order(order_id).payload.amazon_order_id)


def restricted(order_id: str) -> Any:
    resource = {"method": "GET", "path": "/orders/v0/orders/{orderId}", "dataElements": ["shippingAddress"]}
    handle = TokensApi(client).create_restricted_data_token({"restrictedResources": [resource]})
    shown = connect()
    shown.configuration.access_token_cache.token_info = {
        "access_token": handle.restricted_data_token,
        "expires_at": time.time() + handle.expires_in,
    }
    return OrdersV0Api(shown).get_order(order_id).payload.shipping_address.to_dict()


def report(kind: str, marketplace_id: str, pause_s: float) -> str:
    reports = ReportsApi(client)
    made = reports.create_report({"reportType": kind, "marketplaceIds": [marketplace_id]})
    while (found := reports.get_report(made.report_id)).processing_status != "DONE":
        time.sleep(pause_s)
    document = reports.get_report_document(found.report_document_id)
    answer = requests.get(document.url, timeout=60)
    answer.raise_for_status()
    is_packed = document.compression_algorithm == "GZIP"
    return (gzip.decompress(answer.content) if is_packed else answer.content).decode()


def feed(kind: str, marketplace_id: str, content: str, content_type: str, pause_s: float) -> str:
    feeds = FeedsApi(client)
    document = feeds.create_feed_document({"contentType": content_type})
    put = requests.put(
        document.url, data=content.encode(), headers={"Content-Type": content_type}, timeout=60
    )
    put.raise_for_status()
    made = feeds.create_feed(
        {
            "feedType": kind,
            "marketplaceIds": [marketplace_id],
            "inputFeedDocumentId": document.feed_document_id,
        }
    )
    while (status := feeds.get_feed(made.feed_id).processing_status) in UNDER_WAY:
        time.sleep(pause_s)
    return str(status)


def list_feeds(kinds: list[str]) -> list[str]:
    return [feed.feed_type for feed in FeedsApi(client).get_feeds(feed_types=kinds).feeds]


if __name__ == "__main__":
    serve(
        {
            "list": list_orders,
            "read": read_order,
            "items": read_items,
            "read anew": read_anew,
            "restricted": restricted,
            "report": report,
            "feed": feed,
            "list feeds": list_feeds,
        }
    )
