"""The buckets that all replicas share, in memory. Every exchange is one step, as a transaction is."""

from collections.abc import Mapping

import chassis.db
from chassis.clock import Clock
from services.gateway.model.buckets import IDLE_S, Ask, Bucket, Grant
from services.gateway.model.quota import Quota

Key = tuple[str, str, str]


class FakeBuckets:
    """Fits `forward.ports.BucketStore`; `is_down` takes it away, `answer_s` is how long answers travel."""

    def __init__(self, clock: Clock, buckets: dict[Key, Bucket] | None = None) -> None:
        self._clock = clock
        self.buckets: dict[Key, Bucket] = {} if buckets is None else buckets
        self.exchanges = 0
        self.is_down = False
        self.answer_s = 0.0

    async def exchange(self, asks: Mapping[Quota, Ask]) -> Mapping[Quota, Grant]:
        self._check_up()
        self.exchanges += 1
        grants = {quota: self._exchange(quota, ask) for quota, ask in asks.items()}
        if self.answer_s:
            await self._clock.sleep(self.answer_s)
        return grants

    async def forget_idle(self, limit: int) -> int:
        self._check_up()
        now_s = self._clock.monotonic_s()
        idle = [key for key, bucket in self.buckets.items() if bucket.counted_at_s < now_s - IDLE_S]
        for key in idle[:limit]:
            del self.buckets[key]
        return len(idle[:limit])

    async def ping(self) -> None:
        self._check_up()

    def _exchange(self, quota: Quota, ask: Ask) -> Grant:
        now_s = self._clock.monotonic_s()
        key = (quota.seller_id, quota.region.value, quota.operation_key)
        bucket = self.buckets.setdefault(key, Bucket.full(quota, now_s))
        return bucket.exchange(ask, now_s, is_stated=quota.is_stated)

    def _check_up(self) -> None:
        if self.is_down:
            raise chassis.db.StoreUnavailable
