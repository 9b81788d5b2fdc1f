"""The operations of Product Fees v0: a share of the price, and so much for each piece that Amazon ships."""

from collections.abc import Mapping
from typing import Any

from simulator import exchange
from simulator.call import Call
from simulator.orders.paging import stamp

REFERRAL_SHARE = 0.15
FULFILLMENT_FEE = 3.22
ESTIMATES_MAX = 20

Document = dict[str, Any]


def for_sku(call: Call) -> Document:
    """Return the answer of getMyFeesEstimateForSKU."""
    return _single(call, ("SellerSKU", call.parameters["SellerSKU"]))


def for_asin(call: Call) -> Document:
    """Return the answer of getMyFeesEstimateForASIN."""
    return _single(call, ("ASIN", call.parameters["Asin"]))


def several(call: Call) -> exchange.Answer:
    """Return the answer of getMyFeesEstimates, a list.

    Raises:
        Refusal: 400, the body lists nothing, or too much.
    """
    try:
        asked = exchange.json_value(call.request.body)
    except ValueError as error:
        raise exchange.invalid_input("Invalid Input", "The body is not JSON.") from error
    if not isinstance(asked, list) or not 1 <= len(asked) <= ESTIMATES_MAX:
        raise exchange.invalid_input("Invalid Input", f"Ask for 1 to {ESTIMATES_MAX} estimates.")
    results = [
        _result(call, (str(each.get("IdType")), str(each.get("IdValue"))), each.get("FeesEstimateRequest"))
        for each in asked
        if isinstance(each, dict)
    ]
    return exchange.json_answer(call.operation.status, results)


def _single(call: Call, product: tuple[str, str]) -> Document:
    return {"payload": {"FeesEstimateResult": _result(call, product, call.body().get("FeesEstimateRequest"))}}


def _result(call: Call, product: tuple[str, str], asked: Any) -> Document:
    """Return one estimate; a product is told by the kind of its identifier, and that.

    Raises:
        Refusal: 400, no price is given.
    """
    match asked:
        case {
            "MarketplaceId": str(marketplace_id),
            "PriceToEstimateFees": {
                "ListingPrice": {"Amount": int() | float() as amount, "CurrencyCode": str(currency)}
            },
        }:
            fees = _fees(float(amount), currency, is_amazon_fulfilled=asked.get("IsAmazonFulfilled") is True)
        case _:
            raise exchange.invalid_input(
                "Invalid Input", "MarketplaceId and a ListingPrice must be specified."
            )
    identifier = {
        "MarketplaceId": marketplace_id,
        "SellerId": call.access.seller.seller_id,
        "IdType": product[0],
        "IdValue": product[1],
        "IsAmazonFulfilled": asked.get("IsAmazonFulfilled") is True,
        "PriceToEstimateFees": asked["PriceToEstimateFees"],
        "SellerInputIdentifier": str(asked.get("Identifier", "")),
    }
    total = round(sum(fee["FinalFee"]["Amount"] for fee in fees), 2)
    return {
        "Status": "Success",
        "FeesEstimateIdentifier": identifier,
        "FeesEstimate": {
            "TimeOfFeesEstimation": stamp(call.now),
            "TotalFeesEstimate": {"CurrencyCode": currency, "Amount": total},
            "FeeDetailList": fees,
        },
    }


def _fees(price: float, currency: str, *, is_amazon_fulfilled: bool) -> list[Document]:
    amounts: Mapping[str, float] = {
        "ReferralFee": round(price * REFERRAL_SHARE, 2),
        **({"FBAFees": FULFILLMENT_FEE} if is_amazon_fulfilled else {}),
    }
    return [
        {
            "FeeType": name,
            "FeeAmount": {"CurrencyCode": currency, "Amount": amount},
            "FeePromotion": {"CurrencyCode": currency, "Amount": 0.0},
            "FinalFee": {"CurrencyCode": currency, "Amount": amount},
        }
        for name, amount in amounts.items()
    ]
