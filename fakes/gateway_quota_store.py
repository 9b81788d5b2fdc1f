"""The buckets that all replicas share, in memory. Every exchange is one step, as a transaction is."""

from collections.abc import Mapping

import chassis.db
from chassis.clock import Clock
from services.gateway.model.buckets import IDLE_S, Ask, Bucket, Grant
from services.gateway.model.quota import Budget

Key = tuple[str, str, str]


class FakeQuotaStore:
    """Fits `forward.ports.QuotaStore`; `is_down` takes it away."""

    def __init__(self, clock: Clock, buckets: dict[Key, Bucket] | None = None) -> None:
        self._clock = clock
        self.buckets: dict[Key, Bucket] = {} if buckets is None else buckets
        self.exchanges = 0
        self.is_down = False

    async def exchange(self, asks: Mapping[Budget, Ask]) -> Mapping[Budget, Grant]:
        self._check_up()
        self.exchanges += 1
        return {budget: self._exchange(budget, ask) for budget, ask in asks.items()}

    async def forget_idle(self, limit: int) -> int:
        self._check_up()
        now_s = self._clock.monotonic_s()
        idle = [key for key, bucket in self.buckets.items() if bucket.counted_at_s < now_s - IDLE_S]
        for key in idle[:limit]:
            del self.buckets[key]
        return len(idle[:limit])

    async def ping(self) -> None:
        self._check_up()

    def _exchange(self, budget: Budget, ask: Ask) -> Grant:
        now_s = self._clock.monotonic_s()
        key = (budget.seller_id, budget.region.value, budget.operation_key)
        bucket = self.buckets.setdefault(key, Bucket.full(budget, now_s))
        return bucket.exchange(ask, now_s, is_stated=budget.is_stated)

    def _check_up(self) -> None:
        if self.is_down:
            raise chassis.db.StoreUnavailable
