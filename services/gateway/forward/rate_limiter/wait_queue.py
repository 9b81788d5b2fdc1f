"""Who waits for a call of a bucket: people before bulk, and of each the devices round robin: none starves."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chassis.errors import SallyportError
from services.gateway.model.priority import Priority

if TYPE_CHECKING:
    from services.gateway.forward.rate_limiter.local_bucket import Reservation


@dataclass(eq=False, slots=True)
class Waiter:
    """A call that waits.

    Attributes:
        since_s: the monotonic moment at which it came.
        until_s: the one after which a permit is of no use to it.
        future: what is reserved for it, or why nothing is.
    """

    device_id: str
    priority: Priority
    since_s: float
    until_s: float
    future: "asyncio.Future[Reservation]" = field(repr=False)

    def refuse(self, fault: SallyportError) -> None:
        """Have a fault raised where it waits, unless it left just now."""
        if not self.future.done():
            self.future.set_exception(fault)


class FairQueue:
    """Waiters of one priority: each device's in the order of coming, the devices round robin.

    Attributes:
        waiters: how many calls wait.
    """

    def __init__(self) -> None:
        self.waiters = 0
        self._by_device: OrderedDict[str, deque[Waiter]] = OrderedDict()

    def __iter__(self) -> Iterator[Waiter]:
        """Yield the waiters in the order in which they would be served."""
        queues = [iter(queue) for queue in self._by_device.values()]
        while queues:
            served = [(queue, next(queue, None)) for queue in queues]
            yield from (waiter for _, waiter in served if waiter is not None)
            queues = [queue for queue, waiter in served if waiter is not None]

    @property
    def devices(self) -> int:
        """How many devices wait."""
        return len(self._by_device)

    def count(self, device_id: str) -> int:
        """Return how many calls of a device wait."""
        return len(self._by_device.get(device_id, ()))

    def push(self, waiter: Waiter) -> None:
        """Put a waiter at its device's end."""
        self._by_device.setdefault(waiter.device_id, deque()).append(waiter)
        self.waiters += 1

    def pop(self) -> Waiter:
        """Take the next one; its device comes last then. There must be one."""
        device_id, queue = self._by_device.popitem(last=False)
        waiter = queue.popleft()
        if queue:
            self._by_device[device_id] = queue
        self.waiters -= 1
        return waiter

    def discard(self, waiter: Waiter) -> bool:
        """Take one out wherever it is; return whether it was there."""
        queue = self._by_device.get(waiter.device_id, deque())
        if waiter not in queue:
            return False
        queue.remove(waiter)
        if not queue:
            del self._by_device[waiter.device_id]
        self.waiters -= 1
        return True


class WaitQueue:
    """Everybody in this process who waits for one bucket.

    Attributes:
        waiters: how many calls wait.
    """

    def __init__(self) -> None:
        self.waiters = 0
        self.people = FairQueue()
        self.bulk = FairQueue()

    def __len__(self) -> int:
        return self.waiters

    def __iter__(self) -> Iterator[Waiter]:
        yield from self.people
        yield from self.bulk

    def count(self, device_id: str) -> int:
        """Return how many calls of a device wait."""
        return self.people.count(device_id) + self.bulk.count(device_id)

    def push(self, waiter: Waiter) -> None:
        """Let one more wait."""
        self.waiters += 1
        self._of_priority(waiter).push(waiter)

    def pop(self) -> Waiter:
        """Take the one who is next. There must be one."""
        self.waiters -= 1
        return self.people.pop() if self.people.waiters else self.bulk.pop()

    def discard(self, waiter: Waiter) -> bool:
        """Take one out wherever it is; return whether it was there."""
        was_there = self._of_priority(waiter).discard(waiter)
        self.waiters -= was_there
        return was_there

    def waited_s(self, now_s: float) -> float:
        """Return how long the one has waited that waits longest; 0 when nobody does."""
        return max((now_s - waiter.since_s for waiter in self), default=0.0)

    def _of_priority(self, waiter: Waiter) -> FairQueue:
        return self.people if waiter.priority is Priority.INTERACTIVE else self.bulk
