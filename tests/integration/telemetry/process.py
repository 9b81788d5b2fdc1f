"""Telemetry as the process that operators run, on real engines, and its callers over mutual TLS."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import aiohttp

import chassis.env
import chassis.identity
import chassis.rpc
import sallyport.provision.ground
import sallyport.provision.handout
from services.telemetry.model.events import Event, Phase
from tests.conftest import free_port
from wire.telemetry.v1 import telemetry_pb2, telemetry_pb2_grpc

ROOT = Path(__file__).parents[3]
POLL_S = 0.05
START_S_MAX = 30.0
PHASES = {
    Phase.INTENT: telemetry_pb2.PHASE_INTENT,
    Phase.OUTCOME: telemetry_pb2.PHASE_OUTCOME,
    Phase.FACT: telemetry_pb2.PHASE_FACT,
}


class TelemetryProcess:
    """One telemetry process; `start` after a `kill` is a restart on the same ports."""

    def __init__(
        self, ground: sallyport.provision.ground.Ground, database: chassis.env.DatabaseConfig, folder: Path
    ) -> None:
        self.address = chassis.env.Address("127.0.0.1", free_port())
        self.private_address = chassis.env.Address("127.0.0.1", free_port())
        self.clock_file = folder / "clock"
        self.log_file = folder / "telemetry.log"
        vault = sallyport.provision.handout.vault_config(ground.openbao, ground.folder, "telemetry")
        self.environ = {
            **sallyport.provision.handout.vault_settings(vault),
            **sallyport.provision.handout.database_settings(database),
            "SALLYPORT_MODE": "development",
            "SALLYPORT_LISTEN": str(self.address),
            "SALLYPORT_PRIVATE_LISTEN": str(self.private_address),
            "SALLYPORT_DEVELOPMENT_CLOCK_FILE": str(self.clock_file),
        }
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process's id, while it runs."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Return once it is ready."""
        await self.spawn({})
        await until(self.is_ready, limit_s=START_S_MAX)

    async def spawn(self, changes: Mapping[str, str]) -> None:
        """Start it, with changes to its environment, without waiting."""
        with self.log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "services.telemetry",
                cwd=ROOT,
                env={"PATH": os.defpath, **self.environ, **changes},
                stdout=log,
                stderr=log,
            )

    async def wait(self) -> int:
        """Return its exit code."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal, and return its exit code once it has ended."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        return await self._process.wait()

    async def end(self) -> None:
        """Make sure that nothing is left of it."""
        if self._process is not None:
            await self.stop(signal.SIGKILL)

    async def is_ready(self) -> bool:
        """Return what /readyz says; False while nobody answers."""
        url = f"http://{self.private_address}/readyz"
        try:
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def metrics(self) -> str:
        """Return what /metrics says."""
        url = f"http://{self.private_address}/metrics"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return await answer.text()


class Caller:
    """An identity that calls telemetry."""

    def __init__(self, keeper: chassis.identity.Keeper, address: chassis.env.Address) -> None:
        self.channel = chassis.rpc.Channel(address=address, peer="telemetry", keeper=keeper)
        self._service = self.channel.stub(telemetry_pb2_grpc.TelemetryServiceStub)
        self._admin = self.channel.stub(telemetry_pb2_grpc.TelemetryAdminStub)
        self._line = self.channel.line(self.channel.stub(telemetry_pb2_grpc.TelemetryStreamStub).Append)

    async def append(self, *events: Event) -> list[int]:
        """Return the sequences of the events."""
        request = telemetry_pb2.AppendRequest(events=[message(event) for event in events])
        return list((await self._service.Append(request)).sequences)

    async def stream(self, *events: Event) -> list[int]:
        """Return the sequences of the events, sent over this caller's one stream."""
        request = telemetry_pb2.AppendRequest(events=[message(event) for event in events])
        return list((await self._line.ask(request)).sequences)

    async def send(self, *messages: telemetry_pb2.AuditEvent) -> list[int]:
        """Return the sequences of events given as messages."""
        return list((await self._service.Append(telemetry_pb2.AppendRequest(events=messages))).sequences)

    async def export(self, from_sequence: int = 0) -> list[bytes]:
        """Return the lines of an export."""
        request = telemetry_pb2.ExportRequest(from_sequence=from_sequence)
        return [answer.line + b"\n" async for answer in self._admin.Export(request)]


def message(event: Event) -> telemetry_pb2.AuditEvent:
    """Return an event as it travels."""
    sent = telemetry_pb2.AuditEvent(
        event_id=event.event_id,
        kind=event.kind,
        phase=PHASES[event.phase],
        intent_id=event.intent_id or "",
        result=event.result or "",
        seller_id=event.seller_id or "",
        request_id=event.request_id or "",
        details=event.details,
    )
    sent.occurred_at.FromDatetime(event.occurred_at)
    if event.actor is not None:
        sent.actor.kind, sent.actor.id = event.actor.kind, event.actor.id
    return sent


async def until(is_so: Callable[[], Awaitable[bool]], *, limit_s: float) -> None:
    """Return once something is so; a test that waits longer fails."""
    async with asyncio.timeout(limit_s):
        for _ in range(int(limit_s / POLL_S) + 1):
            if await is_so():
                return
            await asyncio.sleep(POLL_S)
    raise TimeoutError
