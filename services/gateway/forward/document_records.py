"""What moving documents leaves in the audit log: personal reads and writes, each told before and after.

A document without personal data that is read leaves nothing, like a call that shows none. An outcome that
cannot be told at once is told again; nothing waits for it, because the bytes have moved by then.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import chassis.entropy
from chassis.clock import Clock
from chassis.entropy import Entropy
from chassis.errors import SallyportError
from services.gateway.forward.late import Late
from services.gateway.forward.ports import Audit, Signals
from services.gateway.model.allowance import Allowance, untold_details
from services.gateway.model.audit import AuditEvent, Kind, Phase, Result, id_list
from services.gateway.model.documents import DOWNLOAD, Capability
from services.gateway.model.tripwire import CredentialsNotAccepted


@dataclass(slots=True)
class Telling:
    """What the outcome will say."""

    result: Result = Result.NOT_DONE
    moved_bytes: int = 0


class DocumentRecords:
    """The documents' hand in the audit log; `tell_late` is one of the process's tasks."""

    def __init__(
        self, *, audit: Audit, clock: Clock, entropy: Entropy, signals: Signals, allowance: Allowance
    ) -> None:
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._signals = signals
        self._allowance = allowance
        self._late = Late(audit=audit, clock=clock, signals=signals)

    async def tell_late(self) -> None:
        """Tell, for ever, what could not be told at once."""
        await self._late.run()

    @asynccontextmanager
    async def told(self, capability: Capability, request_id: str) -> AsyncIterator[Telling]:
        """Go in once the intent is durable; tell the outcome on the way out, whatever happened inside.

        Raises:
            Unavailable: `audit_unavailable`; nothing may happen (R-02).
        """
        kind = Kind.PII_READ if capability.method == DOWNLOAD else Kind.DOCUMENT_WRITTEN
        intent = replace(self._fact(capability, request_id, kind), phase=Phase.INTENT)
        await self._audit.record(intent)
        telling = Telling()
        try:
            yield telling
        except CredentialsNotAccepted as error:
            await self.refuse(capability, request_id, error)
            raise
        finally:
            self._leave(intent, telling)

    async def refuse(self, capability: Capability, request_id: str, error: SallyportError) -> None:
        """Tell that a document was refused; the refusal stands when that fails, because nothing was done.

        Of a device that is refused again and again only some are told, with how many were not.
        """
        untold = self._allowance.ask(capability.device_id, self._clock.monotonic_s())
        if untold is None:
            return
        is_credential = isinstance(error, CredentialsNotAccepted)
        kind = Kind.CREDENTIALS_REFUSED if is_credential else Kind.OPERATION_REFUSED
        fact = self._fact(capability, request_id, kind)
        details = {**fact.details, **untold_details(untold)}
        try:
            await self._audit.record(replace(fact, result=error.code, details=details))
        except SallyportError as failure:
            self._signals.side_failed("audit_refusal", failure.code)

    def _leave(self, intent: AuditEvent, telling: Telling) -> None:
        """Have the outcome told soon, and later if need be; telemetry resolves an intent left without one."""
        outcome = replace(
            intent,
            event_id=chassis.entropy.new_id(self._clock, self._entropy),
            phase=Phase.OUTCOME,
            occurred_at=self._clock.now(),
            intent_id=intent.event_id,
            result=telling.result,
            details={**intent.details, "bytes": str(telling.moved_bytes)},
        )
        self._audit.hand_over(outcome, self._late.put)

    def _fact(self, capability: Capability, request_id: str, kind: Kind) -> AuditEvent:
        named = {"order_ids": id_list((capability.order_id,))} if capability.order_id else {}
        return AuditEvent(
            event_id=chassis.entropy.new_id(self._clock, self._entropy),
            kind=kind,
            phase=Phase.FACT,
            occurred_at=self._clock.now(),
            actor_id=capability.device_id,
            seller_id=capability.seller_id,
            request_id=request_id,
            details={
                "operation": capability.operation,
                "document": capability.document_class,
                "purpose": capability.purpose,
                **named,
            },
        )
