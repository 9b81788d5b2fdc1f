"""What this replica has of one bucket: the calls granted under its lease, and who waits for more.

Never more is spent than was granted, and nothing after the time for which it was granted: GRANT_TTL_S for
calls that are free, counted from before storage was asked (ADR 0019).
"""

import math

from services.gateway.forward.rate_limiter.wait_queue import Waiter, WaitQueue
from services.gateway.model.buckets import LEASE_S, MARGIN, RAISE_FACTOR, RAISE_S, Ask, Grant
from services.gateway.model.calls import UpstreamAnswer
from services.gateway.model.faults import QuotaExceeded
from services.gateway.model.priority import Priority
from services.gateway.model.quota import RATE_LIMIT_HEADER, THROTTLED, Quota, parse_rate

# A free call is reserved within this of being granted, a reserved one is sent within SEND_S_MAX; the rest of
# the lease is for the way to Amazon.
GRANT_TTL_S = 5.0
SEND_S_MAX = LEASE_S - 5.0
# What is kept for the next caller is given back when none came for so long.
SPARE_S = 1.0
# How often storage is told what became of calls, and at least asked while calls are under way.
REPORT_S = 0.25
RENEW_S = 3.0
# Between two asks while somebody waits.
POLL_S_MIN = 0.05
POLL_S_MAX = 2.0
# A busy replica keeps what it spends in so long, so that most calls find one here.
AHEAD_S = 0.3
# Over how long what it spends is averaged.
BUSY_S = 1.0


# One call of a bucket, granted under a lease of that number; it goes to `LocalBucket.settle` in the end.
Reservation = tuple["LocalBucket", int]


class LocalBucket:
    """A bucket, as far as this replica spends from it."""

    def __init__(self, quota: Quota, lease_no: int, now_s: float) -> None:
        self.quota = quota
        self.queue = WaitQueue()
        self._lease_no, self._is_new = lease_no, True
        self._free = self._reserved = self._ended = self._returned = 0
        self._told = (0, 0)
        self._asked_s = -math.inf
        self._due_s = self._rest_until_s = now_s
        self._used_s = now_s
        self._spent_per_s = 0.0
        self._last_grant: Grant | None = None
        self._rate_header = ""
        self._named_rate_per_s: float | None = None
        self._is_throttled = False

    # What there is

    def is_free(self, now_s: float) -> bool:
        """Return whether a call can be reserved now."""
        return self._free > 0 and now_s <= self._asked_s + GRANT_TTL_S

    def is_good(self, lease_no: int, now_s: float) -> bool:
        """Return whether a call that was reserved under a lease may be sent now."""
        return lease_no == self._lease_no and now_s <= self._asked_s + SEND_S_MAX

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to remember: nothing granted, nobody waiting, all told."""
        is_told = self._told == (self._ended, self._returned) and not (self._is_throttled or self._rise_s())
        return is_told and not (self._free or self._reserved or self.queue)

    @property
    def rate_per_s(self) -> float:
        """The usage plan's rate, as far as it is known here."""
        return self.quota.rate_per_s if self._last_grant is None else self._last_grant.rate_per_s

    @property
    def _granted(self) -> int:
        return self._free + self._reserved + self._ended + self._returned

    # What callers do

    def reserve(self, now_s: float) -> Reservation | None:
        """Return a reservation for a call that comes now; None when none is free, or somebody came before."""
        return None if self.queue.waiters or not self.is_free(now_s) else self._reserve(now_s)

    def serve(self, now_s: float) -> None:
        """Give what is free to whoever waits."""
        while self.queue.waiters and self.is_free(now_s):
            waiter = self.queue.pop()
            if not waiter.future.done():
                waiter.future.set_result(self._reserve(now_s))

    def settle(self, lease_no: int, *, is_spent: bool) -> None:
        """Note that Amazon may have counted a reserved call, or that it is free again."""
        if lease_no != self._lease_no:
            return
        self._reserved -= 1
        if is_spent:
            self._ended += 1
        else:
            self._free += 1

    def learn(self, answer: UpstreamAnswer) -> None:
        """Take from Amazon's answer what it tells about the usage plan; a refusal takes what is free."""
        rate_header = answer.header(RATE_LIMIT_HEADER)
        if rate_header != self._rate_header:
            self._rate_header = rate_header
            self._named_rate_per_s = parse_rate(rate_header) or self._named_rate_per_s
        if answer.status == THROTTLED:
            self._is_throttled = True
            self._give_back()

    def wait_s(self, waiter: Waiter | None, before: int) -> float:
        """Return how long it takes until there is a call for a waiter, as far as is known here.

        Args:
            waiter: for whom; None for one with a bulk call.
            before: how many waiters of this process come first.
        """
        if self._last_grant is None:
            return 0.0
        grant, is_person = self._last_grant, waiter is not None and waiter.priority is Priority.INTERACTIVE
        calls = before + 1 + grant.people_before if is_person else (before + 1) / grant.part + grant.kept_back
        missing = max(0.0, calls - grant.left)
        return min(missing / grant.pace_per_s, self._rise_s() + missing / (self._goal_per_s() * MARGIN))

    def exceeded(self, wait_s: float) -> QuotaExceeded:
        """Return the refusal of a call that would have to wait for so long."""
        return QuotaExceeded(retry_after_s=wait_s, rate_per_s=self.rate_per_s)

    def refuse_late(self, now_s: float) -> None:
        """Refuse whoever cannot get a call in time."""
        if self._last_grant is None:
            return
        spent_s = now_s - self._asked_s
        for before, waiter in enumerate(list(self.queue)):
            wait_s = max(0.0, self.wait_s(waiter, before) - spent_s)
            if now_s + wait_s > waiter.until_s and self.queue.discard(waiter):
                waiter.refuse(self.exceeded(max(wait_s, 1 / self._last_grant.pace_per_s)))

    # What storage is told, and tells

    def is_due(self, now_s: float) -> bool:
        """Return whether storage is to be asked now."""
        self._drop_spare(now_s)
        if not self.may_ask(now_s):
            return False
        since_s = now_s - self._asked_s
        if self._is_throttled or self._knows_less():
            return since_s >= POLL_S_MIN
        is_wanted = bool(self.queue) and now_s >= self._due_s
        is_low = self._free * 2 < self._ahead(now_s) and since_s >= POLL_S_MIN
        has_news = self._told != (self._ended, self._returned)
        # Where somebody waits, the refill of a small bucket begins with the end of the call before.
        report_s = POLL_S_MIN if self.queue else REPORT_S
        is_rising = self._rise_s() > 0 and since_s >= RAISE_S
        is_old = bool(self._reserved or self._free) and since_s >= RENEW_S
        return is_wanted or is_low or (has_news and since_s >= report_s) or is_rising or is_old

    def ask(self, replica_id: str, now_s: float) -> Ask:
        """Return what storage is asked, and told."""
        queue = self.queue
        return Ask(
            replica_id=replica_id,
            lease_no=self._lease_no,
            known=self._granted,
            ended=self._ended,
            returned=self._returned,
            people=queue.people.waiters,
            bulk=queue.bulk.waiters,
            devices=queue.bulk.devices,
            waited_s=queue.waited_s(now_s),
            ahead=max(0, self._ahead(now_s) - self._free),
            named_rate_per_s=self._named_rate_per_s,
            is_throttled=self._is_throttled,
        )

    def hear(self, ask: Ask, grant: Grant, *, asked_s: float, lease_no: int) -> int:
        """Take in storage's answer; return how many calls it brought.

        Args:
            ask: what was asked.
            grant: the answer.
            asked_s: when, by the monotonic clock.
            lease_no: a number for the next lease, should this one be over.
        """
        if self._is_outdated(ask, grant):
            self._rate_header, self._named_rate_per_s = "", None
        self._last_grant, self._asked_s = grant, asked_s
        if ask.is_throttled:
            self._is_throttled = False
        if grant.is_ended:
            self._begin(lease_no)
            return 0
        self._is_new = False
        brought = grant.granted - self._granted
        self._free, self._told = self._free + brought, (ask.ended, ask.returned)
        return brought

    def schedule(self, now_s: float) -> None:
        """Decide when storage is asked again on behalf of whoever waits."""
        away_s = 0.0 if self._is_new else max(self._next_s(), POLL_S_MIN)
        self._due_s = now_s + min(away_s, POLL_S_MAX)

    def postpone(self, until_s: float) -> None:
        """Do not ask storage before that moment: it is away."""
        self._rest_until_s = until_s

    def may_ask(self, now_s: float) -> bool:
        """Return whether storage may be asked again; whoever comes then finds out whether it is back."""
        return now_s >= self._rest_until_s

    def hurry(self, now_s: float) -> None:
        """Ask storage now: somebody came for whom it may have a call."""
        self._due_s = now_s

    def _next_s(self) -> float:
        """Return when the bucket has a call that somebody here may get, be it this replica's or another's."""
        if self._last_grant is None:
            return 0.0
        calls = 1.0 if self.queue.people.waiters else 1.0 + self._last_grant.kept_back
        return (calls - self._last_grant.left) / self._last_grant.pace_per_s

    def _begin(self, lease_no: int) -> None:
        """Begin a new lease; what is still reserved under the old one counts for nothing."""
        self._lease_no, self._is_new = lease_no, True
        self._free = self._reserved = self._ended = self._returned = 0
        self._told = (0, 0)

    def _drop_spare(self, now_s: float) -> None:
        """Give back what nobody used."""
        is_stale = now_s > self._asked_s + GRANT_TTL_S or now_s > self._used_s + SPARE_S
        if self._free and not self.queue and is_stale:
            self._give_back()

    def _give_back(self) -> None:
        """Give back what is free."""
        self._returned += self._free
        self._free = 0

    def _goal_per_s(self) -> float:
        """Return the rate that Amazon named, or the one that storage goes by."""
        return self.rate_per_s if self._named_rate_per_s is None else self._named_rate_per_s

    def _rise_s(self) -> float:
        """Return how long it takes until storage goes by the higher rate that Amazon named."""
        return max(0.0, math.log2(self._goal_per_s() / self.rate_per_s) / math.log2(RAISE_FACTOR) * RAISE_S)

    def _knows_less(self) -> bool:
        """Return whether Amazon named a lower rate than storage goes by."""
        return self._last_grant is not None and self._goal_per_s() < self.rate_per_s

    def _is_outdated(self, ask: Ask, grant: Grant) -> bool:
        """Return whether the rate fell below what was told: Amazon named a lower one to another replica."""
        named = ask.named_rate_per_s
        return named is not None and grant.rate_per_s < min(named, self.rate_per_s)

    def _ahead(self, now_s: float) -> int:
        return int(self._spent_per_s * math.exp((self._used_s - now_s) / BUSY_S) * AHEAD_S)

    def _reserve(self, now_s: float) -> Reservation:
        """Return a reservation, and keep the average of calls a second; one call must be free."""
        self._free -= 1
        self._reserved += 1
        self._spent_per_s = self._spent_per_s * math.exp((self._used_s - now_s) / BUSY_S) + 1 / BUSY_S
        self._used_s = now_s
        return self, self._lease_no
