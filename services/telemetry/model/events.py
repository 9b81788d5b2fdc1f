"""What a sender may say: events, their rules of shape, and what is never let in.

Each sending service declares its kinds and the details they allow; telemetry holds every sender to the
same shape and looks for credentials and personal data in whatever arrives (T-14). An `Event` is what was
said; an `Entry` is an event that passed, bound to the verified name of who said it. Only `check` makes one.
"""

import functools
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import orjson

from services.telemetry.model.errors import EventInvalid, KindNotOwned, SensitiveContent

OWN_NAME = "telemetry"
KIND_CHARS_MAX = 80
TEXT_CHARS_MAX = 128
DETAILS_MAX = 32
DETAIL_KEY_CHARS_MAX = 40
# A page of a hundred order ids, with room.
DETAIL_CHARS_MAX = 4_096
EVENT_BYTES_MAX = 16_384

UUID_FORM = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
KIND_FORM = re.compile(rf"(?=.{{1,{KIND_CHARS_MAX}}}\Z)[a-z]+(?:\.[a-z][a-z0-9_]*){{2}}")
DETAIL_KEY_FORM = re.compile(rf"[a-z][a-z0-9_]{{0,{DETAIL_KEY_CHARS_MAX - 1}}}")
# No control characters, no line separators: a value is data wherever it is shown (T-30).
PRINTABLE_FORM = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]*")
# Kinds and keys of details are words of the code's: few, and each is judged once.
WORDS_REMEMBERED_MAX = 1_024

# Shapes that no event has a reason to hold, by letters that they cannot be without: most texts hold none of
# those, and are passed without a closer look. Every shape is linear in the text.
SENSITIVE_FORMS = tuple(
    (letters, re.compile(form))
    for letters, form in {
        # Amazon's access, refresh and restricted tokens, its client secrets, and presigned URLs
        "z": r"Atz(?:[a-z]|\.sprdt)(?:\||%7[Cc])|amzn1\.oa2-cs\.|X-Amz-(?:Signature|Security-Token)",
        "IA": r"A[KS]IA[0-9A-Z]{16}",  # access keys of Amazon's cloud
        "sp_": r"sp_(?:at|rt|ac|se|in)_[A-Za-z0-9_-]{20}",  # Sallyport's own tokens
        "hv": r"hv[sbr]\.[A-Za-z0-9_-]{20}",  # Vault tokens
        "J": r"eyJ[A-Za-z0-9_-]{8,512}\.[A-Za-z0-9_-]{8}",  # signed tokens (JWT)
        "-----BEGIN": r"-----BEGIN",  # keys and certificates
        "@": r'[^\s@"<>()]@[^\s@"<>()]{1,255}\.[A-Za-z]{2}',  # addresses for mail
    }.items()
)


class Phase(StrEnum):
    """Where in its life an event stands."""

    INTENT = "intent"
    OUTCOME = "outcome"
    FACT = "fact"


class Result(StrEnum):
    """What became of an intent. `DONE` and `NOT_DONE` are final; `UNKNOWN` may be followed by one of them."""

    DONE = "done"
    NOT_DONE = "not_done"
    UNKNOWN = "unknown"


RESULTS = frozenset(Result)
FINAL_RESULTS = frozenset({Result.DONE, Result.NOT_DONE})


class Actor(NamedTuple):
    """Who made the sender act: kind is device, user, operator or service."""

    kind: str
    id: str


@dataclass(slots=True, kw_only=True)
class Event:
    """What a sender says happened, or is about to; nobody changes one.

    Attributes:
        event_id: UUID in lower case, made by the sender; the same id twice is one record.
        kind: "<sender>.<noun>.<verb in the past>".
        occurred_at: the sender's time, aware, in UTC.
        intent_id: of an outcome, the event_id of its intent; else None.
        result: of an outcome a `Result`; of a fact free within the kind; of an intent None.
        details: keys from the kind's allow-list; never personal data or secrets.
    """

    event_id: str
    kind: str
    phase: Phase
    occurred_at: datetime
    intent_id: str | None = None
    result: str | None = None
    actor: Actor | None = None
    seller_id: str | None = None
    request_id: str | None = None
    details: Mapping[str, str]


class Entry(NamedTuple):
    """An event that passed every check, bound to its sender.

    Attributes:
        facts: what the record will say besides its place in the log; absent facts are absent keys.
        digest: SHA-256 over the canonical facts; equal exactly when sender and event are equal.
    """

    sender: str
    event: Event
    facts: Mapping[str, object]
    digest: bytes


def check(sender: str, event: Event) -> Entry:
    """Return the event as an entry for the log.

    Args:
        sender: the caller's verified name.
        event: what it sent.

    Raises:
        EventInvalid: a rule of shape is broken; the text names the event and the rule.
        KindNotOwned: the kind belongs to another service.
        SensitiveContent: something in it looks like a credential or personal data.
    """
    if not UUID_FORM.fullmatch(event.event_id):
        raise EventInvalid("An event's id is not a UUID in lower case.")
    if rule := _broken_rule(event):
        raise EventInvalid(f"Event {event.event_id}: {rule}.")
    if not event.kind.startswith(f"{sender}."):
        raise KindNotOwned
    facts = _facts(sender, event)
    try:
        canonical = encode(facts)
    except orjson.JSONEncodeError as error:
        raise EventInvalid(f"Event {event.event_id}: a text is not Unicode.") from error
    text = canonical.decode()
    if rule := _broken_by_text(event, text):
        raise EventInvalid(f"Event {event.event_id}: {rule}.")
    if _is_sensitive(text):
        raise SensitiveContent
    return Entry(sender, event, facts, hashlib.sha256(canonical).digest())


def encode(facts: Mapping[str, object]) -> bytes:
    """Return canonical JSON: UTF-8, keys sorted, no white space, no newline."""
    return orjson.dumps(facts, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)


def timestamp(moment: datetime) -> str:
    """Return RFC 3339 with six decimals of a moment in UTC, as it stands in records and checkpoints."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _broken_rule(event: Event) -> str:
    """Return the first rule of shape that an event breaks; empty when it keeps them all."""
    if len(event.kind) > KIND_CHARS_MAX or not _is_kind(event.kind):
        return "the kind is not service.noun.verb"
    if not _is_phase_kept(event):
        return "result and intent do not fit the phase"
    for text in (event.result, event.seller_id, event.request_id, *(event.actor or ())):
        if text is not None and not 0 < len(text) <= TEXT_CHARS_MAX:
            return "a text is empty or too long"
    if len(event.details) > DETAILS_MAX:
        return f"more than {DETAILS_MAX} details"
    for key in event.details:
        if len(key) > DETAIL_KEY_CHARS_MAX or not _is_detail_key(key):
            return "a detail's key is not a lower-case word"
    return ""


def _broken_by_text(event: Event, canonical: str) -> str:
    """Return the first rule that an event breaks which its canonical form shows; empty when it keeps them.

    JSON escapes control characters, so that plain ASCII without a backslash holds none but the last; and an
    event of few characters holds no long detail. Both are told of nearly all events without a closer look.
    """
    if len(canonical) > DETAIL_CHARS_MAX:
        if len(canonical.encode()) > EVENT_BYTES_MAX:
            return f"more than {EVENT_BYTES_MAX} bytes"
        if any(len(value) > DETAIL_CHARS_MAX for value in event.details.values()):
            return "a detail is too long"
    is_plain = canonical.isascii() and "\\" not in canonical and "\x7f" not in canonical
    if not is_plain and not _is_printable(event):
        return "a text is not printable"
    return ""


def _is_printable(event: Event) -> bool:
    texts = (event.result, event.seller_id, event.request_id, *(event.actor or ()), *event.details.values())
    return PRINTABLE_FORM.fullmatch("".join(filter(None, texts))) is not None


@functools.lru_cache(WORDS_REMEMBERED_MAX)
def _is_kind(text: str) -> bool:
    return KIND_FORM.fullmatch(text) is not None


@functools.lru_cache(WORDS_REMEMBERED_MAX)
def _is_detail_key(text: str) -> bool:
    return DETAIL_KEY_FORM.fullmatch(text) is not None


def _is_sensitive(text: str) -> bool:
    for letters, form in SENSITIVE_FORMS:  # noqa: SIM110 - a generator takes half as long again
        if letters in text and form.search(text):
            return True
    return False


def _is_phase_kept(event: Event) -> bool:
    if event.phase is Phase.OUTCOME:
        has_intent = event.intent_id is not None and UUID_FORM.fullmatch(event.intent_id) is not None
        return has_intent and event.result in RESULTS
    is_bare = event.phase is Phase.FACT or event.result is None
    return event.intent_id is None and is_bare


def _facts(sender: str, event: Event) -> dict[str, object]:
    occurred_at = event.occurred_at
    facts: dict[str, object] = {
        "details": dict(event.details),
        "event_id": event.event_id,
        "kind": event.kind,
        # orjson itself leaves decimals out that are all zero.
        "occurred_at": occurred_at if occurred_at.microsecond else timestamp(occurred_at),
        "phase": event.phase,
        "sender": sender,
    }
    if event.actor is not None:
        facts["actor"] = {"kind": event.actor.kind, "id": event.actor.id}
    if event.intent_id is not None:
        facts["intent_id"] = event.intent_id
    if event.request_id is not None:
        facts["request_id"] = event.request_id
    if event.result is not None:
        facts["result"] = event.result
    if event.seller_id is not None:
        facts["seller_id"] = event.seller_id
    return facts
