"""Drives the attempts: made here in one order, sent over many connections, counted as they end."""

import asyncio
import itertools
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from random import Random

from bench.malformed import contents, framing
from bench.malformed.attempts import Attempt, Ids, Pass, Source, whole
from bench.malformed.exchange import Client
from bench.malformed.framing import TOKEN_HEADER
from bench.malformed.generated import Request, make
from bench.malformed.mutations import mutated
from bench.malformed.verdict import Tally

CLIENTS = 64
# Of all requests, and no fewer: caches fill, every path has been taken once.
WARM_UP_SHARE = 0.05
WARM_UP_MIN = 5_000
MUTATED_SHARE = 0.4
# Of those that schemathesis makes each is sent by three callers, because making one takes long.
GENERATED_SHARE = 0.03
CALLERS = 3
# What costs the gateway most by design, so that it is seen often enough and does not take all the time.
RARE = frozenset({framing.large_head, framing.large_body, framing.no_tls})
RARE_SHARE = 0.2


@dataclass(frozen=True)
class Plan:
    """How much is sent; everything follows from the seed."""

    count: int
    seed: int

    @property
    def raw(self) -> int:
        """How many requests are made here."""
        return int(self.count * (1 - GENERATED_SHARE * CALLERS))

    @property
    def warm_up(self) -> int:
        """How many of them come before the gateway's memory is first looked at."""
        return min(max(int(self.count * WARM_UP_SHARE), WARM_UP_MIN), self.raw)


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where requests go, and with what valid ones are made."""

    port: int
    tls: ssl.SSLContext
    valid: Pass


async def run(plan: Plan, target: Target, tally: Tally, *, measure: Callable[[], int]) -> tuple[int, int]:
    """Send all of it; return what `measure` says after the warm-up and at the end."""
    ids = Ids()
    raw = _raw(plan, target.valid, ids)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        generating = asyncio.get_running_loop().run_in_executor(
            pool, make, plan.seed, int(plan.count * GENERATED_SHARE)
        )
        await _drive(target, itertools.islice(raw, plan.warm_up), tally, ids=ids)
        before = measure()
        await _drive(target, itertools.islice(raw, plan.raw - plan.warm_up), tally, ids=ids)
        await _drive(target, _called(await generating, target.valid, ids), tally, ids=ids)
    missing = max(plan.count - tally.outcomes.total(), 0)
    await _drive(target, itertools.islice(raw, missing), tally, ids=ids)
    return before, measure()


def _raw(plan: Plan, valid: Pass, ids: Ids) -> Iterator[Attempt]:
    """Yield attempts without end."""
    source = Source(Random(plan.seed), ids, valid)  # noqa: S311 - repeatable on purpose
    makers = (*framing.MAKERS, *contents.MAKERS)
    while True:
        if source.random.random() < MUTATED_SHARE:
            yield mutated(source)
            continue
        maker = source.random.choice(makers)
        if maker not in RARE or source.random.random() < RARE_SHARE:
            yield maker(source)


def _called(made: Sequence[Request], valid: Pass, ids: Ids) -> Iterator[Attempt]:
    """Yield what schemathesis made, each by CALLERS callers."""
    for method, target, headers, body in made:
        for token in (*valid.tokens, ""):
            named = {**headers, TOKEN_HEADER: token}
            if not any("\r" in value or "\n" in value for value in named.values()):
                yield Attempt("schemathesis", whole(method, target, named, ident=ids.next(), body=body))


async def _drive(target: Target, source: Iterable[Attempt], tally: Tally, *, ids: Ids) -> None:
    """Send every attempt over whichever connection is free, and count how it ended."""
    waiting = iter(source)

    async def work() -> None:
        client = Client(port=target.port, tls=target.tls, ids=ids)
        for attempt in waiting:
            tally.add(await client.send(attempt))
        client.hang_up()

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(work())
