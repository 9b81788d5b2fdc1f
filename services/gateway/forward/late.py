"""Audit events that nobody waits for any more: told later, in their order, or counted as lost.

An outcome that could not be made durable in a call's time, or whose client went away, comes here. What is
lost here is resolved by telemetry, which ends every intent without an outcome as unknown (R-01).
"""

import asyncio
from collections import deque

from chassis.clock import Clock
from chassis.errors import SallyportError
from services.gateway.forward.ports import Audit, Signals
from services.gateway.model.audit import AuditEvent, EventRefused
from services.gateway.model.faults import DeadlineExceeded

# About 1 KB each.
EVENTS_MAX = 1_000
TRIES_MAX = 4
PAUSE_S = 2.0


class Late:
    """A bounded queue of audit events; `run` is one of the process's tasks."""

    def __init__(self, *, audit: Audit, clock: Clock, signals: Signals) -> None:
        self._audit = audit
        self._clock = clock
        self._signals = signals
        self._events: deque[AuditEvent] = deque()
        self._has_work = asyncio.Event()

    def put(self, event: AuditEvent) -> None:
        """Have an event told when there is time; when there is no room either, it is counted as lost."""
        if len(self._events) >= EVENTS_MAX:
            self._signals.outcome_lost(event.request_id, DeadlineExceeded.code)
            return
        self._events.append(event)
        self._has_work.set()

    async def run(self) -> None:
        """Tell what waits, for ever."""
        while True:
            await self._has_work.wait()
            while self._events:
                await self._tell(self._events.popleft())
            self._has_work.clear()

    async def _tell(self, event: AuditEvent) -> None:
        """Hand an event in, the same one each time (R-04), until it is durable, refused or given up."""
        for attempt in range(TRIES_MAX):
            try:
                await self._audit.record(event)
            except SallyportError as error:
                if attempt == TRIES_MAX - 1 or isinstance(error, EventRefused):
                    self._signals.outcome_lost(event.request_id, error.code)
                    return
                await self._clock.sleep(PAUSE_S)
            else:
                return
