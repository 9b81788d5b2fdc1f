"""What the canned upstream answers: 1 KB of one thing, or a page of orders as Amazon sends it, 20 KB."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import orjson

SMALL_BYTES = 1_024
PAGE_ORDERS = 19
SEED = 42
_FILLING = b'{"payload":"'


def small() -> bytes:
    """Return SMALL_BYTES of JSON."""
    return _FILLING + b"x" * (SMALL_BYTES - len(_FILLING) - 2) + b'"}'


def page(now: datetime) -> bytes:
    """Return a page of PAGE_ORDERS orders, each with its buyer and address, bought the day before `now`."""
    orders = list(_orders(now - timedelta(days=1)))
    return orjson.dumps({"payload": {"Orders": orders, "NextToken": "n" * 120}})


def _orders(bought_at: datetime) -> Iterator[dict[str, Any]]:
    """Yield orders that have not shipped; the people in them are made up."""
    chance = random.Random(SEED)  # noqa: S311 - the same orders every time
    bought = bought_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    for number in range(PAGE_ORDERS):
        digits = chance.randrange(10**7)
        yield {
            "AmazonOrderId": f"902-{digits:07}-{number:07}",
            "PurchaseDate": bought,
            "LastUpdateDate": bought,
            "OrderStatus": "Unshipped",
            "FulfillmentChannel": "MFN",
            "SalesChannel": "Amazon.de",
            "ShipServiceLevel": "Std DE Dom",
            "OrderTotal": {"CurrencyCode": "EUR", "Amount": f"{chance.randrange(5, 300)}.95"},
            "NumberOfItemsShipped": 0,
            "NumberOfItemsUnshipped": chance.randrange(1, 5),
            "PaymentMethod": "Other",
            "PaymentMethodDetails": ["Standard"],
            "MarketplaceId": "A1PA6795UKMFR9",
            "ShipmentServiceLevelCategory": "Standard",
            "OrderType": "StandardOrder",
            "EarliestShipDate": bought,
            "LatestShipDate": bought,
            "IsBusinessOrder": False,
            "IsPrime": False,
            "IsGlobalExpressEnabled": False,
            "IsPremiumOrder": False,
            "IsReplacementOrder": "false",
            "IsISPU": False,
            "IsSoldByAB": False,
            "HasRegulatedItems": False,
            "BuyerInfo": {
                "BuyerEmail": f"{digits:09}@marketplace.example",
                "BuyerName": f"Käufer Nummer {number}",
            },
            "ShippingAddress": {
                "Name": f"Erika Beispiel {number}",
                "AddressLine1": f"Lange Straße {chance.randrange(1, 200)}",
                "AddressLine2": "2. Obergeschoss links",
                "City": "Musterstadt",
                "StateOrRegion": "NRW",
                "PostalCode": f"{chance.randrange(10_000, 99_999)}",
                "CountryCode": "DE",
                "Phone": f"+49 5731 {chance.randrange(10_000, 99_999)}",
                "AddressType": "Residential",
            },
        }
