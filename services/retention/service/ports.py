"""What the use cases need from outside; edge files fit these by shape."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from chassis.entropy import Entropy
from chassis.secrecy import Secret
from services.retention.model.audit import AuditEvent
from services.retention.model.erasures import Erasure, Finding, Probe, Receipt, Subject
from services.retention.model.orders import OrderClock
from services.retention.model.records import DataKey, Found, Kept, Record, RecordName


class Audit(Protocol):
    """The audit log."""

    async def record(self, event: AuditEvent) -> None:
        """Return once the event is durable; the same event twice is one record.

        Raises:
            AuditUnavailable: it may or may not be durable.
        """
        ...


class Cipher(Protocol):
    """Sealing; `chassis.crypto.seal` has this shape."""

    def new_key(self, entropy: Entropy) -> Secret[bytes]:
        """Return a fresh data key."""
        ...

    def seal(self, key: Secret[bytes], plaintext: bytes, associated: bytes) -> bytes:
        """Return the plaintext sealed for a place."""
        ...

    def open_(self, key: Secret[bytes], sealed: bytes, associated: bytes) -> bytes:
        """Return what was sealed; raises an error with code "integrity_failure" if it was not so."""
        ...

    def associated(self, **parts: str | int) -> bytes:
        """Return the bytes that describe a place."""
        ...


class Keys(Protocol):
    """The subjects' keys, which stay in the key service.

    Every method raises Unavailable "key_service_unavailable" while it is sealed or away.
    """

    async def create(self, subject: Subject) -> None:
        """Make the subject's key, if it does not exist."""
        ...

    async def exists(self, subject: Subject) -> bool:
        """Return whether the subject's key exists."""
        ...

    async def destroy(self, subject: Subject) -> None:
        """Destroy the subject's key for good, if it exists."""
        ...

    async def wrap(self, subject: Subject, plaintext: Secret[bytes], associated: bytes) -> str:
        """Return text that only the subject's key opens."""
        ...

    async def unwrap(self, subject: Subject, wrapped: str, associated: bytes) -> Secret[bytes]:
        """Return what was wrapped; raises an error with code "key_gone" or "integrity_failure" if not."""
        ...


class Records(Protocol):
    """Sealed records and orders' clocks."""

    async def find(self, name: RecordName) -> Found:
        """Return what is known under a name."""
        ...

    async def find_clocks(self, seller_id: str, order_ids: Sequence[str]) -> dict[str, OrderClock]:
        """Return the known clocks among these orders, by order id."""
        ...

    async def save_clocks(self, clocks: Sequence[OrderClock]) -> None:
        """Store clocks, all or none; each must still have the revision that it was read with.

        Raises:
            OrderContended: one has not.
        """
        ...

    async def put(self, record: Record, clock: OrderClock) -> None:
        """Keep a record in place of any other under its name, if the clock still has its revision.

        Raises:
            OrderContended: the clock changed.
            KeyRetired: the record's data key, or what it is wrapped by, was erased.
        """
        ...

    async def set_aside(self, record: Record) -> None:
        """Mark a record as unsound; nothing opens it again."""
        ...

    async def find_moves(self, limit: int) -> list[OrderClock]:
        """Return clocks with `is_move_due`, at most `limit`."""
        ...

    async def find_stale(self, clock: OrderClock, limit: int) -> list[Kept]:
        """Return an order's records that would outlive its clock, with their data keys, at most `limit`."""
        ...

    async def move(self, clock: OrderClock, *, stale: Sequence[Record], fresh: Sequence[Record]) -> None:
        """Replace stale records of an order by fresh ones and store `is_move_due`, in one piece.

        Raises:
            OrderContended: the clock changed.
            KeyRetired: a fresh record's data key was erased.
        """
        ...


class DataKeyRows(Protocol):
    """Wrapped data keys, and the subjects whose keys wrap them."""

    async def find_data_key(self, seller_id: str, erase_day: date) -> DataKey | None:
        """Return a seller's data key for a day."""
        ...

    async def add_data_key(self, data_key: DataKey) -> DataKey:
        """Store a data key unless the seller has one for the day; return the stored one.

        Raises:
            SubjectClosed: the day or the seller is being erased, or the day has been.
        """
        ...

    async def is_open(self, subject: Subject) -> bool:
        """Return whether records may be kept under a subject; False if it was never opened.

        Raises:
            SubjectClosed: it is being erased, or is a day that has been.
        """
        ...

    async def open_subject(self, probe: Probe, at: datetime) -> None:
        """Make room for a subject's records and keep its probe, unless that was done.

        Raises:
            SubjectClosed: it is being erased, or is a day that has been.
        """
        ...


class Erasures(Protocol):
    """How far each erasure has come, and the receipts."""

    async def find_due(self, now: datetime, limit: int) -> list[Subject]:
        """Return days that have begun and whatever erasure is unfinished, oldest first, at most `limit`."""
        ...

    async def close(self, erasure: Erasure) -> Erasure:
        """Close a subject so that nothing new is kept under it, and count what is.

        Returns:
            The erasure with its counts; if one of the subject is unfinished, that one instead.
        """
        ...

    async def drop(self, subject: Subject) -> None:
        """Remove every row of a closed subject, if any is left."""
        ...

    async def add_receipt(self, receipt: Receipt) -> Receipt:
        """Keep the receipt of an erasure, which becomes proven; return the first one that was kept."""
        ...

    async def find_receipt(self, erasure_id: str) -> Receipt:
        """Return the receipt of a proven erasure."""
        ...

    async def finish(self, erasure_id: str) -> None:
        """Note that an erasure is reported."""
        ...

    async def list_receipts(self, limit: int) -> list[Receipt]:
        """Return receipts, newest first, at most `limit`."""
        ...


class Measures(Protocol):
    """What upkeep asks of the database."""

    async def oldest_fetched_at(self) -> datetime | None:
        """Return when the oldest kept copy was fetched; None when nothing is kept."""
        ...

    async def purge_clocks(self, before: datetime, limit: int) -> int:
        """Forget clocks that ended before a moment, at most `limit`; return how many."""
        ...


class Verifier(Protocol):
    """The independent verifier: the only one who can sign a receipt."""

    async def inspect(self, subject: Subject) -> list[Finding]:
        """Return what was found on every path to a subject's data."""
        ...

    async def certify(self, erasure: Erasure) -> Receipt:
        """Return the signed receipt of an erasure.

        Raises:
            ErasureUnproven: a path to the data is still open.
        """
        ...


class Overdue(Protocol):
    """The gate before every decryption."""

    async def settle(self) -> None:
        """Return once no key lives that should be dead by now (R-19)."""
        ...


class Signals(Protocol):
    """What operators see; never personal data or a secret."""

    def sealed(self) -> None:
        """Count a record sealed."""
        ...

    def opened(self) -> None:
        """Count a record opened."""
        ...

    def refused(self, code: str) -> None:
        """Count a record asked for and refused."""
        ...

    def moved(self, count: int) -> None:
        """Count records moved to an earlier day."""
        ...

    def unsound(self) -> None:
        """Raise the alarm about a record that did not open where it lies."""
        ...

    def erased(self, subject: Subject, records: int) -> None:
        """Count an erasure that was proven."""
        ...

    def erasure_failed(self, subject: Subject, code: str) -> None:
        """Raise the alarm about an erasure that could not be finished."""
        ...

    def key_revived(self, subject: Subject) -> None:
        """Raise the alarm about a key that was dead and came back."""
        ...

    def outcome_lost(self, kind: str) -> None:
        """Note that an effect happened and its outcome could not be recorded."""
        ...

    def measured(self, *, oldest_age_s: float, erasure_lag_s: float) -> None:
        """Show the age of the oldest kept copy and by how much erasing is late; 0 for none."""
        ...
