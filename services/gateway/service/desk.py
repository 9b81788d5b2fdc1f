"""The vendor's staff: sellers, their devices, and the review of who has access to what."""

from collections.abc import AsyncGenerator

from services.gateway.model.members import AccessRow, SellerPage, SellerView
from services.gateway.model.people import Visit
from services.gateway.service.people_ports import Sellers


class Desk:
    """Somebody of the vendor's staff at their desk."""

    def __init__(self, *, sellers: Sellers) -> None:
        self._sellers = sellers

    async def page(self, visit: Visit, after: str) -> SellerPage:
        """Return the sellers whose ids come after one; empty begins."""
        return await self._sellers.list_sellers(visit, after)

    async def seller(self, visit: Visit, seller_id: str) -> SellerView:
        """Return one seller with consents, devices and people."""
        return await self._sellers.view_seller(visit, seller_id)

    async def revoke(self, visit: Visit, seller_id: str, device_id: str, *, reason: str) -> None:
        """End a device's access for good; the reason goes to the audit log."""
        await self._sellers.revoke_seller_device(visit, seller_id, device_id, reason=reason.strip())

    def review(self, visit: Visit) -> AsyncGenerator[AccessRow, None]:
        """Give who has access to what, row by row.

        Source: DPP-1.2c, a review each quarter.
        """
        return self._sellers.review_access(visit)
