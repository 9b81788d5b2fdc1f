"""The other services that retention calls: telemetry, for the audit log."""

from collections.abc import Sequence
from types import MappingProxyType

import chassis.errors
import chassis.groups
import chassis.rpc
from services.retention.model.audit import AuditEvent, Phase
from services.retention.model.errors import AuditUnavailable
from wire.telemetry.v1 import telemetry_pb2, telemetry_pb2_grpc

PHASES = MappingProxyType(
    {
        Phase.INTENT: telemetry_pb2.PHASE_INTENT,
        Phase.OUTCOME: telemetry_pb2.PHASE_OUTCOME,
        Phase.FACT: telemetry_pb2.PHASE_FACT,
    }
)
# People reach retention only by the operators' console; every other caller is a service.
OPERATORS = frozenset({"console"})


GROUP_EVENTS_MAX = 100
# About 1 KB each.
WAITING_EVENTS_MAX = 10_000
# Half of what Seal and Open may take, so that a slow audit log is told apart from a slow safe.
RECORD_S_MAX = 2.5
# What becomes of a lost one shows in the log, where its intent stands.
SENDS_MAX = 1


class AuditLog:
    """The audit log, kept by telemetry and written in groups: what waits while it is busy goes in one call.

    `run` does the writing and belongs to the process's tasks.
    """

    def __init__(self, channel: chassis.rpc.Channel) -> None:
        self._telemetry = channel.stub(telemetry_pb2_grpc.TelemetryServiceStub)
        bounds = chassis.groups.Bounds(
            group_max=GROUP_EVENTS_MAX,
            waiting_max=WAITING_EVENTS_MAX,
            wait_s_max=RECORD_S_MAX,
            sends_max=SENDS_MAX,
        )
        self._groups = chassis.groups.Groups(self._append, bounds)

    async def record(self, event: AuditEvent) -> None:
        """Return once the event is durable; the same event twice is one record.

        Raises:
            AuditUnavailable: it may or may not be durable.
        """
        try:
            await self._groups.hand_in(_message(event))
        except chassis.errors.SallyportError as error:
            raise AuditUnavailable from error

    async def run(self) -> None:
        """Write what waits, for ever."""
        await self._groups.run()

    async def _append(self, messages: Sequence[telemetry_pb2.AuditEvent]) -> None:
        await self._telemetry.Append(telemetry_pb2.AppendRequest(events=messages))


def _message(event: AuditEvent) -> telemetry_pb2.AuditEvent:
    caller = event.origin.caller
    message = telemetry_pb2.AuditEvent(
        event_id=event.event_id,
        kind=event.kind,
        phase=PHASES[event.phase],
        intent_id=event.intent_id,
        result=event.result,
        actor=telemetry_pb2.Actor(kind="operator" if caller in OPERATORS else "service", id=caller),
        seller_id=event.seller_id,
        request_id=event.origin.request_id,
        details=event.details,
    )
    message.occurred_at.FromDatetime(event.occurred_at)
    return message
