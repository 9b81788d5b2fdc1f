"""`sallyport application register`, `show`, `secret rotate` and `secret paste`."""

import argparse
import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

import chassis.errors
import sallyport.access
from sallyport import console
from sallyport.application import forms, prompt, steps
from sallyport.terminal import say
from wire.auth.v1 import auth_pb2

NAME = "application"
WAIT_S = 600.0
WAIT_S_MAX = 86_400.0
# What else to do, by the code of a refusal.
ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "rotation_too_soon": "Use --force if you must.",
        "rotation_unheard": "Configure one (docs/client-secrets.md), or use --paste-later.",
    }
)
Subparsers = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it


def add_commands(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Mount the verb `application` and its tasks."""
    application = subparsers.add_parser(
        NAME, help="register the application at Amazon; see and renew its client secrets"
    )
    tasks = application.add_subparsers(title="tasks", metavar="TASK", required=True)
    _add_register(tasks)
    _add_show(tasks)
    secret = tasks.add_parser("secret", help="renew the client secret")
    secret_tasks = secret.add_subparsers(title="tasks", metavar="TASK", required=True)
    _add_rotate(secret_tasks)
    _add_paste(secret_tasks)


def _add_register(tasks: "Subparsers[argparse.ArgumentParser]") -> None:
    parser = tasks.add_parser(
        "register",
        help="make an application the one that sellers consent to",
        description="Register the application. Its client secret is read from standard input, or typed "
        "without echo. A known application keeps the secret that it had beside the new one.",
        epilog=console.EXIT_CODES,
    )
    parser.add_argument("--application-id", required=True, metavar="ID", help="as Amazon shows it: amzn1.…")
    parser.add_argument("--client-id", required=True, metavar="ID", help="amzn1.application-oa2-client.…")
    parser.add_argument("--draft", action="store_true", help="it is still a draft at Amazon")
    console.add_state_folder(parser)
    parser.set_defaults(verb=_tried(_register))


def _add_show(tasks: "Subparsers[argparse.ArgumentParser]") -> None:
    parser = tasks.add_parser(
        "show",
        help="its identifiers, its client secrets' dates, and when they are renewed",
        description="Show an application. A client secret is never shown; its id names it in the audit log.",
        epilog=console.EXIT_CODES,
    )
    _add_which(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object, for scripts")
    console.add_state_folder(parser)
    parser.set_defaults(verb=_tried(_show))


def _add_rotate(tasks: "Subparsers[argparse.ArgumentParser]") -> None:
    parser = tasks.add_parser(
        "rotate",
        help="have Amazon make a new client secret now",
        description="Ask Amazon for a new client secret. It arrives on the vendor's queue, where auth hears "
        "it; the present one works for 7 more days. Auth does this by itself in time.",
        epilog=console.EXIT_CODES,
    )
    _add_which(parser)
    parser.add_argument("--wait", action="store_true", help="follow it: asked, arrived, in use")
    parser.add_argument(
        "--wait-s", type=_seconds, default=WAIT_S, metavar="S", help=f"for at most so long ({WAIT_S:.0f})"
    )
    parser.add_argument("--force", action="store_true", help="although Amazon was asked within the day")
    parser.add_argument(
        "--paste-later",
        action="store_true",
        help="although no queue is configured here: you fetch the new secret yourself and paste it",
    )
    console.add_state_folder(parser)
    parser.set_defaults(verb=_tried(_rotate))


def _add_paste(tasks: "Subparsers[argparse.ArgumentParser]") -> None:
    parser = tasks.add_parser(
        "paste",
        help="hand in a client secret that you have from Amazon",
        description="Keep a client secret as the newest, beside the present one. It is read from standard "
        "input, or typed without echo; never give it as an argument. Amazon is asked first whether it "
        "accepts it. Pasting a known one again with --expires-at corrects its date.",
        epilog=console.EXIT_CODES,
    )
    _add_which(parser)
    parser.add_argument(
        "--expires-at",
        type=_moment,
        metavar="TIME",
        help="when it ends, as the portal shows it: ISO 8601, UTC unless it says otherwise; "
        "without it: 180 days from now at the latest",
    )
    parser.add_argument("--unverified", action="store_true", help="keep it without asking Amazon")
    console.add_state_folder(parser)
    parser.set_defaults(verb=_tried(_paste))


def _add_which(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--application-id", default="", metavar="ID", help="another application than the present one"
    )


def _tried(task: console.Task) -> console.Verb:
    """Return the verb that tries a task, and says what else to do where that is known."""

    def attempt(options: argparse.Namespace, config: sallyport.access.Config) -> int:
        try:
            return task(options, config)
        except prompt.NothingGiven as error:
            return console.complain(NAME, console.EXIT_UNUSABLE, str(error))
        except steps.NotArrived as error:
            text = f"the new client secret was not {error} in time; auth goes on"
            return console.complain(NAME, console.EXIT_REFUSED, f"{text}: see `sallyport application show`")
        except chassis.errors.SallyportError as error:
            if error.code not in ADVICE:
                raise
            return console.complain(
                NAME, console.EXIT_REFUSED, f"{error.code}: {error.text} {ADVICE[error.code]}"
            )

    return console.tried(NAME, attempt)


def _register(options: argparse.Namespace, config: sallyport.access.Config) -> int:
    application = auth_pb2.Application(
        application_id=options.application_id, client_id=options.client_id, is_draft=options.draft
    )
    asyncio.run(steps.register(config, application, prompt.read_secret("Client secret: ")))
    return _show_now(options, config)


def _show(options: argparse.Namespace, config: sallyport.access.Config) -> int:
    if not options.json:
        return _show_now(options, config)
    details = asyncio.run(steps.show(config, options.application_id))
    say(json.dumps(forms.document(details), indent=1))
    return console.EXIT_OK


def _show_now(options: argparse.Namespace, config: sallyport.access.Config) -> int:
    for line in forms.lines(asyncio.run(steps.show(config, options.application_id))):
        say(line)
    return console.EXIT_OK


def _rotate(options: argparse.Namespace, config: sallyport.access.Config) -> int:
    if options.wait and options.paste_later:
        return console.complain(
            NAME, console.EXIT_UNUSABLE, "there is nothing to wait for when you paste the secret yourself"
        )
    rotation = steps.Rotation(
        application_id=options.application_id, is_forced=options.force, is_pasted=options.paste_later
    )

    async def follow() -> None:
        async for step, details in steps.rotate(
            config, rotation, wait_s=options.wait_s if options.wait else 0.0
        ):
            say(f"{step:<12} {_progress(step, forms.end(details.secrets[0]))}")

    asyncio.run(follow())
    return console.EXIT_OK


def _progress(step: str, end: str) -> str:
    return {
        "asked": "Amazon makes a new client secret; the present one works for 7 more days",
        "arrived": f"the new one is kept; it {end}",
        "in use": "Amazon accepts it; it is shown first from now on",
    }[step]


def _paste(options: argparse.Namespace, config: sallyport.access.Config) -> int:
    pasting = steps.Pasting(
        application_id=options.application_id,
        secret=prompt.read_secret("New client secret: "),
        expires_at=options.expires_at,
        is_unverified=options.unverified,
    )
    pasted = asyncio.run(steps.paste(config, pasting))
    verified = "kept without asking Amazon" if options.unverified else "Amazon accepts it; it is kept"
    say(verified if pasted.is_news else "known already, with this date: nothing was changed")
    for line in forms.lines(pasted.application):
        say(line)
    return console.EXIT_OK


def _seconds(text: str) -> float:
    return console.seconds(text, at_least=1, at_most=WAIT_S_MAX)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("not a time such as 2027-05-21 or 2027-05-21T12:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
