"""`python -m bench slow`: the options, the table, and the exit code: 0 when the promise held."""

import argparse
from collections.abc import Callable, Iterator, Sequence

import uvloop

from bench.shows import EXIT_BROKEN, EXIT_HOLDS, own_folder
from bench.slow.show import Load, Round, Waits, show
from sallyport.bench.figures import Series, table
from sallyport.terminal import say

# Source: threats.md, R-25.
SLOW_CLIENTS = 2_000
RATIO_MAX = 2.0
ROUNDS = 3


def add_command(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount `slow` on the command line."""
    parser = verbs.add_parser(
        "slow",
        help="thousands of slow clients at the door, beside swift ones",
        description="Show that two thousand slow connections leave others' p99 at most twice what it was: "
        "when they come evenly, and while they all come at once.",
        epilog="Exit codes: 0 the promise held, 1 it did not. About six minutes.",
    )
    parser.add_argument("--clients", type=int, default=SLOW_CLIENTS, help="how many are slow (%(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often (%(default)s)")
    parser.set_defaults(verb=run)


def run(options: argparse.Namespace) -> int:
    """Show it; return the exit code."""
    with own_folder("slow") as folder:
        rounds = uvloop.run(show(folder, Load(slow_clients=options.clients, rounds=options.rounds)))
    for line in lines(options.clients, rounds):
        say(line)
    return EXIT_HOLDS if holds(rounds) else EXIT_BROKEN


def holds(rounds: Sequence[Round]) -> bool:
    """Return whether the promise held, both ways of coming, by the median round."""
    return beside_ratio(rounds).median <= RATIO_MAX and wave_ratio(rounds).median <= RATIO_MAX


def beside_ratio(rounds: Sequence[Round]) -> Series:
    """Return how many times as long p99 was beside slow ones that had come evenly."""
    return Series.of([each.beside.p99_s / each.alone.p99_s for each in rounds])


def wave_ratio(rounds: Sequence[Round]) -> Series:
    """Return how many times as long p99 was while they all came at once."""
    return Series.of([each.wave.p99_s / each.alone.p99_s for each in rounds])


def lines(slow_clients: int, rounds: Sequence[Round]) -> Iterator[str]:
    """Yield the table, and the verdict at the end."""
    promised = f"(promised: at most {RATIO_MAX:g})"
    yield from table(
        "What swift clients waited",
        ("", "p99, ms, by round", "longest, ms, by round"),
        [
            _row("alone", rounds, lambda each: each.alone),
            _row(f"beside {slow_clients:,} slow ones", rounds, lambda each: each.beside),
            _row(f"while {slow_clients:,} slow ones came at once", rounds, lambda each: each.wave),
            _row("meanwhile, at a door that none of them came to", rounds, lambda each: each.elsewhere),
            (f"beside / alone {promised}", str(beside_ratio(rounds)), ""),
            (f"at once / alone {promised}", str(wave_ratio(rounds)), ""),
        ],
    )
    yield f"\nuntil all who came at once were in, s: {Series.of([each.wave_s for each in rounds])}"
    if not holds(rounds):
        yield "\ndoes not hold: slow clients cost the others too much"


def _row(name: str, rounds: Sequence[Round], of: Callable[[Round], Waits]) -> tuple[str, str, str]:
    waits = [of(each) for each in rounds]
    return name, _by_round(each.p99_s for each in waits), _by_round(each.longest_s for each in waits)


def _by_round(values_s: Iterator[float]) -> str:
    return ", ".join(f"{each * 1_000:.2f}" for each in values_s)
