"""The token bucket that all replicas share, and the leases under which they spend from it.

A replica is granted a few calls at a time. Amazon counts a granted call at a moment that nobody here knows,
between its being sent and its answer; so a call counts against the bucket's size from when it is granted,
and stops the refill from when it ended. `left` is what would be left if every call that is still open under a
lease were never made: it is debited when a call ends, and what is open is never granted twice. Whatever the
order in which Amazon counted, it allows at least `left` less what is open.

- A lease ends by itself LEASE_S after its replica was heard last; what was open then counts as spent, so a
  replica that dies loses its lease and no more. A replica numbers its leases; who speaks of one that has
  ended is told so, and changes nothing.
- A replica tells totals, not differences: an answer that got lost, or a message that comes twice or late,
  changes nothing either.
- All moments are storage's (ADR 0019), as seconds since any fixed point; only `count_to` moves time
  on, and `_set_back` back.

Source: SP-API, "Usage Plans and Rate Limits" (token bucket).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from chassis.errors import Unavailable
from services.gateway.model.quota import RATE_PER_S_MAX, RATE_PER_S_MIN, Quota

# Less than Amazon's rate by what two clocks' drift and its own rounding may take.
MARGIN = 0.99
LEASE_S = 15.0
# How long a replica's word that somebody waits there counts; it asks again sooner.
HEARD_S = 5.0
# A bucket that nobody touched for so long is full, whatever its rate, and forgotten.
IDLE_S = 86_400.0
# Storage's clock may be behind for a moment, or one exchange overtaken by another. One behind by more was set
# back for good, as when another host takes storage over.
BEHIND_S_MAX = 60.0

# How many calls are kept back for people: none of a bucket of one or two calls.
KEPT_BACK_MAX = 2
KEPT_BACK_PART = 3

# A higher rate that Amazon names is approached by doubling, a lower one is taken at once.
RAISE_FACTOR = 2.0
RAISE_S = 1.0
# A rate that nobody names is tried upwards while calls wait, and halved at each refusal.
SEEK_FACTOR = 1.1
SEEK_S = 30.0
# Of the pace that Amazon names, what is used after it refused a call that had a permit: somebody else
# spends from the same usage plan. It comes back by itself.
SHARE_CUT = 0.85
SHARE_MIN = 0.1
SHARE_BACK_S = 120.0
CUT_S_MIN = 1.0

# Less is the rounding of sums, not a call.
ROUNDING = 1e-6


class QuotaUnavailable(Unavailable):
    """Storage is away, and nothing is left of what it granted."""

    code = "store_unavailable"
    text = "No call to Amazon can be permitted right now."


@dataclass(slots=True, kw_only=True)
class Lease:
    """What one replica was granted from a bucket, and what became of it; the numbers are totals.

    Attributes:
        lease_no: of the replica's own counting, growing.
        ends_at_s: unless the replica is heard again.
        heard_at_s: when it asked last.
        since_s: since when the one of its calls waits that waits longest.
        people: calls of people that waited when it asked last.
        devices: how many devices had other calls waiting then.
    """

    replica_id: str
    lease_no: int
    ends_at_s: float = 0.0
    heard_at_s: float = 0.0
    since_s: float = 0.0
    granted: int = 0
    ended: int = 0
    returned: int = 0
    people: int = 0
    devices: int = 0

    @property
    def open(self) -> int:
        """How many of its calls may be made still, or are under way."""
        return self.granted - self.ended - self.returned


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a replica tells of its lease on one bucket, and what it wants.

    Attributes:
        known: total of calls granted under this lease, as far as the replica was told.
        ended: total of calls that were made, or may have been.
        returned: total of calls given back because nobody made them.
        people, bulk: calls that wait there now.
        devices: how many devices the bulk calls are of.
        waited_s: how long the one of them has waited that waits longest.
        ahead: calls wanted beyond those, for whoever comes next.
        named_rate_per_s: the rate that Amazon named last; None when it named none.
        is_throttled: Amazon refused a call for its quota since the last ask.
    """

    replica_id: str
    lease_no: int
    known: int
    ended: int
    returned: int
    people: int = 0
    bulk: int = 0
    devices: int = 0
    waited_s: float = 0.0
    ahead: int = 0
    named_rate_per_s: float | None = None
    is_throttled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a replica is told of a bucket.

    Attributes:
        granted: total of calls granted under its lease.
        is_ended: the lease is over: it ran out, or nothing is left of it; the next one needs a new number.
        rate_per_s: of the usage plan, as far as it is known.
        pace_per_s: how fast calls come in fact.
        left: calls that nobody has, after this grant.
        kept_back: how many of those only people get.
        people_before: people's calls that wait at other replicas.
        part: of what is for bulk calls, what comes to this replica; above 0, at most 1.
    """

    granted: int
    is_ended: bool
    rate_per_s: float
    pace_per_s: float
    left: float
    kept_back: int
    people_before: int
    part: float


@dataclass(slots=True, kw_only=True)
class Bucket:
    """One bucket, as storage keeps it.

    Attributes:
        rate_per_s: refill of Amazon's bucket.
        burst: size of Amazon's bucket.
        left: calls that Amazon allowed at `counted_at_s` if none of the open ones were ever made.
        share: of the rate, what was used at `cut_at_s`; it grows from then on.
        raised_at_s: when the rate was raised last.
    """

    rate_per_s: float
    burst: int
    left: float
    counted_at_s: float
    share: float = 1.0
    cut_at_s: float = -math.inf
    raised_at_s: float = -math.inf
    leases: list[Lease] = field(default_factory=list)

    @classmethod
    def full(cls, quota: Quota, now_s: float) -> "Bucket":
        """Return the bucket of a quota that was not used lately."""
        return cls(rate_per_s=quota.rate_per_s, burst=quota.burst, left=quota.burst, counted_at_s=now_s)

    @property
    def open(self) -> int:
        """How many calls may be made still, or are under way, over all replicas."""
        return sum(lease.open for lease in self.leases)

    @property
    def kept_back(self) -> int:
        """How many calls only people get."""
        return min(KEPT_BACK_MAX, self.burst // KEPT_BACK_PART)

    def pace_per_s(self, now_s: float) -> float:
        """Return how fast calls come."""
        share = min(1.0, self.share + max(0.0, now_s - self.cut_at_s) / SHARE_BACK_S)
        return self.rate_per_s * MARGIN * share

    def exchange(self, ask: Ask, now_s: float, *, is_stated: bool = True) -> Grant:
        """Take in what a replica tells, grant what it may have, and return what it is told.

        Args:
            ask: the replica's.
            now_s: storage's clock; a moment before the last one counts as that, for up to BEHIND_S_MAX.
            is_stated: whether Amazon publishes this usage plan.
        """
        if self.counted_at_s - now_s > BEHIND_S_MAX:
            self._set_back(self.counted_at_s - now_s)
        now_s = max(now_s, self.counted_at_s)
        self._end_leases(now_s)
        self.count_to(now_s)
        self._learn(ask, now_s, is_stated=is_stated)
        lease = self._lease(ask)
        if lease is not None:
            self._settle(lease, ask)
        if ask.is_throttled:
            self._throttle(now_s, is_stated=is_stated)
        if lease is None:
            return self._told(None, now_s, part=1.0)
        part = self._give(lease, ask, now_s)
        if not (lease.open or ask.people or ask.bulk):
            self.leases.remove(lease)
        return self._told(lease, now_s, part=part)

    def count_to(self, now_s: float) -> None:
        """Let the bucket refill up to a moment."""
        elapsed_s = max(0.0, now_s - self.counted_at_s)
        self.left = min(float(self.burst), self.left + elapsed_s * self.pace_per_s(self.counted_at_s))
        self.counted_at_s = max(now_s, self.counted_at_s)

    def _set_back(self, by_s: float) -> None:
        """Follow storage's clock back: nothing would refill, and no lease end, until it has caught up."""
        self.counted_at_s -= by_s
        self.cut_at_s -= by_s
        self.raised_at_s -= by_s
        for lease in self.leases:
            lease.ends_at_s -= by_s
            lease.heard_at_s -= by_s
            lease.since_s -= by_s

    def _end_leases(self, now_s: float) -> None:
        """Count as spent, each at its lease's end, what replicas had that were not heard again."""
        for lease in sorted(self.leases, key=lambda each: each.ends_at_s):
            if lease.ends_at_s <= now_s:
                self.count_to(lease.ends_at_s)
                self._end(lease)

    def _end(self, lease: Lease) -> None:
        self.left -= lease.open
        self.leases.remove(lease)

    def _lease(self, ask: Ask) -> Lease | None:
        """Return the lease that an ask speaks of, begun now if it is a new one; None if it has ended.

        One that granted less than its replica was told is not the one that the replica speaks of: that one
        has ended, and its first message came again and began another under its number.
        """
        lease = next((each for each in self.leases if each.replica_id == ask.replica_id), None)
        if lease is not None and (lease.lease_no, lease.granted) < (ask.lease_no, ask.known):
            self._end(lease)
            lease = None
        if lease is not None:
            return lease if lease.lease_no == ask.lease_no else None
        if ask.known:
            return None
        begun = Lease(replica_id=ask.replica_id, lease_no=ask.lease_no)
        self.leases.append(begun)
        return begun

    def _settle(self, lease: Lease, ask: Ask) -> None:
        ended = min(max(ask.ended, lease.ended), lease.granted - lease.returned)
        self.left -= ended - lease.ended
        lease.ended = ended
        lease.returned = min(max(ask.returned, lease.returned), lease.granted - ended)

    def _give(self, lease: Lease, ask: Ask, now_s: float) -> float:
        """Grant what there is, people first; return the replica's part of what is for bulk calls."""
        rivals = self._rivals(lease, now_s)
        lease.since_s, lease.heard_at_s, lease.ends_at_s = now_s - ask.waited_s, now_s, now_s + LEASE_S
        is_first = all(lease.since_s <= rival.since_s for rival in rivals)
        others_people = sum(rival.people for rival in rivals)
        free = self.left - self.open
        people = _part(free, ask.people, (ask.people, others_people), is_first=is_first)
        spare = free - people - self.kept_back - others_people
        devices = (ask.devices, sum(rival.devices for rival in rivals))
        bulk = _part(spare, ask.bulk, devices, is_first=is_first)
        ahead = 0 if rivals else min(ask.ahead, max(0, math.floor((spare - bulk) / 2)))
        lease.granted += people + bulk + ahead
        lease.people = ask.people - people
        lease.devices = ask.devices if bulk < ask.bulk else 0
        return devices[0] / sum(devices) if devices[0] else 1.0

    def _rivals(self, lease: Lease, now_s: float) -> list[Lease]:
        """Return the leases of other replicas where somebody waits."""
        return [
            each
            for each in self.leases
            if each is not lease and (each.people or each.devices) and now_s - each.heard_at_s <= HEARD_S
        ]

    def _learn(self, ask: Ask, now_s: float, *, is_stated: bool) -> None:
        """Follow the rate that Amazon names: down at once, up step by step; without one, look for it."""
        if ask.named_rate_per_s is None:
            is_wanted = not is_stated and (ask.people or ask.bulk) and not ask.is_throttled
            if is_wanted and now_s - max(self.raised_at_s, self.cut_at_s) >= SEEK_S:
                self._raise(self.rate_per_s * SEEK_FACTOR, now_s)
        elif ask.named_rate_per_s < self.rate_per_s:
            self.rate_per_s = ask.named_rate_per_s
        elif ask.named_rate_per_s > self.rate_per_s and now_s - self.raised_at_s >= RAISE_S:
            self._raise(min(ask.named_rate_per_s, self.rate_per_s * RAISE_FACTOR), now_s)

    def _raise(self, rate_per_s: float, now_s: float) -> None:
        self.rate_per_s, self.raised_at_s = min(rate_per_s, RATE_PER_S_MAX), now_s

    def _throttle(self, now_s: float, *, is_stated: bool) -> None:
        """Take it that Amazon's bucket held less than was thought, and that somebody else spends from it.

        Where calls were left, half of them stay, so that a few refusals find a limit that nobody states.
        Where none were, the next call is one refill away. Refusals that come together cut the pace once.
        """
        free = self.left - self.open
        self.left = self.open + max(0, math.floor(free / 2))
        if now_s - self.cut_at_s < max(CUT_S_MIN, 1 / self.rate_per_s):
            return
        share = self.pace_per_s(now_s) / (self.rate_per_s * MARGIN)
        self.share, self.cut_at_s = max(SHARE_MIN, share * SHARE_CUT), now_s
        if not is_stated:
            self.rate_per_s = max(RATE_PER_S_MIN, self.rate_per_s / 2)

    def _told(self, lease: Lease | None, now_s: float, *, part: float) -> Grant:
        is_ended = lease is None or lease not in self.leases
        others = [each for each in self.leases if each is not lease]
        return Grant(
            granted=0 if lease is None else lease.granted,
            is_ended=is_ended,
            rate_per_s=self.rate_per_s,
            pace_per_s=self.pace_per_s(now_s),
            left=self.left - self.open,
            kept_back=self.kept_back,
            people_before=_people(others),
            part=part,
        )


def _people(leases: Iterable[Lease]) -> int:
    return sum(lease.people for lease in leases)


def _part(free: float, wanted: int, weights: tuple[int, int], *, is_first: bool) -> int:
    """Return how many whole calls somebody gets.

    Args:
        free: calls there are.
        wanted: by who asks.
        weights: of who asks and of all others together.
        is_first: whether who asks has waited longest, and gets what does not divide.
    """
    whole, (own, others) = math.floor(free + ROUNDING), weights
    if whole <= 0 or not wanted:
        return 0
    if not others:
        return min(wanted, whole)
    fair = whole * own / (own + others)
    return min(wanted, math.ceil(fair) if is_first else math.floor(fair))
