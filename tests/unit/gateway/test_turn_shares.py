"""One replica's share of a bucket: what a look at a long line costs."""

import asyncio
from collections.abc import Iterator

from services.gateway.forward.turns import WAITING_PER_SELLER_MAX
from services.gateway.forward.turns.line import Round, Waiter
from services.gateway.forward.turns.share import Share
from services.gateway.model.buckets import Ask, Bucket
from services.gateway.model.calls import Region
from services.gateway.model.priority import Priority
from services.gateway.model.quota import Budget


class Walked(Round):
    """Counts how often somebody goes through the waiters."""

    walks = 0

    def __iter__(self) -> Iterator[Waiter]:
        self.walks += 1
        return super().__iter__()


async def test_a_look_at_a_line_of_people_goes_through_it_once_however_long_it_is_T32() -> None:
    budget = Budget("seller-1", Region.NA, "GET /orders/v0/orders", 5.0, 10)
    share, loop = Share(budget, 1, 0.0), asyncio.get_running_loop()
    ask = Ask(replica_id="r", lease_no=1, known=0, ended=0, returned=0)
    share.hear(ask, Bucket.full(budget, 0.0).exchange(ask, 0.0), asked_s=0.0, lease_no=2)
    share.line.people = people = Walked()
    fates: list[asyncio.Future[tuple[Share, int]]] = []
    for number in range(WAITING_PER_SELLER_MAX):
        fates.append(loop.create_future())
        share.line.push(
            Waiter(f"desk-{number}", Priority.INTERACTIVE, since_s=0.0, until_s=25.0, fate=fates[-1])
        )
    share.refuse_late(1.0)
    assert people.walks == 1
    refused = [fate.exception() for fate in fates if fate.done()]
    assert len(share.line) == WAITING_PER_SELLER_MAX - len(refused) < WAITING_PER_SELLER_MAX
