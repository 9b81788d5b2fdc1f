"""`python -m bench`: open a stack, take every measurement, print Markdown tables. Each of SHOWS is a verb."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import bench.herd.command
import bench.hostile.command
import bench.malformed.command
import bench.quota.command
import bench.sandbox.command
import bench.slow.command
import bench.upstream_clients
from bench.page import Page
from bench.shows import engines_folder
from bench.whole import QUICK, WHOLE, measure

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


def main() -> int:
    """Read the options, measure or show, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Ratios against the parts underneath, taken in one run, as Markdown tables.",
        epilog="On Linux. A peer that is not installed is shown as such; nginx is taken from the PATH.",
    )
    parser.add_argument("--quick", action="store_true", help="one small round: shows that it works, not more")
    parser.add_argument("--page", type=_page_file, metavar="FILE", help="put the tables into this page, too")
    parser.set_defaults(verb=_run)
    verbs = parser.add_subparsers(title="shows", metavar="SHOW")
    for add_command in SHOWS:
        add_command(verbs)
    options = parser.parse_args()
    code: int = options.verb(options)
    return code


def _page_file(name: str) -> Path:
    """Return a page that tables can be put into; told before minutes of measuring, not after."""
    file = Path(name)
    try:
        Page().replace_in(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{name} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{name}: {error}") from error
    return file


def _run(options: argparse.Namespace) -> int:
    page = Page()
    with engines_folder("bench") as folder:
        asyncio.run(measure(folder, QUICK if options.quick else WHOLE, page))
    if options.page:
        page.write_to(options.page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
