"""The operations of Listings Items 2021-08-01.

Every seller lists the world's products from the beginning; what is put, patched or deleted is remembered
until a restart and shown nowhere else.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulator import exchange
from simulator.call import Call
from simulator.orders.paging import stamp
from simulator.seed import Mint
from simulator.shop.catalog import wanted_marketplaces
from simulator.world import Seller, World

# Of each seller; the oldest gives way.
CHANGES_MAX = 10_000
PATCHES_MAX = 100
ATTRIBUTES_PATH = "/attributes/"
PREVIEW = "VALIDATION_PREVIEW"

Document = dict[str, Any]


@dataclass(frozen=True)
class _Listing:
    product_type: str
    created_at: datetime
    updated_at: datetime
    attributes: Document = field(repr=False)
    asin: str = ""


class Listings:
    """Answers with documents; the caller has checked token and plan."""

    def __init__(self, *, world: World, mint: Mint) -> None:
        self._world = world
        self._mint = mint
        # By seller and SKU; None where a seller deleted what was there.
        self._changes: defaultdict[str, dict[str, _Listing | None]] = defaultdict(dict)

    def item(self, call: Call) -> Document:
        """Return the answer of getListingsItem."""
        _check_own(call)
        sku = call.parameters["sku"]
        return _shown(call, sku, self._found(call, sku))

    def search(self, call: Call) -> Document:
        """Return the answer of searchListingsItems; of its filters only `identifiers` (SKUs) counts."""
        _check_own(call)
        wanted = set(call.request.listed("identifiers"))
        listed = self._listed(call.access.seller, call.now)
        skus = [sku for sku in listed if not wanted or sku in wanted]
        items = [_shown(call, sku, listed[sku]) for sku in skus]
        return {"numberOfResults": len(items), "items": items}

    def put(self, call: Call) -> Document:
        """Return the answer of putListingsItem."""
        _check_own(call)
        body = call.body()
        product_type, attributes = body.get("productType"), body.get("attributes")
        if not isinstance(product_type, str) or not isinstance(attributes, dict):
            raise exchange.invalid_input("Invalid Input", "productType and attributes must be specified.")
        created = _Listing(product_type, created_at=call.now, updated_at=call.now, attributes=attributes)
        return self._submitted(call, created)

    def patch(self, call: Call) -> Document:
        """Return the answer of patchListingsItem."""
        _check_own(call)
        body = call.body()
        patches = body.get("patches")
        if not isinstance(patches, list) or not 1 <= len(patches) <= PATCHES_MAX:
            raise exchange.invalid_input("Invalid Input", "patches must be specified.")
        old = self._found(call, call.parameters["sku"])
        attributes = dict(old.attributes)
        for patch in patches:
            _apply(patch, attributes)
        product_type = str(body.get("productType") or old.product_type)
        return self._submitted(call, _Listing(product_type, old.created_at, call.now, attributes, old.asin))

    def delete(self, call: Call) -> Document:
        """Return the answer of deleteListingsItem."""
        _check_own(call)
        self._found(call, call.parameters["sku"])
        return self._submitted(call, None)

    def _submitted(self, call: Call, listing: _Listing | None) -> Document:
        sku, is_preview = call.parameters["sku"], call.request.first("mode") == PREVIEW
        if not is_preview:
            changes = self._changes[call.access.seller.seller_id]
            changes[sku] = listing
            if len(changes) > CHANGES_MAX:
                del changes[next(iter(changes))]
        return {
            "sku": sku,
            "status": "VALID" if is_preview else "ACCEPTED",
            "submissionId": self._mint.identifier(),
            "issues": [],
        }

    def _found(self, call: Call, sku: str) -> _Listing:
        found = self._listed(call.access.seller, call.now).get(sku)
        if found is None:
            raise exchange.not_found(f"SKU '{sku}' not found in marketplace.")
        return found

    def _listed(self, seller: Seller, now: datetime) -> Mapping[str, _Listing]:
        """Return a seller's listings by SKU."""
        at = min(self._world.born_at, now)
        listed: dict[str, _Listing | None] = {
            product.sku: _Listing("HOME", at, at, {"item_name": [{"value": product.title}]}, product.asin)
            for product in self._world.products()
        }
        own = self._changes[seller.seller_id]
        return {sku: listing for sku, listing in (listed | own).items() if listing is not None}


def _check_own(call: Call) -> None:
    """Return if a call is about the caller's own listings.

    Raises:
        Refusal: 403, the path names another seller; 400, the marketplaces are not the seller's.
    """
    if call.parameters["sellerId"] != call.access.seller.seller_id:
        raise exchange.denied()
    wanted_marketplaces(call)


def _apply(patch: Any, attributes: Document) -> None:
    """Change attributes as a patch says.

    Raises:
        Refusal: 400, it is none.
    """
    match patch:
        case {"op": "delete", "path": str(path)} if path.startswith(ATTRIBUTES_PATH):
            attributes.pop(path.removeprefix(ATTRIBUTES_PATH), None)
        case {"op": "add" | "replace" | "merge", "path": str(path), "value": list(value)} if path.startswith(
            ATTRIBUTES_PATH
        ):
            attributes[path.removeprefix(ATTRIBUTES_PATH)] = value
        case _:
            raise exchange.invalid_input("Invalid Input", "A patch is malformed.")


def _shown(call: Call, sku: str, listing: _Listing) -> Document:
    name = listing.attributes.get("item_name")
    summary = {
        "asin": listing.asin,
        "productType": listing.product_type,
        "conditionType": "new_new",
        "status": ["BUYABLE", "DISCOVERABLE"],
        "itemName": name[0].get("value", "") if isinstance(name, list) and name else "",
        "createdDate": stamp(listing.created_at),
        "lastUpdatedDate": stamp(listing.updated_at),
    }
    parts: Document = {
        "summaries": [{"marketplaceId": each, **summary} for each in wanted_marketplaces(call)],
        "attributes": listing.attributes,
        "issues": [],
        "fulfillmentAvailability": [{"fulfillmentChannelCode": "DEFAULT", "quantity": 10}],
    }
    # Source: model listingsItems_2021-08-01: summaries is the default of includedData.
    included = call.request.listed("includedData") or ["summaries"]
    return {"sku": sku, **{name: parts[name] for name in included if name in parts}}
