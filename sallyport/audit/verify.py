"""Checking an exported audit log: pure, offline, in one pass.

- Nothing in the file is believed because it is in the file: only what a signature by the given key covers.
- The file is rejected at its first bad line; what comes after it is not read.
- Memory grows with the number of records, by about 150 bytes each, because every event id is remembered.

Source: docs/audit-format.md, "What a check must do".
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import chassis.crypto.sign
from sallyport.audit import lines as form

GENESIS_HASH = bytes(32)
SIGNATURE_CONTEXT = b"sallyport audit checkpoint 1\n"
FINAL_RESULTS = frozenset({"done", "not_done"})
# The only sender that may conclude another's intent.
SPOKESMAN = "telemetry"

# Source: RFC 8410, section 4: an Ed25519 key in DER is these bytes and the 32 of the key.
_DER_START = bytes.fromhex("302a300506032b6570032100")
_DER_BYTES = 44


class Reason(StrEnum):
    """Why a log is rejected."""

    MALFORMED_LINE = "malformed_line"
    GAP = "gap"
    BROKEN_HASH = "broken_hash"
    DUPLICATE_ID = "duplicate_id"
    OUTCOME_WITHOUT_INTENT = "outcome_without_intent"
    OUTCOME_AFTER_FINAL = "outcome_after_final"
    WRONG_KEY = "wrong_key"
    BAD_SIGNATURE = "bad_signature"
    MISSING_TAIL = "missing_tail"


@dataclass(frozen=True)
class Fault:
    """The first thing that is wrong.

    Attributes:
        line: the line where it shows, from 1 on.
        sequence: the record that it is about: the one that belongs here, or the last one before the line.
        text: one sentence for people.
    """

    line: int
    sequence: int
    reason: Reason
    text: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a check found; the counts are of what was read before the fault, if there is one.

    Attributes:
        key: fingerprint of the key that was used.
        last_sequence: of the last record; when there was none, one less than the first expected.
        last_checkpoint: the last one whose signature verified.
        intents_open: intents without a final outcome.
        outcomes_of_earlier: outcomes whose intents lie before the start of the file.
    """

    key: str
    records: int
    checkpoints: int
    last_sequence: int
    last_checkpoint: form.Checkpoint | None
    intents_open: int
    outcomes_of_earlier: int
    fault: Fault | None

    @property
    def is_intact(self) -> bool:
        """Whether nothing is wrong."""
        return self.fault is None


def verify(
    lines: Iterable[bytes], public_key_pem: str, *, from_sequence: int = 1, at_least: int = 0
) -> Report:
    """Return what a check of an export finds.

    Args:
        lines: the file's lines, each with its newline.
        public_key_pem: the key that the auditor holds, not one that came with the file.
        from_sequence: the record with which the file has to begin.
        at_least: the record that the file has to reach.

    Raises:
        ValueError: the key is not a public key of the kind that signs checkpoints.
    """
    reading = _Reading(public_key_pem, from_sequence)
    fault = None
    number = 1
    try:
        for number, line in enumerate(lines, start=1):  # noqa: B007 - after the loop it is the last line's number
            reading.take(line)
        reading.end(at_least)
    except _Broken as broken:
        fault = Fault(number, broken.sequence, broken.reason, broken.text)
    return reading.report(fault)


def key_fingerprint(public_key_pem: str) -> str:
    """Return the name by which files call a key: the SHA-256 of its DER form, in hex.

    Raises:
        ValueError: it is not a public key of the kind that signs checkpoints.
    """
    lines = public_key_pem.strip().splitlines()
    if lines[:1] != ["-----BEGIN PUBLIC KEY-----"] or lines[-1:] != ["-----END PUBLIC KEY-----"]:
        raise ValueError("not a public key in PEM form")
    try:
        der = base64.b64decode("".join(lines[1:-1]), validate=True)
    except binascii.Error as error:
        raise ValueError("not a public key in PEM form") from error
    if not der.startswith(_DER_START) or len(der) != _DER_BYTES:
        raise ValueError("not an Ed25519 public key")
    return hashlib.sha256(der).hexdigest()


class _Broken(Exception):
    def __init__(self, reason: Reason, sequence: int, text: str) -> None:
        self.reason = reason
        self.sequence = sequence
        self.text = text
        super().__init__(text)


class _Ids:
    """What was seen under which id: no event twice, no outcome without its intent."""

    def __init__(self, *, is_whole: bool) -> None:
        self._is_whole = is_whole
        self._seen: set[str] = set()
        self._senders: dict[str, str] = {}  # of intents that are not final
        self._final: set[str] = set()
        self.outcomes_of_earlier = 0

    @property
    def intents_open(self) -> int:
        return len(self._senders)

    def take(self, record: form.Record) -> None:
        if record.event_id in self._seen:
            raise _Broken(Reason.DUPLICATE_ID, record.sequence, "an event id appears a second time")
        self._seen.add(record.event_id)
        if record.phase == "intent":
            self._senders[record.event_id] = record.sender
        if record.intent_id is not None:
            self._conclude(record, record.intent_id)

    def _conclude(self, outcome: form.Record, intent_id: str) -> None:
        if intent_id in self._final:
            raise _Broken(Reason.OUTCOME_AFTER_FINAL, outcome.sequence, "the intent's fate was final")
        sender = self._senders.get(intent_id)
        if sender is None and (self._is_whole or intent_id in self._seen):
            raise _Broken(Reason.OUTCOME_WITHOUT_INTENT, outcome.sequence, "no such intent comes before it")
        if sender is not None and outcome.sender not in {sender, SPOKESMAN}:
            raise _Broken(Reason.OUTCOME_WITHOUT_INTENT, outcome.sequence, "the intent is another sender's")
        self.outcomes_of_earlier += sender is None
        if outcome.result in FINAL_RESULTS:
            self._senders.pop(intent_id, None)
            self._final.add(intent_id)


class _Reading:
    """The check as it goes through the file."""

    def __init__(self, public_key_pem: str, from_sequence: int) -> None:
        self._public_key_pem = public_key_pem
        self._key = key_fingerprint(public_key_pem)
        self._from_sequence = from_sequence
        self._sequence = from_sequence - 1
        self._hash: bytes | None = None
        self._shard: str | None = None
        self._ids = _Ids(is_whole=from_sequence == 1)
        self._checkpoints = 0
        self._checkpoint: form.Checkpoint | None = None
        self._ends_in_export = False

    def take(self, line: bytes) -> None:
        """Check the next line."""
        try:
            parsed = form.parse(line)
        except form.Malformed as malformed:
            raise _Broken(Reason.MALFORMED_LINE, self._sequence + 1, str(malformed)) from malformed
        self._ends_in_export = isinstance(parsed, form.Checkpoint) and parsed.reason == "export"
        if isinstance(parsed, form.Header):
            self._take_header(parsed)
        elif isinstance(parsed, form.Record):
            self._take_record(parsed)
        else:
            self._take_checkpoint(parsed)

    def end(self, at_least: int) -> None:
        """Check that the file may end here."""
        if not self._ends_in_export:
            text = "the file does not end with a checkpoint made for an export"
            raise _Broken(Reason.MISSING_TAIL, self._covered + 1, text)
        if self._sequence < at_least:
            raise _Broken(Reason.GAP, self._sequence + 1, f"the log ends before record {at_least}")

    def report(self, fault: Fault | None) -> Report:
        """Return what was found so far."""
        return Report(
            key=self._key,
            records=self._sequence - self._from_sequence + 1,
            checkpoints=self._checkpoints,
            last_sequence=self._sequence,
            last_checkpoint=self._checkpoint,
            intents_open=self._ids.intents_open,
            outcomes_of_earlier=self._ids.outcomes_of_earlier,
            fault=fault,
        )

    @property
    def _covered(self) -> int:
        return self._checkpoint.sequence if self._checkpoint else self._from_sequence - 1

    def _take_header(self, header: form.Header) -> None:
        following = self._sequence + 1
        if self._hash is not None:
            raise _Broken(Reason.MALFORMED_LINE, following, "a second header")
        if header.key != self._key:
            raise _Broken(Reason.WRONG_KEY, following, "the checkpoints are signed by another key")
        if header.from_sequence != self._from_sequence:
            text = f"the file starts at record {header.from_sequence}, not {self._from_sequence}"
            raise _Broken(Reason.GAP, following, text)
        if self._from_sequence == 1 and header.previous_hash != GENESIS_HASH:
            raise _Broken(Reason.BROKEN_HASH, following, "the chain does not start from nothing")
        self._hash = header.previous_hash

    def _take_record(self, record: form.Record) -> None:
        following = self._sequence + 1
        if self._hash is None:
            raise _Broken(Reason.MALFORMED_LINE, following, "the header is missing")
        if record.sequence != following:
            text = f"record {record.sequence} stands where {following} belongs"
            raise _Broken(Reason.GAP, following, text)
        if hashlib.sha256(self._hash + record.body).digest() != record.hash:
            raise _Broken(Reason.BROKEN_HASH, following, "the hash is not that of this record after the last")
        if record.shard != (self._shard or record.shard):
            raise _Broken(Reason.BROKEN_HASH, following, "the record belongs to another shard")
        self._ids.take(record)
        self._sequence, self._hash, self._shard = following, record.hash, record.shard

    def _take_checkpoint(self, checkpoint: form.Checkpoint) -> None:
        if self._hash is None:
            raise _Broken(Reason.MALFORMED_LINE, self._sequence + 1, "the header is missing")
        if checkpoint.key != self._key:
            raise _Broken(Reason.WRONG_KEY, self._sequence, "the checkpoint names another key")
        message = SIGNATURE_CONTEXT + checkpoint.body
        if not chassis.crypto.sign.verify(self._public_key_pem, message, checkpoint.signature):
            raise _Broken(Reason.BAD_SIGNATURE, self._sequence, "the checkpoint's signature does not verify")
        if checkpoint.number != self._next_number(checkpoint):
            text = f"checkpoint {checkpoint.number} stands where {self._next_number(checkpoint)} belongs"
            raise _Broken(Reason.GAP, self._sequence, text)
        if checkpoint.sequence != self._sequence:
            text = f"a checkpoint over record {checkpoint.sequence} stands after record {self._sequence}"
            raise _Broken(Reason.GAP, min(checkpoint.sequence, self._sequence) + 1, text)
        stated = (checkpoint.hash, checkpoint.records, checkpoint.shard)
        if stated != (self._hash, self._sequence, self._shard):
            raise _Broken(Reason.BROKEN_HASH, self._sequence, "the checkpoint states another log than this")
        self._checkpoints += 1
        self._checkpoint = checkpoint

    def _next_number(self, checkpoint: form.Checkpoint) -> int:
        if self._checkpoint is not None:
            return self._checkpoint.number + 1
        return 1 if self._from_sequence == 1 else checkpoint.number
