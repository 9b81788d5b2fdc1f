"""`python -m bench slow`: the options, the table, and the exit code: 0 when the promise held.

The door has a processor to itself where there are two; whoever calls it shares the other one.
"""

import argparse
import asyncio
import contextlib
import os
import shutil
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.hostile.command import write_certificates
from bench.parts import choose_cpus
from bench.slow.clients import COME_AGAIN_S, DIALS_AT_ONCE, DRIP_S, Target, call
from sallyport.bench import processor
from sallyport.bench.figures import Series, table
from sallyport.terminal import say
from services.gateway.door import limits

EXIT_HOLDS = 0
EXIT_BROKEN = 1
# Source: threats.md, R-25.
SLOW_CLIENTS = 2_000
RATIO_MAX = 2.0
ROUNDS = 3
CALLERS = 4
# So that what is measured is a wait for the slow ones, not for a full processor.
PAUSE_S = 0.002
SHARE_P99 = 0.99
SETTLE_S = DRIP_S
# Who is cut off after the shortest deadline notices at its next drip, and comes again. The slow ones' coming
# is as long as that takes, and so is what is measured: one second of it is like any other.
HALF_S = limits.HEAD_DEADLINE_S + DRIP_S + COME_AGAIN_S


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
class Outcome:
    """What was found: the swift clients' 99th percentile in seconds, by round."""

    slow_clients: int
    alone: Series
    beside: Series


def add_command(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount `slow` on the command line."""
    parser = verbs.add_parser(
        "slow",
        help="thousands of slow clients at the door, beside swift ones",
        description="Show that two thousand slow connections leave others' p99 at most twice what it was.",
        epilog="Exit codes: 0 the promise held, 1 it did not. About five minutes.",
    )
    parser.add_argument("--clients", type=int, default=SLOW_CLIENTS, help="how many are slow (%(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often (%(default)s)")
    parser.set_defaults(verb=run)


def run(options: argparse.Namespace) -> int:
    """Show it; return the exit code."""
    folder = Path(tempfile.mkdtemp(prefix="sallyport-slow-"))
    try:
        load = Load(slow_clients=options.clients, rounds=options.rounds)
        outcome = uvloop.run(show(folder, load))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for line in lines(outcome):
        say(line)
    return EXIT_HOLDS if holds(outcome) else EXIT_BROKEN


async def show(folder: Path, load: Load) -> Outcome:
    """Return the swift clients' p99 without and with the slow ones, round by round."""
    alone, beside = [], []
    async with _door(folder) as target:
        for _ in range(load.rounds):
            alone.append(await _p99_s(target, load))
            crowd = (str(folder), str(target.port), str(load.slow_clients), str(load.coming_s))
            async with running("bench.slow.crowd", *crowd):
                beside.append(await _p99_s(target, load))
    return Outcome(load.slow_clients, Series.of(alone), Series.of(beside))


def holds(outcome: Outcome) -> bool:
    """Return whether the promise held, by the median round."""
    return outcome.beside.over(outcome.alone).median <= RATIO_MAX


def lines(outcome: Outcome) -> Iterator[str]:
    """Yield the table, and the verdict at the end."""
    rows = [("alone", outcome.alone), (f"beside {outcome.slow_clients:,} slow ones", outcome.beside)]
    yield from table(
        "What swift clients waited",
        ("", "p99, ms, by round"),
        [
            *((name, ", ".join(f"{each * 1_000:.2f}" for each in series.values)) for name, series in rows),
            (f"beside / alone (promised: at most {RATIO_MAX:g})", str(outcome.beside.over(outcome.alone))),
        ],
    )
    if not holds(outcome):
        yield "\ndoes not hold: slow clients cost the others too much"


@asynccontextmanager
async def _door(folder: Path) -> AsyncIterator[Target]:
    """Open a door in a process of its own."""
    write_certificates(folder)
    with _own_processor() as door_cpu:
        async with running("bench.slow.server", str(folder)) as (door, said):
            if door_cpu is not None:
                processor.pin(door, {door_cpu})
            trust = ssl.create_default_context(cafile=folder / "ca.pem")
            yield Target(int(said), trust, asyncio.Semaphore(DIALS_AT_ONCE))


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
async def running(module: str, *arguments: str) -> AsyncIterator[tuple[int, bytes]]:
    """Run a module meanwhile, from its first line on; give its process and that line.

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
            yield process.pid, said
        if not said or process.returncode is not None:
            raise RuntimeError(f"{module} ended by itself")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _p99_s(target: Target, load: Load) -> float:
    await asyncio.sleep(load.settle_s)
    callers = (call(target, time_s=load.half_s, pause_s=PAUSE_S) for _ in range(CALLERS))
    waits_s = sorted(wait_s for waits_s in await asyncio.gather(*callers) for wait_s in waits_s)
    return waits_s[int(len(waits_s) * SHARE_P99)]
