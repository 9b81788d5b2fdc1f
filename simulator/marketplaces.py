"""Amazon's marketplaces and the host names of its three regions, as far as the simulator answers for them.

Source: SP-API documentation, "Marketplace IDs" and "SP-API Endpoints", as collected in August 2026.
"""

from dataclasses import dataclass

REGIONS = ("na", "eu", "fe")
LWA_HOST = "api.amazon.com"


@dataclass(frozen=True)
class Marketplace:
    """One of Amazon's shops."""

    marketplace_id: str
    region: str
    country: str
    channel: str
    currency: str
    seller_central: str


_EUROPE = "sellercentral-europe.amazon.com"

MARKETPLACES = (
    Marketplace("A2EUQ1WTGCTBG2", "na", "CA", "Amazon.ca", "CAD", "sellercentral.amazon.ca"),
    Marketplace("ATVPDKIKX0DER", "na", "US", "Amazon.com", "USD", "sellercentral.amazon.com"),
    Marketplace("A1AM78C64UM0Y8", "na", "MX", "Amazon.com.mx", "MXN", "sellercentral.amazon.com.mx"),
    Marketplace("A2Q3Y263D00KWC", "na", "BR", "Amazon.com.br", "BRL", "sellercentral.amazon.com.br"),
    Marketplace("A1F83G8C2ARO7P", "eu", "GB", "Amazon.co.uk", "GBP", _EUROPE),
    Marketplace("A1PA6795UKMFR9", "eu", "DE", "Amazon.de", "EUR", _EUROPE),
    Marketplace("A13V1IB3VIYZZH", "eu", "FR", "Amazon.fr", "EUR", _EUROPE),
    Marketplace("APJ6JRA9NG5V4", "eu", "IT", "Amazon.it", "EUR", _EUROPE),
    Marketplace("A1RKKUPIHCS9HS", "eu", "ES", "Amazon.es", "EUR", _EUROPE),
    Marketplace("A28R8C7NBKEWEA", "eu", "IE", "Amazon.ie", "EUR", "sellercentral.amazon.ie"),
    Marketplace("A1805IZSGTT6HS", "eu", "NL", "Amazon.nl", "EUR", "sellercentral.amazon.nl"),
    Marketplace("AMEN7PMS3EDWL", "eu", "BE", "Amazon.com.be", "EUR", "sellercentral.amazon.com.be"),
    Marketplace("A2NODRKZP88ZB9", "eu", "SE", "Amazon.se", "SEK", "sellercentral.amazon.se"),
    Marketplace("A1C3SOZRARQ6R3", "eu", "PL", "Amazon.pl", "PLN", "sellercentral.amazon.pl"),
    Marketplace("A33AVAJ2PDY3EV", "eu", "TR", "Amazon.com.tr", "TRY", "sellercentral.amazon.com.tr"),
    Marketplace("ARBP9OOSHTCHU", "eu", "EG", "Amazon.eg", "EGP", "sellercentral.amazon.eg"),
    Marketplace("A2VIGQ35RCS4UG", "eu", "AE", "Amazon.ae", "AED", "sellercentral.amazon.ae"),
    Marketplace("A17E79C6D8DWNP", "eu", "SA", "Amazon.sa", "SAR", "sellercentral.amazon.sa"),
    Marketplace("A21TJRUUN4KGV", "eu", "IN", "Amazon.in", "INR", "sellercentral.amazon.in"),
    Marketplace("AE08WJ6YKNBMC", "eu", "ZA", "Amazon.co.za", "ZAR", "sellercentral.amazon.co.za"),
    Marketplace("A1VC38T7YXB528", "fe", "JP", "Amazon.co.jp", "JPY", "sellercentral.amazon.co.jp"),
    Marketplace("A39IBJ37TRP1C6", "fe", "AU", "Amazon.com.au", "AUD", "sellercentral.amazon.com.au"),
    Marketplace("A19VAU5U5O7RUS", "fe", "SG", "Amazon.sg", "SGD", "sellercentral.amazon.sg"),
)

BY_ID = {marketplace.marketplace_id: marketplace for marketplace in MARKETPLACES}

# Vendor Central by region, as the ends of its hosts' names; three of Europe's marketplaces are not known.
_VENDOR_ENDS = {
    "na": ("ca", "com", "com.mx", "com.br"),
    "eu": ("co.uk", "de", "fr", "it", "es", "nl", "com.be", "se", "pl", "com.tr", "me", "in"),
    "fe": ("co.jp", "com.au", "com.sg"),
}

_API_REGIONS = {f"sellingpartnerapi-{region}.amazon.com": region for region in REGIONS}
_CENTRAL_REGIONS = {marketplace.seller_central: marketplace.region for marketplace in MARKETPLACES}
_VENDOR_REGIONS = {
    f"vendorcentral.amazon.{end}": region for region, ends in _VENDOR_ENDS.items() for end in ends
}
_HOST_REGIONS = _API_REGIONS | _CENTRAL_REGIONS | _VENDOR_REGIONS


def region_of(host: str) -> str | None:
    """Return the region behind a `Host` header, or None when the name is not one of Amazon's."""
    return _HOST_REGIONS.get(host.partition(":")[0].lower())


def hosts() -> list[str]:
    """Return every host name of Amazon's that the simulator can stand in for, sorted."""
    return sorted({LWA_HOST, *_HOST_REGIONS})
