"""What the use cases need from outside; edge files and the committer fit these by shape."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from chassis.secrecy import Secret
from services.telemetry.model.admission import Call
from services.telemetry.model.chain import Record
from services.telemetry.model.checkpoints import Checkpoint, Tip
from services.telemetry.model.intents import Intent
from services.telemetry.model.webhooks import Answer, DeadLetter, Standing, Turn


class Journal(Protocol):
    """The way into the log."""

    @property
    def is_failing(self) -> bool:
        """Whether the last commit failed."""
        ...

    async def submit(self, call: Call) -> tuple[int, ...]:
        """Return the sequences of a call's events, in order, once they are durable.

        Raises:
            IdempotencyConflict, IntentUnknown, OutcomeAlreadyRecorded: the call does not fit the log.
            AuditUnavailable: it cannot be said that they are durable.
        """
        ...


class CheckpointStore(Protocol):
    """Where checkpoints are kept."""

    async def tip(self) -> Tip:
        """Return where log and checkpoints stand, as of one moment."""
        ...

    async def add_checkpoint(self, checkpoint: Checkpoint) -> bool:
        """Keep a checkpoint; False when its number is taken, and then nothing changed."""
        ...


class Archive(Protocol):
    """The log, read."""

    async def record(self, sequence: int) -> Record | None:
        """Return the record at a sequence, if the log is that long."""
        ...

    async def records(self, first: int, last: int) -> Sequence[Record]:
        """Return the records from `first` to `last`, in order, at most a page; none if there are none."""
        ...

    async def checkpoints(self, first: int, last: int, numbers: tuple[int, int]) -> Sequence[Checkpoint]:
        """Return the checkpoints at the sequences `first` to `last`, by number; at most a page.

        Args:
            first: lowest sequence.
            last: highest sequence.
            numbers: lowest and highest number wanted.
        """
        ...


class IntentStore(Protocol):
    """Which intents still need watching."""

    async def intents(self) -> Sequence[Intent]:
        """Return intents not yet marked, in chain order, from the oldest on; at most a page."""
        ...

    async def mark_resolved(self, sequence: int) -> None:
        """Mark every intent up to this sequence as having an outcome; never moves back."""
        ...


class StoreProbe(Protocol):
    """Whether the store is there."""

    async def is_writable(self) -> bool:
        """Return whether the store answers and takes writes.

        Raises:
            Unavailable: it does not answer.
        """
        ...


class CheckpointKey(Protocol):
    """The signing key, which never leaves the key service."""

    async def public_pem(self) -> str:
        """Return the public key.

        Raises:
            Gone: there is no such key.
            Unavailable: the key service is away.
        """
        ...

    async def sign(self, message: bytes) -> bytes:
        """Return the raw signature over a message; raises what `public_pem` raises."""
        ...


class Signals(Protocol):
    """What the use cases make visible: never content, only names, codes and counts."""

    def appended(self, sender: str, events: int, elapsed_s: float) -> None:
        """Count a call, and its events, that a sender was told are durable."""
        ...

    def refused(self, sender: str, code: str, request_ids: Iterable[str]) -> None:
        """Count one refused call; show the requests that its events are of, of which one may come again."""
        ...

    def checkpoint_signed(self, signed_at: datetime, sequence: int) -> None:
        """Show the newest checkpoint."""
        ...

    def intents_resolved(self, intents: int) -> None:
        """Count intents whose fate stays unknown."""
        ...


class WebhookStore(Protocol):
    """How far the receiver has come. Whoever holds the turn writes, under its fence."""

    async def take(self, turn_s: float) -> Turn | None:
        """Return the turn for so many seconds; None while another holds it, and the very first time.

        A receiver that was never told anything starts at the log's end.
        """
        ...

    async def give_back(self, fence: int) -> None:
        """End a turn, if it is still this one."""
        ...

    async def find_event(self, event_id: str) -> Record | None:
        """Return the record of an event, if there is one."""
        ...

    async def settle(self, fence: int, sequence: int) -> bool:
        """Keep that everything up to a sequence is told; False when the turn was lost."""
        ...

    async def postpone(self, fence: int, attempts: int, retry_at: datetime) -> bool:
        """Keep that the next report failed so often, and when to try again; False when the turn was lost."""
        ...

    async def abandon(self, fence: int, letter: DeadLetter) -> bool:
        """Keep a report that was refused too often, and go past it; False when the turn was lost."""
        ...

    async def note_gone(self, fence: int, digest: bytes) -> bool:
        """Keep that the receiver at this address wants no more; False when the turn was lost."""
        ...

    async def note_back(self) -> None:
        """Forget that a receiver was gone or failed: it has just answered."""
        ...

    async def standing(self) -> Standing:
        """Return how telling the receiver goes, as of one moment."""
        ...


class Receiver(Protocol):
    """Whoever is told, outside."""

    @property
    def url(self) -> str:
        """Its address; empty when nobody is told."""
        ...

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Return how the receiver answered; status 0 when it did not.

        Raises:
            WebhookMissing: nobody is told.
        """
        ...


class WebhookSecrets(Protocol):
    """What proves to a receiver that a message is ours; Unavailable while the key service is away."""

    async def valid(self, now: datetime) -> Sequence[Secret[bytes]]:
        """Return the keys that sign now, newest first: one, or two after a rotation; makes the first one."""
        ...

    async def rotate(self, now: datetime) -> Secret[bytes]:
        """Return a new key; the one before it signs on for OVERLAP."""
        ...


class WebhookSignals(Protocol):
    """What telling a receiver makes visible."""

    def webhook_answered(self, fate: str) -> None:
        """Count one attempt by what became of it; "abandoned" counts a report that was given up."""
        ...

    def webhook_lags(self, records: int) -> None:
        """Show how many records the receiver is behind the log."""
        ...

    def webhook_gone(self, *, is_gone: bool) -> None:
        """Show whether the receiver wants no more."""
        ...
