"""The token bucket of one seller and operation, as a virtual schedule (GCRA).

A bucket holds one number: when it would be full again if nobody called. Each call pushes that moment
one refill further away; a call whose push would empty the bucket has to wait for its turn. Turns are
given in the order of asking, so waiting callers do not overtake each other.

Source: ITU-T I.371, annex A (generic cell rate algorithm); SP-API, "Usage Plans and Rate Limits".
"""

import math
from dataclasses import dataclass
from typing import Self

from services.gateway.model.calls import Region
from services.gateway.model.faults import QuotaExceeded
from services.gateway.model.operations import Operation

# Amazon's slowest operation refills 0.0056 calls/s; anything far outside is not a rate.
RATE_PER_S_MIN = 0.0001
RATE_PER_S_MAX = 10_000.0
BURST_MAX = 10_000

# Less is the rounding of sums, not a wait.
RESOLUTION_S = 1e-6

# Where Amazon states no rate (6 operations), a careful beginning; answers teach the true one.
RATE_PER_S_DEFAULT = 0.5
BURST_DEFAULT = 1


@dataclass(frozen=True, slots=True)
class Budget:
    """Whose calls of what are counted together, and the plan they begin with.

    Accounts at Amazon are per region, so budgets are too.
    """

    seller_id: str
    region: Region
    operation_key: str
    rate_per_s: float
    burst: int

    @classmethod
    def of(cls, seller_id: str, region: Region, operation: Operation) -> Self:
        """Return the budget that a call of an operation spends from."""
        return cls(seller_id, region, operation.key, operation.rate_per_s, operation.burst)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket; `full_at_s` is a reading of the monotonic clock.

    Attributes:
        rate_per_s: refill in calls a second.
        burst: calls that a full bucket allows at once.
        full_at_s: when it would be full if nobody called; the past means full now.
    """

    rate_per_s: float
    burst: int
    full_at_s: float = -math.inf

    def wait_s(self, now_s: float) -> float:
        """Return how long the next call has to wait for its turn, 0 when it has it now."""
        full_at_s = max(self.full_at_s, now_s)
        wait_s = full_at_s - now_s - (self.burst - 1) / self.rate_per_s
        return wait_s if wait_s > RESOLUTION_S else 0.0

    def taken(self, now_s: float, wait_s_max: float) -> "Bucket":
        """Return the bucket after the next turn was given away.

        Args:
            now_s: the monotonic clock.
            wait_s_max: how long the caller can wait for the turn.

        Raises:
            QuotaExceeded: the turn is further away; says when to come back.
        """
        wait_s = self.wait_s(now_s)
        if wait_s > wait_s_max:
            raise QuotaExceeded(retry_after_s=wait_s, rate_per_s=self.rate_per_s)
        full_at_s = max(self.full_at_s, now_s) + 1 / self.rate_per_s
        return Bucket(self.rate_per_s, self.burst, full_at_s)

    def throttled(self, now_s: float) -> "Bucket":
        """Return the bucket after Amazon refused a call for its quota.

        Where we counted calls left, a tighter limit of Amazon's or a passing fault spoke: half of them stay,
        so that a few refusals find a limit that nobody states. Where we counted none, the next turn is one
        refill away.
        """
        missing_calls = max(self.full_at_s - now_s, 0.0) * self.rate_per_s
        left_calls = math.floor(max(self.burst - missing_calls, 0.0) / 2)
        full_at_s = max(self.full_at_s, now_s + (self.burst - left_calls) / self.rate_per_s)
        return Bucket(self.rate_per_s, self.burst, full_at_s)

    def learned(self, limit: str, now_s: float) -> "Bucket":
        """Return the bucket at the rate an answer of Amazon's names, with as many calls left as before.

        Args:
            limit: the header x-amzn-RateLimit-Limit; what is no sensible rate changes nothing.
            now_s: the monotonic clock.
        """
        rate_per_s = rate(limit)
        if rate_per_s is None or rate_per_s == self.rate_per_s:
            return self
        missing_calls = max(self.full_at_s - now_s, 0.0) * self.rate_per_s
        return Bucket(rate_per_s, self.burst, now_s + missing_calls / rate_per_s)


def rate(limit: str) -> float | None:
    """Return the rate a header names, in calls a second, if it is one."""
    try:
        rate_per_s = float(limit)
    except ValueError:
        return None
    return rate_per_s if RATE_PER_S_MIN <= rate_per_s <= RATE_PER_S_MAX else None
