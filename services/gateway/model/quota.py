"""Whose calls of what are counted together, and the usage plan at Amazon that they begin with.

Source: SP-API, "Usage Plans and Rate Limits".
"""

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Self

from services.gateway.model.application_policy import Share
from services.gateway.model.calls import Region
from services.gateway.model.operations import Operation
from services.gateway.model.priority import Priority

# Amazon's slowest operation refills 0.0056 calls/s; anything far outside is not a rate.
RATE_PER_S_MIN = 0.0001
RATE_PER_S_MAX = 10_000.0
BURST_MAX = 10_000

# Where Amazon states no rate (6 operations), a careful beginning; answers teach the true one.
RATE_PER_S_DEFAULT = 0.5
BURST_DEFAULT = 1

RATE_LIMIT_HEADER = "x-amzn-ratelimit-limit"
THROTTLED = 429

# One for each seller, region and operation that calls lately had; about 500 bytes each.
QUOTAS_MAX = 10_000

# Whose quota it is when all sellers of the application share it.
EVERY_SELLER = ""
# What the application may call for all sellers together, in calls a second, beside each seller's own usage
# plan. Amazon states no burst for them, so a tenth of a second's worth is taken to be one.
# Source: SP-API, "Product Type Definitions API v2020-09-01 rate limits" and "Listings Restrictions API
# v2021-08-01 rate limits": 5 requests per second per account-application pair, 100 per application.
APPLICATION_BURST = 10
APPLICATION_RATES_PER_S: Mapping[str, float] = MappingProxyType(
    {
        "GET /definitions/2020-09-01/productTypes": 100.0,
        "GET /definitions/2020-09-01/productTypes/{productType}": 100.0,
        "GET /listings/2021-08-01/restrictions": 100.0,
    }
)


class Quota(NamedTuple):
    """Whose calls of what are counted together, and the usage plan they begin with: each has a token bucket.

    A tuple, because each call looks its quota up again and again.

    Accounts at Amazon are per region, so quotas are too. There is one application per installation, so it is
    not part of what tells quotas apart.

    Attributes:
        seller_id: EVERY_SELLER for what the application may do for all of them together.
        is_stated: whether Amazon publishes the usage plan; else it is found out.
    """

    seller_id: str
    region: Region
    operation_key: str
    rate_per_s: float
    burst: int
    is_stated: bool = True

    def budget(self, share: float, whose: str) -> Self:
        """Return the quota of a policy's budget: a share of this usage plan, at least one call at a time.

        Args:
            share: above 0 to 1, of the plan as Amazon publishes it.
            whose: tells it from other budgets.
        """
        return self._replace(
            operation_key=f"{self.operation_key} {whose} {share:g}",
            rate_per_s=self.rate_per_s * share,
            burst=max(1, math.floor(self.burst * share)),
            is_stated=True,
        )


@functools.lru_cache(maxsize=QUOTAS_MAX)
def quotas(seller_id: str, region: Region, operation: Operation) -> tuple[Quota, ...]:
    """Return all that a seller's call spends from: its own quota first, then one that all sellers share.

    What the application calls for itself is EVERY_SELLER's.
    """
    own = Quota(
        seller_id, region, operation.key, operation.rate_per_s, operation.burst, operation.is_rate_stated
    )
    rate_per_s = APPLICATION_RATES_PER_S.get(operation.key)
    if rate_per_s is None:
        return (own,)
    return own, Quota(EVERY_SELLER, region, operation.key, rate_per_s, APPLICATION_BURST)


@dataclass(slots=True)
class PermitRequest:
    """Who wants to make a call, and what it spends from.

    Attributes:
        quotas: all that the call spends from; the seller's own comes first.
        priority: as the call itself states it; None when it does not.
        shares: of the usage plan, what the vendor's policy leaves to calls of a priority; empty: all of it.
    """

    device_id: str
    quotas: Sequence[Quota]
    priority: Priority | None = None
    shares: Mapping[Priority, Share] = field(default_factory=dict)

    def budgets(self, priority: Priority) -> Iterator[Quota]:
        """Yield the quotas of the policy's budgets within which a call of a priority stays besides."""
        share = self.shares.get(priority)
        if share is None:
            return
        if share.of_plan < 1:
            yield self.quotas[0].budget(share.of_plan, priority)
        if share.of_device < 1:
            yield self.quotas[0].budget(share.of_device, f"{priority} {self.device_id}")


def parse_rate(rate_header: str) -> float | None:
    """Return the rate a header names, in calls a second, if it is one."""
    try:
        rate_per_s = float(rate_header)
    except ValueError:
        return None
    return rate_per_s if RATE_PER_S_MIN <= rate_per_s <= RATE_PER_S_MAX else None
