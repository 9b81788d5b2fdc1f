"""Telemetry as the process that operators run, on real engines, and its callers over mutual TLS."""

from pathlib import Path

import chassis.env
import chassis.identity
import chassis.rpc
import sallyport.provision.ground
from services.telemetry.model.events import Event, Phase
from tests.conftest import free_port
from tests.integration.service import LOOPBACK, ServiceProcess, engine_settings
from wire.telemetry.v1 import telemetry_pb2, telemetry_pb2_grpc

PHASES = {
    Phase.INTENT: telemetry_pb2.PHASE_INTENT,
    Phase.OUTCOME: telemetry_pb2.PHASE_OUTCOME,
    Phase.FACT: telemetry_pb2.PHASE_FACT,
}


class TelemetryProcess(ServiceProcess):
    """One telemetry process."""

    def __init__(
        self, ground: sallyport.provision.ground.Ground, database: chassis.env.DatabaseConfig, folder: Path
    ) -> None:
        self.address = chassis.env.Address(LOOPBACK, free_port())
        self.clock_file = folder / "clock"
        environ = {
            **engine_settings(ground, database, "telemetry"),
            "SALLYPORT_MODE": "development",
            "SALLYPORT_LISTEN": str(self.address),
            "SALLYPORT_DEVELOPMENT_CLOCK_FILE": str(self.clock_file),
        }
        super().__init__("telemetry", log_file=folder / "telemetry.log", environ=environ)


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
