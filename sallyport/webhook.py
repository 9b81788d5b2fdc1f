"""`sallyport webhook`: `status`, `test`, `rotate-secret` of whoever is told of events (docs/webhooks.md)."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC
from pathlib import Path

import chassis.errors
import sallyport.access
from sallyport.terminal import say
from wire.telemetry.v1 import webhooks_pb2, webhooks_pb2_grpc

EXIT_OK = 0
EXIT_WRONG = 1
EXIT_UNUSABLE = 2

Task = Callable[["webhooks_pb2_grpc.WebhookAdminAsyncStub"], Awaitable[int]]


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount the verb `webhook` and its three tasks."""
    webhook = subparsers.add_parser("webhook", help="the receiver that is told of events")
    tasks = webhook.add_subparsers(title="tasks", metavar="TASK", required=True)
    for name, text, verb in (
        ("status", "say how far it is, what was last tried and what was given up", run_status),
        ("test", "post a message that reports nothing; an accepted one lifts a 410", run_test),
        (
            "rotate-secret",
            "make a new secret and show it once; the old one signs too for 24 hours",
            run_rotate,
        ),
    ):
        parser = tasks.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog="Exit codes: 0 done, 1 something is wrong, 2 could not be tried.",
        )
        parser.add_argument(
            "--state-folder",
            type=Path,
            metavar="FOLDER",
            help="take the connection from the state of `sallyport run`, not from SALLYPORT_ variables",
        )
        parser.set_defaults(verb=verb)


def run_status(options: argparse.Namespace) -> int:
    """Say how telling the receiver goes; return the exit code, 1 when somebody should look."""
    return _with_webhook(options, _status)


def run_test(options: argparse.Namespace) -> int:
    """Post a test message; return the exit code."""
    return _with_webhook(options, _test)


def run_rotate(options: argparse.Namespace) -> int:
    """Rotate the secret and print the new one; return the exit code."""
    return _with_webhook(options, _rotate)


def _with_webhook(options: argparse.Namespace, task: Task) -> int:
    folder: Path | None = options.state_folder
    try:
        environ = os.environ if folder is None else sallyport.access.read_state_folder(folder)
        return asyncio.run(_call(sallyport.access.load(environ), task))
    except (chassis.errors.StartRefused, OSError) as error:
        return _complain(EXIT_UNUSABLE, str(error))
    except chassis.errors.SallyportError as error:
        return _complain(EXIT_WRONG, f"{error.code}: {error.text}")


async def _call(config: sallyport.access.Config, task: Task) -> int:
    async with sallyport.access.open_admin(config) as admin:
        return await task(admin.webhooks)


async def _status(webhooks: "webhooks_pb2_grpc.WebhookAdminAsyncStub") -> int:
    found = await webhooks.FindWebhook(webhooks_pb2.FindWebhookRequest())
    for line in _lines(found):
        say(line)
    return EXIT_WRONG if found.is_gone or found.attempts else EXIT_OK


async def _test(webhooks: "webhooks_pb2_grpc.WebhookAdminAsyncStub") -> int:
    answer = await webhooks.TestWebhook(webhooks_pb2.TestWebhookRequest())
    if answer.is_accepted:
        say(f"accepted ({answer.status})")
        return EXIT_OK
    return _complain(EXIT_WRONG, f"not accepted ({answer.status or 'no answer'})")


async def _rotate(webhooks: "webhooks_pb2_grpc.WebhookAdminAsyncStub") -> int:
    answer = await webhooks.RotateWebhookSecret(webhooks_pb2.RotateWebhookSecretRequest())
    say(answer.secret)
    return EXIT_OK


def _lines(webhook: webhooks_pb2.Webhook) -> Iterator[str]:
    if not webhook.host:
        yield "nobody is told: SALLYPORT_WEBHOOK_URL is not set"
        return
    yield f"receiver: {webhook.host}{' (gone: it wants no more)' if webhook.is_gone else ''}"
    yield f"told up to record {webhook.sequence} of {webhook.head}"
    if webhook.attempts:
        retry_at = webhook.retry_at.ToDatetime(UTC).isoformat(timespec="seconds")
        yield f"the next report failed {webhook.attempts} times; tried again at {retry_at}"
    for letter in webhook.dead_letters:
        given_up_at = letter.given_up_at.ToDatetime(UTC).isoformat(timespec="seconds")
        yield f"given up: record {letter.sequence}, {letter.kind}, answered {letter.status}, at {given_up_at}"


def _complain(code: int, text: str) -> int:
    sys.stderr.write(f"sallyport webhook: {text}\n")
    return code
