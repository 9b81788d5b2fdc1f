from typing import Any

import pytest

from simulator.exchange import Answer
from tests.unit.simulator.rig import Rig, marketplaces

SHOP = "ATVPDKIKX0DER"


def listing_path(rig: Rig, sku: str = "", seller: int = 0) -> str:
    path = f"/listings/2021-08-01/items/{rig.sellers[seller].seller_id}"
    return f"{path}/{sku}" if sku else path


def change(rig: Rig, method: str, sku: str, body: bytes = b"", **query: str) -> Answer:
    pairs = [("marketplaceIds", SHOP), *query.items()]
    headers = {"x-amz-access-token": rig.access()}
    return rig.send(method, listing_path(rig, sku), pairs, headers=headers, body=body)


def read(rig: Rig, sku: str, **query: str) -> Answer:
    return rig.get(listing_path(rig, sku), rig.access(), marketplaceIds=SHOP, **query)


def test_participations_are_the_sellers_own_marketplaces() -> None:
    rig = Rig()
    for seller in range(3):
        listed = rig.get("/sellers/v1/marketplaceParticipations", rig.access(seller)).document()["payload"]
        ids = ",".join(each["marketplace"]["id"] for each in listed)
        assert ids == marketplaces(rig.sellers[seller])
        assert {each["storeName"] for each in listed} == {rig.sellers[seller].name}


def test_the_catalogue_holds_what_orders_are_made_of() -> None:
    rig = Rig()
    item = rig.orders()[0].items[0]
    shown = rig.get(f"/catalog/2022-04-01/items/{item.asin}", rig.access(), marketplaceIds=SHOP).document()
    assert shown["summaries"][0]["itemName"] == item.title
    found = rig.get(
        "/catalog/2022-04-01/items", rig.access(), marketplaceIds=SHOP, identifiers=item.asin
    ).document()
    assert (found["numberOfResults"], found["items"]) == (1, [shown])
    assert rig.get("/catalog/2022-04-01/items/B000", rig.access(), marketplaceIds=SHOP).status == 404
    assert rig.get("/catalog/2022-04-01/items", rig.access(), marketplaceIds=SHOP).status == 400


def test_a_listing_is_put_patched_and_deleted() -> None:
    rig = Rig()
    body = (
        b'{"productType":"MUG","attributes":{"item_name":[{"value":"Tall mug"}],"colour":[{"value":"red"}]}}'
    )
    assert read(rig, "NEW-1").status == 404
    assert change(rig, "PUT", "NEW-1", body, mode="VALIDATION_PREVIEW").document()["status"] == "VALID"
    assert read(rig, "NEW-1").status == 404
    assert change(rig, "PUT", "NEW-1", body).document()["status"] == "ACCEPTED"
    assert read(rig, "NEW-1").document()["summaries"][0]["itemName"] == "Tall mug"
    patch = (
        b'{"productType":"MUG","patches":[{"op":"replace","path":"/attributes/size","value":[1]},'
        b'{"op":"delete","path":"/attributes/colour"}]}'
    )
    assert change(rig, "PATCH", "NEW-1", patch).status == 200
    attributes = read(rig, "NEW-1", includedData="attributes").document()["attributes"]
    assert attributes == {"item_name": [{"value": "Tall mug"}], "size": [1]}
    assert change(rig, "DELETE", "NEW-1").status == 200
    assert read(rig, "NEW-1").status == 404


def test_every_seller_lists_the_worlds_products_and_sees_only_its_own() -> None:
    rig = Rig()
    listed = rig.get(listing_path(rig), rig.access(), marketplaceIds=SHOP).document()
    assert listed["numberOfResults"] == len(rig.core.world.products())
    other = rig.get(listing_path(rig, seller=1), rig.access(), marketplaceIds=SHOP)
    assert other.status == 403


@pytest.mark.parametrize("body", [b"", b"[]", b'{"patches":[]}', b'{"patches":[{"op":"burn","path":"/x"}]}'])
def test_a_patch_that_makes_no_sense_is_refused(body: bytes) -> None:
    assert change(Rig(), "PATCH", "MUG-BL", body).status == 400


def test_fees_follow_from_the_price() -> None:
    rig = Rig()
    asked: dict[str, Any] = {
        "MarketplaceId": SHOP,
        "IsAmazonFulfilled": True,
        "Identifier": "mine",
        "PriceToEstimateFees": {"ListingPrice": {"CurrencyCode": "USD", "Amount": 20}},
    }
    path = "/products/fees/v0/listings/MUG-BL/feesEstimate"
    one = rig.post(path, rig.access(), {"FeesEstimateRequest": asked}).document()
    estimate = one["payload"]["FeesEstimateResult"]["FeesEstimate"]
    assert estimate["TotalFeesEstimate"] == {"CurrencyCode": "USD", "Amount": 6.22}
    batch = [{"IdType": "ASIN", "IdValue": "B0X", "FeesEstimateRequest": asked}]
    several = rig.post("/products/fees/v0/feesEstimate", rig.access(), batch).document()
    assert [each["FeesEstimateIdentifier"]["IdValue"] for each in several] == ["B0X"]
    assert rig.post(path, rig.access(), {"FeesEstimateRequest": {}}).status == 400


def test_stock_is_told_for_each_product_or_the_ones_asked_for() -> None:
    rig = Rig()
    asked = {"granularityType": "Marketplace", "granularityId": SHOP, "marketplaceIds": SHOP}
    path = "/fba/inventory/v1/summaries"
    every = rig.get(path, rig.access(), **asked).document()["payload"]["inventorySummaries"]
    one = rig.get(path, rig.access(), **asked, sellerSkus="MUG-BL", details="true").document()["payload"]
    assert len(every) == len(rig.core.world.products())
    assert [each["sellerSku"] for each in one["inventorySummaries"]] == ["MUG-BL"]
    assert "inventoryDetails" in one["inventorySummaries"][0]
    assert rig.get(path, rig.access(), marketplaceIds=SHOP).status == 400
