"""The audit log, written in groups: whatever is waiting when telemetry is free goes in one call.

- `record` returns only when its event is durable, or fails; nothing is dropped silently (R-01, R-02).
- While one group is on its way the next one gathers, so a lone event is never delayed and a busy
  gateway pays one round trip for up to GROUP_EVENTS_MAX events.
- A group whose fate is unknown is sent again with the same ids; telemetry makes one record of it (R-04).
- An event that telemetry will not take fails alone, not with the others of its group.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import chassis.rpc
from chassis.errors import InvalidInput, SallyportError, Unavailable
from services.gateway.model.audit import AuditEvent, Phase
from wire.telemetry.v1 import telemetry_pb2, telemetry_pb2_grpc

GROUP_EVENTS_MAX = 100
# About 1 KB each.
WAITING_EVENTS_MAX = 10_000
# From being handed in to being durable; R-23 asks for an answer within a second more.
RECORD_S_MAX = 5.0
SENDS_MAX = 2

_PHASES = {
    Phase.INTENT: telemetry_pb2.PHASE_INTENT,
    Phase.OUTCOME: telemetry_pb2.PHASE_OUTCOME,
    Phase.FACT: telemetry_pb2.PHASE_FACT,
}


class AuditUnavailable(Unavailable):
    """The event may or may not be durable."""

    code = "audit_unavailable"
    text = "The audit log is not available."


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An event, and what its sender waits on: None for durable, or why not."""

    message: telemetry_pb2.AuditEvent
    fate: asyncio.Future[None]


class AuditLog:
    """Fits `forward.ports.Audit`. `run` does the writing and belongs to the process's tasks."""

    def __init__(self, channel: chassis.rpc.Channel) -> None:
        self._telemetry = channel.stub(telemetry_pb2_grpc.TelemetryServiceStub)
        self._waiting: deque[_Waiting] = deque()
        self._has_work = asyncio.Event()

    async def record(self, event: AuditEvent) -> None:
        """Return once the event is durable.

        Raises:
            AuditUnavailable: it may or may not be durable.
        """
        if len(self._waiting) >= WAITING_EVENTS_MAX:
            raise AuditUnavailable
        waiting = _Waiting(_message(event), asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._has_work.set()
        try:
            async with asyncio.timeout(RECORD_S_MAX):
                await waiting.fate
        except TimeoutError as error:
            raise AuditUnavailable from error

    async def run(self) -> None:
        """Write what waits, for ever."""
        while True:
            await self._has_work.wait()
            group = self._next_group()
            if group:
                await self._write(group)
            if not self._waiting:
                self._has_work.clear()

    def _next_group(self) -> list[_Waiting]:
        """Take the oldest events whose senders still wait, at most GROUP_EVENTS_MAX."""
        group: list[_Waiting] = []
        while self._waiting and len(group) < GROUP_EVENTS_MAX:
            waiting = self._waiting.popleft()
            if not waiting.fate.done():
                group.append(waiting)
        return group

    async def _write(self, group: Sequence[_Waiting]) -> None:
        """Write a group and tell its senders; never raises for telemetry's faults."""
        try:
            await self._append(group)
        except InvalidInput as error:
            if len(group) == 1:
                _tell(group[0], error)
                return
            for waiting in group:
                await self._write([waiting])
        except SallyportError as error:
            for waiting in group:
                _tell(waiting, error)
        else:
            for waiting in group:
                _tell(waiting, None)

    async def _append(self, group: Sequence[_Waiting]) -> None:
        request = telemetry_pb2.AppendRequest(events=[waiting.message for waiting in group])
        for _ in range(SENDS_MAX - 1):
            try:
                await self._telemetry.Append(request)
            except Unavailable:
                continue
            return
        await self._telemetry.Append(request)


def _tell(waiting: _Waiting, error: SallyportError | None) -> None:
    if waiting.fate.done():
        return
    if error is None:
        waiting.fate.set_result(None)
        return
    failure = AuditUnavailable(retry_after_s=error.retry_after_s)
    failure.__cause__ = error
    waiting.fate.set_exception(failure)


def _message(event: AuditEvent) -> telemetry_pb2.AuditEvent:
    message = telemetry_pb2.AuditEvent(
        event_id=event.event_id,
        kind=event.kind,
        phase=_PHASES[event.phase],
        intent_id=event.intent_id,
        result=event.result,
        seller_id=event.seller_id,
        request_id=event.request_id,
        details=event.details,
    )
    if event.actor_id:
        message.actor.CopyFrom(telemetry_pb2.Actor(kind="device", id=event.actor_id))
    message.occurred_at.FromDatetime(event.occurred_at)
    return message
