"""The audit log's store in memory; it passes the contract suite of the real one."""

from collections.abc import Sequence
from datetime import datetime

from services.telemetry.model.admission import Admitted, Answer, Call, Known, Ledger, admit, mentioned_ids
from services.telemetry.model.chain import GENESIS, Record
from services.telemetry.model.checkpoints import Checkpoint, Tip
from services.telemetry.model.errors import AuditUnavailable
from services.telemetry.model.events import FINAL_RESULTS, Phase
from services.telemetry.model.intents import Intent


class FakeAuditStore:
    """Keeps what it was given.

    Attributes:
        is_down: every call fails and changes nothing.
        loses_answer: the next `append` takes effect and then fails, like a commit whose answer got lost.
        commits: how many entries each commit was asked to take.
    """

    def __init__(self, *, page_rows_max: int = 100) -> None:
        self.is_down = False
        self.loses_answer = False
        self.commits: list[int] = []
        self._page_rows_max = page_rows_max
        self._log: list[tuple[Admitted, datetime]] = []
        self._known: dict[str, Known] = {}
        self._settled: set[str] = set()
        self._concluded: set[str] = set()
        self._checkpoints: list[Checkpoint] = []
        self._resolved_to = 0

    async def append(self, calls: Sequence[Call], *, recorded_at: datetime) -> list[Answer]:
        self._answer_if_up()
        self.commits.append(sum(len(call) for call in calls))
        admitted, answers = admit(self._ledger(calls), calls, recorded_at=recorded_at)
        for each in admitted:
            self._keep(each, recorded_at)
        if self.loses_answer:
            self.loses_answer = False
            raise AuditUnavailable
        return answers

    async def tip(self) -> Tip:
        self._answer_if_up()
        head = self._log[-1][0].record.head if self._log else GENESIS
        last = self._checkpoints[-1] if self._checkpoints else None
        return Tip(head, last.number if last else 0, last.sequence if last else 0)

    async def add_checkpoint(self, checkpoint: Checkpoint) -> bool:
        self._answer_if_up()
        if any(kept.number == checkpoint.number for kept in self._checkpoints):
            return False
        self._checkpoints.append(checkpoint)
        return True

    async def record(self, sequence: int) -> Record | None:
        self._answer_if_up()
        return self._log[sequence - 1][0].record if 1 <= sequence <= len(self._log) else None

    async def records(self, first: int, last: int) -> Sequence[Record]:
        self._answer_if_up()
        return [each.record for each, _ in self._log[first - 1 : last]][: self._page_rows_max]

    async def checkpoints(self, first: int, last: int, numbers: tuple[int, int]) -> Sequence[Checkpoint]:
        self._answer_if_up()
        low, high = numbers
        found = [
            kept
            for kept in self._checkpoints
            if first <= kept.sequence <= last and low <= kept.number <= high
        ]
        return found[: self._page_rows_max]

    async def intents(self) -> Sequence[Intent]:
        self._answer_if_up()
        found = [
            Intent(each.record.sequence, event_id, recorded_at, event_id in self._concluded)
            for each, recorded_at in self._log[self._resolved_to :]
            if each.entry.event.phase is Phase.INTENT
            for event_id in [each.entry.event.event_id]
        ]
        return found[: self._page_rows_max]

    async def mark_resolved(self, sequence: int) -> None:
        self._answer_if_up()
        self._resolved_to = max(self._resolved_to, sequence)

    async def is_writable(self) -> bool:
        self._answer_if_up()
        return True

    def entries(self, after: int = 0) -> list[Admitted]:
        """Return what is in the log after a sequence, in order."""
        return [each for each, _ in self._log[after:]]

    def _answer_if_up(self) -> None:
        if self.is_down:
            raise AuditUnavailable

    def _ledger(self, calls: Sequence[Call]) -> Ledger:
        head = self._log[-1][0].record.head if self._log else GENESIS
        ids = mentioned_ids(calls)
        known = {event_id: self._known[event_id] for event_id in ids if event_id in self._known}
        return Ledger(head, known, ids & self._settled)

    def _keep(self, admitted: Admitted, recorded_at: datetime) -> None:
        entry, event = admitted.entry, admitted.entry.event
        self._log.append((admitted, recorded_at))
        known = Known(admitted.record.sequence, entry.sender, event.phase, entry.digest)
        self._known[event.event_id] = known
        if event.intent_id is not None:
            self._concluded.add(event.intent_id)
        if event.intent_id is not None and event.result in FINAL_RESULTS:
            self._settled.add(event.intent_id)
