"""Several replicas over one store, an Amazon that counts, desktops that call; time passes as a test says."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chassis.errors import SallyportError
from fakes.clock import FakeClock
from fakes.entropy import FakeEntropy
from fakes.gateway_buckets import FakeBuckets
from fakes.gateway_ports import FakeForwardSignals, json_answer
from services.gateway.forward import RateLimiter
from services.gateway.model.calls import Region, UpstreamAnswer
from services.gateway.model.priority import Priority
from services.gateway.model.quota import PermitRequest, Quota

DEADLINE_S = 25.0
RETRY_S = 1.0


class ReplicaClock:
    """The one clock, as a host sees it whose own clocks began elsewhere."""

    def __init__(self, clock: FakeClock, shift_s: float) -> None:
        self._clock = clock
        self._shift_s = shift_s

    def now(self) -> datetime:
        return self._clock.now() + timedelta(seconds=self._shift_s)

    def monotonic_s(self) -> float:
        return self._clock.monotonic_s() + self._shift_s

    async def sleep(self, delay_s: float) -> None:
        await self._clock.sleep(delay_s)


@dataclass
class Amazon:
    """A usage plan as Amazon keeps it: each call takes a token when it is counted, or is refused."""

    clock: FakeClock
    rate_per_s: float
    burst: int
    names_rate: bool = True
    tokens: float = field(init=False)
    counted_at_s: float = 0.0
    done: int = 0
    refused: int = 0

    def __post_init__(self) -> None:
        self.tokens = float(self.burst)

    def count(self) -> UpstreamAnswer:
        now_s = self.clock.monotonic_s()
        self.tokens = min(self.burst, self.tokens + (now_s - self.counted_at_s) * self.rate_per_s)
        self.counted_at_s = now_s
        # The rounding of sums is not a call.
        if self.tokens < 1 - 1e-6:
            self.refused += 1
            return json_answer(b"{}", 429)
        self.tokens -= 1
        self.done += 1
        limit = {"x_amzn_ratelimit_limit": str(self.rate_per_s)} if self.names_rate else {}
        return json_answer(b"{}", 200, **limit)


class Replica:
    """One process: its rate limiter, that one's tasks, and the calls that are under way in it."""

    def __init__(self, world: "World", shift_s: float, seed: int) -> None:
        self.signals = FakeForwardSignals()
        clock = ReplicaClock(world.clock, shift_s)
        self.clock = clock
        self.limiter = RateLimiter(
            store=world.store, clock=clock, entropy=FakeEntropy(seed), signals=self.signals
        )
        self.tasks = [asyncio.create_task(work()) for work in (self.limiter.run, self.limiter.tick)]
        self.is_dead = False

    def start(self, work: Awaitable[None]) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    async def kill(self) -> None:
        """End at once; what was sent to Amazon stays sent."""
        self.is_dead = True
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


class World:
    """Everything that shares one plan of one seller."""

    def __init__(self, quota: Quota, amazon: Amazon, *, replicas: int, seed: int = 1) -> None:
        self.clock = amazon.clock
        self.amazon = amazon
        self.quota = quota
        self.store = FakeBuckets(self.clock)
        self.chance = random.Random(seed)
        self.replicas = [Replica(self, self.chance.uniform(-600, 600), seed + n) for n in range(replicas)]
        self.waits_s: dict[str, list[float]] = {}
        self.refusals: list[SallyportError] = []
        self._sent: list[asyncio.Task[UpstreamAnswer]] = []

    async def call(self, replica: Replica, device_id: str, priority: Priority | None = None) -> bool:
        """Make one call with a permit; return whether Amazon did it."""
        began_s = self.clock.monotonic_s()
        request = PermitRequest(device_id, (self.quota,), priority)
        until_s = replica.clock.monotonic_s() + DEADLINE_S
        try:
            with await replica.limiter.acquire(request, until_s=until_s) as permit:
                self.waits_s.setdefault(device_id, []).append(self.clock.monotonic_s() - began_s)
                permit.spend()
                sent = asyncio.create_task(self._send())
                self._sent.append(sent)
                answer = await asyncio.shield(sent)
                permit.learn(answer)
        except SallyportError as refusal:
            self.refusals.append(refusal)
            await self.clock.sleep(min(refusal.retry_after_s or RETRY_S, RETRY_S))
            return False
        return answer.status == 200

    async def _send(self) -> UpstreamAnswer:
        """Let Amazon count the call somewhere between its being sent and its answer."""
        await self.clock.sleep(self.chance.uniform(0.01, 0.2))
        answer = self.amazon.count()
        await self.clock.sleep(self.chance.uniform(0.01, 0.2))
        return answer

    def put(self, device_id: str, pause_s: Callable[[], float], priority: Priority | None = None) -> None:
        """Have a desktop call again and again, at a replica that lives."""

        async def work(replica: Replica) -> None:
            while True:
                await self.call(replica, device_id, priority)
                await self.clock.sleep(pause_s())

        replica = self.chance.choice([each for each in self.replicas if not each.is_dead])
        replica.start(work(replica))

    async def end(self) -> None:
        """End every replica and every call."""
        for replica in self.replicas:
            await replica.kill()
        for task in self._sent:
            task.cancel()
        await asyncio.gather(*self._sent, return_exceptions=True)


def world(rate_per_s: float, burst: int, *, replicas: int = 3, seed: int = 1) -> World:
    """Return replicas that know the plan from the beginning."""
    quota = Quota("seller", Region.NA, "GET /orders/v0/orders", rate_per_s, burst)
    return World(quota, Amazon(FakeClock(), rate_per_s, burst), replicas=replicas, seed=seed)
