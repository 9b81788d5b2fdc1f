"""Telling a receiver, in memory: its bookmark, the receiver itself, the secrets, what was shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import chassis.clock
from chassis.secrecy import Secret
from fakes.audit_store import FakeAuditStore
from services.telemetry.model.chain import Record
from services.telemetry.model.errors import AuditUnavailable
from services.telemetry.model.webhooks import OVERLAP, Answer, DeadLetter, Standing, Turn


class FakeWebhookStore:
    """Keeps the bookmark of one receiver beside a log; it passes the contract suite of the real one.

    Attributes:
        loses_writes: `settle` fails, as when the process is killed or the store goes away before it.
    """

    def __init__(self, log: FakeAuditStore, clock: chassis.clock.Clock) -> None:
        self.loses_writes = False
        self._log = log
        self._clock = clock
        self._turn: Turn | None = None
        self._held_until_s = 0.0
        self._letters: list[DeadLetter] = []

    async def take(self, turn_s: float) -> Turn | None:
        if self._turn is None:
            head = (await self._log.tip()).head.sequence
            self._turn = Turn(fence=0, sequence=head, attempts=0, retry_at=None, gone_digest=None)
            return None
        now_s = self._clock.monotonic_s()
        if now_s < self._held_until_s <= now_s + turn_s:
            return None
        self._held_until_s = now_s + turn_s
        self._turn = replace(self._turn, fence=self._turn.fence + 1)
        return self._turn

    async def give_back(self, fence: int) -> None:
        if self._holds(fence):
            self._held_until_s = 0.0

    async def find_event(self, event_id: str) -> Record | None:
        found = (each.record for each in self._log.entries() if each.entry.event.event_id == event_id)
        return next(found, None)

    async def settle(self, fence: int, sequence: int) -> bool:
        if self.loses_writes:
            raise AuditUnavailable
        turn = self._holds(fence)
        if turn is not None:
            reached = max(turn.sequence, sequence)
            self._turn = replace(turn, sequence=reached, attempts=0, retry_at=None)
        return turn is not None

    async def postpone(self, fence: int, attempts: int, retry_at: datetime) -> bool:
        turn = self._holds(fence)
        if turn is not None:
            self._turn = replace(turn, attempts=attempts, retry_at=retry_at)
        return turn is not None

    async def abandon(self, fence: int, letter: DeadLetter) -> bool:
        if not await self.settle(fence, letter.sequence):
            return False
        if letter.sequence not in {kept.sequence for kept in self._letters}:
            self._letters.append(letter)
        return True

    async def note_gone(self, fence: int, digest: bytes) -> bool:
        turn = self._holds(fence)
        if turn is not None:
            self._turn = replace(turn, gone_digest=digest)
        return turn is not None

    async def note_back(self) -> None:
        if self._turn is not None:
            self._turn = replace(self._turn, gone_digest=None, attempts=0, retry_at=None)

    async def standing(self) -> Standing:
        head = (await self._log.tip()).head.sequence
        newest = sorted(self._letters, key=lambda letter: -letter.sequence)
        return Standing(
            sequence=self._turn.sequence if self._turn else head,
            head=head,
            attempts=self._turn.attempts if self._turn else 0,
            retry_at=self._turn.retry_at if self._turn else None,
            gone_digest=self._turn.gone_digest if self._turn else None,
            dead_letters=tuple(newest[:20]),
        )

    def _holds(self, fence: int) -> Turn | None:
        return self._turn if self._turn is not None and self._turn.fence == fence else None


@dataclass
class FakeReceiver:
    """Keeps what it was told, and answers as it is told to: `answers` first, then `usual`."""

    url: str = "https://receiver.example/hook"
    answers: list[Answer] = field(default_factory=list)
    usual: Answer = Answer(204)  # noqa: RUF009 - frozen
    told: list[tuple[bytes, Mapping[str, str]]] = field(default_factory=list)

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        self.told.append((body, headers))
        return self.answers.pop(0) if self.answers else self.usual


class FakeWebhookSecrets:
    """Keys in memory, numbered from one."""

    def __init__(self) -> None:
        self._made = 1
        self._overlap_until: datetime | None = None

    async def valid(self, now: datetime) -> Sequence[Secret[bytes]]:
        keys = [_key(self._made)]
        if self._overlap_until is not None and now < self._overlap_until:
            keys.append(_key(self._made - 1))
        return keys

    async def rotate(self, now: datetime) -> Secret[bytes]:
        self._made += 1
        self._overlap_until = now + OVERLAP
        return _key(self._made)


class FakeWebhookSignals:
    """Remembers what was shown."""

    def __init__(self) -> None:
        self.fates: list[str] = []
        self.lag = -1
        self.is_gone = False

    def webhook_answered(self, fate: str) -> None:
        self.fates.append(fate)

    def webhook_lags(self, records: int) -> None:
        self.lag = records

    def webhook_gone(self, *, is_gone: bool) -> None:
        self.is_gone = is_gone


def _key(number: int) -> Secret[bytes]:
    return Secret(bytes([number]) * 32)
