"""What the use cases need from outside; edge files and the committer fit these by shape."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.telemetry.model.admission import Call
from services.telemetry.model.chain import Record
from services.telemetry.model.checkpoints import Checkpoint, Tip
from services.telemetry.model.intents import Intent


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

    def appended(self, sender: str, events: int) -> None:
        """Count events that a sender was told are durable."""
        ...

    def refused(self, sender: str, code: str) -> None:
        """Count one refused call."""
        ...

    def checkpoint_signed(self, signed_at: datetime, sequence: int) -> None:
        """Show the newest checkpoint."""
        ...

    def intents_resolved(self, intents: int) -> None:
        """Count intents whose fate stays unknown."""
        ...
