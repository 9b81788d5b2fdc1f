"""Whose turn it is: how many desktops and several replicas share one seller's plans at Amazon.

The buckets lie in storage (`model.buckets`); this process spends from them under leases of a few calls, so
most calls find their turn here. Calls wait within their deadline rather than fail: people before bulk, the
devices of a seller in turn. How many may wait at once is bounded, for each device, each seller and in all, so
that one tenant's flood stays its own (T-32, R-23). While storage is away what was granted is spent, then
calls are refused until it is back (R-05).

`line` who waits · `share` what this replica has of one bucket. `Turns.run` and `Turns.tick` are the process's
tasks: the one talks to storage, the other wakes it when something is due.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import chassis.entropy
from chassis.clock import Clock
from chassis.entropy import Entropy
from chassis.errors import SallyportError, Unavailable
from services.gateway.forward.ports import QuotaStore, Signals
from services.gateway.forward.turns.line import Waiter
from services.gateway.forward.turns.share import Share, Turn
from services.gateway.model.buckets import TurnsUnavailable
from services.gateway.model.calls import UpstreamAnswer
from services.gateway.model.faults import QuotaExceeded
from services.gateway.model.priority import CLICKS_MAX, Clicks, Priority
from services.gateway.model.quota import THROTTLED, Budget, Claim
from services.gateway.model.recent import Recent

WAITING_MAX = 2_000
WAITING_PER_SELLER_MAX = 200
WAITING_PER_DEVICE_MAX = 50
# Devices whose use of plans is remembered, each for each operation; about 300 bytes each.
USES_MAX = 20_000
# Of buckets that are spoken about with storage at once.
ASKS_MAX = 100
TICK_S = 0.05
# While storage is away: between tries, and for how long calls go on waiting for it.
AWAY_PAUSE_S = 0.25
AWAY_S_MAX = 2.0
# A turn that waited too long for being sent is taken anew; a process that meets this again and again hangs.
TAKES_MAX = 3

__all__ = ["Leave", "Turns"]


@dataclass(slots=True)
class _Use:
    """What one device does with one plan.

    Attributes:
        budget: the plan, and whose.
        clicks: what is left of a person's allowance.
        under_way: calls that wait for their turn, or have it.
    """

    budget: Budget
    clicks: Clicks
    under_way: int = 0


class Leave:
    """Leave to make one call: a turn of every bucket that it spends from; to be entered with `with`."""

    __slots__ = ("_is_spent", "_signals", "_taken", "_turns", "_use")

    def __init__(self, turns: "Turns", taken: Sequence[Turn], *, use: _Use, signals: Signals) -> None:
        self._turns = turns
        self._taken = taken
        self._use = use
        self._signals = signals
        self._is_spent = False

    def __enter__(self) -> Self:
        """Return this leave; it is given already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Count the call as made, or give its turns back if they were not spent."""
        self._use.under_way -= 1
        self._turns.settle(self._taken, is_spent=self._is_spent)

    def spend(self) -> None:
        """Say right before the call is sent that Amazon may count it from now on."""
        self._is_spent = True
        self._signals.spent()

    def unspend(self) -> None:
        """Say that the call cannot have reached Amazon."""
        self._is_spent = False

    def learn(self, answer: UpstreamAnswer) -> None:
        """Take from Amazon's answer what it tells about the seller's plan."""
        for share, _ in self._taken:
            if share.budget == self._use.budget:
                share.learn(answer)
        if answer.status == THROTTLED:
            self._signals.throttled()


class Turns:
    """Every bucket that this process spends from."""

    def __init__(self, *, store: QuotaStore, clock: Clock, entropy: Entropy, signals: Signals) -> None:
        self._store = store
        self._clock = clock
        self._signals = signals
        self._replica_id = chassis.entropy.new_id(clock, entropy)
        self._lease_nos = itertools.count(1)
        self._shares: dict[Budget, Share] = {}
        self._by_seller: Counter[str] = Counter()
        self._uses: Recent[tuple[str, Budget], _Use] = Recent(USES_MAX)
        self._is_wanted = asyncio.Event()
        self._is_open = asyncio.Event()
        self._away_since_s: float | None = None

    async def turn(self, claim: Claim, *, until_s: float) -> Leave:
        """Return leave for one call when it is its turn; a turn that is not spent inside is given back.

        Args:
            claim: who calls what.
            until_s: the monotonic moment up to which the call can wait.

        Raises:
            QuotaExceeded: the turn comes later, or too many are waiting.
            Unavailable: `store_unavailable`; storage is away, and what was granted is spent.
        """
        now_s = self._clock.monotonic_s()
        key = (claim.device_id, claim.budgets[0])
        use = self._uses.get(key) or self._begin(key, now_s)
        priority = claim.priority or self._guess(use, now_s)
        use.under_way += 1
        try:
            turn = self._at_once(claim, now_s)
            if turn is None:
                taken = await self._take_all(claim, priority, now_s, until_s=until_s)
            else:
                taken = (turn,)
                self._signals.waited(priority, 0.0)
        except BaseException:
            use.under_way -= 1
            raise
        return Leave(self, taken, use=use, signals=self._signals)

    def settle(self, taken: Sequence[Turn], *, is_spent: bool) -> None:
        """Count turns as used, or give them to whoever waits."""
        for share, lease_no in taken:
            share.settle(lease_no, is_spent=is_spent)
            if share.line.waiters:
                share.serve(self._clock.monotonic_s())

    def exceeded(self, budget: Budget) -> QuotaExceeded:
        """Return the refusal that tells when the next turn of a budget comes."""
        share = self._shares.get(budget)
        if share is None:
            return QuotaExceeded(retry_after_s=1 / budget.rate_per_s, rate_per_s=budget.rate_per_s)
        return share.exceeded(share.wait_s(None, len(share.line)))

    async def run(self) -> None:
        """Talk to storage whenever something is due, for ever."""
        while True:
            await self._is_wanted.wait()
            self._is_wanted.clear()
            await self._talk()

    async def tick(self) -> None:
        """Look again and again, while this process has anything of any bucket, whether something is due."""
        while True:
            await self._is_open.wait()
            await self._clock.sleep(TICK_S)
            self._look()

    # Taking turns

    def _begin(self, key: tuple[str, Budget], now_s: float) -> _Use:
        """Return a device's use of a plan, of which nothing is remembered."""
        _, budget = key
        use = _Use(budget, Clicks(CLICKS_MAX, now_s))
        self._uses.put(key, use)
        return use

    def _guess(self, use: _Use, now_s: float) -> Priority:
        """Return the priority of a call that states none: a person's while its device makes few of them."""
        if use.under_way:
            return Priority.BULK
        share = self._shares.get(use.budget)
        rate_per_s = use.budget.rate_per_s if share is None else share.rate_per_s
        is_click = use.clicks.spend(now_s, rate_per_s=rate_per_s)
        return Priority.INTERACTIVE if is_click else Priority.BULK

    def _at_once(self, claim: Claim, now_s: float) -> Turn | None:
        """Return the turn of a call that spends from one bucket only, if one is free there."""
        if claim.shares or len(claim.budgets) > 1:
            return None
        share = self._shares.get(claim.budgets[0])
        return None if share is None else share.take(now_s)

    async def _take_all(
        self, claim: Claim, priority: Priority, now_s: float, *, until_s: float
    ) -> Sequence[Turn]:
        """Return a turn of each bucket, all of which may be sent now."""
        began_s = now_s
        # Parts of the plan come first, so that nobody waits for one with a turn of the whole in hand.
        budgets = (*claim.portions(priority), *claim.budgets) if claim.shares else claim.budgets
        for _ in range(TAKES_MAX):
            taken: list[Turn] = []
            has_waited = False
            try:
                for budget in budgets:
                    share = self._shares.get(budget) or self._open(budget, now_s)
                    turn = share.take(now_s)
                    if turn is None:
                        has_waited = True
                        turn = await self._wait(share, claim.device_id, priority, until_s=until_s)
                        now_s = self._clock.monotonic_s()
                    taken.append(turn)
            except BaseException:
                self.settle(taken, is_spent=False)
                raise
            # One that was taken first may have waited too long for the others.
            if not has_waited or all(share.is_good(lease_no, now_s) for share, lease_no in taken):
                self._signals.waited(priority, now_s - began_s)
                return taken
            self.settle(taken, is_spent=False)
        raise TurnsUnavailable(retry_after_s=AWAY_S_MAX)

    async def _wait(self, share: Share, device_id: str, priority: Priority, *, until_s: float) -> Turn:
        """Return a bucket's next turn that this call gets."""
        now_s = self._clock.monotonic_s()
        if self._is_away(now_s) and not share.may_ask(now_s):
            raise TurnsUnavailable(retry_after_s=AWAY_S_MAX)
        if self._is_crowded(share, device_id):
            raise share.exceeded(share.wait_s(None, len(share.line)))
        fate: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        waiter = Waiter(device_id, priority, since_s=now_s, until_s=until_s, fate=fate)
        if priority is Priority.INTERACTIVE or not share.line:
            share.hurry(now_s)
        share.line.push(waiter)
        seller_id = share.budget.seller_id
        self._by_seller[seller_id] += 1
        self._is_wanted.set()
        try:
            return await waiter.fate
        except asyncio.CancelledError:
            share.line.discard(waiter)
            if fate.done() and not fate.cancelled() and fate.exception() is None:
                self.settle([fate.result()], is_spent=False)
            raise
        finally:
            self._by_seller[seller_id] -= 1
            if not self._by_seller[seller_id]:
                del self._by_seller[seller_id]

    def _is_crowded(self, share: Share, device_id: str) -> bool:
        return (
            self._by_seller.total() >= WAITING_MAX
            or self._by_seller[share.budget.seller_id] >= WAITING_PER_SELLER_MAX
            or share.line.count(device_id) >= WAITING_PER_DEVICE_MAX
        )

    def _open(self, budget: Budget, now_s: float) -> Share:
        """Return a bucket's share, of which this process has nothing yet."""
        share = Share(budget, next(self._lease_nos), now_s)
        self._shares[budget] = share
        self._is_open.set()
        return share

    # Talking to storage

    def _look(self) -> None:
        """Refuse who comes too late, forget what is over, and have storage asked when something is due."""
        now_s = self._clock.monotonic_s()
        for budget, share in list(self._shares.items()):
            share.refuse_late(now_s)
            if share.is_idle:
                del self._shares[budget]
            elif share.is_due(now_s):
                self._is_wanted.set()
        if not self._shares:
            self._is_open.clear()

    async def _talk(self) -> None:
        """Ask storage for everything that is due, and hand out what it grants."""
        asked_s = self._clock.monotonic_s()
        due = [share for share in self._shares.values() if share.is_due(asked_s)][:ASKS_MAX]
        asks = {share.budget: share.ask(self._replica_id, asked_s) for share in due}
        if not asks:
            return
        try:
            grants = await self._store.exchange(asks)
        except Unavailable as fault:
            self._bear(fault, asked_s)
            return
        self._away_since_s = None
        now_s = self._clock.monotonic_s()
        for share in due:
            brought = share.hear(
                asks[share.budget], grants[share.budget], asked_s=asked_s, lease_no=next(self._lease_nos)
            )
            self._signals.leased(brought)
            share.serve(now_s)
            share.plan(now_s)
            share.refuse_late(now_s)
        if len(due) == ASKS_MAX or any(share.is_due(now_s) for share in due):
            self._is_wanted.set()

    def _bear(self, fault: SallyportError, asked_s: float) -> None:
        """Have calls wait a little for storage to come back, then refuse them."""
        if self._away_since_s is None:
            self._away_since_s = asked_s
            self._signals.side_failed("quota", fault.code)
        now_s = self._clock.monotonic_s()
        for share in self._shares.values():
            share.postpone(now_s + AWAY_PAUSE_S)
            while self._is_away(now_s) and share.line:
                share.line.pop().fate.set_exception(TurnsUnavailable(retry_after_s=AWAY_S_MAX))

    def _is_away(self, now_s: float) -> bool:
        return self._away_since_s is not None and now_s - self._away_since_s > AWAY_S_MAX
