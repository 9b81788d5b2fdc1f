"""`python -m bench slow`: the options, the table, and the exit code: 0 when the promise held."""

import argparse
import asyncio
import contextlib
import shutil
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.hostile.command import write_certificates
from bench.slow.clients import DIALS_AT_ONCE, DRIP_S, Target, call
from sallyport.bench.figures import Series, table
from sallyport.terminal import say

EXIT_HOLDS = 0
EXIT_BROKEN = 1
# Source: threats.md, R-25.
SLOW_CLIENTS = 2_000
RATIO_MAX = 2.0
ROUNDS = 3
CALLERS = 4
CALLS = 1_000
# So that what is measured is a wait for the slow ones, not for a full processor.
PAUSE_S = 0.002
SHARE_P99 = 0.99
SETTLE_S = DRIP_S


@dataclass(frozen=True, kw_only=True)
class Load:
    """How much is asked of the door.

    Attributes:
        calls: of swift clients, in each half of a round.
        settle_s: from the last slow one's coming to the measuring, so that it is not of their handshakes.
    """

    slow_clients: int
    rounds: int
    calls: int = CALLS
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
        epilog="Exit codes: 0 the promise held, 1 it did not. About a minute.",
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
            alone.append(await _p99_s(target, load.calls))
            crowd = (str(folder), str(target.port), str(load.slow_clients))
            async with _process("bench.slow.crowd", *crowd):
                await asyncio.sleep(load.settle_s)
                beside.append(await _p99_s(target, load.calls))
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
    async with _process("bench.slow.server", str(folder)) as said:
        trust = ssl.create_default_context(cafile=folder / "ca.pem")
        yield Target(int(said), trust, asyncio.Semaphore(DIALS_AT_ONCE))


@asynccontextmanager
async def _process(module: str, *arguments: str) -> AsyncIterator[bytes]:
    """Run a module meanwhile, from its first line on, which it gives."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield await process.stdout.readline()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _p99_s(target: Target, calls: int) -> float:
    callers = (call(target, calls=calls // CALLERS, pause_s=PAUSE_S) for _ in range(CALLERS))
    waits_s = sorted(wait_s for waits_s in await asyncio.gather(*callers) for wait_s in waits_s)
    return waits_s[int(len(waits_s) * SHARE_P99)]
