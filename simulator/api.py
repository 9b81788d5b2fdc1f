"""The Selling Partner API: from a request to its answer, in the order Amazon checks things.

token → operation → restricted data token → usage plan → operation's own checks. Which fault a call meets is
decided once its caller is known, so that one caller's faults do not depend on another's calls.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import simulator.faults
import simulator.hostility
import simulator.marketplaces
import simulator.tokens
from simulator import exchange, operations
from simulator.call import Access, Call, OwnCall
from simulator.exchange import Answer, Refusal, Request
from simulator.hostility import Hostility, Kind
from simulator.notes import Note
from simulator.operations import Match, Operation
from simulator.plans import Key, Plans
from simulator.stand_in import StandIn
from simulator.tokens import Tokens

UNKNOWN = "unknown"
# Source: models: "deprecated and no longer returned" with the other statuses.
_RATE_SHOWN_ON = frozenset({*range(200, 300), 400, 404})

# A document is answered with the operation's status of success, None without a body, an answer as it is.
Outcome = dict[str, Any] | Answer | None
Handler = Callable[[Call], Outcome]
OwnHandler = Callable[[OwnCall], Outcome]
Work = Callable[[], Outcome]


class Api:
    """Answers calls of the Selling Partner API.

    `handlers` answer the operations that have a state here, `own_handlers` those that an application calls
    with its own token; `stand_in` answers every other one.
    """

    def __init__(
        self,
        *,
        tokens: Tokens,
        plans: Plans,
        hostility: Hostility,
        handlers: Mapping[str, Handler],
        own_handlers: Mapping[str, OwnHandler],
        stand_in: StandIn,
    ) -> None:
        self._tokens = tokens
        self._plans = plans
        self._hostility = hostility
        self._handlers = handlers
        self._own_handlers = own_handlers
        self._stand_in = stand_in

    def answer(self, request: Request, note: Note, now: datetime) -> Answer:
        """Return the answer to a call, and tell `note` what the record should say of it."""
        try:
            return self._answered(request, note, now)
        except Refusal as refusal:
            return exchange.refused(refusal)

    def _answered(self, request: Request, note: Note, now: datetime) -> Answer:
        token_text = request.headers.get(simulator.tokens.TOKEN_HEADER, "")
        match = operations.match(request.method, request.path)
        note.operation = match.operation.name if match else UNKNOWN
        if match is not None and match.operation.scope:
            return self._own(request, match, note, now=now)
        token, application, seller = self._tokens.accept(token_text, now=now)
        note.application_id, note.seller_id = application.application_id, seller.seller_id
        if simulator.marketplaces.region_of(request.headers.get("host", "")) not in (None, seller.region):
            raise exchange.denied()
        if match is None:
            raise exchange.not_found(f"Amazon has no operation {request.method} {request.path}.")
        access = Access(
            application=application,
            seller=seller,
            consent_id=token.consent_id or "",
            elements=simulator.tokens.reach(token, application, match.operation, path=request.path),
            is_restricted=token.kind == simulator.tokens.Kind.RESTRICTED,
        )
        call = Call(request, access, match.operation, now, match.parameters)
        return self._planned(match.operation, note, lambda: self._sought(call), now=now)

    def _sought(self, call: Call) -> Outcome:
        """Return what an operation answers: by a case of Amazon's sandbox, by its state here, or made up."""
        if (case := self._stand_in.case(call.operation, call.request, call.parameters)) is not None:
            return case
        handler = self._handlers.get(call.operation.name)
        return handler(call) if handler else self._stand_in.answer(call)

    def _own(self, request: Request, match: Match, note: Note, *, now: datetime) -> Answer:
        """Return the answer to a call that the application makes for itself."""
        operation = match.operation
        token = request.headers.get(simulator.tokens.TOKEN_HEADER, "")
        application = self._tokens.accept_own(token, operation.scope, now=now)
        note.application_id = application.application_id
        call = OwnCall(request, application, now, match.parameters)

        def sought() -> Outcome:
            case = self._stand_in.case(operation, request, match.parameters)
            return self._own_handlers[operation.name](call) if case is None else case

        return self._planned(operation, note, sought, now=now)

    def _planned(self, operation: Operation, note: Note, work: Work, *, now: datetime) -> Answer:
        key = Key(note.application_id, note.seller_id, operation.name)
        fault = self._hostility.decide(operation.name, key.application_id, key.seller_id)
        note.fault = fault.kind
        note.is_over_plan = not self._plans.take(key, operation, now)
        if note.is_over_plan or fault.kind is Kind.THROTTLE:
            raise exchange.quota_exceeded()
        if (refusal := simulator.faults.api_refusal(fault)) is not None:
            raise refusal
        answer = _done(work, operation)
        if answer.status in _RATE_SHOWN_ON:
            rate = str(float(self._plans.rate(key, operation)))
            answer = simulator.faults.with_header(answer, "x-amzn-RateLimit-Limit", rate)
        return simulator.faults.spoilt(answer, fault)


def _done(work: Work, operation: Operation) -> Answer:
    try:
        outcome = work()
    except Refusal as refusal:
        return exchange.refused(refusal)
    if isinstance(outcome, Answer):
        return outcome
    status = operation.status
    return Answer(status) if outcome is None else exchange.json_answer(status, outcome)
