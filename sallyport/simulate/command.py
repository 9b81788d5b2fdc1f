"""`sallyport simulate`: runs from seeds, told as reports."""

import argparse
import contextlib
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import sallyport.simulate.run
from sallyport import console
from sallyport.simulate import report
from sallyport.simulate.engines import Engines
from sallyport.terminal import say

NAME = "simulate"
FAULT_RATE_DEFAULT = 0.02
SEEDS_MAX = 100_000


def add_command(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount `simulate` on the command line."""
    parser = verbs.add_parser(
        NAME,
        help="run the services in one process under a seeded scheduler, with faults",
        description="Connect, refresh, read, ship, erase: under crashes, lost messages and slow parts, all "
        "drawn from a seed. Prints what the invariants came to; the same seed gives the same trace.",
        epilog="Exit codes: 0 every invariant held, 1 one was violated, 2 it could not be tried, 130 "
        "interrupted.",
    )
    parser.add_argument("--seed", type=_natural, default=1, metavar="N", help="the (first) seed (1)")
    parser.add_argument("--seeds", type=_count, default=1, metavar="K", help="so many seeds in a row (1)")
    parser.add_argument(
        "--fault-rate",
        type=_share,
        default=FAULT_RATE_DEFAULT,
        metavar="F",
        help=f"the share of steps that go wrong, 0 to 1 ({FAULT_RATE_DEFAULT})",
    )
    parser.add_argument("--trace", type=Path, metavar="FILE", help="write every step of a single run here")
    parser.set_defaults(verb=_run)


def _run(options: argparse.Namespace) -> int:
    if options.trace is not None and options.seeds > 1:
        return console.complain(NAME, console.EXIT_UNUSABLE, "--trace takes a single seed")
    if options.trace is not None and not _write(options.trace, ()):
        return console.EXIT_UNUSABLE
    reports = []
    with _interrupted_between_runs() as interrupted:
        for seed in range(options.seed, options.seed + options.seeds):
            one = sallyport.simulate.run.run(seed, fault_rate=options.fault_rate, engines=Engines())
            reports.append(one)
            is_told_whole = options.seeds == 1 or not one.is_whole
            say("\n".join(report.lines(one)) if is_told_whole else report.line(one))
            if options.trace is not None and not _write(options.trace, one.trace.lines):
                return console.EXIT_UNUSABLE
            if interrupted.is_set():
                break
    if options.seeds > 1:
        say(report.summary(reports))
    if not all(one.is_whole for one in reports):
        return console.EXIT_REFUSED
    return console.EXIT_INTERRUPTED if interrupted.is_set() else console.EXIT_OK


@contextlib.contextmanager
def _interrupted_between_runs() -> Iterator[threading.Event]:
    """Give what Ctrl-C sets the first time: a run that is broken off leaves its parts amid what they do."""
    interrupted = threading.Event()

    def interrupt(_number: int, _frame: object) -> None:
        interrupted.set()
        signal.signal(signal.SIGINT, before)
        console.complain(NAME, console.EXIT_INTERRUPTED, "ends after this run; Ctrl-C again ends it at once")

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


def _write(file: Path, lines: Sequence[str]) -> bool:
    try:
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as error:
        text = f"the trace cannot be written: {console.reason(error)}"
        console.complain(NAME, console.EXIT_UNUSABLE, text)
        return False
    return True


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("not a whole number from 0 on")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= SEEDS_MAX:
        raise argparse.ArgumentTypeError(f"not a whole number from 1 to {SEEDS_MAX}")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise argparse.ArgumentTypeError("not a number from 0 to 1")
    return share
