"""`sallyport demo`: the story, unattended, on a stack of its own."""

import argparse
import asyncio
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

import chassis.errors
import sallyport.stack
from sallyport import console
from sallyport.demo.patience import PatienceLost
from sallyport.demo.scene import Scene, StepFailed
from sallyport.demo.stage import set_stage
from sallyport.demo.story import STORY, Step
from sallyport.layout import Layout
from sallyport.run import PlaceUnusable, add_places, check_ports, hold
from sallyport.terminal import Progress, say

NAME = "demo"
STATE_FOLDER = Path(".sallyport/demo")
BASE_PORT = 9443
# Lies in a folder that a demonstration made, and may therefore remove.
MARK = "made-by-demo"


def add_command(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount `demo` on the command line."""
    parser = verbs.add_parser(
        NAME,
        help="the main job, unattended",
        description="Let one seller's order travel through a stack of its own; print each step's proof.",
        epilog="Exit codes: 0 every step proven, 1 a step failed and is named, 2 folder or ports cannot be "
        "used. The folder must be new, empty, or an earlier demonstration's, whose state is removed.",
    )
    add_places(parser, STATE_FOLDER, BASE_PORT)
    parser.add_argument(
        "--keep", action="store_true", help="keep the state of the run before, and of this one"
    )
    parser.set_defaults(verb=_demo)


def _demo(options: argparse.Namespace) -> int:
    layout = Layout(options.state_folder.absolute(), options.base_port, is_tapped=True)
    try:
        with hold(layout.folder):
            _claim(layout, is_kept=options.keep)
            asyncio.run(_play(layout))
    except PlaceUnusable as error:
        return console.complain(NAME, console.EXIT_UNUSABLE, str(error))
    except (StepFailed, *sallyport.stack.FAULTS) as failure:
        return console.complain(NAME, console.EXIT_REFUSED, str(failure))
    if not options.keep:
        shutil.rmtree(layout.folder, ignore_errors=True)
    return console.EXIT_OK


def _claim(layout: Layout, *, is_kept: bool) -> None:
    """Make the folder the demonstration's own; of an earlier one it is emptied unless that is to be kept.

    Raises:
        PlaceUnusable: it holds what no demonstration left there, or a port cannot be had.
    """
    mark, found = layout.folder / MARK, list(layout.folder.iterdir())
    if found and mark not in found:
        text = f"{layout.folder} holds what no demonstration left there"
        raise PlaceUnusable(f"{text}; choose a new folder with --state-folder, or remove this one")
    check_ports(layout.base_port)
    if not is_kept:
        _empty(found)
    mark.touch()


def _empty(found: Iterable[Path]) -> None:
    # The folder itself stays, because it is held.
    for each in found:
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each, ignore_errors=True)
        else:
            each.unlink()


async def _play(layout: Layout) -> None:
    say(f"Starting the demonstration's stack in {layout.folder}")
    started_s = time.monotonic()
    async with sallyport.stack.open_stack(layout, Progress()) as stack, set_stage(stack) as scene:
        for number, step in enumerate(STORY, start=1):
            await _take(number, step, scene)
    say(f"\nThe story went as told, in {time.monotonic() - started_s:.0f} s.")


async def _take(number: int, step: Step, scene: Scene) -> None:
    say(f"\n{number}  {step.name}")
    try:
        proof = await step.take(scene)
    except (StepFailed, PatienceLost, chassis.errors.SallyportError, LookupError, RuntimeError) as failure:
        raise StepFailed(f"step {number}, {step.name}: {failure}") from failure
    say(f"   proven: {proof}")
