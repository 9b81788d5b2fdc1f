"""What is erased, how far an erasure has come, and the proof.

A `Subject` is what dies as one: a day, or a seller. Each has one key in Vault, and nothing that is wrapped by
it outlives it. An `Erasure` goes closed → proven → reported; every step may be repeated. A `Receipt` exists
only after the verifier found every path closed, and says what was tried.
"""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Self

from services.retention.model.audit import Origin
from services.retention.model.errors import NameInvalid, RequestInvalid
from services.retention.model.records import check_seller_id

STATEMENT_FORMAT = "sallyport-erasure/1"
RECEIPTS_MAX = 400
# A run after a long outage goes on with the next ones a minute later.
SUBJECTS_PER_RUN_MAX = 64
# How far back dead days' keys are looked for, in case a restored backup brought one back (R-20).
REVIVAL_DAYS = 60
# Source: Data Protection Policy 1.7 (18 months for what is not personal). An order's clock ends at most
# 30 days after the order was last seen, so this many days after its end stay below it.
CLOCK_KEPT_FOR = timedelta(days=500)


class SubjectKind(StrEnum):
    """What can be erased as one."""

    DAY = "day"
    SELLER = "seller"


@dataclass(frozen=True, slots=True)
class Subject:
    """A day or a seller; written "day:2026-12-22" or "seller:<id>"."""

    kind: SubjectKind
    id: str

    @classmethod
    def of_day(cls, day: date) -> Self:
        """Return the subject of everything whose erase day this is."""
        return cls(SubjectKind.DAY, day.isoformat())

    @classmethod
    def of_seller(cls, seller_id: str) -> Self:
        """Return the subject of everything of one seller.

        Raises:
            NameInvalid: the id is not shaped like one.
        """
        check_seller_id(seller_id)
        return cls(SubjectKind.SELLER, seller_id)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the subject that a text names.

        Raises:
            RequestInvalid: it names none.
        """
        kind, _, subject_id = text.partition(":")
        with contextlib.suppress(ValueError, NameInvalid):
            if kind == SubjectKind.DAY:
                return cls.of_day(date.fromisoformat(subject_id))
            if kind == SubjectKind.SELLER:
                return cls.of_seller(subject_id)
        raise RequestInvalid('The subject is not "day:<date>" or "seller:<id>".')

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    @property
    def day(self) -> date | None:
        """The day, if it is one."""
        return date.fromisoformat(self.id) if self.kind is SubjectKind.DAY else None

    @property
    def seller_id(self) -> str | None:
        """The seller, if it is one."""
        return self.id if self.kind is SubjectKind.SELLER else None


@dataclass(frozen=True, slots=True)
class Probe:
    """Random bytes sealed under a subject's key when that key was made.

    It outlives the erasure, so that the verifier has something to try the dead key on.

    Attributes:
        wrapped: the probe's data key, wrapped by the subject's key alone.
        sealed: the random bytes, sealed under that data key.
    """

    subject: Subject
    wrapped: str = field(repr=False)
    sealed: bytes = field(repr=False)

    @staticmethod
    def place(subject: Subject) -> Mapping[str, str | int]:
        """What a probe's key and its ciphertext are bound to."""
        return {"table": "probes", "subject": str(subject)}


class Stage(StrEnum):
    """How far an erasure has come."""

    CLOSED = "closed"
    PROVEN = "proven"
    REPORTED = "reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """One erasing of one subject.

    What the audit log and the receipt will say is fixed when it begins: a repeated step says the same.

    Attributes:
        origin: who asked.
        intent_id: the audit event before the effect.
        outcome_id: the audit event after it.
        records: how many records were kept when it began.
        data_keys: how many data keys.
        oldest_expires_at: the earliest clock among them; None when there were none.
    """

    erasure_id: str
    subject: Subject
    origin: Origin
    intent_id: str
    outcome_id: str
    closed_at: datetime
    records: int = 0
    data_keys: int = 0
    oldest_expires_at: datetime | None = None
    stage: Stage = Stage.CLOSED


@dataclass(frozen=True, slots=True)
class Finding:
    """What the verifier saw on one path.

    Attributes:
        path: "key", "seller_key", "partition", "record" or "cache".
        is_unreachable: whether the path is closed.
        detail: one sentence.
    """

    path: str
    is_unreachable: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Proof of deletion: a statement, and the verifier's signature over its bytes."""

    receipt_id: str
    erasure_id: str
    subject: Subject
    statement: bytes
    signature: bytes
    public_key_pem: str
    signed_at: datetime


def statement(erasure: Erasure, findings: Sequence[Finding], *, receipt_id: str, at: datetime) -> bytes:
    """Return what a receipt says: canonical JSON (ASCII, keys sorted, no white space)."""
    oldest = erasure.oldest_expires_at
    content = {
        "format": STATEMENT_FORMAT,
        "receipt_id": receipt_id,
        "erasure_id": erasure.erasure_id,
        "subject": str(erasure.subject),
        "counts": {"data_keys": erasure.data_keys, "records": erasure.records},
        "oldest_expires_at": None if oldest is None else _text(oldest),
        "closed_at": _text(erasure.closed_at),
        "verified_at": _text(at),
        "findings": [
            {"detail": found.detail, "is_unreachable": found.is_unreachable, "path": found.path}
            for found in findings
        ],
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii")


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
