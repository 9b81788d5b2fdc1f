"""Coalescing: identical reads of a seller at once become one call; some answers are served again.

- Who asks for what is already under way waits for that answer. Each judges, masks and audits it for itself.
- A read that has a body is the same one only with the same bytes: what they mean is for Amazon to say.
- A person does not wait for a job's call, which may wait long for its permit: one of theirs begins, and
  whoever comes then joins that.
- The call is nobody's own: it ends when its last waiter has gone. A waiter who has longer than the one who
  began it asks anew when it failed for want of time, and so does every other device when it failed because of
  who began it: nobody hears that another device was revoked. Other failures are shared, never kept.
- A write that was done is answered: what has to be kept of it may take GRACE_S beyond its deadline.
- A write makes what the same API told the seller before, and what is under way, no answer for later calls;
  other replicas hear of it (`revisions`).
- Which answers are kept, and how long, is in `model.kept_answers`; `Cache-Control: no-cache` asks Amazon.
"""

import asyncio
from collections.abc import Coroutine, Hashable
from dataclasses import dataclass, field
from typing import Any, Protocol

import chassis.crypto.digest
from chassis.clock import Clock
from chassis.errors import Denied, NotFound, Unauthenticated
from services.gateway.forward.deadlines import GRACE_S, Deadlines
from services.gateway.forward.journey import Found, Journey
from services.gateway.forward.ports import Signals
from services.gateway.forward.revisions import ONLY_REVISION, Revisions
from services.gateway.model import exchange
from services.gateway.model.calls import Source
from services.gateway.model.faults import DeadlineExceeded, QuotaExceeded, UpstreamTimeout
from services.gateway.model.kept_answers import KeptAnswers
from services.gateway.model.priority import Priority

# Somebody with less time more than the one whose time was up would hardly do better.
LONGER_S_MIN = 1.0
JOINS_MAX = 3

_FOR_WANT_OF_TIME = (DeadlineExceeded, QuotaExceeded, UpstreamTimeout)
# What auth says of the device in whose name a token is borrowed.
_OF_WHO_BEGAN = (Denied, NotFound, Unauthenticated)


class Finder(Protocol):
    """Where answers come from."""

    async def find(self, journey: Journey) -> Found:
        """Return the answer to a call, success or failure, with personal data unmasked."""
        ...


@dataclass(eq=False, slots=True)
class _Flight:
    """A call that is under way for everybody who waits for it.

    Attributes:
        is_bulk: whether it waits for its permit behind people.
        device_id: of the one who began it.
        futures: of the waiters who have not left, each one's own.
    """

    key: Hashable = field(repr=False)
    device_id: str
    seller_id: str
    api: str
    until_s: float
    is_bulk: bool
    task: "asyncio.Task[None]" = field(init=False, repr=False)
    futures: "list[asyncio.Future[Found]]" = field(default_factory=list, repr=False)

    def land(self, found: Found) -> None:
        """Tell the waiters the answer."""
        for future in self.futures:
            if not future.done():
                future.set_result(found)

    def fail(self, error: Exception) -> None:
        """Have the error raised where somebody waits."""
        for future in self.futures:
            if not future.done():
                future.set_exception(error)

    def end(self) -> None:
        """Send the waiters away: there will be no answer."""
        for future in self.futures:
            future.cancel()


class Coalescing:
    """Fits `Finder`, in front of another one. `run` is one of the process's tasks; no call outlives it."""

    def __init__(
        self, *, finder: Finder, revisions: Revisions, deadlines: Deadlines, clock: Clock, signals: Signals
    ) -> None:
        self._finder = finder
        self._revisions = revisions
        self._deadlines = deadlines
        self._clock = clock
        self._signals = signals
        self._kept = KeptAnswers()
        self._flights: dict[Hashable, _Flight] = {}
        self._flying: set[_Flight] = set()
        self._is_open = False

    async def run(self) -> None:
        """Let calls be under way that belong to no waiter alone, for ever; end them in the end."""
        self._is_open = True
        try:
            await asyncio.Event().wait()
        finally:
            self._is_open = False
            for flight in self._flying:
                flight.task.cancel()
                # One that has not begun yet tells nobody.
                flight.end()
            await asyncio.gather(*(flight.task for flight in self._flying), return_exceptions=True)

    def find(self, journey: Journey) -> Coroutine[Any, Any, Found]:
        """Return the answer to a call, from whoever asks for it now or lately asked for it.

        Raises:
            SallyportError: as the finder behind.
        """
        if not journey.operation.is_read:
            return self._change(journey)
        if journey.plan.kept_s > 0:
            return self._serve(journey)
        return self._ask(_key(journey, ONLY_REVISION), journey)

    def forget(self, seller_id: str | None) -> None:
        """Forget what is kept of a seller, or of everybody, and have nobody join what is under way.

        Its standing may have changed.
        """
        self._kept.forget_seller(seller_id)
        for key, flight in list(self._flights.items()):
            if seller_id in (None, flight.seller_id):
                del self._flights[key]

    async def _change(self, journey: Journey) -> Found:
        """Pass on a write; what was known before it, or while it was under way, may be wrong."""
        self._outdate(journey)
        try:
            found = await self._finder.find(journey)
            self._deadlines.grant(GRACE_S)
            return found
        finally:
            self._outdate(journey)
            await self._revisions.tell(journey)

    def _outdate(self, journey: Journey) -> None:
        seller_id, api = journey.device.seller_id, journey.operation.api
        self._kept.forget(seller_id, api)
        for key, flight in list(self._flights.items()):
            if (flight.seller_id, flight.api) == (seller_id, api):
                del self._flights[key]

    async def _serve(self, journey: Journey) -> Found:
        """Return an answer that is served again, or may be from now on."""
        key = _key(journey, await self._revisions.of(journey))
        kept = None if wants_fresh(journey) else self._kept.get(key, self._clock.monotonic_s())
        if kept is None:
            return await self._ask(key, journey)
        self._signals.cached(journey.operation.name)
        return Found(kept, Source.CACHE)

    def _ask(self, key: Hashable, journey: Journey) -> Coroutine[Any, Any, Found]:
        """Return the answer of a call that is under way, or begins now."""
        if not self._is_open:
            return self._finder.find(journey)
        flight = self._flights.get(key)
        is_slower = flight is not None and flight.is_bulk and journey.priority is Priority.INTERACTIVE
        if flight is None or is_slower or wants_fresh(journey):
            return self._wait(self._begin(key, journey))
        return self._join(key, journey)

    async def _join(self, key: Hashable, journey: Journey) -> Found:
        """Return the answer of the call that is under way, or of one that begins now."""
        for _ in range(JOINS_MAX - 1):
            flight = self._flights.get(key)
            if flight is None:
                break
            try:
                found = await self._wait(flight)
            except _FOR_WANT_OF_TIME:
                if journey.until_s < flight.until_s + LONGER_S_MIN:
                    raise
                continue
            except _OF_WHO_BEGAN:
                if journey.device.device_id == flight.device_id:
                    raise
                continue
            self._signals.coalesced(journey.operation.name)
            return Found(found.answer, Source.SHARED, found.order_ids)
        return await self._wait(self._begin(key, journey))

    def _begin(self, key: Hashable, journey: Journey) -> _Flight:
        device = journey.device
        flight = _Flight(
            key,
            device.device_id,
            device.seller_id,
            journey.operation.api,
            journey.until_s,
            is_bulk=journey.priority is Priority.BULK,
        )
        self._flights[key] = flight
        flight.task = asyncio.get_running_loop().create_task(self._fly(flight, journey))
        self._flying.add(flight)
        return flight

    async def _fly(self, flight: _Flight, journey: Journey) -> None:
        """Make the call, and tell its waiters what became of it."""
        try:
            found = await self._finder.find(journey)
            if journey.plan.kept_s > 0:
                self._keep(flight, journey, found)
        except asyncio.CancelledError:
            flight.end()
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is for those who wait, and raised there
            flight.fail(error)
        else:
            flight.land(found)
        finally:
            self._flying.discard(flight)
            self._drop(flight)

    def _keep(self, flight: _Flight, journey: Journey, found: Found) -> None:
        """Keep an answer that may be served again, unless a write outdated it meanwhile."""
        if self._flights.get(flight.key) is flight and exchange.is_success(found.answer):
            self._kept.put(
                flight.key,
                found.answer,
                seller_id=flight.seller_id,
                api=flight.api,
                until_s=self._clock.monotonic_s() + journey.plan.kept_s,
            )

    async def _wait(self, flight: _Flight) -> Found:
        """Return a flight's answer; the last one who leaves ends it."""
        future: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        flight.futures.append(future)
        try:
            return await future
        except asyncio.CancelledError:
            flight.futures.remove(future)
            if not flight.futures:
                flight.task.cancel()
                self._drop(flight)
            raise

    def _drop(self, flight: _Flight) -> None:
        """Let nobody join a flight any more."""
        if self._flights.get(flight.key) is flight:
            del self._flights[flight.key]


def wants_fresh(journey: Journey) -> bool:
    """Return whether a call asks for Amazon's own answer of now.

    Source: RFC 9111, 5.2.1.4 (no-cache).
    """
    told = [value.lower() for value in journey.call.fields.values("cache-control")]
    return any("no-cache" in each or "no-store" in each for each in told)


def _key(journey: Journey, revision: Hashable) -> Hashable:
    """Return what tells a read from every other whose answer could differ.

    Of a body only its fingerprint, so that no key is large, and none holds what somebody wrote. Its content
    type is always ours (`exchange.request_headers`).
    """
    taken, body = journey.operation.headers, journey.body
    headers = tuple([each for each in journey.call.fields if each[0] in taken]) if taken else ()
    return (
        journey.device.seller_id,
        journey.region,
        journey.operation.key,
        journey.path,
        journey.query,
        body and chassis.crypto.digest.sha256(body),
        journey.plan.loan,
        journey.plan.view.shown,
        journey.document_class,
        headers,
        revision,
    )
