"""Telemetry put together on fakes, as `app` does it on real parts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from fakes.audit_store import FakeAuditStore
from fakes.clock import START, FakeClock
from fakes.entropy import FakeEntropy
from fakes.telemetry import FakeCheckpointKey, FakeSignals
from services.telemetry.committer import Committer
from services.telemetry.model.events import Actor, Event, Phase, Result
from services.telemetry.service.checkpoints import Checkpoints
from services.telemetry.service.diary import Diary
from services.telemetry.service.exporting import Exporter
from services.telemetry.service.intake import Intake
from services.telemetry.service.upkeep import Health, Orphans

OPERATOR = Actor("operator", "console")


class House:
    """Every use case of telemetry over one store in memory."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.entropy = FakeEntropy()
        self.store = FakeAuditStore()
        self.key = FakeCheckpointKey()
        self.signals = FakeSignals()
        self.compose()

    def compose(self) -> None:
        """Put the use cases together over the parts as they are now."""
        self.committer = Committer(store=self.store, clock=self.clock, signals=self.signals)
        self.diary = Diary(journal=self.committer, clock=self.clock, entropy=self.entropy)
        self.intake = Intake(journal=self.committer, diary=self.diary, clock=self.clock, signals=self.signals)
        self.checkpoints = Checkpoints(
            store=self.store, key=self.key, diary=self.diary, clock=self.clock, signals=self.signals
        )
        self.exporter = Exporter(archive=self.store, checkpoints=self.checkpoints, diary=self.diary)
        self.orphans = Orphans(
            store=self.store, journal=self.committer, clock=self.clock, signals=self.signals
        )
        self.health = Health(probe=self.store, journal=self.committer, diary=self.diary, clock=self.clock)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["House"]:
        """Run the committer while inside."""
        writer = asyncio.create_task(self.committer.run())
        try:
            yield self
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def export(self, from_sequence: int = 0) -> list[bytes]:
        """Return an export as the lines of its file."""
        lines = self.exporter.export(from_sequence, actor=OPERATOR, request_id="req-1")
        return [line + b"\n" async for line in lines]

    def kinds(self) -> list[str]:
        """Return the kinds in the log, in order."""
        return [each.entry.event.kind for each in self.store.entries()]


def event_id(number: int) -> str:
    return f"00000000-0000-7000-8000-{number:012x}"


def fact(number: int, **changes: object) -> Event:
    event = Event(
        event_id=event_id(number),
        kind="gateway.operation.refused",
        phase=Phase.FACT,
        occurred_at=START,
        result="operation_not_allowed",
        actor=Actor("device", "0192aa00-0000-7000-8000-000000000001"),
        seller_id="seller-1",
        request_id="req-1",
        details={"operation": "getOrderAddress"},
    )
    return replace(event, **changes)  # type: ignore[arg-type]


def intent(number: int, **changes: object) -> Event:
    return fact(number, **{"kind": "gateway.pii.read", "phase": Phase.INTENT, "result": None, **changes})


def outcome(number: int, of: int, result: str = Result.DONE, **changes: object) -> Event:
    facts = {"phase": Phase.OUTCOME, "intent_id": event_id(of), "result": result}
    return intent(number, **{**facts, **changes})
