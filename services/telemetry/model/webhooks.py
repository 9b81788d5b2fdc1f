"""What a receiver outside is told of the log: which events, in what words, signed how, and when again.

- A report is made of what a record says, and of nothing else: no other fields, no look-ups.
- Facts are reported, and intents once they are done. What was only intended, or not done, is nobody's news.
- The event's id is the message's id, however often it is posted.
- Reports about reports would never end, so kinds under NEVER_REPORTED stay here.

Source: Standard Webhooks 1.0 (https://www.standardwebhooks.com): body, headers, signature, secrets, answers.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

import orjson

import chassis.crypto.digest
from chassis.secrecy import Secret
from services.telemetry.model.chain import Record
from services.telemetry.model.events import Phase, Result
from services.telemetry.model.intents import CLOCK_SKEW_MAX
from services.telemetry.model.kinds import Kind

# A kind, or the beginning of kinds up to a dot.
WORD_FORM = re.compile(r"[a-z]+\.(?:[a-z][a-z0-9_]*\.)?|[a-z]+(?:\.[a-z][a-z0-9_]*){2}", re.ASCII)
WORDS_MAX = 64
NEVER_REPORTED = "telemetry.webhook."

# The secret's text begins so; the rest is base64. Source: Standard Webhooks, "Signature scheme".
SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets begin with, not one
SIGNATURE_PREFIX = "v1,"
KEY_BYTES = 32
# How long a secret that was replaced still signs, so that receivers can take up the new one.
OVERLAP = timedelta(hours=24)

# The pause after a failure doubles from the first to the last of these, and is spread by chance.
RETRY_S_MIN = 5.0
RETRY_S_MAX = 600.0
DOUBLINGS_MAX = 16
# An answer that says "never" is believed after so many attempts: 5 to 12 minutes.
REFUSALS_MAX = 8
# Answers below 500 that say "later". Source: RFC 9110, 15.5.9; RFC 8470, 5.2; RFC 6585, 4.
LATER_STATUSES = frozenset({408, 425, 429})
# Source: Standard Webhooks, "Receiving and responding to webhooks": the receiver wants no more.
GONE_STATUS = 410


class Fate(StrEnum):
    """What an answer means for the message."""

    DELIVERED = "delivered"
    LATER = "later"
    REFUSED = "refused"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Answer:
    """How a receiver answered; status 0 is no answer at all."""

    status: int
    retry_after_s: float | None = None

    @property
    def fate(self) -> Fate:
        """What it means; a redirect is a refusal, because nobody follows it."""
        if 200 <= self.status < 300:
            return Fate.DELIVERED
        if self.status == GONE_STATUS:
            return Fate.GONE
        if self.status == 0 or self.status >= 500 or self.status in LATER_STATUSES:
            return Fate.LATER
        return Fate.REFUSED


@dataclass(frozen=True, slots=True)
class Selection:
    """Which kinds a receiver is told of."""

    kinds: frozenset[str]
    prefixes: tuple[str, ...]

    @classmethod
    def of(cls, words: Sequence[str]) -> Self:
        """Return the selection of these kinds, and of all kinds that begin with a word that ends in a dot.

        Raises:
            ValueError: none, too many, or one that is neither.
        """
        if not 1 <= len(words) <= WORDS_MAX or not all(WORD_FORM.fullmatch(word) for word in words):
            raise ValueError("not a list of kinds")
        prefixes = tuple(word for word in words if word.endswith("."))
        return cls(frozenset(words) - frozenset(prefixes), prefixes)

    def takes(self, kind: str) -> bool:
        """Return whether a kind is reported."""
        if kind.startswith(NEVER_REPORTED):
            return False
        return kind in self.kinds or kind.startswith(self.prefixes)


@dataclass(frozen=True, slots=True)
class Report:
    """An event worth telling.

    Attributes:
        sequence: of its record.
        intent_id: of an outcome, the intent's event_id; else None.
        facts: what the record says.
    """

    sequence: int
    intent_id: str | None
    facts: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """The event's kind."""
        kind: str = self.facts["kind"]
        return kind

    def message(self, intent: Record | None) -> "Message":
        """Return what is posted; an outcome may leave to its intent what both would say."""
        before: Mapping[str, Any] = {} if intent is None else orjson.loads(intent.body)
        data = {
            "event_id": self.facts["event_id"],
            "sequence": self.sequence,
            **_shared(before),
            **_shared(self.facts),
            "details": {**before.get("details", {}), **self.facts["details"]},
        }
        return _message(self.kind, self.facts["occurred_at"], data)


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted: its id is the same at every attempt."""

    message_id: str
    body: bytes

    def headers(self, keys: Sequence[Secret[bytes]], sent_at: datetime) -> Mapping[str, str]:
        """Return the headers that prove an attempt: one signature for each key that is valid now."""
        seconds = int(sent_at.timestamp())
        content = f"{self.message_id}.{seconds}.{self.body.decode()}"
        signatures = [base64.b64encode(chassis.crypto.digest.keyed(key, content)).decode() for key in keys]
        return {
            "Content-Type": "application/json",
            "webhook-id": self.message_id,
            "webhook-timestamp": str(seconds),
            "webhook-signature": " ".join(SIGNATURE_PREFIX + signature for signature in signatures),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The right to tell a receiver, for a while, and how far it has come.

    Attributes:
        fence: above every earlier turn's.
        sequence: of the last record that is settled.
        attempts: at the next report, so far.
        retry_at: not before this, in the machines' time; None when nothing failed.
        gone_digest: of the address that answered that it is gone.
    """

    fence: int
    sequence: int
    attempts: int
    retry_at: datetime | None
    gone_digest: bytes | None

    def may_post(self, now: datetime) -> bool:
        """Return whether no pause is left; one longer than any was counted by a clock that had jumped."""
        pause_max = timedelta(seconds=RETRY_S_MAX) + CLOCK_SKEW_MAX
        return self.retry_at is None or not now < self.retry_at <= now + pause_max


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A report that the receiver refused too often."""

    sequence: int
    kind: str
    status: int
    attempts: int
    given_up_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How telling a receiver goes.

    Attributes:
        sequence: of the last record that is settled; 0 before the first turn.
        head: the log's last sequence.
        dead_letters: the newest, at most a page.
    """

    sequence: int
    head: int
    attempts: int
    retry_at: datetime | None
    gone_digest: bytes | None
    dead_letters: tuple[DeadLetter, ...]


def reportable(record: Record, selection: Selection) -> Report | None:
    """Return the report of a record, if it is one to be told."""
    facts = orjson.loads(record.body)
    is_news = facts["phase"] == Phase.FACT or (
        facts["phase"] == Phase.OUTCOME and facts["result"] == Result.DONE
    )
    if not is_news or not selection.takes(facts["kind"]):
        return None
    return Report(record.sequence, facts.get("intent_id"), facts)


def test_message(message_id: str, occurred_at: str) -> Message:
    """Return a message that reports nothing, so that a receiver can be tried."""
    return _message(Kind.WEBHOOK_TESTED, occurred_at, {"event_id": message_id})


def retry_s(attempts: int, chance: float) -> float:
    """Return how long to wait after so many failures.

    Args:
        attempts: 1 or more.
        chance: 0 to 1; halves the pause at most.
    """
    pause_s = min(RETRY_S_MIN * 2.0 ** min(attempts - 1, DOUBLINGS_MAX), RETRY_S_MAX)
    return pause_s * (0.5 + chance / 2)


def secret_text(key: Secret[bytes]) -> Secret[str]:
    """Return a key as its receiver is given it."""
    return Secret(SECRET_PREFIX + base64.b64encode(key.reveal()).decode())


def _message(kind: str, occurred_at: str, data: Mapping[str, Any]) -> Message:
    """Return a message in the specification's shape; the event's id is its own."""
    return Message(data["event_id"], orjson.dumps({"type": kind, "timestamp": occurred_at, "data": data}))


def _shared(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: facts[name] for name in ("actor", "request_id", "result", "seller_id") if name in facts}
