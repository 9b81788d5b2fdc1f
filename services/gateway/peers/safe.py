"""What the forwarding path asks retention: to keep copies, to give them back, to watch orders' clocks."""

from collections.abc import Sequence
from datetime import UTC, datetime

import chassis.rpc
from services.gateway.model.calls import SafeKey
from services.gateway.model.orders import Observation, OrderClock, OrderState
from wire.retention.v1 import retention_pb2, retention_pb2_grpc

_STATES = {
    OrderState.UNSHIPPED: retention_pb2.ORDER_STATE_UNSHIPPED,
    OrderState.SHIPPED: retention_pb2.ORDER_STATE_SHIPPED,
    OrderState.DELIVERED: retention_pb2.ORDER_STATE_DELIVERED,
}


class SafeClient:
    """Fits `forward.ports.Safe`."""

    def __init__(self, channel: chassis.rpc.Channel) -> None:
        self._retention = channel.stub(retention_pb2_grpc.RetentionServiceStub)

    async def observe_orders(self, seller_id: str, orders: Sequence[Observation]) -> list[OrderClock]:
        """Tell what answers said about orders; return their clocks, of those that have one."""
        told = await self._retention.ObserveOrders(
            retention_pb2.ObserveOrdersRequest(
                seller_id=seller_id, orders=[_observation(each) for each in orders]
            )
        )
        return [_clock(each) for each in told.clocks]

    async def find_clocks(self, seller_id: str, order_ids: Sequence[str]) -> list[OrderClock]:
        """Return the clocks of orders, of those that have one."""
        found = await self._retention.FindClocks(
            retention_pb2.FindClocksRequest(seller_id=seller_id, order_ids=order_ids)
        )
        return [_clock(each) for each in found.clocks]

    async def open(self, key: SafeKey, age_s_max: int) -> bytes:
        """Return the kept copy."""
        opened = await self._retention.Open(
            retention_pb2.OpenRequest(
                seller_id=key.seller_id,
                order_id=key.order_id,
                field_set=key.field_set,
                age_s_max=age_s_max,
            )
        )
        return opened.plaintext

    async def seal(self, key: SafeKey, plaintext: bytes, fetched_at: datetime) -> None:
        """Keep a copy until the order's clock runs out."""
        request = retention_pb2.SealRequest(
            seller_id=key.seller_id, order_id=key.order_id, field_set=key.field_set, plaintext=plaintext
        )
        request.fetched_at.FromDatetime(fetched_at)
        await self._retention.Seal(request)


def _clock(message: retention_pb2.OrderClock) -> OrderClock:
    return OrderClock(message.order_id, message.ends_at.ToDatetime(tzinfo=UTC), message.has_left)


def _observation(seen: Observation) -> retention_pb2.OrderObservation:
    facts = seen.facts
    message = retention_pb2.OrderObservation(order_id=seen.order_id, state=_STATES[facts.state])
    message.observed_at.FromDatetime(seen.observed_at)
    if facts.purchased_at is not None:
        message.purchased_at.FromDatetime(facts.purchased_at)
    if facts.shipped_at is not None:
        message.shipped_at.FromDatetime(facts.shipped_at)
    if facts.delivered_at is not None:
        message.delivered_at.FromDatetime(facts.delivered_at)
    return message
