"""`python-amazon-sp-api`, as a desktop program uses it."""

import io
import time
from typing import Any

import sp_api.auth.access_token_client
from settings import connect  # type: ignore[import-not-found] # laid out from docs/libraries.md
from sp_api.api import Feeds, Orders, Reports
from sp_api.util import throttle_retry

from tests.e2e.libraries.stage import serve

ANYWHERE = "ATVPDKIKX0DER"
PAUSE_S = 1.0
TRIES = 5
UNDER_WAY = ("IN_QUEUE", "IN_PROGRESS")


def orders(marketplace_id: str = ANYWHERE) -> Any:
    return connect(Orders, marketplace_id, version="v0")


def list_orders(marketplace_id: str, statuses: list[str], since: str) -> list[str]:
    listed = orders(marketplace_id).get_orders(CreatedAfter=since, OrderStatuses=statuses)
    return [order["AmazonOrderId"] for order in listed.payload["Orders"]]


def read_order(order_id: str) -> str:
    return str(orders().get_order(order_id).payload["AmazonOrderId"])


@throttle_retry(tries=TRIES, delay=PAUSE_S)  # type: ignore[untyped-decorator] # the library has no types
def read_items(order_id: str) -> int:
    return len(orders().get_order_items(order_id).payload["OrderItems"])


def read_anew(order_id: str) -> str:
    sp_api.auth.access_token_client.cache.clear()
    return read_order(order_id)


def restricted(order_id: str) -> Any:
    return orders().get_order(order_id, RestrictedResources=["shippingAddress"]).payload["ShippingAddress"]


def report(kind: str, marketplace_id: str, pause_s: float) -> str:
    reports = connect(Reports, marketplace_id)
    made = reports.create_report(reportType=kind, marketplaceIds=[marketplace_id]).payload["reportId"]
    while (found := reports.get_report(made).payload)["processingStatus"] != "DONE":
        time.sleep(pause_s)
    return str(reports.get_report_document(found["reportDocumentId"], download=True).payload["document"])


def feed(kind: str, marketplace_id: str, content: str, content_type: str, pause_s: float) -> str:
    feeds = connect(Feeds, marketplace_id)
    _, made = feeds.submit_feed(
        kind, io.BytesIO(content.encode()), content_type=content_type, marketplaceIds=[marketplace_id]
    )
    while True:
        status = feeds.get_feed(made.payload["feedId"]).payload["processingStatus"]
        if status not in UNDER_WAY:
            return str(status)
        time.sleep(pause_s)


def list_feeds(kinds: list[str]) -> list[str]:
    return [feed["feedType"] for feed in connect(Feeds, ANYWHERE).get_feeds(feedTypes=kinds).payload["feeds"]]


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
