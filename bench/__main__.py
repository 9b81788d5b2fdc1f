"""`python -m bench`: open a stack, take every measurement, print Markdown tables. Each of SHOWS is a verb."""

import argparse
import asyncio
import os
import platform
import shutil
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import bench.herd.command
import bench.hostile.command
import bench.malformed.command
import bench.quota.command
import bench.sandbox.command
import bench.slow.command
import bench.upstream_clients
import sallyport.stack
from bench import appending, erasing, forwarding, goals, holding, reads, waiting
from bench.parts import Parts, choose_cpus, open_parts
from bench.ports import free_base_port
from sallyport.bench import processor
from sallyport.demo.scene import Scene
from sallyport.demo.stage import set_stage
from sallyport.demo.story import STORY
from sallyport.layout import Layout
from sallyport.terminal import say

# Each mounts its verb, whose `verb` returns the exit code: 0 when every promise held.
# One row each; formatters leave the rows alone.
SHOWS: tuple[Callable[["argparse._SubParsersAction[argparse.ArgumentParser]"], None], ...] = (
    bench.herd.command.add_command,
    bench.hostile.command.add_command,
    bench.malformed.command.add_command,
    bench.quota.command.add_command,
    bench.sandbox.command.add_command,
    bench.slow.command.add_command,
    bench.upstream_clients.add_command,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much is measured; the bounds of every load.

    Attributes:
        seconds: of load for each subject of a round.
        waits: requests of one caller, for each subject of a round.
        connections: held at once.
        batches: calls of telemetry's in a round.
        sizes: records of the days that are erased.
    """

    rounds: int
    seconds: float
    waits: int
    connections: int
    batches: int
    sizes: tuple[int, ...]


WHOLE = Scale(rounds=3, seconds=2.0, waits=500, connections=500, batches=100, sizes=(2_000, 50_000))
QUICK = Scale(rounds=1, seconds=0.5, waits=100, connections=100, batches=10, sizes=(2_000,))

# The story up to where an address lies in the safe, and three desktops may read it.
STEPS_TO_AN_ADDRESS = 3


def main() -> int:
    """Read the options, measure or show, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="bench",
        description="Ratios against the parts underneath, taken in one run, as Markdown tables.",
        epilog="On Linux. A peer that is not installed is shown as such; nginx is taken from the PATH.",
    )
    parser.add_argument("--quick", action="store_true", help="one small round: shows that it works, not more")
    parser.set_defaults(verb=_run)
    verbs = parser.add_subparsers(title="shows", metavar="SHOW")
    for add_command in SHOWS:
        add_command(verbs)
    options = parser.parse_args()
    code: int = options.verb(options)
    return code


def _run(options: argparse.Namespace) -> int:
    folder = Path(tempfile.mkdtemp(prefix="sallyport-bench-"))
    # The database's system user passes through.
    folder.chmod(0o711)
    try:
        asyncio.run(_measure(folder, QUICK if options.quick else WHOLE))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


async def _measure(folder: Path, scale: Scale) -> None:
    cpus, (load_cpu, proxy_cpu) = os.sched_getaffinity(0), choose_cpus()
    os.sched_setaffinity(0, {load_cpu})
    _print(_machine(scale.rounds))
    layout = Layout(folder, free_base_port(), is_tapped=True)
    async with sallyport.stack.open_stack(layout, _show) as stack, set_stage(stack) as scene:
        for step in STORY[:STEPS_TO_AN_ADDRESS]:
            await step.take(scene)
        async with open_parts(stack, proxy_cpu) as parts:
            every, costs, waits, held = await _compare(scene, parts, scale)
        # Telemetry and PostgreSQL work side by side in earnest.
        processor.pin(os.getpid(), cpus)
        appends = await appending.measure(stack, rounds=scale.rounds, batches=scale.batches)
        _print(appends.tables())
        # Last, because it moves time.
        _print(await erasing.measure(scene, rounds=scale.rounds, sizes=scale.sizes))
    _print(goals.tables(goals.Run(reads=every, costs=costs, waits=waits, held=held, appends=appends)))
    say(f"\nLoad {os.getloadavg()[0]:.1f} after the end")


async def _compare(
    scene: Scene, parts: Parts, scale: Scale
) -> tuple[reads.Reads, forwarding.Costs, waiting.Waits, holding.Held]:
    """Return what the gateway and its peers need, and print it as it comes."""
    every = await reads.prepare(scene)
    await reads.lift_limits(scene.stack, parts, every)
    costs = await forwarding.measure(scene, parts, every, rounds=scale.rounds, seconds=scale.seconds)
    _print(costs.tables())
    waits = await waiting.measure(parts, every, rounds=scale.rounds, requests=scale.waits)
    _print(waits.tables())
    held = await holding.measure(parts, every, connections=scale.connections)
    _print(held.tables())
    return every, costs, waits, held


def _machine(rounds: int) -> Iterator[str]:
    yield f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}, {platform.system()} {platform.release()}"
    yield f"{os.cpu_count()} processors ({_model()}), load {os.getloadavg()[0]:.1f} before the start"
    yield f"Python {platform.python_version()}, {ssl.OPENSSL_VERSION}"
    yield f"Median of {rounds} round(s), and in parentheses the lowest to the highest"


def _model() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown")


def _print(lines: Iterator[str]) -> None:
    for line in lines:
        say(line)


def _show(part: str, event: str) -> None:
    sys.stderr.write(f"{part} {event}\n")


if __name__ == "__main__":
    sys.exit(main())
