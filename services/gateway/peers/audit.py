"""The audit log, written in groups: whatever is waiting when telemetry is free goes in one request.

- `record` returns only when its event is durable, or fails; nothing is dropped silently (R-01, R-02).
- An event that is handed over goes with the next group; one that fails is given back.
- A group whose fate is unknown is sent again with the same ids; telemetry makes one record of it (R-04).
- An event that telemetry will not take fails alone, not with the others of its group.
- Groups go over one stream; a telemetry of the release before, that hears none, is sent each in a call.
"""

import asyncio
from collections.abc import Callable, Sequence

import chassis.groups
import chassis.rpc
from chassis.errors import SallyportError
from services.gateway.model.audit import AuditEvent, AuditUnavailable, EventRefused
from services.gateway.peers.audit_messages import append_request
from wire.telemetry.v1 import telemetry_pb2_grpc

GROUP_EVENTS_MAX = 100
# About 1 KB each.
WAITING_EVENTS_MAX = 10_000
# From being handed in to being durable; R-23 asks for an answer within a second more.
RECORD_S_MAX = 5.0
SENDS_MAX = 2
# After this a telemetry that heard no streams is tried again: another release may answer by then.
CALLS_S = 60.0


class AuditLog:
    """Fits `forward.ports.Audit`. `run` does the writing and belongs to the process's tasks."""

    def __init__(self, channel: chassis.rpc.Channel) -> None:
        self._telemetry = channel.stub(telemetry_pb2_grpc.TelemetryServiceStub)
        self._line = channel.line(channel.stub(telemetry_pb2_grpc.TelemetryStreamStub).Append)
        self._calls_until_s = 0.0
        bounds = chassis.groups.Bounds(
            group_max=GROUP_EVENTS_MAX,
            waiting_max=WAITING_EVENTS_MAX,
            wait_s_max=RECORD_S_MAX,
            sends_max=SENDS_MAX,
        )
        self._groups = chassis.groups.Groups(self._append, bounds)

    async def record(self, event: AuditEvent) -> None:
        """Return once the event is durable.

        Raises:
            AuditUnavailable: it may or may not be durable.
            EventRefused: telemetry will not have it.
        """
        try:
            await self._groups.hand_in(event)
        except chassis.groups.JUDGEMENTS as error:
            raise EventRefused from error
        except SallyportError as error:
            raise AuditUnavailable(retry_after_s=error.retry_after_s) from error

    def hand_over(self, event: AuditEvent, if_lost: Callable[[AuditEvent], None]) -> None:
        """Have an event written soon that nobody waits for.

        `if_lost` gets it back when it is not durable, or may not be.
        """
        self._groups.hand_over(event, if_lost)

    async def run(self) -> None:
        """Write what waits, for ever."""
        await self._groups.run()

    async def flush(self) -> None:
        """Write what is left when `run` has ended."""
        await self._groups.flush()

    async def _append(self, events: Sequence[AuditEvent]) -> None:
        request = append_request(events)
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._calls_until_s:
            try:
                await self._line.ask(request)
            except chassis.rpc.MethodUnknown:
                self._calls_until_s = now_s + CALLS_S
            else:
                return
        await self._telemetry.Append(request)
