"""The shared bucket: whatever replicas do, and whenever Amazon counts, never more than the plan allows."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.model import quota
from services.gateway.model.buckets import (
    BEHIND_S_MAX,
    CUT_S_MIN,
    HEARD_S,
    LEASE_S,
    MARGIN,
    RAISE_S,
    SEEK_S,
    SHARE_BACK_S,
    SHARE_CUT,
    SHARE_MIN,
    Ask,
    Bucket,
    Grant,
)
from services.gateway.model.calls import Region
from services.gateway.model.quota import Quota

# Sums of fractions of a second.
ROUNDING = 1e-6
FAST = Quota("seller", Region.NA, "GET /x", 5.0, 10)


def ask(replica_id: str = "one", lease_no: int = 1, **rest: object) -> Ask:
    told = {"known": 0, "ended": 0, "returned": 0} | rest
    return Ask(replica_id=replica_id, lease_no=lease_no, **told)  # type: ignore[arg-type]


def test_calls_count_as_spent_when_their_lease_ends_unheard() -> None:
    bucket = Bucket.full(FAST, 0.0)
    assert bucket.exchange(ask(people=10), 0.0).granted == 10
    assert bucket.exchange(ask("two", people=1), LEASE_S - 0.1).granted == 0
    assert bucket.exchange(ask("two", people=10), LEASE_S + 0.05).granted == 0
    assert bucket.exchange(ask("two", people=10), LEASE_S + 0.25).granted == 1


def test_a_clock_that_is_set_back_ends_no_lease_before_its_time_R14() -> None:
    bucket = Bucket.full(FAST, 100.0)
    bucket.exchange(ask(people=10), 100.0)
    assert not bucket.exchange(ask(known=10), 50.0).is_ended
    assert not bucket.exchange(ask(known=10), 100.0 + LEASE_S - 0.1).is_ended


def test_a_clock_that_is_set_back_for_long_stops_no_refill_R14() -> None:
    bucket = Bucket.full(FAST, 3_600.0)
    assert bucket.exchange(ask(people=10), 3_600.0).granted == 10
    spent = bucket.exchange(ask(known=10, ended=10, people=10), 0.0)
    assert (spent.granted, spent.is_ended) == (10, False)
    assert bucket.exchange(ask(known=10, ended=10, people=10), 2.0).granted == 19
    assert bucket.exchange(ask(known=19, ended=10), 2.0 + LEASE_S).is_ended


def test_a_rate_that_amazon_names_is_followed_down_at_once_and_up_by_doubling() -> None:
    bucket = Bucket.full(FAST, 0.0)
    rates = [
        bucket.exchange(ask(named_rate_per_s=limit), now_s).rate_per_s
        for limit, now_s in ((1.0, 0.0), (10.0, 1.0), (10.0, 1.5), (10.0, 1.0 + RAISE_S), (10.0, 9.0))
    ]
    assert rates == [1.0, 2.0, 2.0, 4.0, 8.0]


def test_a_rate_that_nobody_names_is_tried_upwards_and_halved_at_a_refusal() -> None:
    bucket = Bucket.full(Quota("seller", Region.NA, "GET /y", 0.5, 1, is_stated=False), 0.0)
    assert bucket.exchange(ask(), SEEK_S, is_stated=False).rate_per_s == 0.5
    assert bucket.exchange(ask(people=1), SEEK_S, is_stated=False).rate_per_s == pytest.approx(0.55)
    assert bucket.exchange(ask(people=1), SEEK_S + 1, is_stated=False).rate_per_s == pytest.approx(0.55)
    throttled = bucket.exchange(ask(people=1, is_throttled=True), 2 * SEEK_S, is_stated=False)
    assert throttled.rate_per_s == pytest.approx(0.275)


@pytest.mark.parametrize(("rate_per_s", "together_s"), [(5.0, CUT_S_MIN), (0.1, 1 / 0.1)])
def test_refusals_that_come_together_slow_the_pace_once_and_it_comes_back(
    rate_per_s: float, together_s: float
) -> None:
    bucket = Bucket.full(FAST._replace(rate_per_s=rate_per_s), 0.0)
    for part in (0.0, 0.5, 0.9):
        bucket.exchange(ask(is_throttled=True), 10.0 + part * together_s)
    assert bucket.pace_per_s(10.0) == pytest.approx(rate_per_s * MARGIN * SHARE_CUT)
    bucket.exchange(ask(is_throttled=True), 10.0 + together_s)
    assert bucket.pace_per_s(10.0 + together_s) < rate_per_s * MARGIN * (SHARE_CUT**2 + 0.1)
    assert bucket.pace_per_s(10.0 + together_s + SHARE_BACK_S) == pytest.approx(rate_per_s * MARGIN)


def test_however_often_amazon_refuses_some_of_the_pace_stays() -> None:
    bucket = Bucket.full(FAST, 0.0)
    for moment_s in range(100):
        bucket.exchange(ask(is_throttled=True), moment_s * CUT_S_MIN)
    assert bucket.pace_per_s(99 * CUT_S_MIN) == pytest.approx(5.0 * MARGIN * SHARE_MIN)


def test_a_refusal_halves_what_nobody_has_and_takes_nothing_of_what_is_granted() -> None:
    bucket = Bucket.full(FAST, 0.0)
    assert bucket.exchange(ask(people=4), 0.0).left == 6
    told = bucket.exchange(ask(known=4, is_throttled=True), 0.0)
    assert (told.granted, told.left) == (4, 3)
    left = [bucket.exchange(ask(known=4, ended=4, is_throttled=True), 0.0).left for _ in range(3)]
    assert left == [1, 0, 0]


def test_half_of_what_is_left_is_granted_ahead_unless_somebody_waits_elsewhere() -> None:
    bucket = Bucket.full(FAST, 100.0)
    assert bucket.exchange(ask("other", people=1), 100.0).granted == 1
    assert bucket.exchange(ask(bulk=2, devices=1, ahead=9), 100.0).granted == 2 + 2
    bucket = Bucket.full(FAST, 100.0)
    bucket.exchange(ask("other", people=10), 100.0)
    assert bucket.exchange(ask("other", known=10, ended=10, people=1), 100.0).granted == 10
    assert bucket.exchange(ask(ahead=9), 101.9).granted == 0
    assert bucket.exchange(ask(ahead=9), 100.0 + HEARD_S).granted == 0
    assert bucket.exchange(ask(ahead=9), 100.1 + HEARD_S).granted == 4


def test_of_what_is_for_jobs_each_replica_gets_the_part_of_its_devices_after_everybodys_people() -> None:
    bucket = Bucket.full(FAST, 0.0)
    bucket.exchange(ask("spent", people=10), 0.0)
    bucket.exchange(ask("spent", known=10, ended=10), 0.0)
    assert bucket.exchange(ask("one", bulk=9, devices=3), 0.0).part == 1
    two = bucket.exchange(ask("two", bulk=9, devices=1), 0.0)
    assert (two.part, two.people_before) == (1 / 4, 0)
    assert bucket.exchange(ask("three", people=2), 0.0).people_before == 0
    assert bucket.exchange(ask("two", bulk=9, devices=1), 0.0).people_before == 2
    three = bucket.exchange(ask("three", people=2), 2.1)
    assert (three.granted, three.people_before) == (2, 0)
    assert bucket.exchange(ask("one", bulk=9, devices=3, waited_s=2.1), 2.1).granted == 5
    assert bucket.exchange(ask("two", bulk=9, devices=1), 2.1).granted == 0


def test_where_two_wait_the_longer_waiting_gets_what_does_not_divide() -> None:
    bucket = Bucket.full(Quota("seller", Region.NA, "GET /x", 1.0, 1), 0.0)
    bucket.exchange(ask(people=1), 0.0)
    bucket.exchange(ask(known=1, ended=1), 0.0)
    bucket.exchange(ask("late", 1, bulk=5, devices=1, waited_s=1.0), 0.1)
    bucket.exchange(ask("early", 1, bulk=1, devices=1, waited_s=3.0), 0.2)
    assert bucket.exchange(ask("late", 1, bulk=5, devices=1, waited_s=2.0), 1.2).granted == 0
    assert bucket.exchange(ask("early", 1, bulk=1, devices=1, waited_s=4.0), 1.2).granted == 1


def test_a_lease_that_began_anew_because_its_first_message_came_again_is_not_the_one_that_ended_R12() -> None:
    bucket = Bucket.full(Quota("seller", Region.NA, "GET /x", 1.0, 3), 0.0)
    first = ask(people=1)
    bucket.exchange(first, 0.0)
    assert bucket.exchange(ask(known=1, people=1), 0.0).granted == 2
    assert bucket.exchange(first, LEASE_S + 1.0).granted == 1
    assert bucket.exchange(ask(known=2), LEASE_S + 1.0).is_ended


@pytest.mark.parametrize("limit", ["", "fast", "nan", "inf", "-1", "0", "1e99", "1e-99"])
def test_an_absurd_rate_teaches_nothing_T29(limit: str) -> None:
    assert quota.parse_rate(limit) is None


class _Plan:
    """Amazon's bucket; a call is counted at any moment between grant and end."""

    def __init__(self, rate_per_s: float, burst: int) -> None:
        self.rate_per_s, self.burst = rate_per_s, burst
        self.tokens, self.at_s, self.refused = float(burst), 0.0, 0

    def count(self, at_s: float) -> None:
        self.tokens = min(self.burst, self.tokens + (at_s - self.at_s) * self.rate_per_s)
        self.at_s = at_s
        self.tokens -= 1
        self.refused += self.tokens < -ROUNDING


class _Replica:
    """Spends what it is granted at moments of chance, and tells of it late, twice, or never again."""

    def __init__(self, name: str) -> None:
        self.name, self.lease_no, self.known, self.ended, self.returned = name, 1, 0, 0, 0
        self.heard_s = 0.0
        self.open: list[bool] = []

    def ask(self, chance: random.Random) -> Ask:
        wants = chance.randrange(4)
        return ask(
            self.name,
            self.lease_no,
            known=self.known,
            ended=self.ended,
            returned=self.returned,
            people=chance.randrange(3),
            bulk=wants,
            devices=min(wants, 1),
            waited_s=chance.uniform(0, 2),
            ahead=chance.randrange(5),
            is_throttled=chance.random() < 0.02,
        )

    def hear(self, grant: Grant, at_s: float) -> None:
        self.heard_s = at_s
        if grant.is_ended:
            self.lease_no += 1
            self.known = self.ended = self.returned = 0
            self.open = []
        else:
            self.open += [False] * (grant.granted - self.known)
            self.known = grant.granted

    def act(self, plan: _Plan, at_s: float, chance: random.Random) -> None:
        """Make a call, end one, or give one back; nothing is sent when the lease is nearly over."""
        if not self.open:
            return
        index = chance.randrange(len(self.open))
        if not self.open[index] and at_s > self.heard_s + LEASE_S - 5.0:
            return
        if self.open[index]:
            self.open.pop(index)
            self.ended += 1
        elif chance.random() < 0.1:
            self.open.pop(index)
            self.returned += 1
        else:
            self.open[index] = True
            plan.count(at_s)


def open_of(bucket: Bucket, replica_id: str) -> int:
    """Return how many calls a replica may make still, or has under way, as far as storage knows."""
    return sum(lease.open for lease in bucket.leases if lease.replica_id == replica_id)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    rate_per_s=st.sampled_from([0.0056, 0.5, 5.0, 80.0]),
    burst=st.integers(1, 30),
    replicas=st.integers(1, 4),
)
def test_no_order_of_asking_dying_and_coming_back_exceeds_the_plan_or_loses_calls_for_good_R10_R12_R14(
    seed: int, rate_per_s: float, burst: int, replicas: int
) -> None:
    chance, now_s = random.Random(seed), 0.0
    bucket = Bucket.full(Quota("seller", Region.NA, "GET /x", rate_per_s, burst), 0.0)
    plan, names = _Plan(rate_per_s, burst), itertools.count()
    alive = [_Replica(str(next(names))) for _ in range(replicas)]
    late: Ask | None = None
    # By how much storage's clock was set back for good.
    behind_s = 0.0
    for _ in range(400):
        now_s += chance.expovariate(4 * rate_per_s)
        behind_s += 3_600.0 if chance.random() < 0.01 else 0.0
        replica = chance.choice(alive)
        match chance.randrange(20):
            case 0:
                alive[alive.index(replica)] = _Replica(str(next(names)))
            case 1:
                # Its answer is lost.
                bucket.exchange(replica.ask(chance), now_s - behind_s)
            case 2 if late is not None:
                bucket.exchange(late, now_s - behind_s)
            case 3:
                # Storage's clock was set back for a moment.
                replica.hear(bucket.exchange(replica.ask(chance), now_s - behind_s - LEASE_S), now_s)
            case 4 | 5 | 6 | 7:
                late = replica.ask(chance)
                replica.hear(bucket.exchange(late, now_s - behind_s), now_s)
                assert open_of(bucket, replica.name) == len(replica.open)
                assert bucket.left - bucket.open >= -2 * ROUNDING
            case _:
                replica.act(plan, now_s, chance)
    assert plan.refused == 0
    # Nothing refills before an exchange has shown that the clock was set back.
    bucket.exchange(ask("heir"), now_s - behind_s)
    full_again_s = now_s - behind_s + BEHIND_S_MAX + LEASE_S + burst / (rate_per_s * MARGIN * SHARE_MIN)
    assert bucket.exchange(ask("heir", people=burst), full_again_s).granted == burst
