"""Token buckets: never more than Amazon's plan allows, and no turn wasted."""

import asyncio
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fakes.clock import FakeClock
from fakes.gateway_ports import FakeForwardSignals, json_answer
from services.gateway.forward.turns import WAITING_PER_SELLER_MAX, Turns
from services.gateway.model.calls import Region
from services.gateway.model.faults import QuotaExceeded
from services.gateway.model.quota import Bucket, Budget

BUDGET = Budget("seller", Region.NA, "GET /x", 0.5, 3)
EPSILON_S = 1e-6


def test_a_full_bucket_allows_its_burst_and_then_one_call_per_refill() -> None:
    bucket = Bucket(0.5, 3)
    for _ in range(3):
        assert bucket.wait_s(0.0) == 0
        bucket = bucket.taken(0.0, 0.0)
    assert bucket.wait_s(0.0) == 2.0
    assert bucket.wait_s(2.0) == 0.0


def test_a_turn_too_far_away_is_refused_and_says_when_to_come_back() -> None:
    bucket = Bucket(0.01, 1).taken(0.0, 0.0)
    with pytest.raises(QuotaExceeded) as refusal:
        bucket.taken(0.0, 25.0)
    assert refusal.value.retry_after_s == 100.0
    assert refusal.value.rate_per_s == 0.01


def test_a_refusal_where_calls_were_left_halves_them() -> None:
    bucket = Bucket(0.01, 20).throttled(7.0)
    for _ in range(10):
        assert bucket.wait_s(7.0) == 0.0
        bucket = bucket.taken(7.0, 0.0)
    assert bucket.wait_s(7.0) == pytest.approx(100.0)


def test_a_refusal_where_none_was_left_puts_the_next_turn_one_refill_away() -> None:
    bucket = Bucket(0.5, 1).taken(7.0, 0.0).throttled(7.0)
    assert bucket.wait_s(7.0) == pytest.approx(2.0)


def test_a_learned_rate_keeps_what_is_left() -> None:
    bucket = Bucket(1.0, 10)
    for _ in range(10):
        bucket = bucket.taken(0.0, 0.0)
    faster = bucket.learned("4.0", 0.0)
    assert faster.rate_per_s == 4.0
    assert faster.wait_s(0.0) == pytest.approx(0.25)


@pytest.mark.parametrize("limit", ["", "fast", "nan", "inf", "-1", "0", "1e99", "1e-99"])
def test_an_absurd_rate_teaches_nothing_T29(limit: str) -> None:
    bucket = Bucket(1.0, 10)
    assert bucket.learned(limit, 0.0) == bucket


class OneBucket(RuleBasedStateMachine):
    """Calls at any times; in no stretch of time more than burst + rate x stretch may be let through."""

    def __init__(self) -> None:
        super().__init__()
        self.bucket = Bucket(0.5, 4)
        self.now_s = 0.0
        self.turns_s: list[float] = []

    @rule(gap_s=st.floats(0.0, 30.0))
    def time_passes(self, gap_s: float) -> None:
        self.now_s += gap_s

    @precondition(lambda self: len(self.turns_s) < 60)
    @rule(patience_s=st.floats(0.0, 25.0))
    def someone_calls(self, patience_s: float) -> None:
        wait_s = self.bucket.wait_s(self.now_s)
        if wait_s > patience_s:
            with pytest.raises(QuotaExceeded) as refusal:
                self.bucket.taken(self.now_s, patience_s)
            assert refusal.value.retry_after_s == wait_s
            return
        self.bucket = self.bucket.taken(self.now_s, patience_s)
        self.turns_s.append(self.now_s + wait_s)

    @invariant()
    def amazon_would_allow_every_turn(self) -> None:
        for first, start_s in enumerate(self.turns_s):
            for count, end_s in enumerate(self.turns_s[first:], start=1):
                assert count <= 4 + 0.5 * (end_s - start_s) + EPSILON_S

    @invariant()
    def turns_come_in_the_order_of_asking(self) -> None:
        assert self.turns_s == sorted(self.turns_s)


TestOneBucket = OneBucket.TestCase
TestOneBucket.settings = settings(deadline=None)


@settings(deadline=None)
@given(st.floats(0.001, 100.0), st.integers(1, 100), st.floats(0.0, 1e5))
def test_an_idle_bucket_is_full(rate_per_s: float, burst: int, now_s: float) -> None:
    bucket = Bucket(rate_per_s, burst)
    for _ in range(burst):
        assert bucket.wait_s(now_s) == 0.0
        bucket = bucket.taken(now_s, math.inf)
    assert bucket.wait_s(now_s) > 0


async def test_callers_wait_their_turn_within_their_deadline() -> None:
    clock, signals = FakeClock(), FakeForwardSignals()
    turns = Turns(clock=clock, signals=signals)
    for _ in range(3):
        await turns.take(BUDGET, until_s=25.0)
    waiting = asyncio.create_task(turns.take(BUDGET, until_s=25.0))
    await clock.advance(1.9)
    assert not waiting.done()
    await clock.advance(0.2)
    assert waiting.done()
    assert signals.waits_s == [2.0]


async def test_another_seller_has_a_budget_of_its_own_T32() -> None:
    turns = Turns(clock=FakeClock(), signals=FakeForwardSignals())
    for _ in range(3):
        await turns.take(BUDGET, until_s=0.0)
    with pytest.raises(QuotaExceeded):
        await turns.take(BUDGET, until_s=1.0)
    await turns.take(Budget("other", Region.NA, "GET /x", 0.5, 3), until_s=0.0)


async def test_repeated_429s_of_amazons_empty_the_bucket_R07() -> None:
    turns = Turns(clock=FakeClock(), signals=FakeForwardSignals())
    for _ in range(2):
        turns.learn(BUDGET, json_answer(b"{}", 429))
    with pytest.raises(QuotaExceeded):
        await turns.take(BUDGET, until_s=1.9)
    assert turns.exceeded(BUDGET).retry_after_s == pytest.approx(2.0)


async def test_one_sellers_queue_is_bounded_R23_T32() -> None:
    clock = FakeClock()
    turns = Turns(clock=clock, signals=FakeForwardSignals())
    fast = Budget("seller", Region.NA, "GET /fast", 100.0, 1)
    crowd = [asyncio.create_task(turns.take(fast, until_s=25.0)) for _ in range(WAITING_PER_SELLER_MAX + 1)]
    await clock.advance(0.0)
    with pytest.raises(QuotaExceeded):
        await turns.take(fast, until_s=25.0)
    await clock.advance(10.0)
    await asyncio.gather(*crowd)
    await turns.take(fast, until_s=25.0)
