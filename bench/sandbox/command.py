"""`python -m bench sandbox`: the options, and the exit code: 0 when every case is as it should be, else 1."""

import argparse
import asyncio
import sys
import time
from pathlib import Path

import bench.sandbox.cases
import bench.sandbox.facts
import bench.sandbox.made_up
import sallyport.stack
from bench.ports import free_base_port
from bench.sandbox import show
from bench.sandbox.report import is_held, lines
from bench.sandbox.verdict import Kind, Verdict
from bench.shows import EXIT_BROKEN, EXIT_HOLDS, engines_folder, tell
from sallyport.demo.stage import set_stage
from sallyport.layout import Layout
from sallyport.terminal import say

# Beside the models, in a checkout of the reference data.
OPERATIONS_FILE = "operations.json"


def add_command(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount `sandbox` on the command line."""
    parser = verbs.add_parser(
        "sandbox",
        help="Amazon's own sandbox cases through gateway and simulated Amazon",
        description="Replay each static case as a device that may see personal data and as one that may not.",
        epilog="Exit codes: 0 every case was as it should be, 1 one was not.",
    )
    parser.add_argument(
        "--models", type=_folder, metavar="FOLDER", help="Amazon's models (cases made up from the catalogue)"
    )
    parser.set_defaults(verb=run)


def _folder(name: str) -> Path:
    if not Path(name).is_dir():
        raise argparse.ArgumentTypeError(f"{name} is no folder")
    return Path(name)


def run(options: argparse.Namespace) -> int:
    """Show the replay; return the exit code."""
    with engines_folder("sandbox") as folder:
        models = options.models or bench.sandbox.made_up.write(folder / "models")
        return asyncio.run(_run(folder, models.resolve()))


async def _run(folder: Path, models: Path) -> int:
    cases = bench.sandbox.cases.load(models)
    other = models.parent / OPERATIONS_FILE
    facts = bench.sandbox.facts.load(other if other.exists() else None)
    layout = Layout(folder, free_base_port(), is_tapped=True)
    async with sallyport.stack.open_stack(layout, tell) as stack, set_stage(stack) as scene:
        began_s = time.monotonic()
        verdicts = await show.take(scene, models, cases=cases, facts=facts, report=_tell)
        elapsed_s = time.monotonic() - began_s
    for line in lines(verdicts):
        say(line)
    say(f"{2 * len(cases)} calls in {elapsed_s:.1f} s")
    return EXIT_HOLDS if is_held(verdicts) else EXIT_BROKEN


def _tell(verdict: Verdict) -> None:
    if verdict.kind is Kind.WRONG:
        sys.stderr.write(f"{verdict.case.operation} case {verdict.case.number}: {verdict.reason}\n")
