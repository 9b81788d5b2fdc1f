"""Where an answer comes from: the safe or Amazon; and what the safe learns on the way.

What Amazon's answer tells about orders reaches retention before the desktop sees it, because it
decides how long the data may be kept. When retention cannot be told, an answer that shows personal
data does not leave; one that shows none does, and the failure is counted.

How long personal data is shown (R-19): of an order that the path names, as long as its clock says, kept or
fresh; past it Amazon is not asked. In lists, and in answers about no order, what Amazon tells right now is
shown once and kept nowhere.
"""

from chassis.errors import Conflict, Gone, NotFound, SallyportError
from services.gateway.forward.attempts import Attempts
from services.gateway.forward.journey import Found, Journey
from services.gateway.forward.observing import Observing
from services.gateway.forward.ports import Ports
from services.gateway.model import bounded_json, exchange, orders
from services.gateway.model.audit import Kind
from services.gateway.model.calls import UpstreamAnswer
from services.gateway.model.faults import JSON_TYPE, RetentionUnavailable, UpstreamInvalid

# An older copy of an order that has not shipped is fetched anew: its address may have changed.
KEPT_AGE_S_MAX = 3_600

KEY_SERVICE_UNAVAILABLE = "key_service_unavailable"

FROM_SAFE = "safe"
FROM_AMAZON = "amazon"


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
        kept = await self._kept(journey)
        if kept is not None:
            return Found(kept, FROM_SAFE, named)
        await self._check(journey)
        answer = await self._attempts.ask(journey)
        if not exchange.is_success(answer):
            return Found(answer, FROM_AMAZON)
        exchange.check_success(answer)
        seen, document = await self._observe(journey, answer)
        if _is_shown(journey):
            self._observing.check_known(journey.device.seller_id, journey.order_id)
        await self._keep(journey, answer)
        return Found(answer, FROM_AMAZON, seen or named, document)

    async def _kept(self, journey: Journey) -> UpstreamAnswer | None:
        key = journey.safe_key
        if key is None:
            return None
        try:
            body = await self._ports.safe.open(key, KEPT_AGE_S_MAX)
        except NotFound:
            return None
        return UpstreamAnswer(200, [("content-type", JSON_TYPE)], body)

    async def _check(self, journey: Journey) -> None:
        """Return unless the call would show data of an order whose clock is over; the safe judges its own."""
        if not _is_shown(journey) or journey.safe_key is not None:
            return
        try:
            await self._observing.check(journey.device.seller_id, journey.order_id)
        except Gone:
            raise
        except SallyportError as error:
            raise _unavailable(error) from error

    async def _observe(self, journey: Journey, answer: UpstreamAnswer) -> tuple[tuple[str, ...], object]:
        """Tell retention about the orders in an answer; return their ids, and the answer as it was read."""
        if not orders.tells_of_orders(journey.operation.name):
            return (), None
        try:
            document = bounded_json.read(answer.body, bytes_max=exchange.BODY_BYTES_MAX)
        except bounded_json.Unreadable as error:
            raise UpstreamInvalid from error
        seen = orders.observations(journey.operation.name, document, self._ports.clock.now())
        try:
            await self._observing.tell(journey.device.seller_id, seen)
        except SallyportError as error:
            if not journey.plan.is_masked:
                raise _unavailable(error) from error
            self._ports.signals.side_failed("observe_orders", error.code)
        return tuple(each.order_id for each in seen), document

    async def _keep(self, journey: Journey, answer: UpstreamAnswer) -> None:
        key = journey.safe_key
        if key is None:
            return
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


def _is_shown(journey: Journey) -> bool:
    """Return whether a call shows personal data of the one order that its path names."""
    return bool(journey.order_id) and journey.plan.audit_kind is Kind.PII_READ
