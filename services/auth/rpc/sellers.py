"""Calls of the vendor's operators about sellers, and about one who leaves."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from services.auth.model.offboarding import NamedSeller, Offboarding
from services.auth.rpc import messages
from services.auth.service.offboarding import OffboardingService
from wire.auth.v1 import sellers_pb2, sellers_pb2_grpc


class SellerAdmin(sellers_pb2_grpc.SellerAdminServicer):
    """The vendor's sellers."""

    def __init__(self, offboarding: OffboardingService) -> None:
        self._offboarding = offboarding

    async def ListSellers(  # noqa: N802 - the contract's name
        self, request: sellers_pb2.ListKnownSellersRequest, _context: messages.Context
    ) -> sellers_pb2.ListKnownSellersResponse:
        """Show one page of sellers."""
        sellers, has_more = await self._offboarding.list_all(request.after)
        return sellers_pb2.ListKnownSellersResponse(sellers=map(_seller, sellers), has_more=has_more)

    async def FindSeller(  # noqa: N802 - the contract's name
        self, request: sellers_pb2.FindSellerRequest, _context: messages.Context
    ) -> sellers_pb2.KnownSeller:
        """Show one seller."""
        return _seller(await self._offboarding.find(request.seller_id))

    async def OffboardSeller(  # noqa: N802 - the contract's name
        self, request: sellers_pb2.OffboardSellerRequest, _context: messages.Context
    ) -> sellers_pb2.KnownSeller:
        """Let a seller leave for good."""
        return _seller(await self._offboarding.offboard(request.seller_id, reason=request.reason))


def _seller(named: NamedSeller) -> sellers_pb2.KnownSeller:
    known = named.known
    message = sellers_pb2.KnownSeller(
        seller_id=known.seller.seller_id,
        name=named.name,
        created_at=known.seller.created_at,
        active_consents=known.active_consents,
        active_devices=known.active_devices,
    )
    if known.offboarding is not None:
        message.offboarding.CopyFrom(_message(known.offboarding))
    return message


def _message(offboarding: Offboarding) -> sellers_pb2.Offboarding:
    return sellers_pb2.Offboarding(
        closed_at=offboarding.closed_at,
        key_destroyed_at=_time(offboarding.key_destroyed_at),
        erased_at=_time(offboarding.erased_at),
        finished_at=_time(offboarding.finished_at),
        receipt_id=offboarding.receipt_id or "",
    )


def _time(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp
