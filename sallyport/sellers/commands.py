"""`sallyport sellers list`, `sallyport sellers create` and `sallyport sellers offboard`."""

import argparse
import asyncio
import json
import sys

import sallyport.access
from sallyport import console
from sallyport.sellers import rows, tasks
from sallyport.terminal import say

NAME = "sellers"
WAIT_S = 60.0
WAIT_S_MAX = 3_600.0


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount the verb `sellers` and its tasks."""
    sellers = subparsers.add_parser(NAME, help="list sellers, create one, or let one leave for good")
    mounted = sellers.add_subparsers(title="tasks", metavar="TASK", required=True)
    _add_list(mounted)
    _add_create(mounted)
    _add_offboard(mounted)


def _add_list(mounted: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = mounted.add_parser(
        "list",
        help="every seller, also those who left",
        epilog="Exit codes: 0 shown, 1 refused or unavailable, 2 could not be tried.",
    )
    console.add_json(parser)
    console.add_state_folder(parser)
    parser.set_defaults(verb=console.tried(NAME, _list))


def _add_create(mounted: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = mounted.add_parser(
        "create",
        help="a new seller with a key of its own",
        epilog="Exit codes: 0 created, 1 refused or unavailable, 2 could not be tried.",
    )
    parser.add_argument("name", metavar="NAME", help="as its people will read it, 1 to 64 characters")
    parser.add_argument(
        "--owner", metavar="PERSON", help="also invite its owner, and show the invitation once"
    )
    console.add_json(parser)
    console.add_state_folder(parser)
    parser.set_defaults(verb=console.tried(NAME, _create))


def _add_offboard(mounted: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = mounted.add_parser(
        "offboard",
        help="let a seller leave for good, and destroy what is theirs",
        description="At once: the seller's people, invitations, desktops and connections to Amazon end. Then "
        "auth destroys the seller's key and has the safe erased, and goes on by itself until all is done, "
        "whether this command waits or not. It cannot be undone. Asking again tells how far it is.",
        epilog="Exit codes: 0 destroyed, 1 refused, unavailable, or not destroyed yet, 2 could not be tried "
        "or was not confirmed.",
    )
    parser.add_argument("seller_id", metavar="SELLER_ID", help="as `sallyport sellers list` shows it")
    parser.add_argument(
        "--reason", required=True, metavar="TEXT", help="goes to the audit log; no names of people"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask for the seller's id once more")
    parser.add_argument(
        "--wait",
        type=_seconds,
        default=WAIT_S,
        metavar="SECONDS",
        help=f"how long to wait until all is destroyed ({WAIT_S:.0f})",
    )
    console.add_json(parser)
    console.add_state_folder(parser)
    parser.set_defaults(verb=console.tried(NAME, _offboard))


def _list(options: argparse.Namespace, config: sallyport.access.Config) -> int:
    async def show() -> int:
        count = 0
        async for seller in tasks.list_all(config):
            if not options.json and not count:
                say(rows.HEAD)
            say(json.dumps(rows.facts(seller)) if options.json else rows.line(seller))
            count += 1
        return count

    if not asyncio.run(show()) and not options.json:
        say("There are no sellers yet: `sallyport sellers create NAME`")
    return console.EXIT_OK


def _create(options: argparse.Namespace, config: sallyport.access.Config) -> int:
    created = asyncio.run(tasks.create(config, options.name, options.owner))
    invitation = None if created.invited is None else f"/portal/enter/{created.invited.invitation}"
    if options.json:
        say(json.dumps({"seller_id": created.seller_id, "invitation": invitation}))
        return console.EXIT_OK
    say(f"seller {created.seller_id}")
    if invitation is not None:
        told = "invitation, shown only now, good once for 24 hours, behind the gateway's address"
        say(f"{told}: {invitation}")
    return console.EXIT_OK


def _offboard(options: argparse.Namespace, config: sallyport.access.Config) -> int:
    seller_id: str = options.seller_id
    if not options.yes and not _is_confirmed(config, seller_id):
        return console.complain(NAME, console.EXIT_UNUSABLE, "not confirmed; nothing was done")
    left = asyncio.run(tasks.offboard(config, seller_id, options.reason, wait_s=options.wait))
    is_destroyed = left.offboarding.HasField("erased_at")
    if options.json:
        say(json.dumps(rows.facts(left)))
    else:
        say("Nobody of theirs gets in any more; what Amazon gave for their connections is gone")
        if is_destroyed:
            say(f"Their key is destroyed, and the safe is erased: receipt {left.offboarding.receipt_id}")
    if is_destroyed:
        return console.EXIT_OK
    text = "not all is destroyed yet; auth goes on by itself within 24 hours, ask again to see how far it is"
    return console.complain(NAME, console.EXIT_REFUSED, text)


def _is_confirmed(config: sallyport.access.Config, seller_id: str) -> bool:
    """Return whether somebody typed the seller's id after reading who it is."""
    seller = asyncio.run(tasks.find(config, seller_id))
    sys.stderr.write(
        f"{seller.name or rows.NAMELESS}: these end at once: {seller.active_consents} of its connections to "
        f"Amazon, {seller.active_devices} of its desktops. What is kept for it is destroyed for good.\n"
        "Type the seller's id to go on: "
    )
    sys.stderr.flush()
    return sys.stdin.readline().strip() == seller_id


def _seconds(text: str) -> float:
    return console.seconds(text, at_least=0, at_most=WAIT_S_MAX)
