"""`sallyport webhook`: `status`, `test`, `rotate-secret` of whoever is told of events (docs/webhooks.md)."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC

import sallyport.access
from sallyport import console
from sallyport.terminal import say
from wire.telemetry.v1 import webhooks_pb2, webhooks_pb2_grpc

NAME = "webhook"

Task = Callable[["webhooks_pb2_grpc.WebhookAdminAsyncStub"], Awaitable[int]]


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount the verb `webhook` and its three tasks."""
    webhook = subparsers.add_parser(NAME, help="the receiver that is told of events")
    tasks = webhook.add_subparsers(title="tasks", metavar="TASK", required=True)
    for name, text, task in (
        ("status", "say how far it is, what was last tried and what was given up", _status),
        ("test", "post a message that reports nothing; an accepted one lifts a 410", _test),
        (
            "rotate-secret",
            "make a new secret and show it once; the old one signs too for 24 hours",
            _rotate,
        ),
    ):
        parser = tasks.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog="Exit codes: 0 done, 1 something is wrong, 2 could not be tried.",
        )
        console.add_state_folder(parser)
        parser.set_defaults(verb=console.tried(NAME, _with_webhook(task)))


def _with_webhook(task: Task) -> console.Task:
    """Return a task of the console that asks telemetry's surface for webhooks."""
    return lambda _options, config: asyncio.run(_call(config, task))


async def _call(config: sallyport.access.Config, task: Task) -> int:
    async with sallyport.access.open_admin(config) as admin:
        return await task(admin.webhooks)


async def _status(webhooks: "webhooks_pb2_grpc.WebhookAdminAsyncStub") -> int:
    found = await webhooks.FindWebhook(webhooks_pb2.FindWebhookRequest())
    for line in _lines(found):
        say(line)
    return console.EXIT_REFUSED if found.is_gone or found.attempts else console.EXIT_OK


async def _test(webhooks: "webhooks_pb2_grpc.WebhookAdminAsyncStub") -> int:
    answer = await webhooks.TestWebhook(webhooks_pb2.TestWebhookRequest())
    if answer.is_accepted:
        say(f"accepted ({answer.status})")
        return console.EXIT_OK
    return console.complain(NAME, console.EXIT_REFUSED, f"not accepted ({answer.status or 'no answer'})")


async def _rotate(webhooks: "webhooks_pb2_grpc.WebhookAdminAsyncStub") -> int:
    answer = await webhooks.RotateWebhookSecret(webhooks_pb2.RotateWebhookSecretRequest())
    say(answer.secret)
    return console.EXIT_OK


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
