"""Rate limiters of several replicas: never above the plan, nobody starves, people first, nothing wasted."""

import asyncio
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.clock import FakeClock
from services.gateway.forward.rate_limiter.limiter import (
    AWAY_S_MAX,
    WAITING_PER_DEVICE_MAX,
    WAITING_PER_SELLER_MAX,
    Permit,
    RateLimiter,
)
from services.gateway.model.application_policy import Share
from services.gateway.model.buckets import LEASE_S, QuotaUnavailable
from services.gateway.model.calls import Region
from services.gateway.model.faults import QuotaExceeded
from services.gateway.model.fields import Fields
from services.gateway.model.priority import CLICK_REFILLS, CLICK_S, CLICKS_MAX, Clicks, Priority, stated
from services.gateway.model.quota import APPLICATION_BURST, PermitRequest, Quota
from tests.unit.gateway.quota_world import Amazon, Replica, World, world

OTHER = Quota("other", Region.NA, "GET /orders/v0/orders", 20.0, 20)


async def take(limiter: RateLimiter, world: World, device_id: str = "desk", **rest: object) -> None:
    """Spend one call; it ends at once."""
    request = PermitRequest(device_id, (rest.pop("quota", world.quota),), Priority.BULK)  # type: ignore[arg-type]
    until_s = float(rest.pop("until_s", 25.0))  # type: ignore[arg-type]
    shift_s = world.replicas[0].clock.monotonic_s() - world.clock.monotonic_s()
    with await limiter.acquire(request, until_s=shift_s + until_s) as permit:
        permit.spend()


async def called(at: World, replica: Replica) -> bool:
    """Make one call, letting time pass as long as it takes."""
    calling = asyncio.create_task(at.call(replica, "desk"))
    while not calling.done():
        await at.clock.advance(0.1)
    return calling.result()


@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 1000),
    rate_per_s=st.sampled_from([0.1, 0.5, 3.0, 20.0]),
    spare=st.integers(3, 10),
)
async def test_the_plan_is_kept_and_used_up_while_replicas_die_R10_R12_R14(
    seed: int, rate_per_s: float, spare: int
) -> None:
    burst = int(rate_per_s) + spare
    at = world(rate_per_s, burst, seed=seed)
    for desk in range(6):
        at.put(f"desk-{desk}", lambda: 0.0, Priority.BULK)
    at.put("person", lambda: at.chance.uniform(0.5, 3.0) * max(1.0, 5 / rate_per_s), Priority.INTERACTIVE)
    length_s = min(100.0, 200 / rate_per_s)
    for part in range(4):
        await at.clock.advance(length_s / 4)
        if part == 1:
            await at.replicas[0].kill()
            at.replicas.append(Replica(at, 500.0, seed + 77))
            for desk in range(2):
                at.put(f"desk-{desk}", lambda: 0.0, Priority.BULK)
    lost = burst + 2 * rate_per_s
    await at.end()
    assert at.amazon.refused == 0
    assert at.amazon.done >= 0.95 * (burst + rate_per_s * length_s) - lost


async def test_with_demand_at_least_97_parts_of_100_of_the_plan_are_used() -> None:
    at = world(20.0, 20)
    for desk in range(12):
        at.put(f"desk-{desk}", lambda: 0.0, Priority.BULK)
    await at.clock.advance(60.0)
    await at.end()
    assert at.amazon.refused == 0
    assert at.amazon.done >= 0.97 * (20 + 20.0 * 60)
    calls = [len(waits) for waits in at.waits_s.values()]
    assert min(calls) > 0.5 * statistics.mean(calls)


async def test_a_person_hardly_waits_while_others_work_through_lists_T32() -> None:
    at = world(3.0, 9)
    for desk in range(12):
        at.put(f"desk-{desk}", lambda: 0.0, Priority.BULK)
    at.put("person", lambda: 5.5)
    await at.clock.advance(60.0)
    await at.end()
    assert len(at.waits_s["person"]) >= 10
    assert max(at.waits_s["person"]) <= 1.0
    assert max(map(max, at.waits_s.values())) > 1.0


async def test_a_bucket_of_one_call_each_three_minutes_goes_to_whoever_waits() -> None:
    at = world(0.0056, 1)
    assert await called(at, at.replicas[0])
    await at.clock.advance(165.0)
    assert await called(at, at.replicas[1])
    await at.end()
    assert at.amazon.refused == 0
    assert max(at.waits_s["desk"]) > 10.0


async def test_one_seller_s_flood_leaves_another_s_calls_alone_R23_T32() -> None:
    at = world(1.0, 1, replicas=1)
    limiter = at.replicas[0].limiter
    flood = [
        asyncio.create_task(take(limiter, at, f"desk-{n % 10}", until_s=1e6))
        for n in range(WAITING_PER_SELLER_MAX + 40)
    ]
    await at.clock.advance(0.0)
    await at.clock.advance(0.2)
    assert sum(task.done() for task in flood) >= 39
    await asyncio.wait_for(take(limiter, at, "calm", quota=OTHER), 5.0)
    for task in flood:
        task.cancel()
    refused = [each for each in await asyncio.gather(*flood, return_exceptions=True) if each]
    assert sum(isinstance(each, QuotaExceeded) for each in refused) >= 39
    await at.end()


async def test_one_device_may_not_fill_its_sellers_queue_R23() -> None:
    at = world(0.5, 1, replicas=1)
    limiter = at.replicas[0].limiter
    flood = [
        asyncio.create_task(take(limiter, at, "greedy", until_s=1e6))
        for _ in range(WAITING_PER_DEVICE_MAX + 5)
    ]
    calm = asyncio.create_task(take(limiter, at, "calm", until_s=1e6))
    await at.clock.advance(4.5)
    assert calm.done()
    assert sum(task.done() for task in flood) <= 8
    for task in flood:
        task.cancel()
    await asyncio.gather(*flood, return_exceptions=True)
    await at.end()


async def test_a_call_that_would_wait_too_long_is_refused_at_once_and_says_when_to_come_back() -> None:
    at = world(0.01, 1, replicas=1)
    limiter = at.replicas[0].limiter
    await take(limiter, at)
    with pytest.raises(QuotaExceeded) as refusal:
        await take(limiter, at)
    assert refusal.value.rate_per_s == 0.01
    assert refusal.value.retry_after_s == pytest.approx(101.0, rel=0.02)
    assert at.clock.monotonic_s() == 0.0
    await at.end()


async def test_a_call_whose_client_went_away_gives_its_permit_back() -> None:
    at = world(0.1, 1, replicas=1)
    limiter = at.replicas[0].limiter
    holding, held = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        with await limiter.acquire(PermitRequest("gone", (at.quota,)), until_s=1e6):
            held.set()
            await holding.wait()

    holder = asyncio.create_task(hold())
    await held.wait()
    waiting = asyncio.create_task(take(limiter, at, until_s=25.0))
    await at.clock.advance(0.0)
    holder.cancel()
    await at.clock.advance(0.1)
    assert waiting.done()
    await waiting
    await at.end()


@pytest.mark.parametrize(("is_away", "until_s"), [(False, 25.0), (True, 1e6)])
@pytest.mark.parametrize("turns", range(4))
async def test_whoever_leaves_while_being_refused_ends_no_task_of_the_process_R05_R23(
    is_away: bool, until_s: float, turns: int
) -> None:
    at = world(0.1, 1, replicas=1)
    (replica,) = at.replicas
    await take(replica.limiter, at)
    leaving = asyncio.create_task(take(replica.limiter, at, until_s=until_s))
    await at.clock.advance(0.1)
    at.store.is_down = is_away
    await at.clock.advance(AWAY_S_MAX + 1.0)
    at.clock.pass_(30.0)
    for _ in range(turns):
        await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    await at.clock.advance(1.0)
    assert not any(task.done() for task in replica.tasks)
    await at.end()


@pytest.mark.parametrize("turns", range(6))
async def test_whoever_leaves_while_being_served_leaves_the_call_to_the_next_R23(turns: int) -> None:
    at = world(0.1, 1, replicas=1)
    limiter = at.replicas[0].limiter
    await take(limiter, at)
    leaving = asyncio.create_task(take(limiter, at))
    await at.clock.advance(10.0)
    assert not leaving.done()
    at.clock.pass_(0.5)
    for _ in range(turns):
        await asyncio.sleep(0)
    is_served = leaving.done()
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    coming = asyncio.create_task(take(limiter, at, until_s=1e6))
    await at.clock.advance(11.0 if is_served else 1.0)
    assert coming.done()
    await coming
    await at.end()


async def test_whoever_leaves_while_storage_answers_leaves_the_call_to_the_next_R23() -> None:
    at = world(0.0056, 1, replicas=1)
    limiter, at.store.answer_s = at.replicas[0].limiter, 0.5
    leaving = asyncio.create_task(take(limiter, at))
    await at.clock.advance(0.1)
    assert at.store.exchanges == 1
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    await at.clock.advance(0.5)
    at.store.answer_s = 0.0
    coming = asyncio.create_task(take(limiter, at))
    await at.clock.advance(1.0)
    assert coming.done()
    await coming
    await at.end()


async def test_whoever_leaves_makes_room_for_others_who_wait_R23() -> None:
    at = world(0.1, 1, replicas=1)
    limiter = at.replicas[0].limiter
    for _ in range(2):
        flood = [asyncio.create_task(take(limiter, at, until_s=1e6)) for _ in range(WAITING_PER_DEVICE_MAX)]
        await at.clock.advance(0.1)
        assert sum(task.done() for task in flood) <= 1
        for task in flood:
            task.cancel()
        await asyncio.gather(*flood, return_exceptions=True)
    assert not limiter._waiting_by_seller
    await at.end()


async def test_how_long_calls_waited_shows() -> None:
    at = world(0.1, 1, replicas=1)
    limiter = at.replicas[0].limiter
    await take(limiter, at)
    waiting = asyncio.create_task(take(limiter, at))
    await at.clock.advance(11.0)
    await waiting
    assert [wait_s for _, wait_s in at.replicas[0].signals.waits_s] == [0.0, pytest.approx(10.3, abs=0.2)]
    await at.end()


async def test_while_storage_is_away_what_is_granted_is_spent_and_then_it_is_said_R05() -> None:
    at = world(20.0, 20, replicas=1)
    limiter = at.replicas[0].limiter
    await take(limiter, at)
    at.store.is_down = True
    waiting = asyncio.create_task(take(limiter, at, until_s=25.0))
    await at.clock.advance(AWAY_S_MAX - 0.5)
    assert not waiting.done()
    await at.clock.advance(2.0)
    with pytest.raises(QuotaUnavailable) as refusal:
        await waiting
    assert (refusal.value.code, refusal.value.retry_after_s) == ("store_unavailable", AWAY_S_MAX)
    with pytest.raises(QuotaUnavailable):
        await take(limiter, at)
    at.store.is_down = False
    await at.clock.advance(LEASE_S)
    await asyncio.wait_for(take(limiter, at, until_s=1e6), 5.0)
    assert at.replicas[0].signals.side_failures == [("quota", "store_unavailable")]
    await at.end()


async def test_permits_are_given_again_once_storage_is_back_though_nothing_was_granted_before_R05() -> None:
    at = world(20.0, 20, replicas=1)
    limiter = at.replicas[0].limiter
    at.store.is_down = True
    waiting = asyncio.create_task(take(limiter, at))
    await at.clock.advance(AWAY_S_MAX + 1.0)
    with pytest.raises(QuotaUnavailable):
        await waiting
    at.store.is_down = False
    calling = asyncio.create_task(take(limiter, at, until_s=1e6))
    await at.clock.advance(1.0)
    await asyncio.wait_for(calling, 5.0)
    await at.end()


async def test_a_busy_replica_asks_storage_much_less_often_than_it_calls() -> None:
    at = world(1000.0, 1000, replicas=1)
    for _ in range(400):
        await take(at.replicas[0].limiter, at, until_s=1e9)
        await at.clock.advance(0.01, turns=1)
    assert at.store.exchanges < 200
    await at.end()


async def test_nothing_is_left_of_a_bucket_that_nobody_uses() -> None:
    at = world(20.0, 20, replicas=2)
    await take(at.replicas[0].limiter, at)
    await at.clock.advance(3.0)
    (bucket,) = at.store.buckets.values()
    assert bucket.leases == []
    asked = at.store.exchanges
    await at.clock.advance(60.0)
    assert at.store.exchanges == asked
    await at.end()


async def test_somebody_else_who_spends_the_plan_slows_all_replicas_down_R07() -> None:
    at = world(20.0, 20)
    for desk in range(6):
        at.put(f"desk-{desk}", lambda: 0.0, Priority.BULK)
    await at.clock.advance(5.0)
    for _ in range(60):
        at.amazon.count()
        await at.clock.advance(0.1)
    refused = sum(replica.signals.throttlings for replica in at.replicas)
    done = at.amazon.done
    await at.clock.advance(30.0)
    await at.end()
    assert 0 < refused < 40
    assert at.amazon.done - done > 0.4 * 20 * 30


async def test_a_plan_that_grows_is_followed_and_one_that_shrinks_is_kept() -> None:
    quota = Quota("seller", Region.NA, "GET /x", 1.0, 20)
    at = World(quota, Amazon(FakeClock(), 20.0, 20), replicas=2)
    for desk in range(6):
        at.put(f"desk-{desk}", lambda: 0.0, Priority.BULK)
    await at.clock.advance(20.0)
    grown = at.amazon.done
    await at.clock.advance(10.0)
    assert at.amazon.done - grown > 180
    at.amazon.rate_per_s = 2.0
    await at.clock.advance(20.0)
    await at.end()
    assert at.amazon.refused < 40


async def test_a_rate_that_fell_stays_whatever_a_replica_was_told_before_and_nothing_is_left_there() -> None:
    at = world(20.0, 20, replicas=2)
    idle, busy = at.replicas
    with await idle.limiter.acquire(PermitRequest("desk", (at.quota,)), until_s=1e6):
        assert await called(at, idle)
        at.amazon.rate_per_s = 2.0
        assert await called(at, busy)
        await at.clock.advance(5.0)
    (bucket,) = at.store.buckets.values()
    rates = []
    for _ in range(20):
        await at.clock.advance(0.5)
        assert await called(at, busy)
        rates.append(bucket.rate_per_s)
    assert set(rates) == {2.0}
    await at.clock.advance(3.0)
    asked = at.store.exchanges
    await at.clock.advance(60.0)
    assert at.store.exchanges == asked
    await at.end()


async def test_nobody_is_sent_away_for_minutes_while_a_much_higher_rate_is_approached() -> None:
    quota = Quota("seller", Region.NA, "GET /x", 0.0167, 20)
    at = World(quota, Amazon(FakeClock(), 20.0, 20), replicas=2)
    for desk in range(20):
        at.put(f"desk-{desk}", lambda: 0.0, Priority.BULK)
    await at.clock.advance(20.0)
    known = at.amazon.done
    await at.clock.advance(5.0)
    await at.end()
    assert at.amazon.done - known > 90
    assert at.amazon.refused == 0
    assert len(at.refusals) <= 5


async def test_a_call_that_is_free_is_had_at_once_and_never_past_somebody_who_waits() -> None:
    at = world(0.1, 1, replicas=1)
    limiter = at.replicas[0].limiter

    async def asked(device_id: str) -> asyncio.Task[Permit]:
        task = asyncio.create_task(limiter.acquire(PermitRequest(device_id, (at.quota,)), until_s=1e6))
        await asyncio.sleep(0)
        return task

    with await limiter.acquire(PermitRequest("one", (at.quota,)), until_s=1e6):
        pass
    first, second = await asked("one"), await asked("two")
    assert (first.done(), second.done()) == (True, False)
    with first.result():
        pass
    third = await asked("three")
    assert (second.done(), third.done()) == (True, False)
    with second.result() as permit:
        permit.spend()
    last = await asked("one")
    assert (third.done(), last.done()) == (False, False)
    third.cancel()
    last.cancel()
    await asyncio.gather(third, last, return_exceptions=True)
    await at.end()


async def test_the_tightest_of_two_quotas_wins() -> None:
    at = world(100.0, 100, replicas=1)
    of_all = Quota("", Region.NA, "GET /orders/v0/orders", 1.0, APPLICATION_BURST)
    request = PermitRequest("desk", (at.quota, of_all), Priority.INTERACTIVE)
    limiter = at.replicas[0].limiter
    for _ in range(APPLICATION_BURST):
        with await limiter.acquire(request, until_s=1e6) as permit:
            permit.spend()
    with pytest.raises(QuotaExceeded) as refusal:
        await limiter.acquire(request, until_s=at.replicas[0].clock.monotonic_s() + 0.5)
    assert refusal.value.rate_per_s == 1.0
    await at.end()


@pytest.mark.parametrize(
    ("headers", "names", "expected"),
    [
        ([("x-sallyport-priority", "Bulk")], [], Priority.BULK),
        ([("x-sallyport-priority", "interactive")], ["NextToken"], Priority.INTERACTIVE),
        ([("x-sallyport-priority", "urgent")], [], None),
        ([], ["MarketplaceIds", "NextToken"], Priority.BULK),
        ([], ["pageToken"], Priority.BULK),
        ([], ["MarketplaceIds"], None),
    ],
)
def test_a_call_states_its_priority_by_header_or_by_turning_pages(
    headers: list[tuple[str, str]], names: list[str], expected: Priority | None
) -> None:
    assert stated(Fields(headers), names) == expected


async def test_a_device_that_calls_often_is_not_taken_for_a_person() -> None:
    at = world(100.0, 100, replicas=1)
    for _ in range(CLICKS_MAX + 3):
        assert await called(at, at.replicas[0])
    priorities = [priority for priority, _ in at.replicas[0].signals.waits_s]
    assert priorities == [Priority.INTERACTIVE] * CLICKS_MAX + [Priority.BULK] * 3
    await at.end()


@pytest.mark.parametrize(("rate_per_s", "click_s"), [(100.0, CLICK_S), (0.1, CLICK_REFILLS / 0.1)])
def test_a_persons_clicks_come_back_one_by_one_and_never_more_than_at_first(
    rate_per_s: float, click_s: float
) -> None:
    clicks, now_s = Clicks(CLICKS_MAX, 0.0), 0.0
    for quiet_clicks, back in ((0, CLICKS_MAX), (1, 1), (2, 2), (100, CLICKS_MAX)):
        now_s += quiet_clicks * click_s
        made = [clicks.spend(now_s, rate_per_s=rate_per_s) for _ in range(CLICKS_MAX + 1)]
        assert made == [number < back for number in range(CLICKS_MAX + 1)]
        assert not clicks.spend(now_s + 0.9 * click_s, rate_per_s=rate_per_s)


async def test_a_policys_share_leaves_people_what_jobs_may_not_use_T32() -> None:
    at = world(10.0, 20, replicas=1)
    shares = {Priority.BULK: Share(of_plan=0.5, of_device=0.25), Priority.INTERACTIVE: Share()}
    limiter = at.replicas[0].limiter

    async def bulk(device_id: str) -> None:
        request = PermitRequest(device_id, (at.quota,), Priority.BULK, shares)
        with await limiter.acquire(request, until_s=at.replicas[0].clock.monotonic_s() + 0.01) as permit:
            permit.spend()

    for _ in range(4):
        await bulk("one")
    with pytest.raises(QuotaExceeded):
        await bulk("one")
    for device_id in ("two", "two", "two", "three"):
        await bulk(device_id)
    with pytest.raises(QuotaExceeded):
        await bulk("three")
    request = PermitRequest("person", (at.quota,), Priority.INTERACTIVE, shares)
    with await limiter.acquire(request, until_s=1e6) as permit:
        permit.spend()
    await at.end()
