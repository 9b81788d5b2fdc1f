"""`sallyport people invite`, `sallyport people remove` and `sallyport people access-review`."""

import argparse
import asyncio
from pathlib import Path

import chassis.clock
import sallyport.access
from sallyport import console
from sallyport.people import sheets, tasks
from sallyport.terminal import say

NAME = "people"


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount the verb `people` and its tasks."""
    people = subparsers.add_parser(NAME, help="invite people, remove one, or see who has access to what")
    mounted = people.add_subparsers(title="tasks", metavar="TASK", required=True)
    _add_invite(mounted)
    _add_remove(mounted)
    _add_export(mounted)


def _add_invite(mounted: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = mounted.add_parser(
        "invite",
        help="a way in for one person, good once for 24 hours",
        description="Print an invitation: a path to put behind the gateway's address, and to hand over by a "
        "way that only this person reads. It is shown once; what is kept is its digest.",
        epilog=console.EXIT_CODES,
    )
    parser.add_argument("name", metavar="NAME", help="as others will read it, 1 to 64 characters")
    parser.add_argument(
        "--role",
        required=True,
        choices=[*tasks.ROLES_OF_STAFF, *tasks.ROLES_OF_SELLERS],
        help="the first three are the vendor's staff, the others a seller's people",
    )
    parser.add_argument(
        "--seller", default="", metavar="SELLER_ID", help="whose person it is; none for staff"
    )
    parser.add_argument(
        "--user",
        default="",
        metavar="USER_ID",
        help="somebody who is known and lost everything to sign in with: what they had ends",
    )
    console.add_state_folder(parser)
    parser.set_defaults(verb=console.tried(NAME, _invite))


def _add_remove(mounted: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = mounted.add_parser(
        "remove",
        help="put one person out at once, whoever they are",
        description="Their sessions, credentials and invitations end, and every desktop that they let in.",
        epilog=console.EXIT_CODES,
    )
    parser.add_argument("user_id", metavar="USER_ID", help="as `sallyport people access-review` shows it")
    parser.add_argument(
        "--reason", required=True, metavar="TEXT", help="goes to the audit log; no names of people"
    )
    console.add_state_folder(parser)
    parser.set_defaults(verb=console.tried(NAME, _remove))


def _add_export(mounted: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = mounted.add_parser(
        "access-review",
        aliases=["export"],
        help="who has access to what, as a table for the quarterly review",
        description="One row for each person and one for each active desktop. The table holds names.",
        epilog=console.EXIT_CODES,
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="a file that is not there yet"
    )
    parser.add_argument("--format", choices=sheets.FORMATS, default=sheets.CSV, help="of the file (csv)")
    console.add_state_folder(parser)
    parser.set_defaults(verb=console.tried(NAME, _export))


def _invite(options: argparse.Namespace, config: sallyport.access.Config) -> int:
    roles = tasks.ROLES_OF_SELLERS if options.seller else tasks.ROLES_OF_STAFF
    if options.role not in roles:
        where = "A seller's people are" if options.seller else "Without --seller, people are staff:"
        return console.complain(NAME, console.EXIT_UNUSABLE, f"{where} {' or '.join(roles)}")
    wish = tasks.Wish(name=options.name, role=options.role, seller_id=options.seller, user_id=options.user)
    invited = asyncio.run(tasks.invite(config, wish))
    say(f"person {invited.user_id}")
    until = f"{invited.expires_at:%Y-%m-%d %H:%M} UTC"
    told = f"invitation, shown only now, good once until {until}, behind the gateway's address"
    say(f"{told}: /portal/enter/{invited.invitation}")
    return console.EXIT_OK


def _remove(options: argparse.Namespace, config: sallyport.access.Config) -> int:
    ended = asyncio.run(tasks.remove(config, options.user_id, options.reason))
    say(f"Out at once: {ended.sessions_ended} sessions and {ended.devices_revoked} desktops ended with it")
    return console.EXIT_OK


def _export(options: argparse.Namespace, config: sallyport.access.Config) -> int:
    now = chassis.clock.SystemClock().now()
    written = sheets.write(tasks.review(config), options.out, form=options.format, reviewed_at=now)
    say(f"{asyncio.run(written)} rows in {options.out}")
    return console.EXIT_OK
