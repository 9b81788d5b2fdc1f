"""The webhook over real TLS: what its client refuses, and what kills and outages leave of its order."""

import argparse
import asyncio
import signal
import socket
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp.resolver
import pytest

import chassis.crypto.tls
import chassis.env
import sallyport.provision
import sallyport.provision.database
import sallyport.provision.ground
import sallyport.webhook
import services.telemetry.store.webhooks
import services.telemetry.webhook
from fakes.certificates import Authority
from fakes.clock import START
from services.telemetry.model.errors import WebhookMissing
from services.telemetry.model.events import Event
from services.telemetry.model.webhooks import Answer, DeadLetter
from services.telemetry.store import WebhookStore
from services.telemetry.webhook import RETRY_AFTER_S_MAX, Nobody
from tests.conftest import PoolFor
from tests.integration.service import until
from tests.integration.telemetry.conftest import CallerFor
from tests.integration.telemetry.process import TelemetryProcess
from tests.integration.telemetry.receiver import Receiver, Scripted
from tests.integration.telemetry.test_process import leave_console_settings
from tests.unit.telemetry.house import fact
from tests.unit.telemetry.receiving import check

HEADERS = {"Content-Type": "application/json", "webhook-id": "m-1"}
NO_ANSWER = Answer(0)


@pytest.fixture
async def receiver(tmp_path: Path) -> AsyncIterator[Receiver]:
    async with Receiver().serve(tmp_path) as serving:
        yield serving


async def posted(receiver: Receiver, *, ca_file: Path | None = None, allows_private: bool = True) -> Answer:
    ca_file = ca_file or receiver.ca_file
    async with services.telemetry.webhook.connect(
        receiver.url, ca_file, allows_private=allows_private
    ) as client:
        return await client.post(b"{}", HEADERS)


async def test_a_message_arrives_as_it_was_signed(receiver: Receiver) -> None:
    assert await posted(receiver) == Answer(204)
    ((headers, body),) = receiver.told
    assert body == b"{}"
    assert HEADERS.items() <= headers.items()
    assert "Cookie" not in headers


async def test_a_redirect_is_not_followed_T29(receiver: Receiver) -> None:
    receiver.scripted.append(Scripted(302, {"Location": receiver.url}))
    assert await posted(receiver) == Answer(302)
    assert len(receiver.told) == 1


async def test_an_endless_answer_is_not_read_T29(receiver: Receiver) -> None:
    receiver.scripted.append(Scripted(200, is_endless=True))
    assert await posted(receiver) == Answer(200)


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), ("999999999999", RETRY_AFTER_S_MAX), ("soon", None), ("-1", None)]
)
async def test_come_back_later_is_read_within_reason_T29(
    receiver: Receiver, value: str, seconds: float | None
) -> None:
    receiver.scripted.append(Scripted(503, {"Retry-After": value}))
    assert await posted(receiver) == Answer(503, seconds)


async def test_an_answer_that_does_not_come_is_given_up_R07(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.telemetry.webhook, "POST_S_MAX", 0.2)
    receiver.holds = asyncio.Event()
    assert await posted(receiver) == NO_ANSWER


async def test_a_private_address_behind_a_name_is_not_dialled(receiver: Receiver) -> None:
    assert await posted(receiver, allows_private=False) == NO_ANSWER
    assert receiver.told == []


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.7", "::1"])
async def test_a_name_without_a_public_address_leads_nowhere(host: str) -> None:
    with pytest.raises(OSError, match="no public address"):
        await services.telemetry.webhook._PublicResolver().resolve(host, 443, socket.AF_UNSPEC)


async def test_of_a_names_addresses_only_the_public_ones_are_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    async def both(*_: object) -> list[dict[str, str]]:
        return [{"host": "169.254.169.254"}, {"host": "8.8.8.8"}]

    monkeypatch.setattr(aiohttp.resolver.ThreadedResolver, "resolve", both)
    found = await services.telemetry.webhook._PublicResolver().resolve("receiver.example", 443)
    assert [each["host"] for each in found] == ["8.8.8.8"]


async def test_no_proxy_of_the_environment_stands_between(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_tcp_port}")
    assert await posted(receiver) == Answer(204)


async def test_a_receivers_cookie_is_not_kept(receiver: Receiver) -> None:
    receiver.scripted.append(Scripted(204, {"Set-Cookie": "who=us; Path=/"}))
    async with services.telemetry.webhook.connect(
        receiver.url, receiver.ca_file, allows_private=True
    ) as client:
        for _ in range(2):
            assert await client.post(b"{}", HEADERS) == Answer(204)
    assert len(receiver.told) == 2
    assert not any("Cookie" in headers for headers, _ in receiver.told)


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 2", b"I am no web server\r\n\r\n", b"HTTP/1.1 200 OK\r\nno header\r\n\r\n"]
)
async def test_an_answer_that_is_none_is_no_answer_T29(tmp_path: Path, said: bytes) -> None:
    authority = Authority("A vendor's authority")
    ca_file = authority.write_ca(tmp_path)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.write(said)
        writer.close()

    tls = chassis.crypto.tls.public_context(authority.issue("localhost"))
    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls) as server:
        url = f"https://localhost:{server.sockets[0].getsockname()[1]}/hook"
        async with services.telemetry.webhook.connect(url, ca_file, allows_private=True) as client:
            assert await client.post(b"{}", HEADERS) == NO_ANSWER


async def test_a_receiver_that_nobody_vouches_for_is_not_told_T24(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    async with Receiver().serve(tmp_path / "other") as other:
        assert await posted(receiver, ca_file=other.ca_file) == NO_ANSWER
    assert receiver.told == []


async def test_nobody_is_at_home(receiver: Receiver, unused_tcp_port: int) -> None:
    receiver.url = f"https://localhost:{unused_tcp_port}/hook"
    assert await posted(receiver) == NO_ANSWER


async def test_where_nobody_is_told_nothing_is_posted() -> None:
    assert Nobody().url == ""
    with pytest.raises(WebhookMissing):
        await Nobody().post(b"{}", HEADERS)


async def test_old_dead_letters_give_way_R23(pool_for: PoolFor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.telemetry.store.webhooks, "DEAD_LETTERS_MAX", 2)
    store = WebhookStore(await pool_for("telemetry"))
    await store.take(60.0)
    turn = await store.take(60.0)
    assert turn is not None
    for sequence in (1, 2, 3, 4):
        await store.abandon(
            turn.fence,
            DeadLetter(sequence=sequence, kind="a.b.c", status=404, attempts=8, given_up_at=START),
        )
    assert [letter.sequence for letter in (await store.standing()).dead_letters] == [4, 3]


@pytest.fixture
async def telling(idle_telemetry: TelemetryProcess, receiver: Receiver) -> TelemetryProcess:
    """A process that tells the receiver, and has done so for a moment."""
    idle_telemetry.environ |= {
        "SALLYPORT_WEBHOOK_URL": receiver.url,
        "SALLYPORT_WEBHOOK_CA_FILE": str(receiver.ca_file),
        "SALLYPORT_WEBHOOK_KINDS": "auth.consent.,auth.device.revoked",
    }
    await idle_telemetry.start()

    async def is_telling() -> bool:
        return "sallyport_telemetry_webhook_lag_records 0.0" in await idle_telemetry.metrics()

    await until(is_telling, limit_s=20)
    return idle_telemetry


def news() -> Event:
    event = fact(0, event_id=str(uuid.uuid4()), kind="auth.consent.reminded", result=None, details={})
    return replace(event, occurred_at=datetime.now(UTC))


def webhook_verb(verb: str, folder: Path) -> int:
    parser = argparse.ArgumentParser()
    sallyport.webhook.add_commands(parser.add_subparsers(required=True))
    options = parser.parse_args(["webhook", verb, "--state-folder", str(folder)])
    code: int = options.verb(options)
    return code


async def test_killed_before_the_bookmark_it_tells_the_same_message_again_R12(
    telling: TelemetryProcess,
    receiver: Receiver,
    caller_for: CallerFor,
    ground: sallyport.provision.ground.Ground,
    database: chassis.env.DatabaseConfig,
) -> None:
    auth = await caller_for("auth")
    first, second = news(), news()
    receiver.holds = asyncio.Event()
    await auth.append(first)
    await receiver.has_told(1)
    await telling.stop(signal.SIGKILL)
    await telling.start()
    await end_turn(ground, database)
    await (await caller_for("auth")).append(second)
    receiver.holds.set()
    await receiver.has_told(3)
    assert receiver.ids() == [first.event_id, first.event_id, second.event_id]
    assert receiver.told[0][1] == receiver.told[1][1]


async def end_turn(ground: sallyport.provision.ground.Ground, database: chassis.env.DatabaseConfig) -> None:
    """Let the killed process's turn be over at once, not within forty seconds."""
    async with sallyport.provision.database.signed_in(
        ground.postgres, ground.openbao, role=sallyport.provision.OWNER, database=database.name
    ) as connection:
        await connection.execute("UPDATE telemetry.webhooks SET held_until = clock_timestamp()")


async def test_the_operator_rotates_the_secret_and_tries_the_receiver(
    telling: TelemetryProcess,
    receiver: Receiver,
    caller_for: CallerFor,
    ground: sallyport.provision.ground.Ground,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    leave_console_settings(ground, telling, tmp_path)
    assert await asyncio.to_thread(webhook_verb, "rotate-secret", tmp_path) == 0
    secret = capsys.readouterr().out.strip()
    assert secret.startswith("whsec_")
    assert await asyncio.to_thread(webhook_verb, "test", tmp_path) == 0
    headers, body = receiver.told[0]
    assert check()(secret, headers, body, time.time())
    assert len(headers["webhook-signature"].split(" ")) == 2

    receiver.scripted.append(Scripted(410))
    await (await caller_for("auth")).append(news())
    await receiver.has_told(2)
    assert await asyncio.to_thread(is_gone, tmp_path)
    assert "gone" in capsys.readouterr().out
    receiver.scripted.append(Scripted(500))
    assert await asyncio.to_thread(webhook_verb, "test", tmp_path) == 1
    assert await asyncio.to_thread(webhook_verb, "test", tmp_path) == 0
    await receiver.has_told(5)
    assert receiver.ids()[1] == receiver.ids()[4]
    assert secret not in telling.log_file.read_text()


def is_gone(folder: Path) -> bool:
    """Return whether the status says so by its exit code, soon."""
    return any(webhook_verb("status", folder) == 1 for _ in range(10))


async def test_without_a_receiver_the_operator_is_told_so(
    telemetry: TelemetryProcess,
    ground: sallyport.provision.ground.Ground,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    leave_console_settings(ground, telemetry, tmp_path)
    assert await asyncio.to_thread(webhook_verb, "status", tmp_path) == 0
    assert "nobody is told" in capsys.readouterr().out
    assert await asyncio.to_thread(webhook_verb, "test", tmp_path) == 1
    assert "webhook_missing" in capsys.readouterr().err


async def test_a_receiver_without_tls_refuses_the_start(idle_telemetry: TelemetryProcess) -> None:
    await idle_telemetry.spawn({"SALLYPORT_WEBHOOK_URL": "http://receiver.example/"})
    assert await idle_telemetry.wait() == 2
    assert "tls_required" in idle_telemetry.log_file.read_text()
