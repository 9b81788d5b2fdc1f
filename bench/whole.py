"""The whole run: every measurement on one stack, one after the other."""

import os
import platform
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sallyport.stack
from bench import appending, erasing, forwarding, goals, holding, reads, waiting
from bench.page import Page
from bench.parts import Parts, choose_cpus, open_parts
from bench.ports import free_base_port
from bench.shows import tell
from sallyport.bench import processor
from sallyport.demo.scene import Scene
from sallyport.demo.stage import set_stage
from sallyport.demo.story import STORY
from sallyport.layout import Layout


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


WHOLE = Scale(rounds=3, seconds=2.0, waits=500, connections=480, batches=100, sizes=(2_000, 50_000))
QUICK = Scale(rounds=1, seconds=0.5, waits=100, connections=96, batches=10, sizes=(2_000,))

# The story up to where an address lies in the safe, and three desktops may read it.
STEPS_TO_AN_ADDRESS = 3


async def measure(folder: Path, scale: Scale, page: Page) -> None:
    """Take every measurement, and tell the page."""
    cpus, (load_cpu, proxy_cpu) = os.sched_getaffinity(0), choose_cpus()
    os.sched_setaffinity(0, {load_cpu})
    page.tell(_machine(scale.rounds))
    layout = Layout(folder, free_base_port(), is_tapped=True)
    async with sallyport.stack.open_stack(layout, tell) as stack, set_stage(stack) as scene:
        for step in STORY[:STEPS_TO_AN_ADDRESS]:
            await step.take(scene)
        async with open_parts(stack, proxy_cpu) as parts:
            every, costs, waits, held = await _compare(scene, parts, scale, page=page)
        # Telemetry and PostgreSQL work side by side in earnest.
        processor.pin(os.getpid(), cpus)
        appends = await appending.measure(stack, rounds=scale.rounds, batches=scale.batches)
        page.tell(appends.tables())
        # Last, because it moves time.
        page.tell(await erasing.measure(scene, rounds=scale.rounds, sizes=scale.sizes))
    page.tell(goals.tables(goals.Run(reads=every, costs=costs, waits=waits, held=held, appends=appends)))
    page.tell([f"\nLoad {os.getloadavg()[0]:.1f} after the end"])


async def _compare(
    scene: Scene, parts: Parts, scale: Scale, *, page: Page
) -> tuple[reads.Reads, forwarding.Costs, waiting.Waits, holding.Held]:
    """Return what the gateway and its peers need, and tell it as it comes."""
    every = await reads.prepare(scene)
    await reads.lift_limits(scene.stack, parts, every)
    costs = await forwarding.measure(scene, parts, every, rounds=scale.rounds, seconds=scale.seconds)
    page.tell(costs.tables())
    waits = await waiting.measure(parts, every, rounds=scale.rounds, requests=scale.waits)
    page.tell(waits.tables())
    held = await holding.measure(parts, every, connections=scale.connections)
    page.tell(held.tables())
    return every, costs, waits, held


def _machine(rounds: int) -> Iterator[str]:
    yield f"- {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}, {platform.system()} {platform.release()}"
    yield f"- {os.cpu_count()} processors ({_model()}), load {os.getloadavg()[0]:.1f} before the start"
    yield f"- Python {platform.python_version()}, {ssl.OPENSSL_VERSION}"
    yield f"- Median of {rounds} round(s), and in parentheses the lowest to the highest"


def _model() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown")
