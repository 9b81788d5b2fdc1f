"""Permits for calls: one call of every bucket that it spends from, at once or after a wait."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import chassis.entropy
from chassis.clock import Clock
from chassis.entropy import Entropy
from chassis.errors import SallyportError, Unavailable
from chassis.recent import Recent
from services.gateway.forward.ports import BucketStore, Signals
from services.gateway.forward.rate_limiter.local_bucket import LocalBucket, Reservation
from services.gateway.forward.rate_limiter.wait_queue import Waiter
from services.gateway.model.buckets import Ask, QuotaUnavailable
from services.gateway.model.calls import UpstreamAnswer
from services.gateway.model.faults import QuotaExceeded
from services.gateway.model.priority import CLICKS_MAX, Clicks, Priority
from services.gateway.model.quota import THROTTLED, PermitRequest, Quota

WAITING_MAX = 2_000
WAITING_PER_SELLER_MAX = 200
WAITING_PER_DEVICE_MAX = 50
# Devices whose usage is remembered, each for each quota; about 300 bytes each.
USAGES_MAX = 20_000
# Of buckets that are spoken about with storage at once.
ASKS_MAX = 100
TICK_S = 0.05
# While storage is away: between tries, and for how long calls go on waiting for it.
AWAY_PAUSE_S = 0.25
AWAY_S_MAX = 2.0
# What was reserved too long ago for the call to be sent is reserved anew; a process that meets this again and
# again hangs.
RESERVE_TRIES_MAX = 3


@dataclass(slots=True)
class _DeviceUsage:
    """How one device uses one quota.

    Attributes:
        quota: whose it is, and of what.
        clicks: what is left of a person's allowance.
        under_way: calls that wait for a permit, or have it.
    """

    quota: Quota
    clicks: Clicks
    under_way: int = 0


class Permit:
    """The right to make one call, reserved in every bucket that it spends from; to be entered with `with`."""

    __slots__ = ("_is_spent", "_limiter", "_reservations", "_signals", "_usage")

    def __init__(
        self,
        limiter: "RateLimiter",
        reservations: Sequence[Reservation],
        *,
        usage: _DeviceUsage,
        signals: Signals,
    ) -> None:
        self._limiter = limiter
        self._reservations = reservations
        self._usage = usage
        self._signals = signals
        self._is_spent = False

    def __enter__(self) -> Self:
        """Return this permit; it is given already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Count the call as made, or give what was reserved back if it was not spent."""
        self._usage.under_way -= 1
        self._limiter.settle(self._reservations, is_spent=self._is_spent)

    def spend(self) -> None:
        """Say right before the call is sent that Amazon may count it from now on."""
        self._is_spent = True
        self._signals.spent()

    def unspend(self) -> None:
        """Say that the call cannot have reached Amazon."""
        self._is_spent = False

    def learn(self, answer: UpstreamAnswer) -> None:
        """Take from Amazon's answer what it tells about the seller's usage plan."""
        for bucket, _ in self._reservations:
            if bucket.quota == self._usage.quota:
                bucket.learn(answer)
        if answer.status == THROTTLED:
            self._signals.throttled()


class RateLimiter:
    """Every bucket that this process spends from."""

    def __init__(self, *, store: BucketStore, clock: Clock, entropy: Entropy, signals: Signals) -> None:
        self._store = store
        self._clock = clock
        self._signals = signals
        self._replica_id = chassis.entropy.new_id(clock, entropy)
        self._lease_nos = itertools.count(1)
        self._buckets: dict[Quota, LocalBucket] = {}
        self._waiting_by_seller: Counter[str] = Counter()
        self._usages: Recent[tuple[str, Quota], _DeviceUsage] = Recent(USAGES_MAX)
        self._is_wanted = asyncio.Event()
        self._has_buckets = asyncio.Event()
        self._away_since_s: float | None = None
        # What storage is being asked about: its answer may bring calls, and they must find their bucket.
        self._asks: Mapping[Quota, Ask] = {}

    async def acquire(self, request: PermitRequest, *, until_s: float) -> Permit:
        """Return a permit for one call, when there is one; what is not spent inside it is given back.

        Args:
            request: who calls what.
            until_s: the monotonic moment up to which the call can wait.

        Raises:
            QuotaExceeded: it would come later, or too many are waiting.
            Unavailable: `store_unavailable`; storage is away, and what was granted is spent.
        """
        now_s = self._clock.monotonic_s()
        key = (request.device_id, request.quotas[0])
        usage = self._usages.get(key) or self._begin(key, now_s)
        priority = request.priority or self._guess(usage, now_s)
        usage.under_way += 1
        try:
            reservation = self._at_once(request, now_s)
            if reservation is None:
                reservations = await self._reserve_all(request, priority, now_s, until_s=until_s)
            else:
                reservations = (reservation,)
                self._signals.waited(priority, 0.0)
        except BaseException:
            usage.under_way -= 1
            raise
        return Permit(self, reservations, usage=usage, signals=self._signals)

    def settle(self, reservations: Sequence[Reservation], *, is_spent: bool) -> None:
        """Count what was reserved as used, or give it to whoever waits."""
        for bucket, lease_no in reservations:
            bucket.settle(lease_no, is_spent=is_spent)
            if bucket.queue.waiters:
                bucket.serve(self._clock.monotonic_s())

    def exceeded(self, quota: Quota) -> QuotaExceeded:
        """Return the refusal that tells when a quota has its next call."""
        bucket = self._buckets.get(quota)
        if bucket is None:
            return QuotaExceeded(retry_after_s=1 / quota.rate_per_s, rate_per_s=quota.rate_per_s)
        return bucket.exceeded(bucket.wait_s(None, len(bucket.queue)))

    async def run(self) -> None:
        """Talk to storage whenever something is due, for ever."""
        while True:
            await self._is_wanted.wait()
            self._is_wanted.clear()
            await self._talk()

    async def tick(self) -> None:
        """Look again and again, while this process has anything of any bucket, whether something is due."""
        while True:
            await self._has_buckets.wait()
            await self._clock.sleep(TICK_S)
            self._look()

    # Reserving calls

    def _begin(self, key: tuple[str, Quota], now_s: float) -> _DeviceUsage:
        """Return a device's usage of a quota, of which nothing is remembered."""
        _, quota = key
        usage = _DeviceUsage(quota, Clicks(CLICKS_MAX, now_s))
        self._usages.put(key, usage)
        return usage

    def _guess(self, usage: _DeviceUsage, now_s: float) -> Priority:
        """Return the priority of a call that states none: a person's while its device makes few of them."""
        if usage.under_way:
            return Priority.BULK
        bucket = self._buckets.get(usage.quota)
        rate_per_s = usage.quota.rate_per_s if bucket is None else bucket.rate_per_s
        is_click = usage.clicks.spend(now_s, rate_per_s=rate_per_s)
        return Priority.INTERACTIVE if is_click else Priority.BULK

    def _at_once(self, request: PermitRequest, now_s: float) -> Reservation | None:
        """Return the reservation of a call that spends from one bucket only, if one is free there."""
        if request.shares or len(request.quotas) > 1:
            return None
        bucket = self._buckets.get(request.quotas[0])
        return None if bucket is None else bucket.reserve(now_s)

    async def _reserve_all(
        self, request: PermitRequest, priority: Priority, now_s: float, *, until_s: float
    ) -> Sequence[Reservation]:
        """Return a reservation in each bucket, all of which may be sent now."""
        began_s = now_s
        # A policy's budgets come first, so that nobody waits for one with a call of the whole quota in hand.
        quotas = (*request.budgets(priority), *request.quotas) if request.shares else request.quotas
        for _ in range(RESERVE_TRIES_MAX):
            reservations: list[Reservation] = []
            has_waited = False
            try:
                for quota in quotas:
                    bucket = self._buckets.get(quota) or self._open(quota, now_s)
                    reservation = bucket.reserve(now_s)
                    if reservation is None:
                        has_waited = True
                        reservation = await self._wait(bucket, request.device_id, priority, until_s=until_s)
                        now_s = self._clock.monotonic_s()
                    reservations.append(reservation)
            except BaseException:
                self.settle(reservations, is_spent=False)
                raise
            # The first of them may have waited too long for the others.
            if not has_waited or all(bucket.is_good(lease_no, now_s) for bucket, lease_no in reservations):
                self._signals.waited(priority, now_s - began_s)
                return reservations
            self.settle(reservations, is_spent=False)
        raise QuotaUnavailable(retry_after_s=AWAY_S_MAX)

    async def _wait(
        self, bucket: LocalBucket, device_id: str, priority: Priority, *, until_s: float
    ) -> Reservation:
        """Return a bucket's next reservation that this call gets."""
        now_s = self._clock.monotonic_s()
        if self._is_away(now_s) and not bucket.may_ask(now_s):
            raise QuotaUnavailable(retry_after_s=AWAY_S_MAX)
        if self._is_crowded(bucket, device_id):
            raise bucket.exceeded(bucket.wait_s(None, len(bucket.queue)))
        future: asyncio.Future[Reservation] = asyncio.get_running_loop().create_future()
        waiter = Waiter(device_id, priority, since_s=now_s, until_s=until_s, future=future)
        if priority is Priority.INTERACTIVE or not bucket.queue:
            bucket.hurry(now_s)
        bucket.queue.push(waiter)
        seller_id = bucket.quota.seller_id
        self._waiting_by_seller[seller_id] += 1
        self._is_wanted.set()
        try:
            return await waiter.future
        except asyncio.CancelledError:
            bucket.queue.discard(waiter)
            if future.done() and not future.cancelled() and future.exception() is None:
                self.settle([future.result()], is_spent=False)
            raise
        finally:
            self._waiting_by_seller[seller_id] -= 1
            if not self._waiting_by_seller[seller_id]:
                del self._waiting_by_seller[seller_id]

    def _is_crowded(self, bucket: LocalBucket, device_id: str) -> bool:
        return (
            self._waiting_by_seller.total() >= WAITING_MAX
            or self._waiting_by_seller[bucket.quota.seller_id] >= WAITING_PER_SELLER_MAX
            or bucket.queue.count(device_id) >= WAITING_PER_DEVICE_MAX
        )

    def _open(self, quota: Quota, now_s: float) -> LocalBucket:
        """Return a quota's bucket, of which this process has nothing yet."""
        bucket = LocalBucket(quota, next(self._lease_nos), now_s)
        self._buckets[quota] = bucket
        self._has_buckets.set()
        return bucket

    # Talking to storage

    def _look(self) -> None:
        """Refuse who comes too late, forget what is over, and have storage asked when something is due."""
        now_s = self._clock.monotonic_s()
        for quota, bucket in list(self._buckets.items()):
            bucket.refuse_late(now_s)
            if bucket.is_idle and quota not in self._asks:
                del self._buckets[quota]
            elif bucket.is_due(now_s):
                self._is_wanted.set()
        if not self._buckets:
            self._has_buckets.clear()

    async def _talk(self) -> None:
        """Ask storage for everything that is due, and hand out what it grants."""
        asked_s = self._clock.monotonic_s()
        due = [bucket for bucket in self._buckets.values() if bucket.is_due(asked_s)][:ASKS_MAX]
        asks = {bucket.quota: bucket.ask(self._replica_id, asked_s) for bucket in due}
        if not asks:
            return
        self._asks = asks
        try:
            grants = await self._store.exchange(asks)
        except Unavailable as fault:
            self._bear(fault, asked_s)
            return
        finally:
            self._asks = {}
        self._away_since_s = None
        now_s = self._clock.monotonic_s()
        for bucket in due:
            brought = bucket.hear(
                asks[bucket.quota], grants[bucket.quota], asked_s=asked_s, lease_no=next(self._lease_nos)
            )
            self._signals.leased(brought)
            bucket.serve(now_s)
            bucket.schedule(now_s)
            bucket.refuse_late(now_s)
        if len(due) == ASKS_MAX or any(bucket.is_due(now_s) for bucket in due):
            self._is_wanted.set()

    def _bear(self, fault: SallyportError, asked_s: float) -> None:
        """Have calls wait a little for storage to come back, then refuse them."""
        if self._away_since_s is None:
            self._away_since_s = asked_s
            self._signals.side_failed("quota", fault.code)
        now_s = self._clock.monotonic_s()
        for bucket in self._buckets.values():
            bucket.postpone(now_s + AWAY_PAUSE_S)
            while self._is_away(now_s) and bucket.queue:
                bucket.queue.pop().refuse(QuotaUnavailable(retry_after_s=AWAY_S_MAX))

    def _is_away(self, now_s: float) -> bool:
        return self._away_since_s is not None and now_s - self._away_since_s > AWAY_S_MAX
