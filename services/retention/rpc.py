"""The gRPC edge: who may call what, and how messages become values and back.

Only the gateway may seal and open. Only the operators' console may erase, and auth when a seller has left. No
person can have a record opened (T-21).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from google.protobuf.timestamp_pb2 import Timestamp

import chassis.rpc
import chassis.trace
from services.retention.model.audit import Kind, Origin
from services.retention.model.erasures import Receipt, Subject
from services.retention.model.errors import RequestInvalid
from services.retention.model.orders import Observation, OrderClock, OrderState, begins_at, erase_day
from services.retention.model.records import RecordName
from services.retention.service.clocks import Clocks
from services.retention.service.erasing import Erasing
from services.retention.service.ports import Verifier
from services.retention.service.safe import Safe
from wire.retention.v1 import retention_pb2, retention_pb2_grpc, sellers_pb2, sellers_pb2_grpc

GATEWAY = frozenset({"gateway"})
CONSOLE = frozenset({"console"})
AUTH = frozenset({"auth"})
ERASURE_DEADLINE_S = 60.0
# No record is kept this long, so a larger bound says nothing more.
AGE_S_MAX = 366 * 86_400

SERVICE_METHODS: Mapping[str, chassis.rpc.Method] = MappingProxyType(
    {
        "ObserveOrders": chassis.rpc.Method(
            callers=GATEWAY, deadline_s=5.0, event="retention.orders.observed"
        ),
        "FindClocks": chassis.rpc.Method(callers=GATEWAY, deadline_s=5.0, event="retention.clocks.found"),
        "Seal": chassis.rpc.Method(callers=GATEWAY, deadline_s=5.0, event=Kind.RECORD_SEALED),
        "Open": chassis.rpc.Method(callers=GATEWAY, deadline_s=5.0, event=Kind.RECORD_OPENED),
    }
)

ADMIN_METHODS: Mapping[str, chassis.rpc.Method] = MappingProxyType(
    {
        "EraseDue": chassis.rpc.Method(callers=CONSOLE, deadline_s=ERASURE_DEADLINE_S, event=Kind.DAY_ERASED),
        "EraseSeller": chassis.rpc.Method(
            callers=CONSOLE, deadline_s=ERASURE_DEADLINE_S, event=Kind.SELLER_ERASED
        ),
        "ListReceipts": chassis.rpc.Method(
            callers=CONSOLE, deadline_s=5.0, event="retention.receipts.listed"
        ),
        "VerifyErasure": chassis.rpc.Method(
            callers=CONSOLE, deadline_s=10.0, event="retention.erasure.verified"
        ),
    }
)

SELLER_METHODS: Mapping[str, chassis.rpc.Method] = MappingProxyType(
    {
        "EraseSeller": chassis.rpc.Method(
            callers=AUTH, deadline_s=ERASURE_DEADLINE_S, event=Kind.SELLER_ERASED
        ),
    }
)

STATES = MappingProxyType(
    {
        retention_pb2.ORDER_STATE_UNSHIPPED: OrderState.UNSHIPPED,
        retention_pb2.ORDER_STATE_SHIPPED: OrderState.SHIPPED,
        retention_pb2.ORDER_STATE_DELIVERED: OrderState.DELIVERED,
    }
)


class RetentionService(retention_pb2_grpc.RetentionServiceServicer):
    """What the gateway needs while desktops are served."""

    def __init__(self, *, clocks: Clocks, safe: Safe) -> None:
        self._clocks = clocks
        self._safe = safe

    async def ObserveOrders(  # noqa: N802 - the contract's name
        self,
        request: retention_pb2.ObserveOrdersRequest,
        context: object,  # noqa: ARG002 - the caller and the deadline are chassis.rpc's affair
    ) -> retention_pb2.ObserveOrdersResponse:
        """Move clocks by what an answer of Amazon's told."""
        seen = [_observation(message) for message in request.orders]
        clocks = await self._clocks.observe(request.seller_id, seen, origin=_origin())
        return retention_pb2.ObserveOrdersResponse(clocks=[_clock(each) for each in clocks])

    async def FindClocks(  # noqa: N802 - the contract's name
        self,
        request: retention_pb2.FindClocksRequest,
        context: object,  # noqa: ARG002 - as above
    ) -> retention_pb2.FindClocksResponse:
        """Tell how long orders' data may be shown."""
        clocks = await self._clocks.find(request.seller_id, list(request.order_ids))
        return retention_pb2.FindClocksResponse(clocks=[_clock(each) for each in clocks])

    async def Seal(  # noqa: N802 - the contract's name
        self,
        request: retention_pb2.SealRequest,
        context: object,  # noqa: ARG002 - as above
    ) -> retention_pb2.SealResponse:
        """Keep a sealed copy."""
        expires_at = await self._safe.seal(
            RecordName(request.seller_id, request.order_id, request.field_set),
            request.plaintext,
            fetched_at=_required_time(request, "fetched_at"),
            origin=_origin(),
        )
        return retention_pb2.SealResponse(expires_at=_timestamp(expires_at))

    async def Open(  # noqa: N802 - the contract's name
        self,
        request: retention_pb2.OpenRequest,
        context: object,  # noqa: ARG002 - as above
    ) -> retention_pb2.OpenResponse:
        """Give the kept copy back."""
        if not 0 <= request.age_s_max <= AGE_S_MAX:
            raise RequestInvalid(f"age_s_max is not from 0 to {AGE_S_MAX}.")
        opened = await self._safe.open(
            RecordName(request.seller_id, request.order_id, request.field_set),
            age_max=timedelta(seconds=request.age_s_max) if request.age_s_max else None,
            origin=_origin(),
        )
        return retention_pb2.OpenResponse(
            plaintext=opened.plaintext,
            fetched_at=_timestamp(opened.fetched_at),
            expires_at=_timestamp(opened.expires_at),
        )


class RetentionAdmin(retention_pb2_grpc.RetentionAdminServicer):
    """What the vendor's operators need."""

    def __init__(self, *, erasing: Erasing, verifier: Verifier) -> None:
        self._erasing = erasing
        self._verifier = verifier

    async def EraseDue(  # noqa: N802 - the contract's name
        self,
        request: retention_pb2.EraseDueRequest,  # noqa: ARG002 - says nothing
        context: object,  # noqa: ARG002 - as above
    ) -> retention_pb2.EraseDueResponse:
        """Erase what is due."""
        receipts = await self._erasing.erase_due(_origin())
        return retention_pb2.EraseDueResponse(receipts=map(_receipt, receipts))

    async def EraseSeller(  # noqa: N802 - the contract's name
        self,
        request: retention_pb2.EraseSellerRequest,
        context: object,  # noqa: ARG002 - as above
    ) -> retention_pb2.Receipt:
        """Erase everything of a seller."""
        return _receipt(await self._erasing.erase_seller(request.seller_id, _origin()))

    async def ListReceipts(  # noqa: N802 - the contract's name
        self,
        request: retention_pb2.ListReceiptsRequest,  # noqa: ARG002 - says nothing
        context: object,  # noqa: ARG002 - as above
    ) -> retention_pb2.ListReceiptsResponse:
        """Show the receipts."""
        receipts = await self._erasing.list_receipts()
        return retention_pb2.ListReceiptsResponse(receipts=map(_receipt, receipts))

    async def VerifyErasure(  # noqa: N802 - the contract's name
        self,
        request: retention_pb2.VerifyErasureRequest,
        context: object,  # noqa: ARG002 - as above
    ) -> retention_pb2.VerifyErasureResponse:
        """Try every path to what was erased."""
        findings = await self._verifier.inspect(Subject.parse(request.subject))
        return retention_pb2.VerifyErasureResponse(
            is_erased=all(found.is_unreachable for found in findings),
            findings=[
                retention_pb2.Finding(
                    path=found.path, is_unreachable=found.is_unreachable, detail=found.detail
                )
                for found in findings
            ],
        )


class SellerErasure(sellers_pb2_grpc.SellerErasureServicer):
    """What auth needs when a seller has left."""

    def __init__(self, *, erasing: Erasing) -> None:
        self._erasing = erasing

    async def EraseSeller(  # noqa: N802 - the contract's name
        self,
        request: retention_pb2.EraseSellerRequest,
        context: object,  # noqa: ARG002 - as above
    ) -> retention_pb2.Receipt:
        """Erase everything of a seller."""
        return _receipt(await self._erasing.erase_seller(request.seller_id, _origin()))


def services(
    *, clocks: Clocks, safe: Safe, erasing: Erasing, verifier: Verifier
) -> Sequence[chassis.rpc.Service]:
    """Return every surface, ready for a server."""
    contract = retention_pb2.DESCRIPTOR.services_by_name
    return (
        chassis.rpc.Service(
            descriptor=contract["RetentionService"],
            add=retention_pb2_grpc.add_RetentionServiceServicer_to_server,
            servicer=RetentionService(clocks=clocks, safe=safe),
            methods=SERVICE_METHODS,
        ),
        chassis.rpc.Service(
            descriptor=contract["RetentionAdmin"],
            add=retention_pb2_grpc.add_RetentionAdminServicer_to_server,
            servicer=RetentionAdmin(erasing=erasing, verifier=verifier),
            methods=ADMIN_METHODS,
        ),
        chassis.rpc.Service(
            descriptor=sellers_pb2.DESCRIPTOR.services_by_name["SellerErasure"],
            add=sellers_pb2_grpc.add_SellerErasureServicer_to_server,
            servicer=SellerErasure(erasing=erasing),
            methods=SELLER_METHODS,
        ),
    )


def _origin() -> Origin:
    return Origin(chassis.rpc.caller(), chassis.trace.request_id())


def _observation(message: retention_pb2.OrderObservation) -> Observation:
    state = STATES.get(message.state)
    if state is None:
        raise RequestInvalid("An observation has no state.")
    return Observation(
        order_id=message.order_id,
        state=state,
        purchased_at=_time(message, "purchased_at"),
        shipped_at=_time(message, "shipped_at"),
        delivered_at=_time(message, "delivered_at"),
        observed_at=_required_time(message, "observed_at"),
    )


def _clock(clock: OrderClock) -> retention_pb2.OrderClock:
    return retention_pb2.OrderClock(
        order_id=clock.order_id,
        ends_at=_timestamp(begins_at(erase_day(clock.expires_at))),
        has_left=clock.left_at is not None,
    )


def _required_time(
    message: retention_pb2.OrderObservation | retention_pb2.SealRequest, field: str
) -> datetime:
    moment = _time(message, field)
    if moment is None:
        raise RequestInvalid(f"{field} is missing.")
    return moment


def _time(message: retention_pb2.OrderObservation | retention_pb2.SealRequest, field: str) -> datetime | None:
    if not message.HasField(field):
        return None
    timestamp: Timestamp = getattr(message, field)
    try:
        return timestamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise RequestInvalid(f"{field} is not a time.") from error


def _timestamp(moment: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


def _receipt(receipt: Receipt) -> retention_pb2.Receipt:
    return retention_pb2.Receipt(
        receipt_id=receipt.receipt_id,
        subject=str(receipt.subject),
        statement=receipt.statement,
        signature=receipt.signature,
        public_key_pem=receipt.public_key_pem,
    )
