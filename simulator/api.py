"""The Selling Partner API: from a request to its answer, in the order Amazon checks things.

token → operation → restricted data token → usage plan → operation's own checks. Which fault a call meets is
decided once its caller is known, so that one caller's faults do not depend on another's calls.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import simulator.faults
import simulator.hostility
import simulator.marketplaces
import simulator.tokens
from simulator import exchange, operations
from simulator.applications import Application
from simulator.call import Access, Call
from simulator.client_secrets import ClientSecrets
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
OwnHandler = Callable[[Application, datetime], None]
Work = Callable[[], dict[str, Any] | None]


@dataclass(frozen=True)
class Orders:
    """The Orders API in both versions."""

    v0: OrdersV0
    v2026: Orders2026
    shipping: Shipping


class Api:
    """Answers calls of the Selling Partner API."""

    def __init__(
        self,
        *,
        tokens: Tokens,
        plans: Plans,
        hostility: Hostility,
        orders: Orders,
        client_secrets: ClientSecrets,
    ) -> None:
        self._tokens = tokens
        self._plans = plans
        self._hostility = hostility
        self._handlers: dict[str, Handler] = {
            "ordersV0.getOrders": orders.v0.orders,
            "ordersV0.getOrder": orders.v0.order,
            "ordersV0.getOrderAddress": orders.v0.address,
            "ordersV0.getOrderBuyerInfo": orders.v0.buyer_info,
            "ordersV0.getOrderItems": orders.v0.items,
            "ordersV0.getOrderItemsBuyerInfo": orders.v0.items_buyer_info,
            "ordersV0.getOrderRegulatedInfo": orders.v0.regulated_info,
            "ordersV0.confirmShipment": orders.shipping.confirm,
            "ordersV0.updateShipmentStatus": orders.shipping.update_status,
            "orders_2026-01-01.searchOrders": orders.v2026.orders,
            "orders_2026-01-01.getOrder": orders.v2026.order,
            "tokens_2021-03-01.createRestrictedDataToken": tokens.create_restricted,
        }
        self._own_handlers: dict[str, OwnHandler] = {
            "application_2023-11-30.rotateApplicationClientSecret": client_secrets.rotate,
        }
        handled = self._handlers.keys() | self._own_handlers.keys()
        assert handled == {operation.name for operation in operations.OPERATIONS}

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
        if match is not None and match.operation.scope:
            return self._own(token_text, match.operation, note, now=now)
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
        handler = self._handlers[match.operation.name]
        return self._planned(match.operation, note, lambda: handler(call), now=now)

    def _own(self, token_text: str, operation: Operation, note: Note, *, now: datetime) -> Answer:
        """Return the answer to a call that the application makes for itself."""
        application = self._tokens.accept_own(token_text, operation.scope, now=now)
        note.application_id = application.application_id
        handler = self._own_handlers[operation.name]
        return self._planned(operation, note, lambda: handler(application, now), now=now)

    def _planned(self, operation: Operation, note: Note, work: Work, *, now: datetime) -> Answer:
        key = Key(note.application_id, note.seller_id, operation.name)
        fault = self._hostility.decide(operation.name, key.application_id, key.seller_id)
        note.fault = fault.kind
        note.is_over_plan = not self._plans.take(key, operation, now)
        if note.is_over_plan or fault.kind is Kind.THROTTLE:
            raise exchange.quota_exceeded()
        if (refusal := simulator.faults.api_refusal(fault)) is not None:
            raise refusal
        answer = _done(work)
        if answer.status in _RATE_SHOWN_ON:
            rate = str(float(self._plans.rate(key, operation)))
            answer = simulator.faults.with_header(answer, "x-amzn-RateLimit-Limit", rate)
        return simulator.faults.spoilt(answer, fault)


def _done(work: Work) -> Answer:
    try:
        document = work()
    except Refusal as refusal:
        return exchange.refused(refusal)
    return Answer(204) if document is None else exchange.json_answer(200, document)
