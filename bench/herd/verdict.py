"""What the simulated Amazon's own record says about a herd. Pure: calls and kills in, facts out.

- A refresh is *granted* when LWA made a token, whether or not its answer arrived.
- A granted refresh is *lost* when nobody can have used it: its answer was spoilt on the way, or it went to a
  replica that was killed before it had kept the token. Each may be followed by one more.
- All others are what is promised: exactly one for each seller, never two under way at once.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SECOND_S = 1.0
# A replica keeps a token, or has lost its lease, within this; services.auth.model.lending.LEASE_S.
KEPT_WITHIN_S = 20.0
# Faults after which a token exists though its answer did not arrive, and what the record then says.
SPOILT = {"lost": 503, "hang_up": 0, "garbage": 200}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One refresh that reached LWA; times are on the machine's monotonic clock."""

    seller_id: str
    client: str
    status: int
    fault: str
    is_over_plan: bool
    began_s: float
    ended_s: float

    @property
    def is_spoilt(self) -> bool:
        """Whether a token was made and its answer spoilt."""
        return SPOILT.get(self.fault) == self.status

    @property
    def is_granted(self) -> bool:
        """Whether a token was made."""
        return self.status == 200 or self.is_spoilt


@dataclass(frozen=True, slots=True)
class Kill:
    """A replica that was killed, with the addresses of the connections to LWA that it held at that moment."""

    replica: str
    at_s: float
    clients: frozenset[str]

    def hit(self, call: Call) -> bool:
        """Return whether the replica can have died between this answer and the keeping of its token."""
        is_own = call.client in self.clients and call.began_s <= self.at_s
        return is_own and self.at_s - call.ended_s <= KEPT_WITHIN_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the record shows.

    Attributes:
        refreshes: how many sellers had so many granted refreshes.
        calls: how many refreshes reached LWA.
        granted: how many of them LWA made a token for.
        spoilt: granted ones that were repeated because their answer was spoilt on the way.
        killed: granted ones that were repeated because a replica was killed before it kept the token.
        doubled: sellers with a repeated one that neither explains.
        missing: sellers without a token whose answer arrived.
        overlapping: sellers with two refreshes under way at once.
        over_plan: calls that LWA's plan had no room for.
        faults: how often LWA misbehaved, by fault.
        busiest: most calls that began within any one second.
        took_s: from the first call to the last answer.
    """

    refreshes: Mapping[int, int]
    calls: int
    granted: int
    spoilt: int
    killed: int
    doubled: tuple[str, ...]
    missing: tuple[str, ...]
    overlapping: tuple[str, ...]
    over_plan: int
    faults: Mapping[str, int]
    busiest: int
    took_s: float

    @property
    def broken(self) -> list[str]:
        """What was promised and does not hold, in words; empty when all holds."""
        findings = {
            "sellers were refreshed more often than the kills and lost answers explain": len(self.doubled),
            "sellers have no new token": len(self.missing),
            "sellers had two refreshes under way at once": len(self.overlapping),
            "calls were over LWA's plan": self.over_plan,
        }
        return [f"{count} {text}" for text, count in findings.items() if count]


def call_of(row: Mapping[str, Any]) -> Call:
    """Return a call as the simulated Amazon's controls show it; one still under way has no end."""
    ended_s = row["ended_s"]
    return Call(
        seller_id=row["seller_id"],
        client=row["client"],
        status=row["status"],
        fault=row["fault"],
        is_over_plan=row["is_over_plan"],
        began_s=row["began_s"],
        ended_s=float("inf") if ended_s is None else ended_s,
    )


def judge(seller_ids: Collection[str], calls: Sequence[Call], kills: Sequence[Kill]) -> Verdict:
    """Return what the record shows about these sellers.

    Args:
        seller_ids: everybody who should have one new token.
        calls: every refresh since their tokens began to end, in any order.
        kills: every replica that was killed meanwhile.
    """
    by_seller = _by_seller(calls)
    granted = {seller_id: [call for call in each if call.is_granted] for seller_id, each in by_seller.items()}
    repeated = [call for each in granted.values() for call in each[:-1]]
    unexplained = [call for call in repeated if not (call.is_spoilt or _is_hit(call, kills))]
    ends = (call.ended_s for call in calls)
    return Verdict(
        refreshes=Counter(len(granted.get(seller_id, ())) for seller_id in seller_ids),
        calls=len(calls),
        granted=sum(map(len, granted.values())),
        spoilt=sum(call.is_spoilt for call in repeated),
        killed=sum(not call.is_spoilt and _is_hit(call, kills) for call in repeated),
        doubled=tuple(sorted({call.seller_id for call in unexplained})),
        missing=tuple(seller_id for seller_id in seller_ids if not _has_token(granted.get(seller_id, ()))),
        overlapping=tuple(seller_id for seller_id, each in by_seller.items() if _overlaps(each)),
        over_plan=sum(call.is_over_plan for call in calls),
        faults=Counter(call.fault for call in calls if call.fault != "none"),
        busiest=_busiest(calls),
        took_s=max(ends, default=0.0) - min((call.began_s for call in calls), default=0.0),
    )


def _has_token(granted: Sequence[Call]) -> bool:
    return bool(granted) and not granted[-1].is_spoilt


def _by_seller(calls: Sequence[Call]) -> Mapping[str, list[Call]]:
    by_seller: dict[str, list[Call]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: call.began_s):
        by_seller[call.seller_id].append(call)
    return by_seller


def _is_hit(call: Call, kills: Sequence[Kill]) -> bool:
    return any(kill.hit(call) for kill in kills)


def _overlaps(calls: Sequence[Call]) -> bool:
    """Return whether one of a seller's calls, in order of their beginnings, began before another ended."""
    ends = itertools.accumulate((call.ended_s for call in calls), max)
    return any(later.began_s < end for end, later in zip(ends, calls[1:], strict=False))


def _busiest(calls: Sequence[Call]) -> int:
    return max(_in_windows(sorted(call.began_s for call in calls)), default=0)


def _in_windows(began: Sequence[float]) -> Iterator[int]:
    """Yield, for each beginning, how many began in the second that ends with it."""
    first = 0
    for last, at_s in enumerate(began):
        while began[first] <= at_s - SECOND_S:
            first += 1
        yield last - first + 1
