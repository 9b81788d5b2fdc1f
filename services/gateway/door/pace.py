"""How long somebody is waited for: slow is allowed, endless is not (R-25)."""

import math

from services.gateway.door.limits import STREAM_BYTES_PER_S_MIN


class Pace:
    """The waiting for one body, in one direction.

    All waits together may last `patience_s`, and longer by what moves at `bytes_per_s_min`; no single one
    lasts longer than `patience_s`. What others take their time for does not count.
    """

    __slots__ = ("_bytes_per_s_min", "_moved_bytes", "_patience_s", "_waited_s")

    def __init__(self, patience_s: float, bytes_per_s_min: float = math.inf) -> None:
        self._patience_s = patience_s
        self._bytes_per_s_min = bytes_per_s_min
        self._moved_bytes = 0
        self._waited_s = 0.0

    @property
    def left_s(self) -> float:
        """How long the next wait may last."""
        earned_s = self._moved_bytes / self._bytes_per_s_min
        return min(self._patience_s, self._patience_s + earned_s - self._waited_s)

    def move(self, size_bytes: int) -> None:
        """Note what has moved."""
        self._moved_bytes += size_bytes

    def wait(self, waited_s: float) -> None:
        """Note how long was waited."""
        self._waited_s += waited_s


def streaming(patience_s: float) -> Pace:
    """Return the pace of a stream."""
    return Pace(patience_s, STREAM_BYTES_PER_S_MIN)


def endless() -> Pace:
    """Return the pace of what somebody else keeps the time of."""
    return Pace(math.inf)
