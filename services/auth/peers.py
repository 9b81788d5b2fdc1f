"""The other services that auth calls: telemetry for the audit log, retention when a seller has left."""

from collections.abc import Sequence
from types import MappingProxyType

import chassis.errors
import chassis.groups
import chassis.rpc
from services.auth.model.audit import AuditEvent, Phase
from services.auth.model.refusals import AuditUnavailable
from wire.retention.v1 import retention_pb2, sellers_pb2_grpc
from wire.telemetry.v1 import telemetry_pb2, telemetry_pb2_grpc

PHASES = MappingProxyType(
    {
        Phase.INTENT: telemetry_pb2.PHASE_INTENT,
        Phase.OUTCOME: telemetry_pb2.PHASE_OUTCOME,
        Phase.FACT: telemetry_pb2.PHASE_FACT,
    }
)
GROUP_EVENTS_MAX = 100
# About 1 KB each.
WAITING_EVENTS_MAX = 10_000
# Less than half of what a call may take, so that a slow audit log is told apart from a slow auth.
RECORD_S_MAX = 2.0
# Without its intent nothing is done; everything else is told again later, under the same id.
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
            InvalidInput: telemetry will not have it, e.g. because a reason holds an e-mail address.
        """
        try:
            await self._groups.hand_in(_message(event))
        except chassis.groups.JUDGEMENTS:
            raise
        except chassis.errors.SallyportError as error:
            raise AuditUnavailable from error

    async def run(self) -> None:
        """Write what waits, for ever."""
        await self._groups.run()

    async def _append(self, messages: Sequence[telemetry_pb2.AuditEvent]) -> None:
        await self._telemetry.Append(telemetry_pb2.AppendRequest(events=messages))


class Safe:
    """Retention's safe, as far as auth has a say in it."""

    def __init__(self, channel: chassis.rpc.Channel) -> None:
        self._erasure = channel.stub(sellers_pb2_grpc.SellerErasureStub)

    async def erase_seller(self, seller_id: str) -> str:
        """Erase everything of a seller; return the receipt's id."""
        receipt = await self._erasure.EraseSeller(retention_pb2.EraseSellerRequest(seller_id=seller_id))
        return receipt.receipt_id


def _message(event: AuditEvent) -> telemetry_pb2.AuditEvent:
    message = telemetry_pb2.AuditEvent(
        event_id=event.event_id,
        kind=event.kind,
        phase=PHASES[event.phase],
        intent_id=event.intent_id,
        result=event.result,
        actor=telemetry_pb2.Actor(kind=event.actor.kind, id=event.actor.actor_id),
        seller_id=event.seller_id,
        request_id=event.request_id,
        details=event.details,
    )
    message.occurred_at.FromDatetime(event.occurred_at)
    return message
