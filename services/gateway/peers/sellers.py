"""What the vendor's staff sees and does, asked of auth."""

from collections.abc import AsyncGenerator
from datetime import UTC

import chassis.rpc
from services.gateway.model.members import AccessRow, SellerPage, SellerSummary, SellerView
from services.gateway.model.people import Visit
from services.gateway.peers import people, sessions
from services.gateway.peers.members import NAMES_S_MAX, member
from wire.auth.v1 import people_pb2, people_pb2_grpc

# Every name there is.
REVIEW_S_MAX = 3_600.0


class SellersClient:
    """Fits `service.Sellers`."""

    def __init__(self, channel: chassis.rpc.Channel) -> None:
        self._auth = channel.stub(people_pb2_grpc.PeopleServiceStub)

    async def list_sellers(self, visit: Visit, after: str) -> SellerPage:
        """Return the sellers whose ids come after one."""
        request = people_pb2.ListSellersRequest(session_token=visit.session_token.reveal(), after=after)
        told = await self._auth.ListSellers(request, timeout=NAMES_S_MAX)
        return SellerPage(tuple(_summary(each) for each in told.sellers), told.has_more)

    async def view_seller(self, visit: Visit, seller_id: str) -> SellerView:
        """Return one seller."""
        request = people_pb2.ViewSellerRequest(
            session_token=visit.session_token.reveal(), seller_id=seller_id
        )
        told = await self._auth.ViewSeller(request, timeout=NAMES_S_MAX)
        return SellerView(
            _summary(told.seller),
            tuple(people.consent(each) for each in told.consents),
            tuple(people.desktop(each) for each in told.devices),
            tuple(member(each) for each in told.members),
        )

    async def revoke_seller_device(
        self, visit: Visit, seller_id: str, device_id: str, *, reason: str
    ) -> None:
        """End a device's access for good."""
        request = people_pb2.RevokeSellerDeviceRequest(
            session_token=visit.session_token.reveal(),
            seller_id=seller_id,
            device_id=device_id,
            reason=reason,
        )
        await self._auth.RevokeSellerDevice(request)

    async def review_access(self, visit: Visit) -> AsyncGenerator[AccessRow, None]:
        """Give who has access to what, row by row."""
        request = people_pb2.ReviewAccessRequest(session_token=visit.session_token.reveal())
        async for told in self._auth.ReviewAccess(request, timeout=REVIEW_S_MAX):
            yield _access_row(told)


def _summary(told: people_pb2.SellerSummary) -> SellerSummary:
    ends_at = told.next_consent_ends_at
    return SellerSummary(
        seller_id=told.seller_id,
        name=told.name,
        active_consents=told.active_consents,
        active_devices=told.active_devices,
        next_consent_ends_at=(
            ends_at.ToDatetime(tzinfo=UTC) if told.HasField("next_consent_ends_at") else None
        ),
    )


def _access_row(told: people_pb2.AccessRow) -> AccessRow:
    return AccessRow(
        seller_id=told.seller_id,
        seller_name=told.seller_name,
        user_id=told.user_id,
        user_name=told.user_name,
        role=sessions.role(told.role),
        credentials=tuple(told.credentials),
        since=told.since.ToDatetime(tzinfo=UTC),
        used_at=told.used_at.ToDatetime(tzinfo=UTC) if told.HasField("used_at") else None,
        device_id=told.device_id,
        device_name=told.device_name,
        scopes=tuple(told.scopes),
    )
