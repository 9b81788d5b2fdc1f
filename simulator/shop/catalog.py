"""The operations of Catalog Items 2022-04-01: the world's products, the same for every seller."""

from typing import Any

from simulator import exchange
from simulator.call import Call
from simulator.world import Product, World

PAGE_ITEMS_MAX = 20

Document = dict[str, Any]


class Catalog:
    """Answers with documents; the caller has checked token and plan."""

    def __init__(self, world: World) -> None:
        self._world = world

    def item(self, call: Call) -> Document:
        """Return the answer of getCatalogItem."""
        marketplace_ids = wanted_marketplaces(call)
        found = next((each for each in self._world.products() if each.asin == call.parameters["asin"]), None)
        if found is None:
            raise exchange.not_found("Requested item could not be found.")
        return _shown(found, marketplace_ids)

    def search(self, call: Call) -> Document:
        """Return the answer of searchCatalogItems: by identifiers, or by words of the title.

        Raises:
            Refusal: 400, neither or both are given.
        """
        marketplace_ids = wanted_marketplaces(call)
        identifiers, keywords = set(call.request.listed("identifiers")), call.request.listed("keywords")
        if bool(identifiers) == bool(keywords):
            raise exchange.invalid_input("Invalid Input", "Give either identifiers or keywords.")
        found = [
            product
            for product in self._world.products()
            if identifiers & {product.asin, product.sku}
            or any(word.lower() in product.title.lower() for word in keywords)
        ]
        items = [_shown(product, marketplace_ids) for product in found[:PAGE_ITEMS_MAX]]
        return {"numberOfResults": len(found), "items": items}


def wanted_marketplaces(call: Call) -> list[str]:
    """Return the marketplaces that a call names, all of them the seller's.

    Raises:
        Refusal: 400, it names none, or others.
    """
    listed = call.request.listed("marketplaceIds")
    own = {each.marketplace_id for each in call.access.seller.marketplaces}
    if not listed or not set(listed) <= own:
        raise exchange.invalid_input("Invalid Input", "marketplaceIds must name the seller's marketplaces.")
    return listed


def _shown(product: Product, marketplace_ids: list[str]) -> Document:
    summary = {
        "brand": "Sample",
        "itemClassification": "BASE_PRODUCT",
        "itemName": product.title,
        "modelNumber": product.sku,
        "packageQuantity": 1,
    }
    return {
        "asin": product.asin,
        "summaries": [{"marketplaceId": each, **summary} for each in marketplace_ids],
    }
