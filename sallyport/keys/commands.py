"""`sallyport keys rotate` and `sallyport keys status`."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import chassis.errors
import sallyport.access
import sallyport.keys.progress
import sallyport.keys.rotate
from sallyport.terminal import say
from wire.auth.v1.keys_pb2 import RotateKeysRequest, RotationProgress

EXIT_OK = 0
EXIT_REFUSED = 1
EXIT_UNUSABLE = 2


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount the verb `keys` and its tasks."""
    keys = subparsers.add_parser("keys", help="rotate sealing keys, or see how old they are")
    tasks = keys.add_subparsers(title="tasks", metavar="TASK", required=True)
    _add_rotate(tasks)
    _add_status(tasks)


def _add_rotate(tasks: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = tasks.add_parser(
        "rotate",
        help="give keys a new version and seal everything anew",
        description="Rotate keys, seal all that they seal anew, and close their older versions, while auth "
        "serves. Auth goes on by itself when this command is stopped. See docs/keys.md.",
        epilog="Exit codes: 0 done, 1 refused, unavailable, or values were found that do not open, "
        "2 could not be tried.",
    )
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--seller", metavar="ID", help="one seller's key")
    whose.add_argument("--application", metavar="ID", help="the key of one application's own tokens")
    whose.add_argument("--staff", action="store_true", help="the key of the vendor's own people")
    whose.add_argument("--all", action="store_true", help="every key")
    parser.add_argument(
        "--until-closed",
        action="store_true",
        help="wait some minutes more, until what was sealed under older versions does not open any more",
    )
    _add_common(parser)
    parser.set_defaults(verb=run_rotate)


def _add_status(tasks: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = tasks.add_parser(
        "status",
        help="how many keys there are, and how old",
        epilog="Exit codes: 0 shown, 1 refused or unavailable, 2 could not be tried.",
    )
    _add_common(parser)
    parser.set_defaults(verb=run_status)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object per line, for programs")
    parser.add_argument(
        "--state-folder",
        type=Path,
        metavar="FOLDER",
        help="take the connection from the state of `sallyport run`, not from SALLYPORT_ variables",
    )


def run_rotate(options: argparse.Namespace) -> int:
    """Rotate keys and show how far it has come; return the exit code."""
    return _tried(options, _rotate)


def run_status(options: argparse.Namespace) -> int:
    """Show how old the keys are; return the exit code."""
    return _tried(options, _status)


def _tried(
    options: argparse.Namespace, task: Callable[[argparse.Namespace, sallyport.access.Config], int]
) -> int:
    try:
        folder: Path | None = options.state_folder
        environ = os.environ if folder is None else sallyport.access.read_state_folder(folder)
        return task(options, sallyport.access.load(environ))
    except (chassis.errors.StartRefused, OSError) as error:
        return _complain(EXIT_UNUSABLE, str(error))
    except chassis.errors.SallyportError as error:
        return _complain(EXIT_REFUSED, f"{error.code}: {error.text}")


def _rotate(options: argparse.Namespace, config: sallyport.access.Config) -> int:
    with _display(options) as display:
        begun, last = asyncio.run(
            sallyport.keys.rotate.rotate(config, _wanted(options), display, until_closed=options.until_closed)
        )
    if not options.json:
        if begun.keys_under_way:
            say(f"left out, because they are being rotated already: {begun.keys_under_way}")
        for line in _summary(last):
            say(line)
    if last.values_damaged:
        return _complain(EXIT_REFUSED, f"{last.values_damaged} values did not open and were left as they are")
    return EXIT_OK


def _status(options: argparse.Namespace, config: sallyport.access.Config) -> int:
    keys = asyncio.run(sallyport.keys.rotate.describe(config))
    since = keys.oldest_since.ToDatetime(UTC) if keys.HasField("oldest_since") else None
    if options.json:
        oldest = None if since is None else since.isoformat()
        facts = {"keys": keys.keys, "oldest_since": oldest, "aged": keys.aged, "under_way": keys.under_way}
        say(json.dumps(facts))
        return EXIT_OK
    oldest = "" if since is None else f", the oldest in use since {since:%Y-%m-%d}"
    say(f"keys: {keys.keys}{oldest}")
    say(f"being rotated: {keys.under_way}; to be rotated soon, because of their age: {keys.aged}")
    return EXIT_OK


def _wanted(options: argparse.Namespace) -> RotateKeysRequest:
    if options.all:
        return RotateKeysRequest(all=True)
    if options.staff:
        return RotateKeysRequest(staff=True)
    if options.application is not None:
        return RotateKeysRequest(application_id=options.application)
    return RotateKeysRequest(seller_id=options.seller)


def _display(options: argparse.Namespace) -> sallyport.keys.progress.Display:
    if options.json:
        return sallyport.keys.progress.Json()
    return sallyport.keys.progress.Bar() if sys.stdout.isatty() else sallyport.keys.progress.Lines()


def _summary(last: RotationProgress) -> list[str]:
    if not last.keys:
        return ["nothing to do"]
    lines = [f"keys rotated: {last.keys}; values sealed anew: {last.values_done}"]
    if last.keys_closed >= last.keys:
        return [*lines, "what was sealed under older versions does not open any more"]
    left = sallyport.keys.progress.clock(last.closes_in_s)
    return [*lines, f"older versions are closed by themselves in about {left} minutes"]


def _complain(code: int, text: str) -> int:
    sys.stderr.write(f"sallyport keys: {text}\n")
    return code
