"""The gRPC edge: who may call what, and how messages become values and back.

An absent text is an empty one on the wire, and None inside.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TypedDict

from google.protobuf.timestamp_pb2 import Timestamp

import chassis.rpc
import chassis.trace
from services.telemetry.model.errors import EventInvalid
from services.telemetry.model.events import Actor, Event, Phase
from services.telemetry.model.kinds import Kind
from services.telemetry.model.webhooks import Fate
from services.telemetry.service.exporting import Exporter
from services.telemetry.service.intake import Intake
from services.telemetry.service.webhooks import View, Webhooks
from wire.telemetry.v1 import telemetry_pb2, telemetry_pb2_grpc, webhooks_pb2, webhooks_pb2_grpc

SERVICE_METHODS: Mapping[str, chassis.rpc.Method] = MappingProxyType(
    {
        "Append": chassis.rpc.Method(
            callers=frozenset({"gateway", "auth", "retention"}),
            deadline_s=5.0,
            event="telemetry.events.appended",
        ),
    }
)

# Above what chassis.rpc lets a stream last that is in order.
STREAM_METHODS: Mapping[str, chassis.rpc.Method] = MappingProxyType(
    {
        "Append": chassis.rpc.Method(
            callers=frozenset({"gateway"}),
            deadline_s=60.0,
            event="telemetry.events.streamed",
        ),
    }
)

# A post that is not answered takes 10 s.
WEBHOOK_DEADLINE_S = 20.0


def _for_console(event: str) -> chassis.rpc.Method:
    return chassis.rpc.Method(callers=frozenset({"console"}), deadline_s=WEBHOOK_DEADLINE_S, event=event)


# An export of a year's log is long; what ends a broken one is the connection's end.
ADMIN_METHODS: Mapping[str, chassis.rpc.Method] = MappingProxyType(
    {
        "Export": chassis.rpc.Method(
            callers=frozenset({"console"}),
            deadline_s=3_600.0,
            event=Kind.LOG_EXPORTED,
        ),
    }
)

WEBHOOK_METHODS: Mapping[str, chassis.rpc.Method] = MappingProxyType(
    {
        "FindWebhook": _for_console("telemetry.webhook.viewed"),
        "TestWebhook": _for_console(Kind.WEBHOOK_TESTED),
        "RotateWebhookSecret": _for_console(Kind.WEBHOOK_SECRET_ROTATED),
    }
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NANOS_MAX = 999_999_999

PHASES = MappingProxyType(
    {
        telemetry_pb2.PHASE_INTENT: Phase.INTENT,
        telemetry_pb2.PHASE_OUTCOME: Phase.OUTCOME,
        telemetry_pb2.PHASE_FACT: Phase.FACT,
    }
)


class _Asker(TypedDict):
    actor: Actor
    request_id: str | None


class TelemetryService(telemetry_pb2_grpc.TelemetryServiceServicer):
    """Events in."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def Append(  # noqa: N802 - the contract's name
        self,
        request: telemetry_pb2.AppendRequest,
        context: object,  # noqa: ARG002 - the caller and the deadline are chassis.rpc's affair
    ) -> telemetry_pb2.AppendResponse:
        """Return once the events are durable."""
        return await _append(self._intake, request)


class TelemetryStream(telemetry_pb2_grpc.TelemetryStreamServicer):
    """Events in, group after group."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def Append(  # noqa: N802 - the contract's name
        self,
        request_iterator: AsyncIterator[telemetry_pb2.AppendRequest],
        context: object,  # noqa: ARG002 - as above
    ) -> AsyncIterator[telemetry_pb2.AppendResponse]:
        """Answer each request once its events are durable, then hear the next one."""
        async for request in request_iterator:
            yield await _append(self._intake, request)


class TelemetryAdmin(telemetry_pb2_grpc.TelemetryAdminServicer):
    """The log out."""

    def __init__(self, exporter: Exporter) -> None:
        self._exporter = exporter

    async def Export(  # noqa: N802 - the contract's name
        self,
        request: telemetry_pb2.ExportRequest,
        context: object,  # noqa: ARG002 - as above
    ) -> AsyncIterator[telemetry_pb2.ExportLine]:
        """Yield the lines of an export."""
        lines = self._exporter.export(
            request.from_sequence,
            actor=Actor("operator", chassis.rpc.caller()),
            request_id=chassis.trace.request_id() or None,
        )
        async for line in lines:
            yield telemetry_pb2.ExportLine(line=line)


class WebhookAdmin(webhooks_pb2_grpc.WebhookAdminServicer):
    """Who is told by webhook."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    async def FindWebhook(  # noqa: N802 - the contract's name
        self,
        request: webhooks_pb2.FindWebhookRequest,  # noqa: ARG002 - it asks for nothing in particular
        context: object,  # noqa: ARG002 - as above
    ) -> webhooks_pb2.Webhook:
        """Say how telling the receiver goes."""
        return _webhook(await self._webhooks.view())

    async def TestWebhook(  # noqa: N802 - the contract's name
        self,
        request: webhooks_pb2.TestWebhookRequest,  # noqa: ARG002 - as above
        context: object,  # noqa: ARG002 - as above
    ) -> webhooks_pb2.TestWebhookResponse:
        """Post a message that reports nothing."""
        answer = await self._webhooks.test(**_asker())
        return webhooks_pb2.TestWebhookResponse(
            status=answer.status, is_accepted=answer.fate is Fate.DELIVERED
        )

    async def RotateWebhookSecret(  # noqa: N802 - the contract's name
        self,
        request: webhooks_pb2.RotateWebhookSecretRequest,  # noqa: ARG002 - as above
        context: object,  # noqa: ARG002 - as above
    ) -> webhooks_pb2.RotateWebhookSecretResponse:
        """Change the secret, and show the new one this once."""
        secret = await self._webhooks.rotate_secret(**_asker())
        return webhooks_pb2.RotateWebhookSecretResponse(secret=secret.reveal())


def services(*, intake: Intake, exporter: Exporter, webhooks: Webhooks) -> list[chassis.rpc.Service]:
    """Return the surfaces: two for services, two for operators."""
    by_name = telemetry_pb2.DESCRIPTOR.services_by_name
    return [
        chassis.rpc.Service(
            descriptor=by_name["TelemetryService"],
            add=telemetry_pb2_grpc.add_TelemetryServiceServicer_to_server,
            servicer=TelemetryService(intake),
            methods=SERVICE_METHODS,
        ),
        chassis.rpc.Service(
            descriptor=by_name["TelemetryStream"],
            add=telemetry_pb2_grpc.add_TelemetryStreamServicer_to_server,
            servicer=TelemetryStream(intake),
            methods=STREAM_METHODS,
        ),
        chassis.rpc.Service(
            descriptor=by_name["TelemetryAdmin"],
            add=telemetry_pb2_grpc.add_TelemetryAdminServicer_to_server,
            servicer=TelemetryAdmin(exporter),
            methods=ADMIN_METHODS,
        ),
        chassis.rpc.Service(
            descriptor=webhooks_pb2.DESCRIPTOR.services_by_name["WebhookAdmin"],
            add=webhooks_pb2_grpc.add_WebhookAdminServicer_to_server,
            servicer=WebhookAdmin(webhooks),
            methods=WEBHOOK_METHODS,
        ),
    ]


async def _append(intake: Intake, request: telemetry_pb2.AppendRequest) -> telemetry_pb2.AppendResponse:
    """Return the sequences of a request's events once they are durable."""
    events = [_event(message) for message in request.events]
    return telemetry_pb2.AppendResponse(sequences=await intake.append(chassis.rpc.caller(), events))


def _asker() -> _Asker:
    return {
        "actor": Actor("operator", chassis.rpc.caller()),
        "request_id": chassis.trace.request_id() or None,
    }


def _webhook(view: View) -> webhooks_pb2.Webhook:
    standing = view.standing
    message = webhooks_pb2.Webhook(
        host=view.host,
        is_gone=view.is_gone,
        sequence=standing.sequence,
        head=standing.head,
        attempts=standing.attempts,
        dead_letters=[
            webhooks_pb2.DeadLetter(
                sequence=letter.sequence,
                kind=letter.kind,
                status=letter.status,
                attempts=letter.attempts,
                given_up_at=letter.given_up_at,
            )
            for letter in standing.dead_letters
        ],
    )
    if standing.retry_at is not None:
        message.retry_at.FromDatetime(standing.retry_at)
    return message


def _event(message: telemetry_pb2.AuditEvent) -> Event:
    """Return what a message says.

    Raises:
        EventInvalid: it has no phase, or a time that no calendar has.
    """
    phase = PHASES.get(message.phase)
    if phase is None:
        raise EventInvalid("An event has no phase.")
    if not message.HasField("occurred_at"):
        raise EventInvalid("An event has no time.")
    details = message.details
    return Event(
        event_id=message.event_id,
        kind=message.kind,
        phase=phase,
        occurred_at=_moment(message.occurred_at),
        intent_id=message.intent_id or None,
        result=message.result or None,
        actor=_actor(message.actor) if message.HasField("actor") else None,
        seller_id=message.seller_id or None,
        request_id=message.request_id or None,
        details={key: details[key] for key in details},
    )


def _actor(message: telemetry_pb2.Actor) -> Actor:
    return Actor(message.kind, message.id)


def _moment(timestamp: Timestamp) -> datetime:
    """Return a moment, to the microsecond; protobuf's own way takes several times as long.

    Raises:
        EventInvalid: no calendar has it.
    """
    nanos = timestamp.nanos
    if not 0 <= nanos <= NANOS_MAX:
        raise EventInvalid("An event has an impossible time.")
    try:
        return EPOCH + timedelta(0, timestamp.seconds, nanos // 1_000)
    except OverflowError as error:
        raise EventInvalid("An event has an impossible time.") from error
