"""The operations of Sellers v1: where a seller sells."""

from typing import Any

from simulator.call import Call
from simulator.marketplaces import Marketplace

# Languages of the shops, where English is not the first.
_LANGUAGES = {
    "BR": "pt_BR",
    "DE": "de_DE",
    "ES": "es_ES",
    "FR": "fr_FR",
    "IT": "it_IT",
    "JP": "ja_JP",
    "MX": "es_MX",
}

Document = dict[str, Any]


def participations(call: Call) -> Document:
    """Return the answer of getMarketplaceParticipations."""
    return {"payload": _participations(call)}


def account(call: Call) -> Document:
    """Return the answer of getAccount."""
    return {
        "payload": {
            "marketplaceParticipationList": _participations(call),
            "businessType": "PRIVATE_LIMITED",
            "sellingPlan": "PROFESSIONAL",
        }
    }


def _participations(call: Call) -> list[Document]:
    seller = call.access.seller
    return [
        {
            "marketplace": _marketplace(each),
            "participation": {"isParticipating": True, "hasSuspendedListings": False},
            "storeName": seller.name,
        }
        for each in seller.marketplaces
    ]


def _marketplace(marketplace: Marketplace) -> Document:
    return {
        "id": marketplace.marketplace_id,
        "name": marketplace.channel,
        "countryCode": marketplace.country,
        "defaultCurrencyCode": marketplace.currency,
        "defaultLanguageCode": _LANGUAGES.get(marketplace.country, f"en_{marketplace.country}"),
        "domainName": f"www.{marketplace.channel.lower()}",
    }
