"""What the forwarding path leaves in the audit log: intents before effects, outcomes, refusals."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import chassis.entropy
from chassis.clock import Clock
from chassis.entropy import Entropy
from chassis.errors import SallyportError
from services.gateway.forward.journey import Journey
from services.gateway.forward.ports import Audit, Signals
from services.gateway.model.audit import AuditEvent, Kind, Phase, Result, order_list
from services.gateway.model.calls import Call, Device
from services.gateway.model.tripwire import CredentialsNotAccepted


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


class Records:
    """The forwarding path's hand in the audit log."""

    def __init__(self, *, audit: Audit, clock: Clock, entropy: Entropy, signals: Signals) -> None:
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._signals = signals

    async def intend(self, journey: Journey, kind: Kind) -> Intent:
        """Return once it is durable that the call is about to be made (R-01).

        Raises:
            Unavailable: `audit_unavailable`; nothing may happen (R-02).
        """
        named = (journey.order_id,) if journey.order_id else ()
        fact = self._fact(journey.call, kind, journey.device)
        event = replace(fact, phase=Phase.INTENT, details=_details(journey, named))
        await self._audit.record(event)
        return Intent(event.event_id, kind, journey)

    async def conclude(self, intent: Intent, result: Result, told: Told) -> None:
        """Return once it is durable what became of an intent.

        Raises:
            Unavailable: `audit_unavailable`.
        """
        fact = self._fact(intent.journey.call, intent.kind, intent.journey.device)
        event = replace(
            fact,
            phase=Phase.OUTCOME,
            intent_id=intent.event_id,
            result=result,
            details=_details(intent.journey, told.order_ids)
            | {"status": str(told.status), "source": told.source},
        )
        await self._audit.record(event)

    async def try_conclude(self, intent: Intent, result: Result, told: Told) -> None:
        """Tell an outcome on which nothing depends; telemetry resolves an intent left without one."""
        try:
            await self.conclude(intent, result, told)
        except SallyportError as error:
            self._signals.side_failed("audit_outcome", error.code)

    async def refuse(
        self, call: Call, error: SallyportError, *, device: Device | None, operation: str
    ) -> None:
        """Tell that a call was refused; the refusal stands when that fails, because nothing was done."""
        is_credential = isinstance(error, CredentialsNotAccepted)
        kind = Kind.CREDENTIALS_REFUSED if is_credential else Kind.OPERATION_REFUSED
        details = {"operation": operation, "status": str(error.http_status)}
        try:
            await self._audit.record(
                replace(self._fact(call, kind, device), result=error.code, details=details)
            )
        except SallyportError as failure:
            self._signals.side_failed("audit_refusal", failure.code)

    def _fact(self, call: Call, kind: Kind, device: Device | None) -> AuditEvent:
        return AuditEvent(
            event_id=chassis.entropy.new_id(self._clock, self._entropy),
            kind=kind,
            phase=Phase.FACT,
            occurred_at=self._clock.now(),
            actor_id=device.device_id if device else "",
            seller_id=device.seller_id if device else "",
            request_id=call.request_id,
            details={},
        )


def _details(journey: Journey, order_ids: Iterable[str]) -> dict[str, str]:
    plan, view = journey.plan, journey.plan.view
    details = {
        "operation": journey.operation.name,
        "order_ids": order_list(order_ids),
        "masked": "true" if plan.is_masked else "false",
        "purpose": plan.purpose,
    }
    return details | {"shown": ",".join(sorted(view.shown))} if view.shown and view.mask else details
