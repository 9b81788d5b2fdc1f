"""What answers tell about orders, told to retention once; and what retention said of their clocks.

- Whatever is new in an answer reaches retention before the answer leaves (R-18). The same facts about an
  order are told again only after TOLD_S_MAX: within that time they would move no clock.
- While one call to retention is on its way for a seller, the next one gathers: concurrent answers share it.
- An order whose clock is over is remembered as such; what retention says of the others is believed for
  CLOCK_KNOWN_S_MAX, because other replicas learn of orders too. What retention turns out not to know, e.g.
  because it was erased, is told anew.
- Both whiles end by either clock of this process, so a jump of the time of day ends them too (R-14).
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from chassis.clock import Clock
from chassis.errors import SallyportError
from chassis.recent import Recent
from services.gateway.forward.ports import Safe
from services.gateway.model.faults import OrderExpired
from services.gateway.model.orders import OBSERVATIONS_MAX, Facts, Observation, OrderClock, OrderState
from services.gateway.model.spans import Span, span

# About 400 bytes each. A forgotten order is told, or asked for, once more; the one for which that is longest
# ago is forgotten first.
ORDERS_MAX = 50_000
# Retention renews the clock of an unshipped order in steps of an hour.
# Source: services.retention.model.orders.RENEWAL_STEP.
TOLD_S_MAX = 3_600.0
CLOCK_KNOWN_S_MAX = 300.0

_Key = tuple[str, str]

_ENDED = Span(datetime.min.replace(tzinfo=UTC), 0.0)


class _LeaderGone(Exception):
    """Whoever was to tell for others went away; they tell for themselves."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is remembered of one order.

    Attributes:
        facts: as told last; None when retention was only asked, or does not know the order.
        told: how long they need not be told again.
        clock: as retention said last; None when it knows none.
        heard: how long that is believed.
    """

    facts: Facts | None = None
    told: Span = _ENDED
    clock: OrderClock | None = None
    heard: Span = _ENDED

    def is_over(self, now: datetime) -> bool:
        """Return whether the order's clock is known to be over."""
        return self.clock is not None and self.clock.is_over(now)


_NOTHING = _Known()


@dataclass(eq=False, slots=True)
class _Round:
    """Observations that go to retention in one call, and what their callers wait on."""

    fate: asyncio.Future[None]
    seen: list[Observation] = field(default_factory=list)


class Observing:
    """The forwarding path's memory of orders."""

    def __init__(self, *, safe: Safe, clock: Clock) -> None:
        self._safe = safe
        self._clock = clock
        self._known: Recent[_Key, _Known] = Recent(ORDERS_MAX)
        self._gathering: dict[str, _Round] = {}
        self._sending: dict[str, _Round] = {}

    async def tell(self, seller_id: str, seen: Sequence[tuple[str, Facts]]) -> None:
        """Return once retention knows what an answer told about orders; at once if it does already.

        `seen` is as `orders.facts` gives it.

        Raises:
            SallyportError: as the safe's; some of it may be known.
        """
        news = self._news(seller_id, seen)
        while news:
            gathering = self._gathering.get(seller_id)
            try:
                if gathering is None or len(gathering.seen) + len(news) > OBSERVATIONS_MAX:
                    await self._lead(seller_id, news)
                else:
                    gathering.seen += news
                    await asyncio.shield(gathering.fate)
            except _LeaderGone:
                continue
            return

    async def check(self, seller_id: str, order_id: str) -> None:
        """Return unless an order's clock is over.

        Raises:
            OrderExpired: it is (R-19).
            SallyportError: as the safe's; nobody knows.
        """
        heard = self._known_of(seller_id, order_id).heard
        if not heard.is_open(self._clock.now(), self._clock.monotonic_s()):
            await self._ask(seller_id, [order_id])
        self.check_known(seller_id, order_id)

    def is_running(self, seller_id: str, order_id: str) -> bool:
        """Return whether an order's clock is known not to be over; `check` would ask nobody, and pass."""
        known, now = self._known_of(seller_id, order_id), self._clock.now()
        return known.heard.is_open(now, self._clock.monotonic_s()) and not known.is_over(now)

    async def over(self, seller_id: str, order_ids: Sequence[str]) -> Collection[str]:
        """Return which of some orders have clocks that are over; at most OBSERVATIONS_MAX are asked about.

        Raises:
            SallyportError: as the safe's; nobody knows.
        """
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        known = {each: self._known_of(seller_id, each) for each in order_ids}
        unheard = [each for each, one in known.items() if not one.heard.is_open(now, now_s)]
        if unheard:
            await self._ask(seller_id, unheard)
            known.update((each, self._known_of(seller_id, each)) for each in unheard)
            now = self._clock.now()
        return {each for each, one in known.items() if one.is_over(now)}

    def check_known(self, seller_id: str, order_id: str) -> None:
        """Return unless an order's clock is known to be over.

        Raises:
            OrderExpired: it is (R-19).
        """
        if self._known_of(seller_id, order_id).is_over(self._clock.now()):
            raise OrderExpired

    def forget(self, seller_id: str, order_id: str) -> None:
        """Forget an order of which retention turns out to know nothing."""
        self._known.drop((seller_id, order_id))

    def _news(self, seller_id: str, seen: Sequence[tuple[str, Facts]]) -> list[Observation]:
        """Return what retention has not been told, or not lately."""
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        news = []
        for order_id, facts in seen:
            known = self._known_of(seller_id, order_id)
            is_told = known.facts == facts and known.told.is_open(now, now_s)
            if not is_told and facts.state is not OrderState.UNKNOWN:
                news.append(Observation(order_id, facts, now))
        return news

    def _known_of(self, seller_id: str, order_id: str) -> _Known:
        return self._known.peek((seller_id, order_id)) or _NOTHING

    async def _ask(self, seller_id: str, order_ids: Sequence[str]) -> None:
        """Hear of orders' clocks; an order without one will be told of anew."""
        clocks = await self._safe.find_clocks(seller_id, order_ids)
        for order_id in set(order_ids).difference(clock.order_id for clock in clocks):
            self.forget(seller_id, order_id)
        self._hear(seller_id, clocks, order_ids)

    def _from_now(self, life_s: float) -> Span:
        return span(self._clock.now(), self._clock.monotonic_s(), life_s)

    async def _lead(self, seller_id: str, news: Sequence[Observation]) -> None:
        """Tell a new round, after the one on its way; whoever comes meanwhile joins it."""
        round_ = _Round(asyncio.get_running_loop().create_future(), list(news))
        self._gathering[seller_id] = round_
        try:
            while seller_id in self._sending:
                await asyncio.wait([self._sending[seller_id].fate])
            self._close(self._gathering, seller_id, round_)
            self._sending[seller_id] = round_
            await self._send(seller_id, round_.seen)
            round_.fate.set_result(None)
        except SallyportError as error:
            round_.fate.set_exception(error)
            raise
        except BaseException:
            round_.fate.set_exception(_LeaderGone())
            raise
        finally:
            self._close(self._gathering, seller_id, round_)
            self._close(self._sending, seller_id, round_)
            # Nobody may have joined, and then nobody asks for it.
            round_.fate.exception()

    async def _send(self, seller_id: str, seen: Sequence[Observation]) -> None:
        told = self._from_now(TOLD_S_MAX)
        clocks = await self._safe.observe_orders(seller_id, seen)
        for each in seen:
            known = replace(self._known_of(seller_id, each.order_id), facts=each.facts, told=told)
            self._known.put((seller_id, each.order_id), known)
        self._hear(seller_id, clocks, [each.order_id for each in seen])

    def _hear(self, seller_id: str, clocks: Sequence[OrderClock], order_ids: Sequence[str]) -> None:
        """Remember what retention said of the clocks of orders, its silence too."""
        by_order, heard = {clock.order_id: clock for clock in clocks}, self._from_now(CLOCK_KNOWN_S_MAX)
        for order_id in order_ids:
            known = self._known_of(seller_id, order_id)
            told = replace(known, clock=by_order.get(order_id), heard=heard)
            self._known.put((seller_id, order_id), told)

    @staticmethod
    def _close(rounds: dict[str, _Round], seller_id: str, round_: _Round) -> None:
        if rounds.get(seller_id) is round_:
            del rounds[seller_id]
