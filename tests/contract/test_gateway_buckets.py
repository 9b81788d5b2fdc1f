"""What the store of shared buckets promises the gateway, on the fake and on Postgres."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

import chassis.db
import chassis.env
from fakes.clock import FakeClock
from fakes.gateway_buckets import FakeBuckets
from services.gateway.model.buckets import Ask, Grant
from services.gateway.model.calls import Region
from services.gateway.model.quota import Quota
from services.gateway.store import Store
from tests.conftest import PoolFor

BucketStore = FakeBuckets | Store

# Refills so slowly that a test's own time does not count.
SLOW = Quota("seller-1", Region.EU, "GET /orders/v0/orders", 0.0056, 20)
OTHER = SLOW._replace(seller_id="seller-2")
KEPT_BACK = 2


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def fake_store(clock: FakeClock) -> FakeBuckets:
    return FakeBuckets(clock)


@pytest.fixture
async def real_store(pool_for: PoolFor) -> Store:
    return Store(await pool_for("gateway"))


@pytest.fixture(params=["fake_store", "real_store"])
def store(request: pytest.FixtureRequest) -> BucketStore:
    made: BucketStore = request.getfixturevalue(request.param)
    return made


def ask(replica_id: str = "replica-1", lease_no: int = 1, *, people: int = 0, bulk: int = 0) -> Ask:
    return Ask(
        replica_id=replica_id,
        lease_no=lease_no,
        known=0,
        ended=0,
        returned=0,
        people=people,
        bulk=bulk,
        devices=1 if bulk else 0,
    )


async def told(store: BucketStore, one: Ask, quota: Quota = SLOW) -> Grant:
    return (await store.exchange({quota: one}))[quota]


async def test_a_bucket_begins_full_and_keeps_two_calls_back_for_people(store: BucketStore) -> None:
    bulk = await told(store, ask(bulk=100))
    assert (bulk.granted, bulk.kept_back) == (20 - KEPT_BACK, KEPT_BACK)
    assert (await told(store, ask("replica-2", people=5))).granted == KEPT_BACK
    assert (await told(store, ask("replica-3", people=1))).granted == 0


async def test_every_seller_has_a_bucket_of_its_own_T32(store: BucketStore) -> None:
    grants = await store.exchange({SLOW: ask(bulk=100), OTHER: ask(people=3)})
    assert (grants[SLOW].granted, grants[OTHER].granted) == (18, 3)


async def test_what_one_seller_spends_and_what_it_has_left_is_not_anothers_T32(store: BucketStore) -> None:
    assert (await told(store, ask(people=20))).granted == 20
    assert (await told(store, ask(people=3), OTHER)).granted == 3
    assert (await told(store, ask("replica-2", people=1))).granted == 0


async def test_totals_told_twice_count_once_and_a_lost_answer_is_told_again(store: BucketStore) -> None:
    await told(store, ask(people=3))
    again = await told(store, ask(people=0, bulk=1))
    assert again.granted == 4
    settled = replace(ask(bulk=100), known=4, ended=2, returned=1)
    once = await told(store, settled)
    twice = await told(store, replace(settled, bulk=0, devices=0))
    assert once.granted == twice.granted == 4 + (20 - 3 - KEPT_BACK)
    assert twice.left == pytest.approx(KEPT_BACK, abs=0.1)


async def test_what_is_given_back_is_there_for_another_replica(store: BucketStore) -> None:
    assert (await told(store, ask(people=20))).granted == 20
    assert (await told(store, ask("replica-2", people=1))).granted == 0
    over = await told(store, replace(ask(), known=20, returned=20))
    assert over.is_ended
    assert (await told(store, ask("replica-2", people=1))).granted == 1


async def test_a_lease_that_a_newer_one_of_its_replica_ended_counts_as_spent(store: BucketStore) -> None:
    await told(store, ask(lease_no=1, people=18))
    newer = await told(store, ask(lease_no=2, people=5))
    assert newer.granted == 2
    late = await told(store, replace(ask(lease_no=1, people=9), known=18, returned=18))
    assert late.is_ended
    assert (await told(store, ask("replica-2", people=9))).granted == 0


async def test_a_lower_rate_that_amazon_names_is_every_replicas(store: BucketStore) -> None:
    await told(store, replace(ask(people=1), named_rate_per_s=0.001))
    assert (await told(store, ask("replica-2", people=1))).rate_per_s == 0.001


async def test_a_higher_rate_that_amazon_names_is_approached_by_all_replicas_together(
    store: BucketStore,
) -> None:
    named = replace(ask(people=1), named_rate_per_s=5.0)
    first = await told(store, named)
    assert first.rate_per_s == pytest.approx(SLOW.rate_per_s * 2)
    assert (await told(store, replace(named, replica_id="replica-2"))).rate_per_s == first.rate_per_s


async def test_a_refusal_of_amazons_slows_every_replica_down_R07(store: BucketStore) -> None:
    before = await told(store, ask(people=1))
    await told(store, replace(ask(people=1), known=1, ended=1, is_throttled=True))
    other = await told(store, ask("replica-2", people=20))
    assert other.granted == 9 - 1
    assert other.pace_per_s == pytest.approx(before.pace_per_s * 0.85, rel=0.01)


async def test_replicas_that_ask_at_once_share_and_never_get_more_than_there_is(store: BucketStore) -> None:
    grants = await asyncio.gather(*(told(store, ask(f"replica-{one}", bulk=7)) for one in range(5)))
    assert sum(grant.granted for grant in grants) <= 18
    assert grants[0].granted > 0


async def test_nothing_that_was_used_today_is_forgotten(store: BucketStore) -> None:
    await told(store, ask(people=20))
    assert await store.forget_idle(10) == 0
    assert (await told(store, ask("replica-2", people=1))).granted == 0


async def test_a_bucket_that_nobody_used_for_a_day_leaves_nothing_behind(
    fake_store: FakeBuckets, clock: FakeClock, owner: chassis.db.Connection, real_store: Store
) -> None:
    await told(fake_store, ask(people=1))
    await told(real_store, ask(people=1))
    await told(real_store, ask(people=1), OTHER)
    await clock.advance(90_000.0)
    await owner.execute("UPDATE gateway.buckets SET counted_at = counted_at - interval '25 hours'")
    assert (await fake_store.forget_idle(10), await real_store.forget_idle(1)) == (1, 1)
    assert await owner.fetchval("SELECT count(*) FROM gateway.buckets") == 1


async def test_a_lease_ends_by_the_databases_clock_R14(
    owner: chassis.db.Connection, real_store: Store
) -> None:
    await told(real_store, ask(people=20))
    await owner.execute("UPDATE gateway.buckets SET leases = jsonb_set(leases, '{0,ends_at_s}', '0')")
    lost = await told(real_store, replace(ask(people=1), known=20, ended=1))
    assert lost.is_ended
    assert lost.left == pytest.approx(0.0, abs=0.1)


async def test_postgres_away_is_unavailable_and_comes_back_R05(fake_store: FakeBuckets) -> None:
    fake_store.is_down = True
    with pytest.raises(chassis.db.StoreUnavailable):
        await told(fake_store, ask(people=1))
    fake_store.is_down = False
    assert (await told(fake_store, ask(people=1))).granted == 1


async def test_the_gateways_role_may_not_change_whose_bucket_it_is(pool_for: PoolFor) -> None:
    pool = await pool_for("gateway")
    await told(Store(pool), ask(people=1))
    for statement in (
        "UPDATE gateway.buckets SET seller_id = 'x'",
        "UPDATE gateway.buckets SET burst = 100",
        "TRUNCATE gateway.buckets",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(statement)
