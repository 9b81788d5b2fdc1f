"""`sallyport people invite`, `sallyport people remove` and `sallyport people access-review`."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import chassis.clock
import chassis.errors
import sallyport.access
from sallyport.people import sheets, tasks
from sallyport.terminal import say

EXIT_OK = 0
EXIT_REFUSED = 1
EXIT_UNUSABLE = 2
CODES = "Exit codes: 0 done, 1 refused or unavailable, 2 could not be tried."

Task = Callable[[argparse.Namespace, sallyport.access.Config], int]


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount the verb `people` and its tasks."""
    people = subparsers.add_parser("people", help="invite people, remove one, or see who has access to what")
    mounted = people.add_subparsers(title="tasks", metavar="TASK", required=True)
    _add_invite(mounted)
    _add_remove(mounted)
    _add_export(mounted)


def _add_invite(mounted: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = mounted.add_parser(
        "invite", help="a way in for one person, good once for 24 hours", epilog=CODES
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
    _add_state_folder(parser)
    parser.set_defaults(verb=_tried(_invite))


def _add_remove(mounted: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = mounted.add_parser(
        "remove",
        help="put one person out at once, whoever they are",
        description="Their sessions, credentials and invitations end, and every desktop that they let in.",
        epilog=CODES,
    )
    parser.add_argument("user_id", metavar="USER_ID", help="as `sallyport people access-review` shows it")
    parser.add_argument(
        "--reason", required=True, metavar="TEXT", help="goes to the audit log; no names of people"
    )
    _add_state_folder(parser)
    parser.set_defaults(verb=_tried(_remove))


def _add_export(mounted: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = mounted.add_parser(
        "access-review",
        aliases=["export"],
        help="who has access to what, as a table for the quarterly review",
        description="One row for each person and one for each active desktop. The table holds names.",
        epilog=CODES,
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="a file that is not there yet"
    )
    parser.add_argument("--format", choices=sheets.FORMATS, default=sheets.CSV, help="of the file (csv)")
    _add_state_folder(parser)
    parser.set_defaults(verb=_tried(_export))


def _add_state_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state-folder",
        type=Path,
        metavar="FOLDER",
        help="take the connection from the state of `sallyport run`, not from SALLYPORT_ variables",
    )


def _tried(task: Task) -> Callable[[argparse.Namespace], int]:
    """Return a verb that tries a task and says why when it does not succeed."""

    def verb(options: argparse.Namespace) -> int:
        try:
            folder: Path | None = options.state_folder
            environ = os.environ if folder is None else sallyport.access.read_state_folder(folder)
            return task(options, sallyport.access.load(environ))
        except (chassis.errors.StartRefused, OSError) as error:
            return _complain(EXIT_UNUSABLE, str(error))
        except chassis.errors.SallyportError as error:
            return _complain(EXIT_REFUSED, f"{error.code}: {error.text}")

    return verb


def _invite(options: argparse.Namespace, config: sallyport.access.Config) -> int:
    roles = tasks.ROLES_OF_SELLERS if options.seller else tasks.ROLES_OF_STAFF
    if options.role not in roles:
        where = "A seller's people are" if options.seller else "Without --seller, people are staff:"
        return _complain(EXIT_UNUSABLE, f"{where} {' or '.join(roles)}")
    wish = tasks.Wish(name=options.name, role=options.role, seller_id=options.seller, user_id=options.user)
    invited = asyncio.run(tasks.invite(config, wish))
    say(f"person {invited.user_id}")
    until = f"{invited.expires_at:%Y-%m-%d %H:%M} UTC"
    say(f"invitation, shown only now, good once until {until}: /portal/enter/{invited.invitation}")
    return EXIT_OK


def _remove(options: argparse.Namespace, config: sallyport.access.Config) -> int:
    ended = asyncio.run(tasks.remove(config, options.user_id, options.reason))
    say(f"Out at once: {ended.sessions_ended} sessions and {ended.devices_revoked} desktops ended with it")
    return EXIT_OK


def _export(options: argparse.Namespace, config: sallyport.access.Config) -> int:
    now = chassis.clock.SystemClock().now()
    written = sheets.write(tasks.review(config), options.out, form=options.format, reviewed_at=now)
    say(f"{asyncio.run(written)} rows in {options.out}")
    return EXIT_OK


def _complain(code: int, text: str) -> int:
    sys.stderr.write(f"sallyport people: {text}\n")
    return code
