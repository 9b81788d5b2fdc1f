"""One replica's part of a bucket: never more than was granted, nothing lost, and what a long queue costs."""

import asyncio
import math
import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.gateway_ports import json_answer
from services.gateway.forward.rate_limiter.limiter import TICK_S, WAITING_PER_SELLER_MAX
from services.gateway.forward.rate_limiter.local_bucket import (
    GRANT_TTL_S,
    RENEW_S,
    REPORT_S,
    SEND_S_MAX,
    SPARE_S,
    LocalBucket,
    Reservation,
)
from services.gateway.forward.rate_limiter.wait_queue import FairQueue, Waiter
from services.gateway.model.buckets import LEASE_S, MARGIN, Ask, Bucket
from services.gateway.model.calls import Region, UpstreamAnswer
from services.gateway.model.faults import QuotaExceeded
from services.gateway.model.priority import Priority
from services.gateway.model.quota import RATE_LIMIT_HEADER, Quota

# Sums of fractions of a second.
ROUNDING = 1e-5
# More than anybody waits, and until a bucket is full again.
REST_S = 9.0
QUOTA = Quota("seller-1", Region.NA, "GET /orders/v0/orders", 5.0, 10)


class Walked(FairQueue):
    """Counts how often somebody goes through the waiters."""

    walks = 0

    def __iter__(self) -> Iterator[Waiter]:
        self.walks += 1
        return super().__iter__()


async def test_a_look_at_a_queue_of_people_goes_through_it_once_however_long_it_is_T32() -> None:
    bucket, loop = LocalBucket(QUOTA, 1, 0.0), asyncio.get_running_loop()
    ask = Ask(replica_id="r", lease_no=1, known=0, ended=0, returned=0)
    bucket.hear(ask, Bucket.full(QUOTA, 0.0).exchange(ask, 0.0), asked_s=0.0, lease_no=2)
    bucket.queue.people = people = Walked()
    futures: list[asyncio.Future[Reservation]] = []
    for number in range(WAITING_PER_SELLER_MAX):
        futures.append(loop.create_future())
        bucket.queue.push(
            Waiter(f"desk-{number}", Priority.INTERACTIVE, since_s=0.0, until_s=25.0, future=futures[-1])
        )
    bucket.refuse_late(1.0)
    assert people.walks == 1
    refused = [future.exception() for future in futures if future.done()]
    assert len(bucket.queue) == WAITING_PER_SELLER_MAX - len(refused) < WAITING_PER_SELLER_MAX


class Replica:
    """A local bucket that talks to storage's, as the rate limiter has it do."""

    def __init__(self, name: str, storage: Bucket, now_s: float) -> None:
        self.name = name
        self.storage = storage
        self.lease_no = 1
        self.bucket = LocalBucket(QUOTA, 1, now_s)
        self.futures: list[asyncio.Future[Reservation]] = []
        self.reserved: list[Reservation] = []

    def come(self, now_s: float, until_s: float, priority: Priority = Priority.BULK) -> None:
        """Have a call reserved, or wait."""
        reservation = self.bucket.reserve(now_s)
        if reservation is not None:
            self.reserved.append(reservation)
            return
        future: asyncio.Future[Reservation] = asyncio.get_running_loop().create_future()
        self.futures.append(future)
        self.bucket.queue.push(Waiter("desk", priority, since_s=now_s, until_s=until_s, future=future))
        self.bucket.hurry(now_s)

    def look(self, now_s: float, *, is_heard: bool = True) -> None:
        """Talk to storage when something is due; an answer may be lost on its way back."""
        self.bucket.refuse_late(now_s)
        if self.bucket.is_due(now_s):
            ask = self.bucket.ask(self.name, now_s)
            grant = self.storage.exchange(ask, now_s)
            if is_heard:
                self.lease_no += 1
                self.bucket.hear(ask, grant, asked_s=now_s, lease_no=self.lease_no)
                assert grant.is_ended or self.open == self.open_in_storage
                self.bucket.serve(now_s)
                self.bucket.schedule(now_s)
        self.reserved += [future.result() for future in self.futures if is_served(future)]
        self.futures = [future for future in self.futures if not future.done()]

    def end(self, number: int, *, is_spent: bool) -> None:
        """Have a reserved call made, or given back."""
        if self.reserved:
            _, lease_no = self.reserved.pop(number % len(self.reserved))
            self.bucket.settle(lease_no, is_spent=is_spent)

    @property
    def open(self) -> int:
        """How many calls it has of its lease."""
        ask = self.bucket.ask(self.name, 0.0)
        return ask.known - ask.ended - ask.returned

    @property
    def open_in_storage(self) -> int:
        return sum(lease.open for lease in self.storage.leases if lease.replica_id == self.name)


def is_served(future: asyncio.Future[Reservation]) -> bool:
    return future.done() and future.exception() is None


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), replicas=st.integers(1, 3), lost=st.sampled_from([0.0, 0.2]))
async def test_a_replica_and_storage_agree_on_what_it_has_and_nothing_is_lost_for_long_R12_R23(
    seed: int, replicas: int, lost: float
) -> None:
    chance, now_s, storage = random.Random(seed), 0.0, Bucket.full(QUOTA, 0.0)
    all_of_them = [Replica(f"replica-{number}", storage, now_s) for number in range(replicas)]
    for _ in range(150):
        now_s += chance.choice([0.0, 0.05, 0.3, 1.1, 6.0]) * chance.random()
        replica = chance.choice(all_of_them)
        match chance.randrange(6):
            case 0 | 1:
                replica.come(now_s, now_s + chance.uniform(0.0, 4.0), chance.choice(list(Priority)))
            case 2:
                replica.end(chance.randrange(10), is_spent=chance.random() < 0.7)
            case _:
                replica.look(now_s, is_heard=chance.random() >= lost)
        assert storage.open <= storage.left + ROUNDING
    # All of them come to rest: who waits is served or refused, and gives back. What was lost ends by itself.
    for _ in range(math.ceil(((LEASE_S if lost else 0.0) + REST_S) / TICK_S)):
        now_s += TICK_S
        for replica in all_of_them:
            replica.look(now_s)
            while replica.reserved:
                replica.end(0, is_spent=False)
    assert all(replica.bucket.is_idle for replica in all_of_them)
    heir = Ask(replica_id="heir", lease_no=1, known=0, ended=0, returned=0, people=QUOTA.burst)
    assert storage.exchange(heir, now_s).granted == QUOTA.burst


async def granted(calls: int) -> Replica:
    """Return a replica with so many free calls, granted at second 0."""
    replica = Replica("replica", Bucket.full(QUOTA, 0.0), 0.0)
    for _ in range(calls):
        replica.come(0.0, 25.0)
    replica.look(0.0)
    for _ in range(calls):
        replica.end(0, is_spent=False)
    return replica


async def test_what_was_granted_is_reserved_and_sent_in_its_time_or_never_R12_R14() -> None:
    bucket = (await granted(2)).bucket
    assert bucket.reserve(GRANT_TTL_S + 0.1) is None
    reservation = bucket.reserve(GRANT_TTL_S)
    assert reservation is not None
    assert SEND_S_MAX < LEASE_S
    assert bucket.is_good(reservation[1], SEND_S_MAX)
    assert not bucket.is_good(reservation[1], SEND_S_MAX + 0.1)


async def test_what_nobody_uses_is_given_back_soon() -> None:
    replica = await granted(2)
    replica.look(SPARE_S)
    assert (replica.open, replica.storage.open) == (2, 2)
    replica.look(SPARE_S + REPORT_S)
    assert (replica.open, replica.storage.open) == (0, 0)


async def test_no_call_is_spent_on_somebody_who_has_left() -> None:
    replica = Replica("replica", Bucket.full(QUOTA, 0.0), 0.0)
    replica.come(0.0, 25.0)
    replica.futures[0].cancel()
    ask = replica.bucket.ask("replica", 0.0)
    replica.bucket.hear(ask, replica.storage.exchange(ask, 0.0), asked_s=0.0, lease_no=2)
    replica.bucket.serve(0.0)
    assert not replica.bucket.queue
    assert replica.bucket.reserve(0.0) is not None


async def test_a_call_that_is_long_under_way_keeps_its_lease() -> None:
    replica = Replica("replica", Bucket.full(QUOTA, 0.0), 0.0)
    replica.come(0.0, 25.0)
    for second in range(0, 60, int(RENEW_S)):
        replica.look(float(second))
    assert replica.storage.open == 1
    assert replica.bucket.is_good(1, 57.0)


async def test_a_refusal_of_amazons_takes_what_is_free_and_is_told_once() -> None:
    replica = await granted(3)
    replica.bucket.learn(json_answer(b"{}", 429))
    assert replica.bucket.reserve(0.0) is None
    for moment_s in (0.1, 1.2, 2.3):
        replica.look(moment_s)
    assert replica.storage.pace_per_s(2.3) > QUOTA.rate_per_s * MARGIN * 0.8


async def test_a_rate_is_believed_until_amazon_names_another() -> None:
    replica = await granted(1)
    for headers in ([(RATE_LIMIT_HEADER, "2.0")], [], [(RATE_LIMIT_HEADER, "fast")]):
        replica.bucket.learn(UpstreamAnswer(200, headers, b"{}"))
        assert replica.bucket.ask("replica", 0.0).named_rate_per_s == 2.0


async def test_who_waits_is_refused_when_a_call_comes_too_late_counted_from_storages_last_answer() -> None:
    slow = QUOTA._replace(rate_per_s=0.1, burst=1)
    replica = Replica("replica", Bucket.full(slow, 0.0), 0.0)
    replica.come(0.0, 25.0)
    replica.look(0.0)
    replica.end(0, is_spent=True)
    replica.look(REPORT_S)
    refill_s = 1 / (0.1 * MARGIN)
    replica.come(0.3, REPORT_S + refill_s + 0.1)
    replica.come(0.3, REPORT_S + 2 * refill_s - 0.1)
    replica.bucket.refuse_late(5.0)
    next_one, late = replica.futures
    assert not next_one.done()
    refusal = late.exception()
    assert isinstance(refusal, QuotaExceeded)
    assert refusal.retry_after_s == pytest.approx(REPORT_S + 2 * refill_s - 5.0)
