"""The group committer: the one writer of this process, between those who append and the store.

A commit costs about the same for one row as for a hundred, so calls that arrive while a commit is under
way wait and share the next one. Nothing lingers for company: an idle log commits at once.

- A caller is answered only after the commit that holds its events, or told that there was none to count on.
- The queue is bounded in rows; a full queue refuses at once (R-23).
- A commit has a deadline; what became of an overdue one is unknown, and the sender's retry under the same
  ids finds out (R-04).
- It runs where `app` starts it, as a task with a name; it starts nothing itself and keeps no time.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import chassis.clock
import chassis.errors
from services.telemetry.model.admission import Answer, Call
from services.telemetry.model.errors import AuditUnavailable

QUEUE_ROWS_MAX = 10_000
# At least one whole call; more rows than this no longer make a commit cheaper per row.
COMMIT_ROWS_MAX = 1_000
COMMIT_S_MAX = 2.0
# One commit under way and one of our own.
ANSWER_S_MAX = 2 * COMMIT_S_MAX
RETRY_AFTER_S = 1.0


class Store(Protocol):
    """What the committer needs from storage."""

    async def append(self, calls: Sequence[Call], *, recorded_at: datetime) -> list[Answer]:
        """Return one answer per call, once everything admitted is durable; all in one transaction.

        Raises:
            Unavailable: nothing of it may be counted on.
        """
        ...


class Signals(Protocol):
    """What the committer makes visible."""

    def committed(self, rows: int, elapsed_s: float) -> None:
        """Count one commit."""
        ...

    def commit_failed(self, fault: BaseException) -> None:
        """Count and log one commit that failed."""
        ...

    def queued(self, rows: int) -> None:
        """Show how many rows wait."""
        ...


@dataclass(slots=True, eq=False)
class _Waiting:
    call: Call
    answer: asyncio.Future[tuple[int, ...]]

    def settle(self, answer: Answer) -> None:
        if self.answer.done():
            return
        if isinstance(answer, chassis.errors.SallyportError):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


class Committer:
    """Collects calls and commits them in groups, in order of arrival."""

    def __init__(self, *, store: Store, clock: chassis.clock.Clock, signals: Signals) -> None:
        self._store = store
        self._clock = clock
        self._signals = signals
        self._queue: deque[_Waiting] = deque()
        self._queue_rows = 0
        self._arrived = asyncio.Event()
        self._is_failing = False

    @property
    def is_failing(self) -> bool:
        """Whether the last commit failed."""
        return self._is_failing

    async def submit(self, call: Call) -> tuple[int, ...]:
        """Return the sequences of a call's events, in order, once they are durable.

        Args:
            call: 1 to COMMIT_ROWS_MAX entries.

        Raises:
            IdempotencyConflict, IntentUnknown, OutcomeAlreadyRecorded: the call does not fit the log.
            AuditUnavailable: the queue is full, or the commit failed or is overdue.
        """
        if self._queue_rows + len(call) > QUEUE_ROWS_MAX:
            raise AuditUnavailable(retry_after_s=RETRY_AFTER_S)
        loop = asyncio.get_running_loop()
        waiting = _Waiting(call, loop.create_future())
        self._queue.append(waiting)
        self._count(len(call))
        self._arrived.set()
        overdue = loop.call_later(ANSWER_S_MAX, self._refuse, (waiting,))
        try:
            return await waiting.answer
        finally:
            overdue.cancel()

    async def run(self) -> None:
        """Commit groups until cancelled; whoever still waits then is told so."""
        try:
            while True:
                await self._arrived.wait()
                if group := self._next_group():
                    await self._commit(group)
        finally:
            self._refuse(self._queue)

    def _next_group(self) -> list[_Waiting]:
        """Return the longest run of calls that fits into one commit; those given up are left out."""
        group: list[_Waiting] = []
        rows = 0
        while self._queue and (not group or rows + len(self._queue[0].call) <= COMMIT_ROWS_MAX):
            waiting = self._queue.popleft()
            self._count(-len(waiting.call))
            if not waiting.answer.done():
                group.append(waiting)
                rows += len(waiting.call)
        if not self._queue:
            self._arrived.clear()
        return group

    async def _commit(self, group: Sequence[_Waiting]) -> None:
        started_s = self._clock.monotonic_s()
        try:
            async with asyncio.timeout(COMMIT_S_MAX):
                calls = [waiting.call for waiting in group]
                answers = await self._store.append(calls, recorded_at=self._clock.now())
        except asyncio.CancelledError:
            self._refuse(group)
            raise
        except Exception as fault:  # noqa: BLE001 - whatever it was, senders must hear and the next group be tried
            self._is_failing = True
            self._signals.commit_failed(fault)
            self._refuse(group)
            return
        self._is_failing = False
        self._signals.committed(sum(map(len, calls)), self._clock.monotonic_s() - started_s)
        for waiting, answer in zip(group, answers, strict=True):
            waiting.settle(answer)

    def _refuse(self, group: Iterable[_Waiting]) -> None:
        for waiting in group:
            waiting.settle(AuditUnavailable(retry_after_s=RETRY_AFTER_S))

    def _count(self, rows: int) -> None:
        self._queue_rows += rows
        self._signals.queued(self._queue_rows)
