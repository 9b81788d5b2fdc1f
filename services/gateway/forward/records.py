"""What the forwarding path leaves in the audit log: intents before effects, outcomes, refusals.

No call waits for the log beyond its deadline and GRACE_S: what nothing depends on is told later (R-07).
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import chassis.entropy
from chassis.errors import SallyportError
from services.gateway.forward.deadlines import Deadlines
from services.gateway.forward.journey import Journey
from services.gateway.forward.late import Late
from services.gateway.forward.ports import Ports
from services.gateway.model.allowance import Allowance
from services.gateway.model.audit import AuditEvent, Kind, Phase, Result, order_list
from services.gateway.model.calls import Call, Device
from services.gateway.model.faults import DeadlineExceeded
from services.gateway.model.tripwire import CredentialsNotAccepted

# How long after its deadline, or a refusal, a call may still wait for its last event.
GRACE_S = 0.5
SUM_UP_EVERY_S = 60.0
# Who is not known yet.
ANYBODY = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """An intent that is durable."""

    event_id: str
    kind: Kind
    journey: Journey


@dataclass(frozen=True, slots=True)
class Told:
    """What an outcome tells beside its result.

    Attributes:
        status: the HTTP status the desktop gets; 0 when that is not known here.
        source: "amazon" or "safe"; empty when neither gave anything.
        order_ids: whose personal data was shown.
    """

    status: int = 0
    source: str = ""
    order_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What an event says beside who and when; see `AuditEvent`."""

    details: Mapping[str, str]
    phase: Phase = Phase.FACT
    result: str = ""
    intent_id: str = ""


class Records:
    """The forwarding path's hand in the audit log; `sum_up` is one of the process's tasks."""

    def __init__(self, *, ports: Ports, deadlines: Deadlines, late: Late) -> None:
        self._audit = ports.audit
        self._clock = ports.clock
        self._entropy = ports.entropy
        self._signals = ports.signals
        self._deadlines = deadlines
        self._late = late
        self._allowance = Allowance()

    async def intend(self, journey: Journey, kind: Kind) -> Intent:
        """Return once it is durable that the call is about to be made (R-01).

        Raises:
            Unavailable: `audit_unavailable`; nothing may happen (R-02).
        """
        named = (journey.order_id,) if journey.order_id else ()
        said = _Said(phase=Phase.INTENT, details=_details(journey, named))
        event = self._event(journey.call.request_id, kind, journey.device, said=said)
        await self._audit.record(event)
        return Intent(event.event_id, kind, journey)

    async def conclude(self, intent: Intent, result: Result, told: Told) -> None:
        """Return once it is durable what became of an intent.

        Raises:
            Unavailable: `audit_unavailable`, or not in time.
        """
        event = self._outcome(intent, result, told)
        try:
            with self._deadlines.within(intent.journey.until_s + GRACE_S):
                await self._audit.record(event)
        except asyncio.CancelledError:
            self._late.put(event)
            raise

    async def try_conclude(self, intent: Intent, result: Result, told: Told) -> None:
        """Tell an outcome on which nothing depends, later if need be.

        Telemetry resolves an intent left without one.
        """
        event = self._outcome(intent, result, told)
        try:
            with self._deadlines.within(intent.journey.until_s + GRACE_S):
                await self._audit.record(event)
        except DeadlineExceeded:
            self._late.put(event)
        except SallyportError as error:
            self._signals.side_failed("audit_outcome", error.code)
        except asyncio.CancelledError:
            self._late.put(event)
            raise

    def leave(self, intent: Intent, result: Result) -> None:
        """Have it told what became of an intent whose call nobody waits for any more."""
        self._late.put(self._outcome(intent, result, Told()))

    async def refuse(
        self, call: Call, error: SallyportError, *, device: Device | None, operation: str
    ) -> None:
        """Tell that a call was refused; the refusal stands when that fails, because nothing was done.

        Of a source that is refused again and again only some are told, with how many were not.
        """
        now_s = self._clock.monotonic_s()
        untold = self._allowance.ask(device.device_id if device else ANYBODY, now_s)
        if untold is None:
            return
        is_credential = isinstance(error, CredentialsNotAccepted)
        kind = Kind.CREDENTIALS_REFUSED if is_credential else Kind.OPERATION_REFUSED
        details = {"operation": operation, "status": str(error.http_status), **_untold(untold)}
        said = _Said(result=error.code, details=details)
        event = self._event(call.request_id, kind, device, said=said)
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
                said = _Said(result="refused", details=_untold(untold))
                self._late.put(self._event("", Kind.REFUSALS_COUNTED, None, said=said))

    def _outcome(self, intent: Intent, result: Result, told: Told) -> AuditEvent:
        journey = intent.journey
        details = _details(journey, told.order_ids) | {"status": str(told.status), "source": told.source}
        said = _Said(phase=Phase.OUTCOME, intent_id=intent.event_id, result=result, details=details)
        return self._event(journey.call.request_id, intent.kind, journey.device, said=said)

    def _event(self, request_id: str, kind: Kind, device: Device | None, *, said: _Said) -> AuditEvent:
        """Return an event of now."""
        return AuditEvent(
            event_id=chassis.entropy.new_id(self._clock, self._entropy),
            kind=kind,
            occurred_at=self._clock.now(),
            actor_id=device.device_id if device else "",
            seller_id=device.seller_id if device else "",
            request_id=request_id,
            phase=said.phase,
            intent_id=said.intent_id,
            result=said.result,
            details=said.details,
        )


def _untold(count: int) -> dict[str, str]:
    return {"untold": str(count)} if count else {}


def _details(journey: Journey, order_ids: Iterable[str]) -> dict[str, str]:
    plan, view = journey.plan, journey.plan.view
    details = {
        "operation": journey.operation.name,
        "order_ids": order_list(order_ids),
        "masked": "true" if plan.is_masked else "false",
        "purpose": plan.purpose,
    }
    return details | {"shown": ",".join(sorted(view.shown))} if view.shown and view.mask else details
