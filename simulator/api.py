"""The Selling Partner API: from a request to its answer, in the order Amazon checks things.

token → operation → restricted data token → usage plan → operation's own checks. Which fault a call meets is
decided once its caller is known, so that one caller's faults do not depend on another's calls.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import simulator.faults
import simulator.hostility
import simulator.marketplaces
import simulator.tokens
from simulator import exchange, operations
from simulator.call import Access, Call
from simulator.exchange import Answer, Refusal, Request
from simulator.hostility import Hostility, Kind
from simulator.notes import Note
from simulator.operations import Operation
from simulator.orders.shipping import Shipping
from simulator.orders.v0 import OrdersV0
from simulator.orders.v2026 import Orders2026
from simulator.plans import Key, Plans
from simulator.tokens import Tokens

NOT_SIMULATED = "not simulated"
# Source: models: "deprecated and no longer returned" with the other statuses.
_RATE_SHOWN_ON = frozenset({200, 204, 400, 404})

Handler = Callable[[Call], dict[str, Any] | None]


class Api:
    """Answers calls of the Selling Partner API."""

    def __init__(
        self,
        *,
        tokens: Tokens,
        plans: Plans,
        hostility: Hostility,
        orders_v0: OrdersV0,
        orders_2026: Orders2026,
        shipping: Shipping,
    ) -> None:
        self._tokens = tokens
        self._plans = plans
        self._hostility = hostility
        self._handlers: dict[str, Handler] = {
            "ordersV0.getOrders": orders_v0.orders,
            "ordersV0.getOrder": orders_v0.order,
            "ordersV0.getOrderAddress": orders_v0.address,
            "ordersV0.getOrderBuyerInfo": orders_v0.buyer_info,
            "ordersV0.getOrderItems": orders_v0.items,
            "ordersV0.getOrderItemsBuyerInfo": orders_v0.items_buyer_info,
            "ordersV0.getOrderRegulatedInfo": orders_v0.regulated_info,
            "ordersV0.confirmShipment": shipping.confirm,
            "ordersV0.updateShipmentStatus": shipping.update_status,
            "orders_2026-01-01.searchOrders": orders_2026.orders,
            "orders_2026-01-01.getOrder": orders_2026.order,
            "tokens_2021-03-01.createRestrictedDataToken": tokens.create_restricted,
        }
        assert self._handlers.keys() == {operation.name for operation in operations.OPERATIONS}

    def answer(self, request: Request, note: Note, now: datetime) -> Answer:
        """Return the answer to a call, and tell `note` what the record should say of it."""
        try:
            return self._answered(request, note, now)
        except Refusal as refusal:
            return exchange.refused(refusal)

    def _answered(self, request: Request, note: Note, now: datetime) -> Answer:
        token_text = request.headers.get(simulator.tokens.TOKEN_HEADER, "")
        match = operations.match(request.method, request.path)
        note.operation = match.operation.name if match else NOT_SIMULATED
        token, application, seller = self._tokens.accept(token_text, now=now)
        note.application_id, note.seller_id = application.application_id, seller.seller_id
        if simulator.marketplaces.region_of(request.headers.get("host", "")) not in (None, seller.region):
            raise exchange.denied()
        if match is None:
            raise exchange.not_found(f"The simulator doesn't answer {request.method} {request.path} yet.")
        access = Access(
            application=application,
            seller=seller,
            consent_id=token.consent_id or "",
            elements=simulator.tokens.reach(token, application, match.operation, path=request.path),
        )
        call = Call(request, access, order_id=match.parameters.get("orderId", ""), now=now)
        return self._planned(call, match.operation, note)

    def _planned(self, call: Call, operation: Operation, note: Note) -> Answer:
        key = Key(note.application_id, note.seller_id, operation.name)
        fault = self._hostility.decide(operation.name, key.application_id, key.seller_id)
        note.fault = fault.kind
        note.is_over_plan = not self._plans.take(key, operation, call.now)
        if note.is_over_plan or fault.kind is Kind.THROTTLE:
            raise exchange.quota_exceeded()
        if (refusal := simulator.faults.api_refusal(fault)) is not None:
            raise refusal
        answer = self._done(call, operation)
        if answer.status in _RATE_SHOWN_ON:
            rate = str(float(self._plans.rate(key, operation)))
            answer = simulator.faults.with_header(answer, "x-amzn-RateLimit-Limit", rate)
        return simulator.faults.spoilt(answer, fault)

    def _done(self, call: Call, operation: Operation) -> Answer:
        try:
            document = self._handlers[operation.name](call)
        except Refusal as refusal:
            return exchange.refused(refusal)
        return Answer(204) if document is None else exchange.json_answer(200, document)
