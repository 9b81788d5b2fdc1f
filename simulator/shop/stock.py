"""getInventorySummaries of FBA Inventory v1: how much of each product lies in Amazon's warehouses."""

from typing import Any

from simulator import exchange
from simulator.call import Call
from simulator.orders.paging import stamp
from simulator.shop.catalog import wanted_marketplaces
from simulator.world import Product, World

Document = dict[str, Any]


class Stock:
    """Answers with documents; the caller has checked token and plan."""

    def __init__(self, world: World) -> None:
        self._world = world

    def summaries(self, call: Call) -> Document:
        """Return the answer of getInventorySummaries, which never needs a second page.

        Raises:
            Refusal: 400, granularity or marketplaces are missing.
        """
        request = call.request
        wanted_marketplaces(call)
        if request.first("granularityType") != "Marketplace" or not request.first("granularityId"):
            raise exchange.invalid_input("Invalid Input", "granularityType must be Marketplace, with its id.")
        wanted = set(request.listed("sellerSkus")) | set(request.listed("sellerSku"))
        rows = [self._row(call, each) for each in self._world.products() if not wanted or each.sku in wanted]
        granularity = {"granularityType": "Marketplace", "granularityId": request.first("granularityId")}
        return {"payload": {"granularity": granularity, "inventorySummaries": rows}}

    def _row(self, call: Call, product: Product) -> Document:
        quantity = self._world.stock(call.access.seller, product.sku)
        row: Document = {
            "asin": product.asin,
            "fnSku": f"X00{product.asin[-7:]}",
            "sellerSku": product.sku,
            "condition": "NewItem",
            "lastUpdatedTime": stamp(call.now),
            "productName": product.title,
            "totalQuantity": quantity,
        }
        if call.request.first("details") == "true":
            row["inventoryDetails"] = {"fulfillableQuantity": quantity}
        return row
