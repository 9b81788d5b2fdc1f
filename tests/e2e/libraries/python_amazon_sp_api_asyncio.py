"""The asyncio side of `python-amazon-sp-api`, as a desktop program uses it."""

import asyncio
import io
from collections.abc import Callable, Coroutine
from typing import Any

import sp_api.asyncio.api  # first, because the library's own imports go in a circle
import sp_api.asyncio.auth.access_token_client
from settings import connect  # type: ignore[import-not-found] # laid out from docs/libraries.md
from sp_api.asyncio.api import Feeds, Orders, Reports
from sp_api.asyncio.util import throttle_retry

from tests.e2e.libraries.stage import Verb, serve

ANYWHERE = "ATVPDKIKX0DER"
PAUSE_S = 1.0
TRIES = 5
UNDER_WAY = ("IN_QUEUE", "IN_PROGRESS")


async def list_orders(marketplace_id: str, statuses: list[str], since: str) -> list[str]:
    async with connect(Orders, marketplace_id, version="v0") as orders:
        listed = await orders.get_orders(CreatedAfter=since, OrderStatuses=statuses)
    return [order["AmazonOrderId"] for order in listed.payload["Orders"]]


async def read_order(order_id: str) -> str:
    async with connect(Orders, ANYWHERE, version="v0") as orders:
        return str((await orders.get_order(order_id)).payload["AmazonOrderId"])


@throttle_retry(tries=TRIES, delay=PAUSE_S)  # type: ignore[untyped-decorator] # the library has no types
async def read_items(order_id: str) -> int:
    async with connect(Orders, ANYWHERE, version="v0") as orders:
        return len((await orders.get_order_items(order_id)).payload["OrderItems"])


async def read_anew(order_id: str) -> str:
    sp_api.asyncio.auth.access_token_client.cache.clear()
    return await read_order(order_id)


async def restricted(order_id: str) -> Any:
    async with connect(Orders, ANYWHERE, version="v0") as orders:
        shown = await orders.get_order(order_id, RestrictedResources=["shippingAddress"])
    return shown.payload["ShippingAddress"]


async def report(kind: str, marketplace_id: str, pause_s: float) -> str:
    async with connect(Reports, marketplace_id) as reports:
        made = await reports.create_report(reportType=kind, marketplaceIds=[marketplace_id])
        while True:
            found = (await reports.get_report(made.payload["reportId"])).payload
            if found["processingStatus"] == "DONE":
                break
            await asyncio.sleep(pause_s)
        document = await reports.get_report_document(found["reportDocumentId"], download=True)
    return str(document.payload["document"])


async def feed(kind: str, marketplace_id: str, content: str, content_type: str, pause_s: float) -> str:
    async with connect(Feeds, marketplace_id) as feeds:
        _, made = await feeds.submit_feed(
            kind, io.BytesIO(content.encode()), content_type=content_type, marketplaceIds=[marketplace_id]
        )
        while True:
            status = (await feeds.get_feed(made.payload["feedId"])).payload["processingStatus"]
            if status not in UNDER_WAY:
                return str(status)
            await asyncio.sleep(pause_s)


async def list_feeds(kinds: list[str]) -> list[str]:
    async with connect(Feeds, ANYWHERE) as feeds:
        return [feed["feedType"] for feed in (await feeds.get_feeds(feedTypes=kinds)).payload["feeds"]]


def run_by(runner: asyncio.Runner, verb: Callable[..., Coroutine[Any, Any, object]]) -> Verb:
    """Return the verb as one that blocks."""
    return lambda **asked: runner.run(verb(**asked))


if __name__ == "__main__":
    verbs = {
        "list": list_orders,
        "read": read_order,
        "items": read_items,
        "read anew": read_anew,
        "restricted": restricted,
        "report": report,
        "feed": feed,
        "list feeds": list_feeds,
    }
    with asyncio.Runner() as runner:
        serve({name: run_by(runner, verb) for name, verb in verbs.items()})
