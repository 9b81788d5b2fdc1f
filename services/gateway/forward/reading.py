"""Where an answer comes from: the safe or Amazon; and what the safe learns on the way.

What Amazon's answer tells about orders reaches retention before the desktop sees it, because it
decides how long the data may be kept. When retention cannot be told, an answer that shows personal
data does not leave; one that shows none does, and the failure is counted.

How long personal data is shown (R-19): of an order that the path names, as long as its clock says, kept or
fresh; past it Amazon is not asked. In lists of orders, such an order is shown as to somebody who may not see
personal data, and so is one without an id, of which nobody could say. In other answers, what Amazon tells
right now is shown once and kept nowhere.
"""

from dataclasses import replace

from chassis.errors import Conflict, Gone, NotFound, SallyportError
from services.gateway.forward import search
from services.gateway.forward.attempts import Attempts
from services.gateway.forward.journey import Found, Journey
from services.gateway.forward.observing import Observing
from services.gateway.forward.ports import Ports
from services.gateway.model import exchange, orders, tripwire
from services.gateway.model.audit import Kind
from services.gateway.model.calls import SafeKey, Source, UpstreamAnswer
from services.gateway.model.faults import JSON_TYPE, RetentionUnavailable, UpstreamInvalid
from services.gateway.model.masking import Unmaskable

# An older copy of an order that has not shipped is fetched anew: its address may have changed.
KEPT_AGE_S_MAX = 3_600

KEY_SERVICE_UNAVAILABLE = "key_service_unavailable"


class Reading:
    """The safe first where it may hold the answer, else Amazon."""

    def __init__(self, *, ports: Ports, attempts: Attempts) -> None:
        self._ports = ports
        self._attempts = attempts
        self._observing = Observing(safe=ports.safe, clock=ports.clock)

    async def find(self, journey: Journey) -> Found:
        """Return the answer to a call, success or failure, with personal data unmasked.

        Raises:
            Gone: the order's clock has run out, and the answer is one that the safe keeps, or shows its data.
            RetentionUnavailable: the safe could not be told what it must know.
            Unavailable: `key_service_unavailable`, because it needs that.
            UpstreamInvalid: Amazon's answer may not be used.
            SallyportError: as `Attempts.ask`, and the safe's own faults.
        """
        named = (journey.order_id,) if journey.order_id else ()
        is_shown, key = _is_shown(journey), journey.safe_key
        if key is not None:
            kept = await self._kept(key)
            if kept is not None:
                return Found(kept, Source.SAFE, named)
        elif is_shown and not self._observing.is_running(journey.device.seller_id, journey.order_id):
            # What the safe keeps, it judges itself.
            await self._check(journey)
        answer = await self._attempts.ask(journey)
        if not exchange.is_success(answer):
            return Found(answer, Source.AMAZON)
        if await search.is_found(answer.body, tripwire.holds_credential):
            raise UpstreamInvalid
        found = Found(answer, Source.AMAZON, named)
        if orders.tells_of_orders(journey.operation.name):
            found = await self._aged(journey, await self._observe(journey, found))
        else:
            exchange.check_success(answer)
        if is_shown:
            self._observing.check_known(journey.device.seller_id, journey.order_id)
        if key is not None:
            await self._keep(key, answer)
        return found

    async def _kept(self, key: SafeKey) -> UpstreamAnswer | None:
        try:
            body = await self._ports.safe.open(key, KEPT_AGE_S_MAX)
        except NotFound:
            return None
        return UpstreamAnswer(200, [("content-type", JSON_TYPE)], body)

    async def _check(self, journey: Journey) -> None:
        """Return unless the clock is over of the order whose data the call would show."""
        try:
            await self._observing.check(journey.device.seller_id, journey.order_id)
        except Gone:
            raise
        except SallyportError as error:
            raise _unavailable(error) from error

    async def _observe(self, journey: Journey, found: Found) -> Found:
        """Tell retention about the orders in an answer; return it with their ids, and as it was read."""
        document = None if journey.plan.view.mask is None else exchange.read_success(found.answer)
        told = _outline(journey, found.answer) if document is None else document
        seen = orders.facts(journey.operation.name, told)
        try:
            await self._observing.tell(journey.device.seller_id, seen)
        except SallyportError as error:
            if not journey.plan.is_masked:
                raise _unavailable(error) from error
            self._ports.signals.side_failed("observe_orders", error.code)
        order_ids = tuple([order_id for order_id, _ in seen]) or found.order_ids
        has_unnamed = orders.count(journey.operation.name, told) > len(seen)
        return Found(found.answer, found.source, order_ids, has_unnamed, document)

    async def _aged(self, journey: Journey, found: Found) -> Found:
        """Return a list of orders less the personal data of those past their clocks, or unnamed (R-19)."""
        if journey.order_id or journey.plan.audit_kind is not Kind.PII_READ:
            return found
        try:
            over = await self._observing.over(journey.device.seller_id, found.order_ids)
        except SallyportError as error:
            raise _unavailable(error) from error
        if not over and not found.has_unnamed:
            return found
        try:
            document = found.document or exchange.read_success(found.answer)
            body = orders.showing(journey.operation, document, set(found.order_ids).difference(over))
        except Unmaskable as error:
            raise UpstreamInvalid from error
        return replace(found, answer=replace(found.answer, body=body))

    async def _keep(self, key: SafeKey, answer: UpstreamAnswer) -> None:
        try:
            await self._ports.safe.seal(key, answer.body, self._ports.clock.now())
        except Gone:
            raise
        except Conflict as error:
            # Nobody listed the order yet, so no clock can be set and no copy is kept.
            self._observing.forget(key.seller_id, key.order_id)
            self._ports.signals.side_failed("seal", error.code)
        except SallyportError as error:
            raise _unavailable(error) from error


def _unavailable(fault: SallyportError) -> SallyportError:
    """Return what is told of the safe's fault; of the key service's absence, just that (R-06)."""
    return fault if fault.code == KEY_SERVICE_UNAVAILABLE else RetentionUnavailable()


def _outline(journey: Journey, answer: UpstreamAnswer) -> object:
    """Return what an answer tells about orders; all that it tells, where its shape is not the models'."""
    exchange.check_success(answer)
    outline = orders.outline(journey.operation.name, answer.body)
    return exchange.read_success(answer) if outline is None else outline


def _is_shown(journey: Journey) -> bool:
    """Return whether a call shows personal data of the one order that its path names."""
    return bool(journey.order_id) and journey.plan.audit_kind is Kind.PII_READ
