"""`python -m bench hostile`: the options, the tables, and the exit code: 0 when every promise held."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop

import chassis.run
from bench.hostile.show import Comparison, Outcome, show
from bench.hostile.way import open_way
from bench.shows import EXIT_BROKEN, EXIT_HOLDS, own_folder
from fakes.certificates import Authority
from sallyport.bench.figures import table
from sallyport.terminal import say

# Source: threats.md, T-32.
RATIO_MAX = 1.5
CALLS = 3
ROUNDS = 8
FAIR_CALLS = 400


def add_command(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount `hostile` on the command line."""
    parser = verbs.add_parser(
        "hostile",
        help="an upstream that bombs, drips, lies and never ends, before one seller's calls",
        description="Show that a hostile upstream crashes nothing, and that others are served as before.",
        epilog="Exit codes: 0 every promise held, 1 one did not. About a minute and a half.",
    )
    parser.add_argument("--quick", action="store_true", help="without the slow attacks and the comparison")
    parser.set_defaults(verb=run)


def run(options: argparse.Namespace) -> int:
    """Show it; return the exit code."""
    with own_folder("hostile") as folder:
        outcome = uvloop.run(_show(folder, is_quick=options.quick))
    for line in lines(outcome):
        say(line)
    return EXIT_BROKEN if findings(outcome) else EXIT_HOLDS


async def _show(folder: Path, *, is_quick: bool) -> Outcome:
    calls, rounds = (1, 0) if is_quick else (CALLS, ROUNDS)
    write_certificates(folder)
    async with (
        serving(folder) as hostile_port,
        serving(folder) as fair_port,
        open_way(folder, hostile_port=hostile_port, fair_port=fair_port) as way,
    ):
        # As every service of the product does at its start.
        chassis.run.spare_the_collector()
        return await show(way, calls=calls, rounds=rounds, fair_calls=FAIR_CALLS, is_quick=is_quick)


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[int]:
    """Give the port of an origin in a process of its own; `folder` holds its certificate."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.hostile.origin", str(folder)), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.kill()
        await process.wait()


def write_certificates(folder: Path) -> None:
    """Write `ca.pem`, and `server.pem` with `server.key` for localhost."""
    authority = Authority()
    certificate = authority.issue("localhost")
    (folder / "server.pem").write_bytes(certificate.certificate_pem)
    (folder / "server.key").write_bytes(certificate.key_pem.reveal())
    authority.write_ca(folder)


def findings(outcome: Outcome) -> list[str]:
    """Return what was promised and does not hold, in words; empty when all holds."""
    found = [f"{tally.attack.name}: {wrong}" for tally in outcome.tallies for wrong in tally.wrong]
    found += [f"a crash: {crash}" for crash in outcome.crashes]
    if outcome.comparison and outcome.comparison.ratio > RATIO_MAX:
        found.append(f"the other seller's p99 is more than {RATIO_MAX} times what it was")
    return found


def lines(outcome: Outcome) -> Iterator[str]:
    """Yield the tables, and the verdict at the end."""
    yield from table(
        "What a desktop heard of each attack",
        ("", "calls", "statuses", "not as promised"),
        [
            (
                tally.attack.name,
                str(tally.statuses.total()),
                ", ".join(f"{status} x {count}" for status, count in sorted(tally.statuses.items())),
                str(len(tally.wrong)),
            )
            for tally in outcome.tallies
        ],
    )
    if outcome.comparison:
        yield from _compared(outcome.comparison, outcome.resting)
    yield f"\ncrashes: {len(outcome.crashes)}"
    for finding in findings(outcome):
        yield f"does not hold: {finding}"


def _compared(comparison: Comparison, resting: int) -> Iterator[str]:
    waits = {"alone": comparison.alone, "beside an attacked seller": comparison.beside}
    yield from table(
        "What another seller's calls waited, ms",
        ("", "calls", "p50", "p99"),
        [(name, f"{each.calls:,}", f"{each.p50:.2f}", f"{each.p99:.2f}") for name, each in waits.items()],
    )
    yield f"\np99 beside / alone: {comparison.ratio:.2f} (promised: at most {RATIO_MAX})"
    yield f"calls of attacked sellers refused while their circuits were open: {resting:,}"
