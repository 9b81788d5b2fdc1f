"""Telling the audit log: intent before the effect, outcome after, refusals as facts.

- No intent durable, no effect (R-02). An effect that happened is never reported as an error because its
  outcome could not be told: the outcome is told later. Should this process die before, telemetry itself
  says that the intent's fate is unknown (R-01).
- A refusal is answered even while the audit log is down; its fact is told later.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import chassis.entropy
from chassis.errors import Internal, SallyportError, Unavailable
from services.auth.model.audit import AuditEvent, Deed, Phase, Result
from services.auth.service.ports import Ports

LATE_EVENTS_MAX = 10_000


class Ledger:
    """Writes auth's deeds to the audit log."""

    def __init__(self, ports: Ports) -> None:
        self._audit = ports.audit
        self._signals = ports.signals
        self._clock = ports.clock
        self._entropy = ports.entropy
        self._request_id = ports.request_id
        self._late: deque[AuditEvent] = deque()

    async def fact(self, deed: Deed) -> None:
        """Tell a fact.

        Raises:
            AuditUnavailable: it is not durable.
        """
        await self._audit.record(self._event(deed, Phase.FACT))

    async def refusal(self, deed: Deed) -> None:
        """Tell a refusal, now or later; never keeps the caller from its answer."""
        self._signals.refused(deed.kind, deed.result)
        await self._tell(self._event(deed, Phase.FACT))

    async def afterwards(self, deed: Deed) -> None:
        """Tell a fact that is one already, now or later."""
        await self._tell(self._event(deed, Phase.FACT))

    @asynccontextmanager
    async def effect(self, deed: Deed) -> AsyncIterator[None]:
        """Run what is inside between its intent and its outcome.

        Raises:
            AuditUnavailable: the intent is not durable; nothing ran.
        """
        intent = self._event(deed, Phase.INTENT)
        await self._audit.record(intent)
        try:
            yield
        except (Unavailable, Internal):
            await self._tell(intent.outcome(Result.UNKNOWN, self._clock.now()))
            raise
        except SallyportError:
            await self._tell(intent.outcome(Result.NOT_DONE, self._clock.now()))
            raise
        await self._tell(intent.outcome(Result.DONE, self._clock.now()))

    async def settle(self) -> int:
        """Tell what could not be told before, oldest first; return how many events that were.

        Raises:
            AuditUnavailable: the rest waits for the next run.
        """
        told = 0
        while self._late:
            event = self._late[0]
            try:
                await self._audit.record(event)
            except Unavailable:
                raise
            except SallyportError:
                self._forget(event, "lost")
                continue
            self._forget(event, "told")
            told += 1
        return told

    async def _tell(self, event: AuditEvent) -> None:
        try:
            await self._audit.record(event)
        except Unavailable:
            self._keep(event)
        except asyncio.CancelledError:
            # The caller has gone; what was done is told all the same.
            self._keep(event)
            raise
        except SallyportError:
            self._signals.told_late("lost")

    def _keep(self, event: AuditEvent) -> None:
        self._late.append(event)
        self._signals.told_late("kept")
        if len(self._late) > LATE_EVENTS_MAX:
            self._late.popleft()
            self._signals.told_late("lost")

    def _forget(self, event: AuditEvent, why: str) -> None:
        """Drop the event that was just told, unless newer ones have pushed it out meanwhile."""
        if self._late and self._late[0] is event:
            self._late.popleft()
        self._signals.told_late(why)

    def _event(self, deed: Deed, phase: Phase) -> AuditEvent:
        return AuditEvent(
            event_id=chassis.entropy.new_id(self._clock, self._entropy),
            kind=deed.kind,
            phase=phase,
            occurred_at=self._clock.now(),
            actor=deed.actor,
            seller_id=deed.seller_id,
            request_id=self._request_id(),
            details=dict(deed.details),
            result=deed.result,
        )
