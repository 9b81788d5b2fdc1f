"""The audit trail around effects: the intent is durable before, the outcome follows."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import chassis.clock
import chassis.entropy
import chassis.errors
from services.retention.model.audit import AuditEvent, Kind, Origin, Phase, Result
from services.retention.service.ports import Audit, Signals


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What is about to be done, for whom, at whose wish."""

    kind: Kind
    origin: Origin
    seller_id: str
    details: Mapping[str, str]


class Trail:
    """Writes intents, outcomes and facts."""

    def __init__(
        self,
        *,
        audit: Audit,
        clock: chassis.clock.Clock,
        entropy: chassis.entropy.Entropy,
        signals: Signals,
    ) -> None:
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._signals = signals

    @contextlib.asynccontextmanager
    async def around(self, deed: Deed) -> AsyncIterator[None]:
        """Record the intent, let the body do the deed, record what became of it.

        The outcome may be lost when the log fails after the effect: an error now would deny what was done
        (R-02), and an intent without an outcome is resolved by who reads the log.

        Raises:
            AuditUnavailable: the intent is not durable; the body did not run.
        """
        intent = self._event(deed, Phase.INTENT)
        await self._audit.record(intent)
        try:
            yield
        except chassis.errors.SallyportError as error:
            is_open = isinstance(error, chassis.errors.Unavailable)
            await self._outcome(deed, intent, Result.UNKNOWN if is_open else Result.NOT_DONE)
            raise
        await self._outcome(deed, intent, Result.DONE)

    async def note(self, deed: Deed, reason: str) -> None:
        """Record a fact, e.g. a refusal, if the log takes it: a failing log does not change the answer."""
        with contextlib.suppress(chassis.errors.Unavailable):
            await self._audit.record(self._event(deed, Phase.FACT, result=reason))

    async def _outcome(self, deed: Deed, intent: AuditEvent, result: Result) -> None:
        event = self._event(deed, Phase.OUTCOME, result=result, intent_id=intent.event_id)
        try:
            await self._audit.record(event)
        except chassis.errors.SallyportError:
            self._signals.outcome_lost(deed.kind)

    def _event(self, deed: Deed, phase: Phase, *, result: str = "", intent_id: str = "") -> AuditEvent:
        return AuditEvent(
            event_id=chassis.entropy.new_id(self._clock, self._entropy),
            kind=deed.kind,
            phase=phase,
            occurred_at=self._clock.now(),
            origin=deed.origin,
            seller_id=deed.seller_id,
            intent_id=intent_id,
            result=result,
            details=deed.details,
        )
