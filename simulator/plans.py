"""Usage plans: a token bucket for each application, seller and operation, refilled in virtual time.

Plans of the Orders v0 operations are dynamic: some sellers have a higher rate, which only the response header
tells. Buckets start full, and full again after a restart of the simulator.

Source: SP-API documentation, "Usage Plans and Rate Limits".
"""

from dataclasses import dataclass
from datetime import datetime

import simulator.seed
from simulator.operations import Operation

RATE_MAX = 1_000_000.0
_DYNAMIC_FACTORS = (1.0, 1.0, 1.5, 2.0)


@dataclass
class _Bucket:
    tokens: float
    filled_at: datetime


@dataclass(frozen=True)
class Key:
    """Whose plan it is; Login with Amazon has no seller."""

    application_id: str
    seller_id: str
    operation: str


class Plans:
    """Every bucket there is; at most one for each application, seller and operation."""

    def __init__(self, seed: simulator.seed.Seed) -> None:
        self._seed = seed
        self._set: dict[str, tuple[float, int]] = {}
        self._buckets: dict[Key, _Bucket] = {}

    def rate(self, key: Key, operation: Operation) -> float:
        """Return the calls per second that a key may make now."""
        if operation.name in self._set:
            return self._set[operation.name][0]
        if not operation.is_dynamic:
            return operation.rate
        return round(operation.rate * self._seed.pick(_DYNAMIC_FACTORS, "plan", key.seller_id), 4)

    def take(self, key: Key, operation: Operation, now: datetime) -> bool:
        """Take one call from a key's bucket; False when it is empty."""
        burst = self._set.get(operation.name, (0.0, operation.burst))[1]
        bucket = self._buckets.setdefault(key, _Bucket(tokens=burst, filled_at=now))
        # A clock that was set back refills nothing, and never takes tokens away.
        elapsed_s = max((now - bucket.filled_at).total_seconds(), 0.0)
        bucket.tokens = min(burst, bucket.tokens + elapsed_s * self.rate(key, operation))
        bucket.filled_at = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True

    def reset(self) -> None:
        """Give every operation its published plan again, with full buckets."""
        self._set.clear()
        self._buckets.clear()

    def set(self, operation: Operation, *, rate: float, burst: int) -> None:
        """Give an operation another plan, for every seller, with full buckets."""
        self._set[operation.name] = (rate, burst)
        for key in [key for key in self._buckets if key.operation == operation.name]:
            del self._buckets[key]
