"""Telling a receiver outside what the log holds: in order, at least once, and never in the log's way.

The log is the queue: a turn reads it from where the last one stopped, posts what is to be reported, and keeps
how far it has come. A process killed between a post and that leaves the next one to post it again, under the
same id. One replica at a time has the turn.

- No answer, or one that says "later": the same report again, after a pause that grows; those behind it wait.
- An answer that says "never": a few times again, then the report is a dead letter and the next one's turn.
- An answer that says "gone": nothing more is posted to this address, until a test message is accepted.
"""

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import chassis.clock
import chassis.crypto.digest
import chassis.entropy
from chassis.secrecy import Secret
from services.telemetry.model import webhooks
from services.telemetry.model.errors import WebhookMissing
from services.telemetry.model.events import Actor, Result, timestamp
from services.telemetry.model.kinds import Kind
from services.telemetry.model.webhooks import Answer, DeadLetter, Fate, Message, Report, Selection, Turn
from services.telemetry.service.diary import Diary
from services.telemetry.service.ports import Archive, Receiver, WebhookSecrets, WebhookSignals, WebhookStore

# One page of the log, read at once.
PAGE_RECORDS_MAX = 500
# A round begins no more posts after this; with the last one it fits into jobs.ROUND_S_MAX.
ROUND_S_MAX = 8.0
# Longer than a round, so that a turn is lost only by a holder that hangs; a killed holder's ends by itself.
TURN_S = 40.0
ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What telling a receiver stands on; its time is the machine's, because receivers live in it."""

    store: WebhookStore
    archive: Archive
    receiver: Receiver
    secrets: WebhookSecrets
    signals: WebhookSignals
    clock: chassis.clock.Clock
    entropy: chassis.entropy.Entropy


@dataclass(frozen=True, slots=True)
class View:
    """How telling the receiver goes, for an operator; the host is empty when nobody is told."""

    host: str
    is_gone: bool
    standing: webhooks.Standing


class Webhooks:
    """Tells the receiver; one method is one round or one of an operator's wishes."""

    def __init__(self, ports: Ports, diary: Diary, selection: Selection) -> None:
        self._store = ports.store
        self._archive = ports.archive
        self._receiver = ports.receiver
        self._secrets = ports.secrets
        self._signals = ports.signals
        self._clock = ports.clock
        self._entropy = ports.entropy
        self._diary = diary
        self._selection = selection
        self._host = urllib.parse.urlsplit(ports.receiver.url).hostname or ""
        self._url_digest = chassis.crypto.digest.sha256(ports.receiver.url.encode())

    async def tell(self) -> None:
        """Post what is new, for at most ROUND_S_MAX and one more post; nothing while another replica does.

        Raises:
            Unavailable: the store, the key service or the log cannot answer; the next round goes on.
        """
        turn = await self._store.take(TURN_S)
        if turn is None:
            return
        try:
            is_gone = turn.gone_digest == self._url_digest
            self._signals.webhook_gone(is_gone=is_gone)
            if not is_gone and turn.may_post(self._clock.now()):
                await self._tell_from(turn)
            await self._show_lag()
        finally:
            await self._store.give_back(turn.fence)

    async def view(self) -> View:
        """Return how telling the receiver goes."""
        standing = await self._store.standing()
        return View(self._host, standing.gone_digest == self._url_digest, standing)

    async def test(self, *, actor: Actor, request_id: str | None) -> Answer:
        """Return how the receiver answers to a message that reports nothing; a good answer ends its absence.

        Raises:
            WebhookMissing: nobody is told.
            AuditUnavailable: nothing was posted.
        """
        if not self._receiver.url:
            raise WebhookMissing
        message_id = await self._diary.intend(
            Kind.WEBHOOK_TESTED, actor=actor, request_id=request_id, details={"host": self._host}
        )
        answer = await self._post(webhooks.test_message(message_id, timestamp(self._clock.now())))
        is_taken = answer.fate is Fate.DELIVERED
        if is_taken:
            await self._store.note_back()
        result = Result.DONE if is_taken else Result.NOT_DONE
        await self._diary.conclude(Kind.WEBHOOK_TESTED, message_id, result)
        return answer

    async def rotate_secret(self, *, actor: Actor, request_id: str | None) -> Secret[str]:
        """Return the secret with which messages are signed from now on; the old one signs on for OVERLAP.

        Raises:
            AuditUnavailable: nothing changed.
            Unavailable: the key service may or may not hold the new secret; rotate again.
        """
        intent_id = await self._diary.intend(
            Kind.WEBHOOK_SECRET_ROTATED, actor=actor, request_id=request_id, details={}
        )
        key = await self._secrets.rotate(self._clock.now())
        await self._diary.conclude(Kind.WEBHOOK_SECRET_ROTATED, intent_id, Result.DONE)
        return webhooks.secret_text(key)

    async def _tell_from(self, turn: Turn) -> None:
        started_s, sequence, attempts = self._clock.monotonic_s(), turn.sequence, turn.attempts
        while records := await self._archive.records(sequence + 1, sequence + PAGE_RECORDS_MAX):
            for record in records:
                report = webhooks.reportable(record, self._selection)
                if report is None:
                    continue
                at_report = replace(turn, attempts=attempts)
                is_due = self._clock.monotonic_s() - started_s < ROUND_S_MAX
                if not is_due or not await self._tell_one(at_report, report):
                    return
                attempts = 0
            sequence = records[-1].sequence
            if not await self._store.settle(turn.fence, sequence):
                return

    async def _tell_one(self, turn: Turn, report: Report) -> bool:
        """Post a report and keep what came of it; False when those behind it must wait."""
        intent = None if report.intent_id is None else await self._store.find_event(report.intent_id)
        answer = await self._post(report.message(intent))
        match answer.fate:
            case Fate.DELIVERED:
                return await self._store.settle(turn.fence, report.sequence)
            case Fate.GONE:
                await self._diary.write(self._diary.compose(Kind.WEBHOOK_GONE, details={"host": self._host}))
                await self._store.note_gone(turn.fence, self._url_digest)
                self._signals.webhook_gone(is_gone=True)
                return False
            case Fate.REFUSED if turn.attempts + 1 >= webhooks.REFUSALS_MAX:
                return await self._abandon(turn, report, answer.status)
        await self._store.postpone(turn.fence, turn.attempts + 1, self._retry_at(turn, answer))
        return False

    async def _abandon(self, turn: Turn, report: Report, status: int) -> bool:
        details = {"sequence": str(report.sequence), "kind": report.kind, "status": str(status)}
        await self._diary.write(self._diary.compose(Kind.WEBHOOK_ABANDONED, details=details))
        self._signals.webhook_answered(ABANDONED)
        letter = DeadLetter(
            sequence=report.sequence,
            kind=report.kind,
            status=status,
            attempts=turn.attempts + 1,
            given_up_at=self._clock.now(),
        )
        return await self._store.abandon(turn.fence, letter)

    def _retry_at(self, turn: Turn, answer: Answer) -> datetime:
        pause_s = webhooks.retry_s(turn.attempts + 1, self._entropy.uniform(0.0, 1.0))
        asked_s = min(answer.retry_after_s or 0.0, webhooks.RETRY_S_MAX)
        return self._clock.now() + timedelta(seconds=max(pause_s, asked_s))

    async def _post(self, message: Message) -> Answer:
        now = self._clock.now()
        headers: Mapping[str, str] = message.headers(await self._secrets.valid(now), now)
        answer = await self._receiver.post(message.body, headers)
        self._signals.webhook_answered(answer.fate)
        return answer

    async def _show_lag(self) -> None:
        standing = await self._store.standing()
        self._signals.webhook_lags(standing.head - standing.sequence)
