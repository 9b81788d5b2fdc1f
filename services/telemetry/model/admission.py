"""Which calls enter the log, and where: the rules that need to know what the log already holds.

- A call's events enter together or not at all.
- The same event id with the same body is the same record: its sequence is the answer (R-04).
- An outcome follows an intent of the same sender; only telemetry itself may speak for another.
- At most one final outcome per intent; `unknown` is not final.

A `Ledger` is filled by the store with what its calls mention, read under the log's lock.
"""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import chassis.errors
from services.telemetry.model.chain import Head, Record, follow
from services.telemetry.model.errors import IdempotencyConflict, IntentUnknown, OutcomeAlreadyRecorded
from services.telemetry.model.events import FINAL_RESULTS, OWN_NAME, Entry, Phase, timestamp

BATCH_EVENTS_MAX = 1_000

Call = Sequence[Entry]
Answer = tuple[int, ...] | chassis.errors.SallyportError


class Known(NamedTuple):
    """What the log holds under one event id."""

    sequence: int
    sender: str
    phase: Phase
    digest: bytes


class Admitted(NamedTuple):
    """An entry and the record that it became."""

    entry: Entry
    record: Record


@dataclass(slots=True)
class Ledger:
    """What the log holds about everything that a group of calls mentions.

    Attributes:
        head: the chain's end.
        known: by event id.
        settled: ids of intents that have a final outcome.
    """

    head: Head
    known: dict[str, Known]
    settled: set[str]

    def covers(self, calls: Iterable[Call]) -> bool:
        """Return whether every intent is known that the calls' outcomes name."""
        return all(
            entry.event.intent_id is None or entry.event.intent_id in self.known
            for call in calls
            for entry in call
        )

    def learn(self, truth: "Ledger") -> None:
        """Take in what the log holds about further ids, read while its head was this ledger's."""
        self.known.update(truth.known)
        self.settled |= truth.settled

    def forget(self, ids_max: int) -> None:
        """Forget the ids known for longest when there are more than `ids_max`: half of those remain."""
        if len(self.known) > ids_max:
            self.known = dict(list(self.known.items())[-ids_max // 2 :])
            self.settled &= self.known.keys()


def mentioned_ids(calls: Iterable[Call]) -> set[str]:
    """Return every event id and intent id in the calls: what a ledger must be filled with."""
    entries = [entry for call in calls for entry in call]
    ids = {entry.event.event_id for entry in entries}
    return ids | {entry.event.intent_id for entry in entries if entry.event.intent_id is not None}


def admit(
    ledger: Ledger, calls: Sequence[Call], *, recorded_at: datetime
) -> tuple[list[Admitted], list[Answer]]:
    """Return what to append, in chain order, and one answer per call, in order.

    An answer is the sequences of the call's events, or the refusal of the whole call. The ledger moves on.
    """
    admitted: list[Admitted] = []
    answers: list[Answer] = []
    written_at = timestamp(recorded_at)
    for call in calls:
        trial = _Trial(ledger, written_at)
        try:
            answers.append(tuple([trial.enter(entry) for entry in call]))
        except chassis.errors.SallyportError as refusal:
            answers.append(refusal)
        else:
            admitted += trial.admitted
            trial.keep()
    return admitted, answers


class _Trial:
    """One call, entered beside the ledger, so that a refused call leaves no trace in it."""

    def __init__(self, ledger: Ledger, recorded_at: str) -> None:
        self._ledger = ledger
        self._recorded_at = recorded_at
        self._last: Head | Record = ledger.head
        self._known: dict[str, Known] = {}
        self._settled: set[str] = set()
        self.admitted: list[Admitted] = []

    def enter(self, entry: Entry) -> int:
        event = entry.event
        event_id = event.event_id
        if known := self._find(event_id):
            if not hmac.compare_digest(known.digest, entry.digest):
                raise IdempotencyConflict
            return known.sequence
        if event.intent_id is not None:
            self._settle(entry, event.intent_id)
        record = self._last = follow(self._last, entry, self._recorded_at)
        self.admitted.append(Admitted(entry, record))
        self._known[event_id] = Known(record.sequence, entry.sender, event.phase, entry.digest)
        return record.sequence

    def keep(self) -> None:
        if self.admitted:
            self._ledger.head = self.admitted[-1].record.head
        self._ledger.known.update(self._known)
        self._ledger.settled |= self._settled

    def _find(self, event_id: str) -> Known | None:
        return self._known.get(event_id) or self._ledger.known.get(event_id)

    def _settle(self, outcome: Entry, intent_id: str) -> None:
        intent = self._find(intent_id)
        if intent is None or intent.phase is not Phase.INTENT:
            raise IntentUnknown
        if outcome.sender not in {intent.sender, OWN_NAME}:
            raise IntentUnknown
        if intent_id in self._settled or intent_id in self._ledger.settled:
            raise OutcomeAlreadyRecorded
        if outcome.event.result in FINAL_RESULTS:
            self._settled.add(intent_id)
