"""Counting failures, so that guessing ends (T-11). Kept in this process only, and bounded."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import chassis.clock
from chassis.errors import SallyportError
from services.auth.model.refusals import TooManyFailures
from services.auth.service.gates import Gates

# Source: T-11.
FAILURES_MAX = 10
LOCKED_S = 900.0
SUBJECTS_MAX = 10_000


@dataclass
class _Count:
    failures: int
    since_s: float


class Lockout:
    """Remembers who failed how often; whether the subject exists makes no difference to the answer."""

    def __init__(self, clock: chassis.clock.Clock) -> None:
        self._clock = clock
        self._counts: OrderedDict[str, _Count] = OrderedDict()
        self._gates: Gates[str] = Gates()

    @asynccontextmanager
    async def judging(self, subject: str, *wrong: type[SallyportError]) -> AsyncIterator[None]:
        """Let one attempt of a subject be judged inside; one that ends in a `wrong` error is a failure.

        One after another: attempts made at once would all be judged before the first of them counts.

        Raises:
            TooManyFailures: FAILURES_MAX attempts failed within LOCKED_S.
        """
        async with self._gates.of(subject):
            self._check(subject)
            try:
                yield
            except wrong:
                self._count(subject)
                raise

    def _check(self, subject: str) -> None:
        count = self._counts.get(subject)
        if count is None:
            return
        left_s = count.since_s + LOCKED_S - self._clock.monotonic_s()
        if left_s <= 0:
            del self._counts[subject]
        elif count.failures >= FAILURES_MAX:
            raise TooManyFailures(retry_after_s=left_s)

    def _count(self, subject: str) -> None:
        """Count a failure; when SUBJECTS_MAX is reached, the subject that failed longest ago is forgotten."""
        count = self._counts.setdefault(subject, _Count(0, self._clock.monotonic_s()))
        count.failures += 1
        self._counts.move_to_end(subject)
        while len(self._counts) > SUBJECTS_MAX:
            self._counts.popitem(last=False)
