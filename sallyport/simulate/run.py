"""One run of the first story, from a seed to its report."""

from collections import Counter

from sallyport.simulate.engines import Engines
from sallyport.simulate.invariants import Invariant
from sallyport.simulate.loop import Deadlock, Endless, new_loop
from sallyport.simulate.report import Report
from sallyport.simulate.scenario import Story
from sallyport.simulate.world import World


def run(seed: int, *, fault_rate: float, engines: Engines) -> Report:
    """Return the report of one run; fresh engines and the same numbers give the same report.

    Args:
        seed: what every choice follows from.
        fault_rate: the share of steps with a fault, 0 to 1.
        engines: fresh ones.
    """
    loop = new_loop(seed)
    worlds: list[World] = []

    async def live() -> None:
        worlds.append(World(seed, fault_rate=fault_rate, engines=engines))
        await worlds[0].live(Story(worlds[0]).tell)

    end = ""
    try:
        loop.run(live())
    except (Deadlock, Endless) as stuck:
        end = f"{type(stuck).__name__}: {stuck}"
    finally:
        loop.close()
    (world,) = worlds
    world.tally.check(Invariant.CONVERGED, not end, end)
    world.tally.check(Invariant.NO_MISTAKE, not loop.unhandled, f"{len(loop.unhandled)} errors unhandled")
    return Report(
        seed=seed,
        fault_rate=fault_rate,
        steps=loop.steps,
        virtual_s=loop.time(),
        faults=Counter({str(fault): count for fault, count in world.faults.injected.items()}),
        crashes={node.name: node.crashes for node in world.nodes},
        reads=world.watcher.reads,
        refreshes=world.amazon.refreshes,
        records=len(world.watcher.book.entries()),
        findings=world.tally.findings,
        trace=world.trace,
    )
