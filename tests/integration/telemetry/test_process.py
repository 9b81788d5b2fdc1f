"""Telemetry as a process: callers over mutual TLS, kills, outages, and the console's two tasks."""

import argparse
import asyncio
import json
import os
import signal
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import chassis.errors
import sallyport.audit.commands
import sallyport.engines.postgres
import sallyport.provision.ground
import sallyport.provision.handout
from sallyport.audit.verify import verify
from services.telemetry.model.events import Event
from tests.conftest import VaultFor
from tests.integration.service import until
from tests.integration.telemetry.conftest import CallerFor
from tests.integration.telemetry.process import TelemetryProcess, message
from tests.unit.telemetry.house import fact, intent, outcome
from wire.telemetry.v1 import telemetry_pb2


def fresh(**changes: object) -> Event:
    return fact(0, event_id=str(uuid.uuid4()), occurred_at=datetime.now(UTC), **changes)


def records(lines: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line)["record"] for line in lines if line.startswith(b'{"hash"')]


async def test_what_services_append_the_console_exports_and_the_auditor_verifies_T22(
    telemetry: TelemetryProcess,
    caller_for: CallerFor,
    ground: sallyport.provision.ground.Ground,
    tmp_path: Path,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    gateway, auth = await caller_for("gateway"), await caller_for("auth")
    read = intent(1, details={"operation": "getOrderAddress", "order_ids": "902-3159896-1390916"})
    told = await gateway.append(read)
    told += await auth.append(fresh(kind="auth.token.lent"))
    told += await gateway.append(outcome(2, of=1), fresh())
    assert told == sorted(set(told))

    out, key = tmp_path / "audit.ndjson", tmp_path / "key.pem"
    leave_console_settings(ground, telemetry, tmp_path)
    options = ["--out", str(out), "--public-key-out", str(key), "--state-folder", str(tmp_path)]
    assert await asyncio.to_thread(sallyport_audit, "export", *options) == 0
    assert sallyport_audit("verify", str(out), "--public-key", str(key), "--at-least", str(told[-1])) == 0
    kept = records(out.read_bytes().splitlines())
    assert [(record["sender"], record["phase"]) for record in kept if record["sequence"] in told] == [
        ("gateway", "intent"),
        ("auth", "fact"),
        ("gateway", "outcome"),
        ("gateway", "fact"),
    ]
    assert kept[told[0] - 1]["details"] == read.details
    assert {record["kind"] for record in kept if record["sender"] == "telemetry"} == {
        "telemetry.service.started",
        "telemetry.key.loaded",
        "telemetry.log.exported",
    }
    assert out.stat().st_mode & 0o077 == 0

    capfdbinary.readouterr()
    again = ["--out", "-", "--state-folder", str(tmp_path)]
    assert await asyncio.to_thread(sallyport_audit, "export", *again) == 0
    sys.stdout.flush()
    log = capfdbinary.readouterr().out
    assert records(log.splitlines())[: len(kept)] == kept
    (tmp_path / "piped").write_bytes(log)
    assert sallyport_audit("verify", str(tmp_path / "piped"), "--public-key", str(key)) == 0

    content = out.read_bytes()
    out.write_bytes(content.replace(b"902-3159896-1390916", b"902-3159896-1390917"))
    assert sallyport_audit("verify", str(out), "--public-key", str(key)) == 1


@pytest.mark.parametrize(
    ("identity", "verb"),
    [("console", "append"), ("telemetry", "append"), ("gateway", "export"), ("auth", "export")],
)
async def test_each_method_serves_only_its_callers_T24(
    identity: str, verb: str, telemetry: TelemetryProcess, caller_for: CallerFor
) -> None:
    assert telemetry.address.port
    caller = await caller_for(identity)
    with pytest.raises(chassis.errors.Denied):
        await (caller.append(fresh()) if verb == "append" else caller.export())


async def test_a_sender_cannot_speak_for_another_T35(
    telemetry: TelemetryProcess, caller_for: CallerFor
) -> None:
    assert telemetry.address.port
    with pytest.raises(chassis.errors.Denied) as refusal:
        await (await caller_for("auth")).append(fresh(kind="gateway.pii.read"))
    assert refusal.value.code == "kind_not_owned"


async def test_a_credential_is_refused_and_never_reaches_log_or_store_T14(
    telemetry: TelemetryProcess, caller_for: CallerFor
) -> None:
    gateway, secret = await caller_for("gateway"), "Atzr|IwEBIExampleSecret"
    with pytest.raises(chassis.errors.InvalidInput) as refusal:
        await gateway.append(fresh(details={"note": secret}))
    assert (refusal.value.code, refusal.value.http_status) == ("sensitive_content", 422)
    lines = await (await caller_for("console")).export()
    assert not any(secret.encode() in line for line in lines)
    assert "telemetry.append.refused" in [record["kind"] for record in records(lines)]
    assert secret not in await telemetry.logged('"outcome":"sensitive_content"')
    assert 'code="sensitive_content",sender="gateway"} 1.0' in await telemetry.metrics()


MALFORMED = {
    "no phase": telemetry_pb2.AuditEvent(event_id=str(uuid.UUID(int=1)), kind="gateway.a.b"),
    "no time": telemetry_pb2.AuditEvent(
        event_id=str(uuid.UUID(int=1)), kind="gateway.a.b", phase=telemetry_pb2.PHASE_FACT
    ),
    "unknown phase": telemetry_pb2.AuditEvent(
        event_id=str(uuid.UUID(int=1)),
        kind="gateway.a.b",
        phase=99,  # type: ignore[arg-type]
    ),
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_message_is_invalid_input_T10(
    sent: telemetry_pb2.AuditEvent, telemetry: TelemetryProcess, caller_for: CallerFor
) -> None:
    assert telemetry.address.port
    with pytest.raises(chassis.errors.InvalidInput) as refusal:
        await (await caller_for("gateway")).send(sent)
    assert refusal.value.code == "event_invalid"


async def test_an_impossible_time_is_invalid_input_T10(
    telemetry: TelemetryProcess, caller_for: CallerFor
) -> None:
    assert telemetry.address.port
    sent = message(fresh())
    sent.occurred_at.seconds = 2**60
    with pytest.raises(chassis.errors.InvalidInput):
        await (await caller_for("gateway")).send(sent)


async def test_killed_at_any_moment_it_keeps_what_it_acknowledged_once_R03_R04_R12(
    telemetry: TelemetryProcess, caller_for: CallerFor, vault_for: VaultFor
) -> None:
    gateway = await caller_for("gateway")
    told: dict[str, int] = {}
    retried: set[str] = set()
    enough = asyncio.Event()

    async def append() -> None:
        for _ in range(30):
            event = fresh()
            told[event.event_id] = await insist(event)
            if len(told) % 100 == 0:
                enough.set()

    async def insist(event: Event) -> int:
        for _ in range(600):
            try:
                return (await gateway.append(event))[0]
            except chassis.errors.Unavailable:
                retried.add(event.event_id)
                await asyncio.sleep(0.05)
        raise AssertionError

    async def kill() -> None:
        for _ in range(2):
            await enough.wait()
            enough.clear()
            await telemetry.stop(signal.SIGKILL)
            await telemetry.start()

    await asyncio.gather(kill(), *(append() for _ in range(10)))
    lines = await (await caller_for("console")).export()
    report = verify(lines, await (await vault_for("console")).transit_public_pem("telemetry-checkpoint"))
    assert report.fault is None
    assert retried
    kept = {record["event_id"]: record["sequence"] for record in records(lines)}
    assert {event_id: kept.get(event_id) for event_id in told} == told
    assert sum(record["sender"] == "gateway" for record in records(lines)) == len(told) == 300
    assert sum(record["kind"] == "telemetry.service.started" for record in records(lines)) == 3


async def test_without_its_store_it_is_not_ready_takes_nothing_and_comes_back_R02_R05(
    telemetry: TelemetryProcess, caller_for: CallerFor, postgres: sallyport.engines.postgres.Postgres
) -> None:
    gateway = await caller_for("gateway")
    lost, later = fresh(), fresh()

    async def is_not_ready() -> bool:
        return not await telemetry.is_ready()

    await postgres.stop()
    try:
        with pytest.raises(chassis.errors.Unavailable) as refusal:
            await gateway.append(lost)
        assert refusal.value.code == "audit_unavailable"
        assert refusal.value.retry_after_s is not None
        await until(is_not_ready, limit_s=5)
    finally:
        await postgres.start()
    await until(telemetry.is_ready, limit_s=10)
    await gateway.append(later)
    kept = records(await (await caller_for("console")).export())
    assert later.event_id in [record["event_id"] for record in kept]
    assert lost.event_id not in [record["event_id"] for record in kept]
    assert "telemetry.store.recovered" in [record["kind"] for record in kept]


async def test_a_store_that_hangs_is_like_one_that_is_away_R02(
    telemetry: TelemetryProcess, caller_for: CallerFor, postgres: sallyport.engines.postgres.Postgres
) -> None:
    gateway = await caller_for("gateway")
    await gateway.append(fresh())

    async def is_not_ready() -> bool:
        return not await telemetry.is_ready()

    with frozen(postgres.server.pid):
        await until(is_not_ready, limit_s=5)
        with pytest.raises(chassis.errors.Unavailable) as refusal:
            await gateway.append(fresh())
        assert refusal.value.code == "audit_unavailable"
    await until(telemetry.is_ready, limit_s=10)
    await gateway.append(fresh())


async def test_an_intent_left_by_a_killed_sender_is_resolved_as_unknown_R01(
    telemetry: TelemetryProcess, caller_for: CallerFor
) -> None:
    gateway, console = await caller_for("gateway"), await caller_for("console")
    left = fresh(kind="gateway.pii.read", phase=intent(0).phase, result=None)
    await gateway.append(left)
    telemetry.clock_file.write_text("60")

    async def results() -> list[object]:
        kept = records(await console.export())
        return [record["result"] for record in kept if record.get("intent_id") == left.event_id]

    async def is_resolved() -> bool:
        return bool(await results())

    await until(is_resolved, limit_s=20)
    assert await results() == ["unknown"]


async def test_told_to_end_it_finishes_and_exits_zero_R16(
    telemetry: TelemetryProcess, caller_for: CallerFor
) -> None:
    gateway = await caller_for("gateway")
    appends = [asyncio.create_task(gateway.append(fresh())) for _ in range(50)]
    await appends[0]
    code = await telemetry.stop()
    answers = await asyncio.gather(*appends, return_exceptions=True)
    assert code == 0
    assert all(isinstance(answer, list | chassis.errors.Unavailable) for answer in answers)


async def test_with_tls_off_it_does_not_start(idle_telemetry: TelemetryProcess) -> None:
    await idle_telemetry.spawn({"SALLYPORT_TLS": "off"})
    assert await idle_telemetry.wait() == 2
    assert "refused to start: tls_required" in idle_telemetry.log_file.read_text()


async def test_a_misspelt_key_does_not_start(idle_telemetry: TelemetryProcess) -> None:
    await idle_telemetry.spawn({"SALLYPORT_CHECKPOINT_INTERVAL_S": "86400"})
    assert await idle_telemetry.wait() == 2
    assert "config_invalid" in idle_telemetry.log_file.read_text()


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process and its children from running, without ending them."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    family = [pid, *map(int, children)]
    for member in family:
        os.kill(member, signal.SIGSTOP)
    try:
        yield
    finally:
        for member in family:
            os.kill(member, signal.SIGCONT)


def leave_console_settings(
    ground: sallyport.provision.ground.Ground, telemetry: TelemetryProcess, folder: Path
) -> None:
    vault = sallyport.provision.handout.vault_config(ground.openbao, ground.folder, "console")
    settings = {
        **sallyport.provision.handout.vault_settings(vault),
        "SALLYPORT_TELEMETRY_ADDRESS": str(telemetry.address),
        "SALLYPORT_AUTH_ADDRESS": "127.0.0.1:1",
        "SALLYPORT_RETENTION_ADDRESS": "127.0.0.1:1",
    }
    lines = [f"{name}={value}\n" for name, value in settings.items()]
    (folder / "console.env").write_text("".join(lines))


def sallyport_audit(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    sallyport.audit.commands.add_commands(parser.add_subparsers(required=True))
    options = parser.parse_args(["audit", *arguments])
    code: int = options.verb(options)
    return code
