"""One replica's part of a bucket: what a look at a long queue costs."""

import asyncio
from collections.abc import Iterator

from services.gateway.forward.rate_limiter.limiter import WAITING_PER_SELLER_MAX
from services.gateway.forward.rate_limiter.local_bucket import LocalBucket, Reservation
from services.gateway.forward.rate_limiter.wait_queue import FairQueue, Waiter
from services.gateway.model.buckets import Ask, Bucket
from services.gateway.model.calls import Region
from services.gateway.model.priority import Priority
from services.gateway.model.quota import Quota


class Walked(FairQueue):
    """Counts how often somebody goes through the waiters."""

    walks = 0

    def __iter__(self) -> Iterator[Waiter]:
        self.walks += 1
        return super().__iter__()


async def test_a_look_at_a_queue_of_people_goes_through_it_once_however_long_it_is_T32() -> None:
    quota = Quota("seller-1", Region.NA, "GET /orders/v0/orders", 5.0, 10)
    bucket, loop = LocalBucket(quota, 1, 0.0), asyncio.get_running_loop()
    ask = Ask(replica_id="r", lease_no=1, known=0, ended=0, returned=0)
    bucket.hear(ask, Bucket.full(quota, 0.0).exchange(ask, 0.0), asked_s=0.0, lease_no=2)
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
