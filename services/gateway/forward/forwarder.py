"""The way of one call from the desktop and back; see the package's docstring."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence

from chassis.errors import Denied, Internal, SallyportError
from services.gateway.catalogue.table import Catalogue
from services.gateway.forward import outcomes, search
from services.gateway.forward.admission import Admission
from services.gateway.forward.attempts import Attempts
from services.gateway.forward.coalescing import Coalescing
from services.gateway.forward.deadlines import Deadlines
from services.gateway.forward.document_links import DocumentLinks
from services.gateway.forward.handles import Handles
from services.gateway.forward.homes import Homes
from services.gateway.forward.identities import Identities
from services.gateway.forward.journey import Found, Journey
from services.gateway.forward.late import Late
from services.gateway.forward.lending import Lending
from services.gateway.forward.ports import Ports
from services.gateway.forward.rate_limiter import RateLimiter
from services.gateway.forward.reading import Reading
from services.gateway.forward.records import Intent, Records, Seen, Told
from services.gateway.forward.revisions import Revisions
from services.gateway.model import exchange, faults, tripwire
from services.gateway.model.audit import Result
from services.gateway.model.calls import Answer, Call
from services.gateway.model.fields import Fields
from services.gateway.model.masking import Unmaskable

# How long a desktop waits for an answer, waiting for its permit included.
DEADLINE_S = 25.0

# Where the answer comes from: amazon, shared, cache, safe or gateway.
SOURCE_HEADER = "x-sallyport-source"


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
        self._ports = ports
        self._identities = identities
        self._documents = documents
        lending = Lending(auth=ports.auth, clock=ports.clock)
        attempts = Attempts(ports=ports, limiter=limiter, lending=lending, user_agent=user_agent)
        self._reading = Reading(ports=ports, attempts=attempts)
        revisions = Revisions(
            operations=catalogue, store=ports.revisions, clock=ports.clock, signals=ports.signals
        )
        self._deadlines = Deadlines(ports.clock)
        self._coalescing = Coalescing(
            finder=self._reading,
            revisions=revisions,
            deadlines=self._deadlines,
            clock=ports.clock,
            signals=ports.signals,
        )
        identities.on_change(_each(lending.forget, self._coalescing.forget))
        self._homes = Homes(operations=catalogue, store=ports.homes, signals=ports.signals)
        self._admission = Admission(
            catalogue=catalogue,
            ports=ports,
            identities=identities,
            documents=documents,
            homes=self._homes,
        )
        self._handles = Handles(catalogue=catalogue, auth=ports.auth, limiter=limiter)
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
        started_at_s, seen = self._ports.clock.monotonic_s(), Seen()
        try:
            answer = await self._serve(call, seen, until_s=started_at_s + DEADLINE_S)
        except SallyportError as error:
            answer = await self._refusal(call, seen, error)
        except asyncio.CancelledError:
            if seen.intent is not None:
                self._records.leave(seen.intent, outcomes.when_left(seen.intent.journey), Told())
            raise
        except Exception as error:  # noqa: BLE001 - a mistake of ours is logged whole and answered blank
            self._ports.signals.crashed(call.request_id, error)
            answer = faults.render(Internal(), call.request_id)
        finally:
            self._admission.leave(seen)
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

    async def _refusal(self, call: Call, seen: Seen, error: SallyportError) -> Answer:
        self._ports.signals.refused(error.code)
        is_theirs = isinstance(error, (Denied, faults.InvalidDpopProof)) and seen.device is not None
        if seen.intent is not None:
            result = outcomes.of_fault(seen.intent.journey, error)
            self._records.leave(seen.intent, result, Told(status=error.http_status))
        elif is_theirs or isinstance(error, tripwire.CredentialsNotAccepted):
            await self._records.refuse(call, seen, error)
        return faults.render(error, call.request_id, is_bound=call.proof is not None)

    async def _serve(self, call: Call, seen: Seen, *, until_s: float) -> Answer:
        _check_head(call)
        if await search.is_found(call.body, tripwire.finds_credential):
            raise tripwire.CredentialsNotAccepted
        with self._deadlines.within(until_s):
            journey = await self._admission.admit(call, seen, until_s=until_s)
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
        answer.headers += journey.omissions
        return answer

    def _find(self, journey: Journey) -> Awaitable[Found]:
        finder = self._handles.give if self._handles.is_meant(journey) else self._coalescing.find
        return finder(journey)

    async def _conclude(self, intent: Intent, found: Found) -> None:
        """Tell the outcome: durably before personal data leaves of orders that the intent could not name."""
        journey = intent.journey
        result = outcomes.of_answer(journey, found.answer)
        told = Told(found.answer.status, found.source, found.order_ids)
        if result is Result.DONE and outcomes.tells_whose(journey):
            await self._records.conclude(intent, result, told)
        else:
            self._records.leave(intent, result, told)


def _each(*tells: Callable[[str | None], None]) -> Callable[[str | None], None]:
    """Return what tells several of a change."""

    def tell(seller_id: str | None) -> None:
        for one in tells:
            one(seller_id)

    return tell


def _check_head(call: Call) -> None:
    """Let a call pass whose target and headers carry none of Amazon's credentials (T-06)."""
    target = call.target.encode("utf-8", "surrogatepass")
    if call.fields.once(_hold_credential) or tripwire.finds_credential(target):
        raise tripwire.CredentialsNotAccepted


def _hold_credential(fields: Fields) -> bool:
    told = "\n".join(itertools.chain.from_iterable(fields))
    return tripwire.finds_credential(told.encode("utf-8", "surrogatepass"))


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
