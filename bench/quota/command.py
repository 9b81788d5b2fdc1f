"""`python -m bench quota`: the options, and the exit code: 0 when every promise held, 1 when one did not."""

import argparse
import asyncio
import sys

import sallyport.stack
from bench.ports import free_base_port
from bench.quota.show import show
from bench.quota.verdict import Outcome, Plan, findings, lines, slow
from bench.shows import EXIT_BROKEN, EXIT_HOLDS, engines_folder
from sallyport.demo.scene import StepFailed
from sallyport.demo.stage import set_stage
from sallyport.layout import Layout
from sallyport.supervisor import PartFailed
from sallyport.terminal import Progress, say

# Calls that a plan allows at once: as many as Amazon's own plan of getOrders, which the gateways know.
BURST = 20


def add_command(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount `quota` on the command line."""
    parser = verbs.add_parser(
        "quota",
        help="desktops of one seller at several gateways, one of which is killed, under one usage plan",
        description="Show that Amazon's plan is kept and used up, and that people go first.",
        epilog="Exit codes: 0 every promise held, 1 one did not, or it could not be shown.",
    )
    add = parser.add_argument
    add("--rate", type=float, default=50.0, metavar="N", help="calls a second that the plan allows (50)")
    add("--desks", type=int, default=20, metavar="N", help="desktops that work through lists (20)")
    add("--calls", type=int, default=1_000, metavar="N", help="calls of each (1000)")
    add("--replicas", type=int, default=3, metavar="N", help="of the gateway (3)")
    parser.set_defaults(verb=run)


def run(options: argparse.Namespace) -> int:
    """Show the quota; return the exit code."""
    plan = Plan(
        rate=options.rate,
        burst=BURST,
        desks=options.desks,
        calls=options.calls,
        replicas=options.replicas,
    )
    try:
        with engines_folder("quota", in_memory=True) as folder:
            outcome = asyncio.run(_show(Layout(folder, free_base_port(), is_tapped=True), plan))
    except (PartFailed, StepFailed, TimeoutError) as error:
        sys.stderr.write(f"quota: not every call was done in time, or a part failed: {error}\n")
        return EXIT_BROKEN
    for line in lines(plan, outcome):
        say(line)
    return EXIT_BROKEN if findings(plan, outcome) or slow(plan, outcome) else EXIT_HOLDS


async def _show(layout: Layout, plan: Plan) -> Outcome:
    report = Progress()
    async with sallyport.stack.open_stack(layout, report) as stack, set_stage(stack) as scene:
        return await show(scene, plan, report)
