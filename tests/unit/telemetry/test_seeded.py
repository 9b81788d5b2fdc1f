"""Telemetry's use cases under a seeded scheduler, over a store that is slow, fails, and loses its answers."""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

import chassis.errors
from fakes.audit_store import FakeAuditStore
from sallyport.audit.verify import verify
from sallyport.simulate.loop import new_loop
from services.telemetry.committer import COMMIT_S_MAX
from services.telemetry.model.admission import Answer, Call
from services.telemetry.model.errors import AuditUnavailable
from services.telemetry.model.events import Event
from tests.unit.telemetry.house import House, fact, intent, outcome

SENDERS = 8
CALLS = 6
FAULTS_MAX = 30


class UnreliableStore(FakeAuditStore):
    """Delays and fails before and after its effect, for FAULTS_MAX times."""

    def __init__(self, choices: random.Random) -> None:
        super().__init__(page_rows_max=7)
        self._choices = choices
        self._faults = 0

    async def append(self, calls: Sequence[Call], *, recorded_at: datetime) -> list[Answer]:
        await self._stumble()
        answers = await super().append(calls, recorded_at=recorded_at)
        await self._stumble()
        return answers

    async def _stumble(self) -> None:
        await asyncio.sleep(self._choices.uniform(0, 0.1))
        if self._faults >= FAULTS_MAX or self._choices.random() > 0.3:
            return
        self._faults += 1
        if self._choices.random() < 0.5:
            await asyncio.sleep(2 * COMMIT_S_MAX)
        raise AuditUnavailable


class Story:
    """Several senders that insist, beside every job of telemetry."""

    def __init__(self, seed: int) -> None:
        self.house = House()
        self.house.store = UnreliableStore(random.Random(seed))
        self.house.compose()
        self.told: dict[str, int] = {}

    async def run(self) -> list[bytes]:
        """Return an export made after everything was said."""
        async with self.house.open():
            async with asyncio.TaskGroup() as group:
                for sender in range(SENDERS):
                    group.create_task(self._send(sender))
                group.create_task(self._look_after())
            for _ in range(2 * FAULTS_MAX):
                with contextlib.suppress(chassis.errors.Unavailable):
                    return await self.house.export()
        raise AssertionError

    async def _send(self, sender: int) -> None:
        for call in range(CALLS):
            first = 1_000 * sender + 10 * call
            await self._insist(intent(first), fact(first + 1))
            if call % 2:
                await self._insist(outcome(first + 2, of=first))

    async def _insist(self, *events: Event) -> None:
        for _ in range(2 * FAULTS_MAX):
            with contextlib.suppress(AuditUnavailable):
                sequences = await self.house.intake.append("gateway", events)
                self.told.update(zip([event.event_id for event in events], sequences, strict=True))
                return
        raise AssertionError

    async def _look_after(self) -> None:
        for _ in range(10):
            await asyncio.sleep(1.0)
            self.house.clock.pass_(20)
            for round_ in (
                self.house.health.check,
                self.house.checkpoints.sign_if_due,
                self.house.orphans.resolve,
            ):
                with contextlib.suppress(chassis.errors.Unavailable):
                    await round_()


def tell(seed: int) -> tuple[Story, list[bytes]]:
    loop = new_loop(seed)

    async def work() -> tuple[Story, list[bytes]]:
        story = Story(seed)
        return story, await story.run()

    return loop.run(work())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_the_order_what_was_acknowledged_is_in_the_log_once_R03_R04_R12(seed: int) -> None:
    story, lines = tell(seed)
    report = verify(lines, asyncio.run(story.house.key.public_pem()))
    assert report.fault is None
    kept = {each.entry.event.event_id: each.record.sequence for each in story.house.store.entries()}
    assert len(kept) == len(story.house.store.entries())
    assert {event_id: kept[event_id] for event_id in story.told} == story.told
    assert len(story.told) == SENDERS * CALLS * 2 + SENDERS * CALLS // 2


def test_the_same_seed_gives_the_same_log_byte_for_byte_R27() -> None:
    assert tell(7)[1] == tell(7)[1]
    assert tell(7)[1] != tell(8)[1]
