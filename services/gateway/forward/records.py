"""What the forwarding path leaves in the audit log: intents before effects, outcomes, refusals.

No call waits for the log beyond its deadline and GRACE_S: what nothing depends on is told later (R-07).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import chassis.entropy
from chassis.errors import SallyportError
from services.gateway.forward.deadlines import GRACE_S, Deadlines
from services.gateway.forward.journey import Journey
from services.gateway.forward.late import Late
from services.gateway.forward.ports import Ports
from services.gateway.model.allowance import untold_details
from services.gateway.model.audit import AuditEvent, Kind, Phase, Result, id_list
from services.gateway.model.calls import Call, Device, Source
from services.gateway.model.faults import DeadlineExceeded
from services.gateway.model.tripwire import CredentialsNotAccepted

SUM_UP_EVERY_S = 60.0
# Who is not known yet.
ANYBODY = ""


@dataclass(slots=True)
class Intent:
    """An intent that is durable."""

    event: AuditEvent
    journey: Journey


@dataclass(slots=True)
class Told:
    """What an outcome tells beside its result.

    Attributes:
        status: the HTTP status the desktop gets; 0 when that is not known here.
        source: of the answer; None when there is none.
        order_ids: whose personal data was shown.
    """

    status: int = 0
    source: Source | None = None
    order_ids: tuple[str, ...] = ()


@dataclass(slots=True)
class Seen:
    """What became known of a call on its way, for whoever has to tell what became of it.

    Attributes:
        device: who calls, and is counted among those under way; None while nobody is known.
        operation: its name; empty while it is not known.
        intent: that is durable, and of which nobody has said yet what became of it.
    """

    device: Device | None = None
    operation: str = ""
    intent: Intent | None = None


class Records:
    """The forwarding path's hand in the audit log; `sum_up` is one of the process's tasks."""

    def __init__(self, *, ports: Ports, deadlines: Deadlines, late: Late) -> None:
        self._audit = ports.audit
        self._clock = ports.clock
        self._entropy = ports.entropy
        self._signals = ports.signals
        self._deadlines = deadlines
        self._late = late
        self._allowance = ports.allowance

    async def intend(self, journey: Journey, kind: Kind) -> Intent:
        """Return once it is durable that the call is about to be made (R-01).

        Raises:
            Unavailable: `audit_unavailable`; nothing may happen (R-02).
        """
        now, device = self._clock.now(), journey.device
        event = AuditEvent(
            event_id=chassis.entropy.id_of(now, self._entropy),
            kind=kind,
            phase=Phase.INTENT,
            occurred_at=now,
            actor_id=device.device_id,
            seller_id=device.seller_id,
            request_id=journey.call.request_id,
            details=_details(journey),
        )
        await self._audit.record(event)
        return Intent(event, journey)

    async def conclude(self, intent: Intent, result: Result, told: Told) -> None:
        """Return once it is durable what became of an intent; told later all the same if not in time.

        Raises:
            Unavailable: `audit_unavailable`.
            DeadlineExceeded: it is not durable in time, or may not be.
        """
        event = self._outcome(intent, result, told)
        try:
            with self._deadlines.within(intent.journey.until_s + GRACE_S):
                await self._audit.record(event)
        except (asyncio.CancelledError, DeadlineExceeded):
            self._late.put(event)
            raise

    def leave(self, intent: Intent, result: Result, told: Told) -> None:
        """Have an outcome told on which nothing depends, soon, and later if need be.

        Telemetry resolves an intent left without one.
        """
        self._audit.hand_over(self._outcome(intent, result, told), self._late.put)

    async def refuse(self, call: Call, seen: Seen, error: SallyportError) -> None:
        """Tell that a call was refused; the refusal stands when that fails, because nothing was done.

        Of a source that is refused again and again only some are told, with how many were not.
        """
        now_s, device = self._clock.monotonic_s(), seen.device
        untold = self._allowance.ask(device.device_id if device else ANYBODY, now_s)
        if untold is None:
            return
        is_credential = isinstance(error, CredentialsNotAccepted)
        kind = Kind.CREDENTIALS_REFUSED if is_credential else Kind.OPERATION_REFUSED
        details = {"operation": seen.operation, "status": str(error.http_status), **untold_details(untold)}
        event = self._fact(
            kind, device=device, request_id=call.request_id, result=error.code, details=details
        )
        try:
            with self._deadlines.within(now_s + GRACE_S):
                await self._audit.record(event)
        except DeadlineExceeded:
            self._late.put(event)
        except SallyportError as failure:
            self._signals.side_failed("audit_refusal", failure.code)

    async def sum_up(self) -> None:
        """Tell again and again, for ever, how many refusals were not told one by one."""
        while True:
            await self._clock.sleep(SUM_UP_EVERY_S)
            untold = self._allowance.sum_up()
            if untold:
                kind, details = Kind.REFUSALS_COUNTED, untold_details(untold)
                self._late.put(
                    self._fact(kind, device=None, request_id="", result="refused", details=details)
                )

    def _outcome(self, intent: Intent, result: Result, told: Told) -> AuditEvent:
        now, before = self._clock.now(), intent.event
        return AuditEvent(
            event_id=chassis.entropy.id_of(now, self._entropy),
            kind=before.kind,
            phase=Phase.OUTCOME,
            occurred_at=now,
            actor_id=before.actor_id,
            seller_id=before.seller_id,
            request_id=before.request_id,
            intent_id=before.event_id,
            result=result,
            details={
                **before.details,
                "order_ids": id_list(told.order_ids),
                "status": str(told.status),
                "source": told.source or "",
            },
        )

    def _fact(
        self, kind: Kind, *, device: Device | None, request_id: str, result: str, details: Mapping[str, str]
    ) -> AuditEvent:
        now = self._clock.now()
        return AuditEvent(
            event_id=chassis.entropy.id_of(now, self._entropy),
            kind=kind,
            phase=Phase.FACT,
            occurred_at=now,
            actor_id=device.device_id if device else "",
            seller_id=device.seller_id if device else "",
            request_id=request_id,
            result=result,
            details=details,
        )


def _details(journey: Journey) -> dict[str, str]:
    """Return what is known of a call before it is made."""
    plan, view = journey.plan, journey.plan.view
    details = {
        "operation": journey.operation.name,
        "order_ids": id_list((journey.order_id,)) if journey.order_id else "",
        "masked": "true" if plan.is_masked else "false",
        "purpose": plan.purpose,
    }
    if journey.operation.pii and journey.parameters and not journey.order_id:
        details["subject"] = id_list(journey.parameters.values())
    if view.shown and view.mask:
        details["shown"] = ",".join(sorted(view.shown))
    return details
