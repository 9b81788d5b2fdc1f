"""`sallyport keys rotate` and `sallyport keys status`."""

import argparse
import asyncio
import json
import sys
from datetime import UTC

import sallyport.access
import sallyport.keys.progress
import sallyport.keys.rotate
from sallyport import console
from sallyport.terminal import say
from wire.auth.v1.keys_pb2 import RotateKeysRequest, RotationProgress

NAME = "keys"


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount the verb `keys` and its tasks."""
    keys = subparsers.add_parser(NAME, help="rotate sealing keys, or see how old they are")
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
    console.add_json(parser)
    console.add_state_folder(parser)
    parser.set_defaults(verb=console.tried(NAME, _rotate))


def _add_status(tasks: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = tasks.add_parser(
        "status",
        help="how many keys there are, and how old",
        epilog="Exit codes: 0 shown, 1 refused or unavailable, 2 could not be tried.",
    )
    console.add_json(parser)
    console.add_state_folder(parser)
    parser.set_defaults(verb=console.tried(NAME, _status))


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
        return console.complain(
            NAME, console.EXIT_REFUSED, f"{last.values_damaged} values did not open and were left as they are"
        )
    return console.EXIT_OK


def _status(options: argparse.Namespace, config: sallyport.access.Config) -> int:
    keys = asyncio.run(sallyport.keys.rotate.describe(config))
    since = keys.oldest_since.ToDatetime(UTC) if keys.HasField("oldest_since") else None
    if options.json:
        oldest = None if since is None else since.isoformat()
        facts = {"keys": keys.keys, "oldest_since": oldest, "aged": keys.aged, "under_way": keys.under_way}
        say(json.dumps(facts))
        return console.EXIT_OK
    oldest = "" if since is None else f", the oldest in use since {since:%Y-%m-%d}"
    say(f"keys: {keys.keys}{oldest}")
    say(f"being rotated: {keys.under_way}; to be rotated soon, because of their age: {keys.aged}")
    return console.EXIT_OK


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
