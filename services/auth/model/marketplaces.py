"""Amazon's marketplaces, and the addresses at which sellers consent and come back.

The table is configuration: hosts have been added and changed over the years.
Source: SP-API, "Marketplace IDs" and "Website Authorization Workflow".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from services.auth.model.consent_refusals import VendorCentralUnknown
from services.auth.model.consents import AccountKind, Application, Region
from services.auth.model.refusals import UnknownMarketplace

CONSENT_PATH = "/apps/authorize/consent"
CALLBACK_PATH = "/consent/callback"


@dataclass(frozen=True, kw_only=True)
class Marketplace:
    """One row of the marketplace table.

    Attributes:
        country: two letters.
        seller_host: Seller Central's host, where sellers consent.
        vendor_host: Vendor Central's; None where no source names it.
    """

    marketplace_id: str
    country: str
    region: Region
    seller_host: str
    vendor_host: str | None = None

    def host(self, kind: AccountKind) -> str:
        """Return where accounts of this kind consent.

        Raises:
            VendorCentralUnknown: the table does not say.
        """
        if kind is AccountKind.SELLER:
            return self.seller_host
        if self.vendor_host is None:
            raise VendorCentralUnknown
        return self.vendor_host

    def serves(self, kind: AccountKind) -> bool:
        """Return whether accounts of this kind can consent here."""
        return kind is AccountKind.SELLER or self.vendor_host is not None


@dataclass(frozen=True, kw_only=True)
class ConsentPages:
    """Where sellers consent, and where Amazon sends them back to.

    Attributes:
        marketplaces: by Amazon's id.
        redirect_uri: registered with the application at Amazon.
        override_url: stands in for every host of Amazon's; None outside development.
    """

    marketplaces: Mapping[str, Marketplace]
    redirect_uri: str
    override_url: str | None = None

    def find(self, marketplace_id: str) -> Marketplace:
        """Return a row of the table.

        Raises:
            UnknownMarketplace: there is none.
        """
        if marketplace_id not in self.marketplaces:
            raise UnknownMarketplace
        return self.marketplaces[marketplace_id]

    def serving(self, kind: AccountKind) -> Sequence[Marketplace]:
        """Return the rows where accounts of a kind can consent, in the table's order."""
        return [marketplace for marketplace in self.marketplaces.values() if marketplace.serves(kind)]

    def url(
        self, marketplace: Marketplace, kind: AccountKind, application: Application, *, state: str
    ) -> str:
        """Return the address of Amazon's consent page.

        Raises:
            VendorCentralUnknown: the table does not say where it is.
        """
        query = {
            "application_id": application.application_id,
            "state": state,
            "redirect_uri": self.redirect_uri,
        }
        if application.is_draft:
            query["version"] = "beta"
        base = f"https://{marketplace.host(kind)}"
        return f"{self.override_url or base}{CONSENT_PATH}?{urlencode(query)}"
