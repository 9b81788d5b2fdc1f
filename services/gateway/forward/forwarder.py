"""The gates that one call passes, in their order; see the package's docstring."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from chassis.errors import Denied, Internal, SallyportError
from services.gateway.catalogue.table import Catalogue
from services.gateway.forward.attempts import Attempts
from services.gateway.forward.coalescing import Coalescing
from services.gateway.forward.deadlines import Deadlines
from services.gateway.forward.document_links import DocumentLinks
from services.gateway.forward.handles import Handles
from services.gateway.forward.homes import Homes
from services.gateway.forward.identities import Identities
from services.gateway.forward.journey import Found, Journey, order_id_of
from services.gateway.forward.late import Late
from services.gateway.forward.lending import Lending
from services.gateway.forward.ports import Ports
from services.gateway.forward.rate_limiter import RateLimiter
from services.gateway.forward.reading import Reading
from services.gateway.forward.records import Intent, Records, Told
from services.gateway.forward.revisions import Revisions
from services.gateway.forward.under_way import UnderWay
from services.gateway.model import exchange, faults, policy, priority, regions, targets, tripwire
from services.gateway.model.audit import Kind, Result
from services.gateway.model.calls import Answer, Call, Device, Region
from services.gateway.model.fields import Fields
from services.gateway.model.masking import Unmaskable

# How long a desktop waits for an answer, waiting for its permit included.
DEADLINE_S = 25.0

# Names of query parameters that were left out, for the developer who wonders.
IGNORED_HEADER = "x-sallyport-ignored"
# Where the answer comes from: amazon, shared, cache, safe or gateway.
SOURCE_HEADER = "x-sallyport-source"
# What was asked for and not fetched, because the desktop would see nothing of it.
NARROWED_HEADER = "x-sallyport-narrowed"


@dataclass(slots=True)
class _Seen:
    """What became known of a call while it passed the gates.

    Attributes:
        device: who calls, and is counted among those under way.
        intent: that is durable, and of which nobody has said yet what became of it.
    """

    device: Device | None = None
    operation: str = ""
    intent: Intent | None = None


class Forwarder:
    """One desktop call in, Amazon's answer or a refusal in its shape out.

    Attributes:
        tasks: name and work of what has to run beside calls, for ever.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        ports: Ports,
        identities: Identities,
        limiter: RateLimiter,
        documents: DocumentLinks,
        user_agent: str,
    ) -> None:
        self._catalogue = catalogue
        self._ports = ports
        self._identities = identities
        self._documents = documents
        lending = Lending(auth=ports.auth, clock=ports.clock)
        attempts = Attempts(ports=ports, limiter=limiter, lending=lending, user_agent=user_agent)
        self._reading = Reading(ports=ports, attempts=attempts)
        revisions = Revisions(
            operations=catalogue, store=ports.revisions, clock=ports.clock, signals=ports.signals
        )
        self._coalescing = Coalescing(
            finder=self._reading, revisions=revisions, clock=ports.clock, signals=ports.signals
        )
        identities.on_change(_each(lending.forget, self._coalescing.forget))
        self._homes = Homes(operations=catalogue, store=ports.homes, signals=ports.signals)
        self._handles = Handles(catalogue=catalogue, auth=ports.auth, limiter=limiter)
        self._deadlines = Deadlines(ports.clock)
        self._under_way = UnderWay()
        late = Late(audit=ports.audit, clock=ports.clock, signals=ports.signals)
        self._records = Records(ports=ports, deadlines=self._deadlines, late=late)
        self.tasks: Sequence[tuple[str, Callable[[], Awaitable[None]]]] = (
            ("deadlines", self._deadlines.run),
            ("coalesced_calls", self._coalescing.run),
            ("late_events", late.run),
            ("untold_refusals", self._records.sum_up),
        )

    async def handle(self, call: Call) -> Answer:
        """Return the answer to a call; whatever goes wrong is an answer too."""
        started_at_s, seen = self._ports.clock.monotonic_s(), _Seen()
        try:
            answer = await self._serve(call, seen, until_s=started_at_s + DEADLINE_S)
        except SallyportError as error:
            answer = await self._refusal(call, seen, error)
        except asyncio.CancelledError:
            if seen.intent is not None:
                self._records.leave(seen.intent, _result_when_left(seen.intent.journey), Told())
            raise
        except Exception as error:  # noqa: BLE001 - a mistake of ours is logged whole and answered blank
            self._ports.signals.crashed(call.request_id, error)
            answer = faults.render(Internal(), call.request_id)
        finally:
            if seen.device is not None:
                self._under_way.leave(seen.device)
        elapsed_s = self._ports.clock.monotonic_s() - started_at_s
        self._ports.signals.answered(seen.operation, answer.status, elapsed_s)
        return answer

    async def turn_away(
        self, access_token: str, request_id: str, *, came_from: str, is_bound: bool
    ) -> Answer | None:
        """Return what a stranger hears whose body is not worth reading; None for a device that stands.

        Args:
            access_token: what the call carries.
            request_id: of the call.
            came_from: the address of whoever makes it.
            is_bound: whether it comes with a proof.
        """
        started_at_s = self._ports.clock.monotonic_s()
        try:
            await self._identities.who(access_token, came_from)
        except SallyportError as error:
            self._ports.signals.refused(error.code)
            answer = faults.render(error, request_id, is_bound=is_bound)
            self._ports.signals.answered("", answer.status, self._ports.clock.monotonic_s() - started_at_s)
            return answer
        return None

    async def _refusal(self, call: Call, seen: _Seen, error: SallyportError) -> Answer:
        self._ports.signals.refused(error.code)
        is_theirs = isinstance(error, (Denied, faults.InvalidDpopProof)) and seen.device is not None
        if seen.intent is not None:
            result = _result_of_fault(seen.intent.journey, error)
            self._records.leave(seen.intent, result, Told(status=error.http_status))
        elif is_theirs or isinstance(error, tripwire.CredentialsNotAccepted):
            await self._records.refuse(call, error, device=seen.device, operation=seen.operation)
        return faults.render(error, call.request_id, is_bound=call.proof is not None)

    async def _serve(self, call: Call, seen: _Seen, *, until_s: float) -> Answer:
        _check_for_credentials(call)
        with self._deadlines.within(until_s):
            journey, omissions = await self._admit(call, seen, until_s)
            kind = journey.plan.audit_kind
            if kind is not None:
                seen.intent = await self._records.intend(journey, kind)
            found = await self._find(journey)
            if len(journey.device.regions) > 1:
                await self._homes.learn(journey, found)
            answer = _shown(journey, found)
            if self._documents.are_told(journey.operation) and exchange.is_success(found.answer):
                answer.body = await self._documents.show(journey, answer.body)
        intent, seen.intent = seen.intent, None
        if intent is not None:
            await self._conclude(intent, found)
        answer.headers += omissions
        return answer

    async def _admit(self, call: Call, seen: _Seen, until_s: float) -> tuple[Journey, list[tuple[str, str]]]:
        """Return what a call is, and headers that tell what of it does not go to Amazon."""
        device = await self._identities.who(call.access_token, call.came_from)
        self._under_way.enter(device)
        seen.device = device
        _check_possession(call, device)
        target = targets.parse(call.target)
        operation, parameters = self._catalogue.match(call.method, target.segments)
        targets.check_slashes(target.path, parameters)
        seen.operation = operation.name
        rules = self._ports.policies.rules
        document_class = None
        if operation.document_links:
            document_class = await self._documents.classify(
                operation, device, parameters, policy=rules.policy
            )
        purpose = rules.purpose(call.fields)
        plan = rules.plan(operation, device, path=target.path, purpose=purpose, document_class=document_class)
        known = targets.known_part(target.pairs, operation.query)
        policy.check_search(plan.view, known.names)
        query, narrowed = plan.view.narrow(known.text)
        body = exchange.request_body(operation, call.body)
        region = self._stated_region(call, target, body)
        if region is None and len(device.regions) > 1:
            region = await self._homes.find(device, operation, parameters=parameters, pairs=target.pairs)
        journey = Journey(
            call=call,
            device=device,
            operation=operation,
            rules=rules,
            plan=plan,
            region=regions.settle(region, device),
            path=target.path,
            query=query,
            body=body,
            parameters=parameters,
            order_id=order_id_of(parameters),
            priority=priority.stated(call.fields, known.names),
            document_class=document_class,
            until_s=until_s,
        )
        return journey, _omissions(known.dropped, narrowed, plan.withheld)

    def _stated_region(self, call: Call, target: targets.Target, body: bytes) -> Region | None:
        regions.check_sandbox(call.host, self._ports.upstream.production)
        marketplace_ids = targets.values(target.pairs, regions.MARKETPLACE_PARAMETERS)
        return regions.stated(call.host, marketplace_ids, body)

    def _find(self, journey: Journey) -> Awaitable[Found]:
        finder = self._handles.give if self._handles.is_meant(journey) else self._coalescing.find
        return finder(journey)

    async def _conclude(self, intent: Intent, found: Found) -> None:
        """Tell the outcome: durably before personal data leaves of orders that the intent could not name.

        Nothing else waits for its outcome (R-01), and an effect at Amazon is not taken back by a failing
        audit log.
        """
        journey, status = intent.journey, found.answer.status
        told = Told(status, found.source, found.order_ids)
        if not exchange.is_success(found.answer):
            may_be_done = not journey.operation.is_read and status >= 500
            self._records.leave(intent, Result.UNKNOWN if may_be_done else Result.NOT_DONE, told)
        elif _shows_unnamed_orders(journey):
            await self._records.conclude(intent, Result.DONE, told)
        else:
            self._records.leave(intent, Result.DONE, told)


def _each(*tells: Callable[[str | None], None]) -> Callable[[str | None], None]:
    """Return what tells several of a change."""

    def tell(seller_id: str | None) -> None:
        for one in tells:
            one(seller_id)

    return tell


def _check_for_credentials(call: Call) -> None:
    """Let a call pass that carries none of Amazon's credentials, wherever they might stand (T-06)."""
    target, body = call.target.encode("utf-8", "surrogatepass"), call.body
    is_found = call.fields.once(_hold_credential) or tripwire.finds_credential(target)
    if is_found or (body and tripwire.finds_credential(body)):
        raise tripwire.CredentialsNotAccepted


def _hold_credential(fields: Fields) -> bool:
    told = "\n".join(itertools.chain.from_iterable(fields))
    return tripwire.finds_credential(told.encode("utf-8", "surrogatepass"))


def _check_possession(call: Call, device: Device) -> None:
    """Let a call pass that needs no proof, or whose own is by the device's key and used up hereby (T-02)."""
    proven = call.proof.thumbprint if call.proof else ""
    if proven != device.key_thumbprint:
        raise faults.InvalidDpopProof
    if call.proof is not None:
        call.proof.use_up()


def _omissions(
    parameters: Sequence[str], datasets: Sequence[str], elements: Sequence[str]
) -> list[tuple[str, str]]:
    """Return the headers that tell what of a call did not go to Amazon."""
    headers = [(IGNORED_HEADER, ",".join(parameters))] if parameters else []
    if datasets or elements:
        narrowed = [f"{policy.INCLUDED_DATA}={','.join(datasets)}"] if datasets else []
        narrowed += [f"{policy.DATA_ELEMENTS}={','.join(elements)}"] if elements else []
        headers.append((NARROWED_HEADER, ";".join(narrowed)))
    return headers


def _shown(journey: Journey, found: Found) -> Answer:
    """Return what the desktop may see of an answer, and where it comes from."""
    request_id = journey.call.request_id
    if exchange.is_success(found.answer):
        answer = exchange.success(found.answer, _masked(journey, found), request_id)
    else:
        answer = exchange.failure(found.answer, request_id)
    answer.headers.append((SOURCE_HEADER, found.source))
    return answer


def _masked(journey: Journey, found: Found) -> bytes:
    """Return a successful answer's body less what the device may not see."""
    body, mask = found.answer.body, journey.plan.view.mask
    if mask is None:
        return body
    try:
        return mask.apply(body) if found.document is None else mask.render(found.document)
    except Unmaskable as error:
        raise faults.UpstreamInvalid from error


def _shows_unnamed_orders(journey: Journey) -> bool:
    """Return whether only the answer tells whose personal data the desktop is about to see."""
    is_shown = journey.operation.is_read and journey.plan.audit_kind is Kind.PII_READ
    return is_shown and not journey.order_id


def _result_of_fault(journey: Journey, error: SallyportError) -> Result:
    """Return what became of a call that ended in a fault: a read showed nothing, an effect may stand."""
    is_open = isinstance(
        error,
        (faults.UpstreamTimeout, faults.UpstreamLost, faults.UpstreamInvalid, faults.DeadlineExceeded),
    )
    return _result_when_left(journey) if is_open else Result.NOT_DONE


def _result_when_left(journey: Journey) -> Result:
    """Return what is known of a call that ended on its way."""
    return Result.NOT_DONE if journey.operation.is_read else Result.UNKNOWN
