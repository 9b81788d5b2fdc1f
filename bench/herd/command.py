"""`python -m bench herd`: the options, and the exit code: 0 when every promise held, 1 when one did not."""

import argparse
import asyncio
import sys

import sallyport.provision
import sallyport.provision.ground
from bench.herd.report import findings, lines
from bench.herd.show import Script, open_show
from bench.herd.stage import Cast
from bench.ports import free_base_port
from bench.shows import EXIT_BROKEN, EXIT_HOLDS, engines_folder
from sallyport.layout import Layout
from sallyport.supervisor import PartFailed
from sallyport.terminal import Progress, say

SELLERS_MAX = 20_000
REPLICAS_MAX = 6
KILLS_MAX = 20
SPOILT = 40
DENIED = 20
# Longer than a lease, so that whoever would ask once more has done so: services.auth.model.lending.LEASE_S.
QUIET_S = 22.0


def add_command(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount `herd` on the command line."""
    parser = verbs.add_parser(
        "herd",
        help="thousands of sellers whose tokens end in the same second, and replicas that are killed",
        description="Show that every seller is refreshed once, at LWA's pace, whatever dies meanwhile.",
        epilog="Exit codes: 0 every promise held, 1 one did not, or it could not be shown.",
    )
    add = parser.add_argument
    add("--sellers", type=_Whole(2, SELLERS_MAX), default=10_000, metavar="N", help="(10000)")
    add("--replicas", type=_Whole(2, REPLICAS_MAX), default=4, metavar="N", help="of auth (4)")
    add("--lwa-rate", type=_Whole(1, 10_000), default=40, metavar="N", help="calls a second at LWA (40)")
    add("--kills", type=_Whole(0, KILLS_MAX), default=3, metavar="N", help="replicas killed on the way (3)")
    add("--misbehaviour", type=float, default=0.02, metavar="SHARE", help="of LWA's answers (0.02)")
    add("--ahead", type=_Whole(1, 300), default=60, metavar="S", help="renewal begins so long before (60)")
    add("--seed", type=int, default=7, metavar="N", help="of the faults (7)")
    parser.set_defaults(verb=run)


def run(options: argparse.Namespace) -> int:
    """Show the herd; return the exit code."""
    script = Script(
        cast=Cast(
            sellers=options.sellers,
            replicas=options.replicas,
            lwa_rate=options.lwa_rate,
            seed=options.seed,
            database=sallyport.provision.DATABASE,
        ),
        kills=options.kills,
        misbehaviour=options.misbehaviour,
        spoilt=SPOILT,
        denied=DENIED,
        ahead_s=options.ahead,
        quiet_s=QUIET_S,
    )
    try:
        with engines_folder("herd", in_memory=True) as folder:
            return asyncio.run(_show(script, Layout(folder, free_base_port())))
    except (PartFailed, TimeoutError) as error:
        sys.stderr.write(f"herd: not everybody had a new token in time, or a part failed: {error}\n")
        return EXIT_BROKEN


async def _show(script: Script, layout: Layout) -> int:
    ports = {"postgres_port": layout.postgres_port, "vault_port": layout.vault_port}
    async with (
        sallyport.provision.ground.open_ground(layout.folder, **ports) as ground,
        open_show(ground, layout, report=Progress(), script=script) as show,
    ):
        outcome = await show.run()
    for line in lines(script, outcome):
        say(line)
    return EXIT_BROKEN if findings(outcome) else EXIT_HOLDS


class _Whole:
    """Reads a whole number within bounds."""

    def __init__(self, low: int, high: int) -> None:
        self._low = low
        self._high = high

    def __call__(self, text: str) -> int:
        """Return the number in a text."""
        if not text.isdigit() or not self._low <= int(text) <= self._high:
            raise argparse.ArgumentTypeError(f"must lie between {self._low} and {self._high}")
        return int(text)
