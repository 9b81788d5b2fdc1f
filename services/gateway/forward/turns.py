"""Whose turn it is: one token bucket per seller, region and operation, and the waiting for it.

The buckets are this process's own. Calls wait within their deadline rather than fail; how many may
wait at once is bounded, for each seller and for all, so that one tenant's flood stays its own (T-32).
"""

from collections import Counter

from chassis.clock import Clock
from services.gateway.forward.ports import Signals
from services.gateway.model.calls import UpstreamAnswer
from services.gateway.model.faults import QuotaExceeded
from services.gateway.model.quota import Bucket, Budget
from services.gateway.model.recent import Recent

# The one forgotten first has been unused the longest, and has long refilled.
BUCKETS_MAX = 100_000
WAITING_MAX = 2_000
WAITING_PER_SELLER_MAX = 200

LIMIT_HEADER = "x-amzn-ratelimit-limit"
THROTTLED = 429


class Turns:
    """Every bucket that was used lately."""

    def __init__(self, *, clock: Clock, signals: Signals) -> None:
        self._clock = clock
        self._signals = signals
        self._buckets: Recent[Budget, Bucket] = Recent(BUCKETS_MAX)
        self._waiting: Counter[str] = Counter()

    async def take(self, budget: Budget, *, until_s: float) -> None:
        """Return when it is the call's turn.

        Args:
            budget: what is spent.
            until_s: the monotonic moment up to which the call can wait.

        Raises:
            QuotaExceeded: the turn comes later, or too many are waiting.
        """
        now_s = self._clock.monotonic_s()
        bucket = self._bucket(budget)
        wait_s = bucket.wait_s(now_s)
        if wait_s > 0 and self._is_crowded(budget.seller_id):
            raise self.exceeded(budget)
        self._buckets.put(budget, bucket.taken(now_s, until_s - now_s))
        if wait_s > 0:
            await self._wait(budget.seller_id, wait_s)

    def learn(self, budget: Budget, answer: UpstreamAnswer) -> None:
        """Take from an answer of Amazon's what it tells about the budget."""
        now_s = self._clock.monotonic_s()
        bucket = self._bucket(budget).learned(answer.header(LIMIT_HEADER), now_s)
        self._buckets.put(budget, bucket.throttled(now_s) if answer.status == THROTTLED else bucket)

    def exceeded(self, budget: Budget) -> QuotaExceeded:
        """Return the refusal that tells when the next turn comes."""
        bucket = self._bucket(budget)
        wait_s = bucket.wait_s(self._clock.monotonic_s())
        return QuotaExceeded(retry_after_s=wait_s, rate_per_s=bucket.rate_per_s)

    def _bucket(self, budget: Budget) -> Bucket:
        return self._buckets.get(budget) or Bucket(budget.rate_per_s, budget.burst)

    def _is_crowded(self, seller_id: str) -> bool:
        return self._waiting.total() >= WAITING_MAX or self._waiting[seller_id] >= WAITING_PER_SELLER_MAX

    async def _wait(self, seller_id: str, wait_s: float) -> None:
        self._waiting[seller_id] += 1
        try:
            await self._clock.sleep(wait_s)
        finally:
            self._waiting[seller_id] -= 1
            if not self._waiting[seller_id]:
                del self._waiting[seller_id]
        self._signals.waited(wait_s)
