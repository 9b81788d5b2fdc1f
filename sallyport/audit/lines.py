"""The lines of an exported audit log: taken apart, and refused when their form is not the documented one.

Nothing here says whether a line is true; only what it claims, and which bytes were hashed or signed.

Source: docs/audit-format.md, "Lines", "Records" and "Checkpoints".
"""

import json
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

FORMAT = "sallyport-audit-1"
LINE_BYTES_MAX = 32_768

_HEADER = re.compile(rb'\{"header":(\{.*\})\}\n', re.DOTALL)
_RECORD = re.compile(rb'\{"hash":"([0-9a-f]{64})","record":(\{.*\})\}\n', re.DOTALL)
_CHECKPOINT = re.compile(rb'\{"checkpoint":(\{.*\}),"signature":"([0-9a-f]{128})"\}\n', re.DOTALL)

_HASH = re.compile(r"[0-9a-f]{64}")
_KIND = re.compile(r"[a-z]+(?:\.[a-z][a-z0-9_]*){2}")
_TEXT = re.compile(r".+", re.DOTALL)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_HEADER_TEXTS = {"format": re.compile(re.escape(FORMAT)), "key": _HASH, "previous_hash": _HASH}
_RECORD_TEXTS = {
    "event_id": _UUID,
    "kind": _KIND,
    "occurred_at": _TIME,
    "phase": re.compile("intent|outcome|fact"),
    "recorded_at": _TIME,
    "sender": _TEXT,
    "shard": _TEXT,
}
_RECORD_TEXTS_OPTIONAL = {"intent_id": _UUID, "request_id": _TEXT, "result": _TEXT, "seller_id": _TEXT}
_CHECKPOINT_TEXTS = {
    "hash": _HASH,
    "key": _HASH,
    "reason": re.compile("interval|export"),
    "shard": _TEXT,
    "signed_at": _TIME,
}
_OUTCOME_RESULTS = frozenset({"done", "not_done", "unknown"})

Json = Mapping[str, object]


class Malformed(Exception):
    """A line is not of the documented form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Where the file starts: what it says about the record before its first."""

    from_sequence: int
    previous_hash: bytes
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record; `body` are the bytes that were hashed."""

    hash: bytes
    body: bytes
    sequence: int
    shard: str
    event_id: str
    sender: str
    phase: str
    intent_id: str | None
    result: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One checkpoint; `body` are the bytes that were signed, after their context."""

    body: bytes
    signature: bytes
    number: int
    sequence: int
    records: int
    hash: bytes
    shard: str
    key: str
    reason: str
    signed_at: str


def parse(line: bytes) -> Header | Record | Checkpoint:
    """Return what a line claims.

    Raises:
        Malformed: the line is not of the documented form.
    """
    if len(line) > LINE_BYTES_MAX:
        raise Malformed(f"the line has more than {LINE_BYTES_MAX} bytes")
    if match := _RECORD.fullmatch(line):
        return _record(match[1], match[2])
    if match := _CHECKPOINT.fullmatch(line):
        return _checkpoint(match[1], match[2])
    if match := _HEADER.fullmatch(line):
        return _header(match[1])
    raise Malformed("the line is none of header, record and checkpoint")


def _header(body: bytes) -> Header:
    facts = _facts(body)
    _check_keys(facts, {*_HEADER_TEXTS, "from_sequence"})
    texts = _texts(facts, _HEADER_TEXTS)
    return Header(
        from_sequence=_count(facts, "from_sequence"),
        previous_hash=bytes.fromhex(texts["previous_hash"]),
        key=texts["key"],
    )


def _record(record_hash: bytes, body: bytes) -> Record:
    facts = _facts(body)
    _check_keys(facts, {*_RECORD_TEXTS, "details", "sequence"}, {*_RECORD_TEXTS_OPTIONAL, "actor"})
    texts = _texts(facts, _RECORD_TEXTS)
    optional = _texts(facts, {key: form for key, form in _RECORD_TEXTS_OPTIONAL.items() if key in facts})
    _check_text_map(facts, "details")
    if "actor" in facts and _check_text_map(facts, "actor") != {"id", "kind"}:
        raise Malformed("actor is not id and kind")
    if not texts["kind"].startswith(f"{texts['sender']}."):
        raise Malformed("the kind is not the sender's")
    record = Record(
        hash=bytes.fromhex(record_hash.decode()),
        body=body,
        sequence=_count(facts, "sequence"),
        shard=texts["shard"],
        event_id=texts["event_id"],
        sender=texts["sender"],
        phase=texts["phase"],
        intent_id=optional.get("intent_id"),
        result=optional.get("result"),
    )
    _check_phase(record)
    return record


def _checkpoint(body: bytes, signature: bytes) -> Checkpoint:
    facts = _facts(body)
    _check_keys(facts, {*_CHECKPOINT_TEXTS, "number", "records", "sequence"})
    texts = _texts(facts, _CHECKPOINT_TEXTS)
    return Checkpoint(
        body=body,
        signature=bytes.fromhex(signature.decode()),
        number=_count(facts, "number"),
        sequence=_count(facts, "sequence"),
        records=_count(facts, "records"),
        hash=bytes.fromhex(texts["hash"]),
        shard=texts["shard"],
        key=texts["key"],
        reason=texts["reason"],
        signed_at=texts["signed_at"],
    )


def _facts(body: bytes) -> Json:
    try:
        facts = json.loads(body)
        canonical = json.dumps(facts, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    except (ValueError, RecursionError) as error:
        raise Malformed("the line is not JSON") from error
    # Also finds keys that appear twice and numbers written in two ways.
    if canonical != body or not isinstance(facts, dict):
        raise Malformed("the line is not canonical JSON")
    return facts


def _check_keys(facts: Json, required: AbstractSet[str], optional: AbstractSet[str] = frozenset()) -> None:
    if not required <= facts.keys() or not facts.keys() <= required | optional:
        raise Malformed("the keys are not the documented ones")


def _texts(facts: Json, forms: Mapping[str, re.Pattern[str]]) -> dict[str, str]:
    texts = {}
    for key, form in forms.items():
        value = facts[key]
        if not isinstance(value, str) or not form.fullmatch(value):
            raise Malformed(f"{key} is not of its form")
        texts[key] = value
    return texts


def _count(facts: Json, key: str) -> int:
    value = facts[key]
    if type(value) is not int or value < 1:
        raise Malformed(f"{key} is not a whole number above 0")
    return value


def _check_text_map(facts: Json, key: str) -> AbstractSet[str]:
    value = facts[key]
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise Malformed(f"{key} does not map text to text")
    return value.keys()


def _check_phase(record: Record) -> None:
    is_outcome = record.phase == "outcome"
    if is_outcome is (record.intent_id is None):
        raise Malformed("an outcome, and nothing else, has an intent_id")
    if is_outcome and record.result not in _OUTCOME_RESULTS:
        raise Malformed("the result of an outcome is not done, not_done or unknown")
    if record.phase == "intent" and record.result is not None:
        raise Malformed("an intent has a result")
