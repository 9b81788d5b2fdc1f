"""Counting failures, so that guessing ends (T-11). Kept in this process only, and bounded."""

from collections import OrderedDict
from dataclasses import dataclass

import chassis.clock
from services.auth.model.refusals import TooManyFailures

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

    def check(self, subject: str) -> None:
        """Return if the subject may try.

        Raises:
            TooManyFailures: FAILURES_MAX attempts failed within LOCKED_S.
        """
        count = self._counts.get(subject)
        if count is None:
            return
        left_s = count.since_s + LOCKED_S - self._clock.monotonic_s()
        if left_s <= 0:
            del self._counts[subject]
        elif count.failures >= FAILURES_MAX:
            raise TooManyFailures(retry_after_s=left_s)

    def failed(self, subject: str) -> None:
        """Count a failure; when SUBJECTS_MAX is reached, the subject that failed longest ago is forgotten."""
        count = self._counts.setdefault(subject, _Count(0, self._clock.monotonic_s()))
        count.failures += 1
        self._counts.move_to_end(subject)
        while len(self._counts) > SUBJECTS_MAX:
            self._counts.popitem(last=False)
