"""The vendor's queue: letters that Amazon wrote to it, delivered at least once, in no order that counts.

It lives in memory: a restart loses what nobody fetched. Letters hold client secrets, and neither the journal
nor the record may.

Source: SQS documentation: visibility timeout, dead-letter queues, message retention.
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.seed import Mint

ACCOUNT = "000000000000"
NAME = "client-secrets"
PATH = f"/{ACCOUNT}/{NAME}"
RECEIVES_MAX = 5
VISIBLE_AGAIN_S = 30
LETTERS_MAX = 10_000
LETTERS_LIVE = timedelta(days=4)


@dataclass
class Letter:
    """One letter in the queue; `receipt` names its latest delivery."""

    letter_id: str
    body: str
    sent_at: datetime
    visible_at: datetime
    receipt: str = ""
    received: int = 0

    @property
    def body_digest(self) -> str:
        """What a receiver can check the body with; SQS uses MD5 for it."""
        return hashlib.md5(self.body.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Counts:
    """How many letters wait, are being read, and were given up."""

    visible: int
    in_flight: int
    dead: int


class Letters:
    """The queue."""

    def __init__(self, mint: Mint) -> None:
        self._mint = mint
        self._letters: deque[Letter] = deque(maxlen=LETTERS_MAX)
        self._dead: deque[Letter] = deque(maxlen=LETTERS_MAX)

    def send(self, body: str, now: datetime) -> None:
        """Put a letter into the queue."""
        self._letters.append(Letter(self._mint.identifier(), body, sent_at=now, visible_at=now))

    def has_any(self, now: datetime) -> bool:
        """Return whether a receiver would get something."""
        self._tidy(now)
        return any(self._is_visible(letter, now) for letter in self._letters)

    def receive(self, now: datetime, *, count: int, visible_again_s: float) -> Sequence[Letter]:
        """Return at most `count` letters, oldest first, and hide them for a while.

        One that was received RECEIVES_MAX times without being deleted goes to the dead letters instead.
        """
        self._tidy(now)
        found = [letter for letter in self._letters if self._is_visible(letter, now)][:count]
        for letter in found:
            letter.received += 1
            letter.receipt = self._mint.code("receipt-", size=32)
            letter.visible_at = now + timedelta(seconds=visible_again_s)
        return found

    def delete(self, receipt: str) -> None:
        """Take a letter out, if the receipt is of its latest delivery; harmless otherwise."""
        self._keep(letter for letter in self._letters if letter.receipt != receipt)

    def counts(self, now: datetime) -> Counts:
        """Return how full the queue is."""
        self._tidy(now)
        visible = sum(self._is_visible(letter, now) for letter in self._letters)
        return Counts(visible, len(self._letters) - visible, len(self._dead))

    def _is_visible(self, letter: Letter, now: datetime) -> bool:
        return now >= letter.visible_at

    def _tidy(self, now: datetime) -> None:
        """Give up what was received too often, and forget what is too old."""
        living = [letter for letter in self._letters if now < letter.sent_at + LETTERS_LIVE]
        dead = [
            letter for letter in living if letter.received >= RECEIVES_MAX and self._is_visible(letter, now)
        ]
        self._dead.extend(dead)
        self._keep(letter for letter in living if letter not in dead)

    def _keep(self, letters: Iterable[Letter]) -> None:
        self._letters = deque(letters, maxlen=LETTERS_MAX)
