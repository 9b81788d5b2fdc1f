"""The rounds: swift clients alone, beside slow ones, and while as many slow ones all come at once.

The doors have a processor to themselves where there are two; whoever calls them shares the other one.
"""

import asyncio
import contextlib
import os
import ssl
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.hostile.command import write_certificates
from bench.parts import choose_cpus
from bench.slow.clients import COME_AGAIN_S, DIALS_AT_ONCE, DRIP_S, Swift, Target
from bench.slow.crowd import HERE, SETTING_OUT
from sallyport.bench import processor
from services.gateway.door import limits

CALLERS = 4
# So that what is measured is a wait for the slow ones, not for a full processor.
PAUSE_S = 0.002
SHARE_P99 = 0.99
SETTLE_S = DRIP_S
# Who is cut off after the shortest deadline notices at its next drip, and comes again. The slow ones' coming
# is as long as that takes, and so is what is measured: one second of it is like any other.
HALF_S = limits.HEAD_DEADLINE_S + DRIP_S + COME_AGAIN_S
# A wave that is not in by then is no measurement.
WAVE_S_MAX = 60.0


@dataclass(frozen=True, kw_only=True)
class Load:
    """How much is asked of the door.

    Attributes:
        half_s: how long swift clients are measured, once alone and once beside the slow ones.
        coming_s: over how long the slow ones come.
        settle_s: from the slow ones' coming, or going, to the measuring, so that it is not of that.
    """

    slow_clients: int
    rounds: int
    half_s: float = HALF_S
    coming_s: float = HALF_S
    settle_s: float = SETTLE_S


@dataclass(frozen=True)
class Waits:
    """What swift clients waited in one half of a round, in seconds."""

    p99_s: float
    longest_s: float


@dataclass(frozen=True)
class Round:
    """One round.

    Attributes:
        wave: from when the slow ones set out, all at once, until the last one was in; swift ones were before.
        elsewhere: meanwhile, at a door on the same processor that no slow one came to: the machine's share.
        wave_s: how long that took.
    """

    alone: Waits
    beside: Waits
    wave: Waits
    elsewhere: Waits
    wave_s: float


@dataclass(frozen=True)
class Companion:
    """Another process that runs meanwhile."""

    pid: int
    said: bytes
    lines: asyncio.StreamReader


async def show(folder: Path, load: Load) -> list[Round]:
    """Return what swift clients waited, round by round."""
    async with _doors(folder) as (target, quiet):
        return [await _round(folder, target, load, quiet=quiet) for _ in range(load.rounds)]


async def _round(folder: Path, target: Target, load: Load, *, quiet: Target) -> Round:
    alone = await _steadily(target, load)
    async with _crowd(folder, target, load.slow_clients, coming_s=load.coming_s) as crowd:
        await _all_here(crowd)
        beside = await _steadily(target, load)
    await asyncio.sleep(load.settle_s)
    async with (
        _swift_ones(target) as swift,
        _swift_ones(quiet) as others,
        _crowd(folder, target, load.slow_clients, coming_s=0) as crowd,
        asyncio.timeout(WAVE_S_MAX),
    ):
        began_s = time.perf_counter()
        here = asyncio.ensure_future(_all_here(crowd))
        wave, elsewhere = await asyncio.gather(_waits(swift, here), _waits(others, here))
        return Round(alone, beside, wave, elsewhere, time.perf_counter() - began_s)


async def _steadily(target: Target, load: Load) -> Waits:
    await asyncio.sleep(load.settle_s)
    async with _swift_ones(target) as swift:
        return await _waits(swift, asyncio.sleep(load.half_s))


async def _waits(swift: Sequence[Swift], time_is_up: Awaitable[None]) -> Waits:
    is_over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        calling = [group.create_task(each.call(is_over, pause_s=PAUSE_S)) for each in swift]
        await time_is_up
        is_over.set()
    waits_s = sorted(wait_s for calls in calling for wait_s in calls.result())
    return Waits(waits_s[int(len(waits_s) * SHARE_P99)], waits_s[-1])


@asynccontextmanager
async def _swift_ones(target: Target) -> AsyncIterator[list[Swift]]:
    swift = [Swift(*await target.dial()) for _ in range(CALLERS)]
    try:
        yield swift
    finally:
        for each in swift:
            each.leave()


@asynccontextmanager
async def _doors(folder: Path) -> AsyncIterator[tuple[Target, Target]]:
    """Open a door for the slow ones and one that they do not come to, each in a process of its own."""
    write_certificates(folder)
    with _own_processor() as door_cpu:
        async with _door(folder, door_cpu) as target, _door(folder, door_cpu) as quiet:
            yield target, quiet


@asynccontextmanager
async def _door(folder: Path, door_cpu: int | None) -> AsyncIterator[Target]:
    async with running("bench.slow.server", str(folder)) as door:
        if door_cpu is not None:
            processor.pin(door.pid, {door_cpu})
        trust = ssl.create_default_context(cafile=folder / "ca.pem")
        yield Target(int(door.said), trust, asyncio.Semaphore(DIALS_AT_ONCE))


@asynccontextmanager
async def _crowd(folder: Path, target: Target, count: int, *, coming_s: float) -> AsyncIterator[Companion]:
    """Have slow ones set out."""
    crowd = (str(folder), str(target.port), str(count), str(coming_s))
    async with running("bench.slow.crowd", *crowd) as companion:
        if companion.said.decode().strip() != SETTING_OUT:
            raise RuntimeError("the crowd does not set out")
        yield companion


async def _all_here(crowd: Companion) -> None:
    if (await crowd.lines.readline()).decode().strip() != HERE:
        raise RuntimeError("the crowd did not come")


@contextmanager
def _own_processor() -> Iterator[int | None]:
    """Keep to one processor, with all that is started; give the door's, None when there is no other."""
    cpus, (own_cpu, door_cpu) = os.sched_getaffinity(0), choose_cpus()
    os.sched_setaffinity(0, {own_cpu})
    try:
        yield door_cpu
    finally:
        os.sched_setaffinity(0, cpus)


@asynccontextmanager
async def running(module: str, *arguments: str) -> AsyncIterator[Companion]:
    """Run a module meanwhile, from its first line on.

    Raises:
        RuntimeError: it ended by itself, so that nothing was measured beside it.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        said = await process.stdout.readline()
        if said:
            yield Companion(process.pid, said, process.stdout)
        if not said or process.returncode is not None:
            raise RuntimeError(f"{module} ended by itself")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
