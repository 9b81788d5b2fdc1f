"""Sharing a failure for a moment, so that not everybody who comes after it finds out for themselves."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from chassis.clock import Clock
from chassis.errors import SallyportError
from chassis.recent import Recent

PAUSES_MAX = 10_000
PAUSE_S = 3.0

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class _Pause:
    error: SallyportError
    until_s: float


class Pauses(Generic[K]):
    """What failed within the last PAUSE_S."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pauses: Recent[K, _Pause] = Recent(PAUSES_MAX)

    def begin(self, key: K, error: SallyportError) -> None:
        """Have everybody who wants the same fail the same way for PAUSE_S."""
        self._pauses.put(key, _Pause(error, self._clock.monotonic_s() + PAUSE_S))

    def check(self, key: K) -> None:
        """Return if it may be tried.

        Raises:
            SallyportError: as whoever tried last.
        """
        pause = self._pauses.get(key)
        if pause is not None and self._clock.monotonic_s() < pause.until_s:
            raise type(pause.error)(pause.error.text, retry_after_s=pause.error.retry_after_s)
