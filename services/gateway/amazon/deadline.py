"""The moment by which one exchange after another must be over."""

import asyncio
import math
from collections.abc import Callable


class Deadline:
    """One deadline at a time; nobody has to say that it was met.

    Most are met, so that a timer of the loop's for each would be set only to be cancelled: the timer of one
    that was met stays, and looks when it fires whether there is a later one by now.
    """

    def __init__(self, on_passed: Callable[[], None]) -> None:
        """Take what is called when one has passed, be it met or missed."""
        self._loop = asyncio.get_running_loop()
        self._on_passed = on_passed
        self._until_s = self._fires_at_s = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def set(self, until_s: float) -> None:
        """Replace the last one by a reading of the loop's clock."""
        self._until_s = until_s
        if until_s < self._fires_at_s:
            self.clear()
            self._start()

    def clear(self) -> None:
        """Call no more, until one is set again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._fires_at_s = None, math.inf

    def _start(self) -> None:
        self._fires_at_s = self._until_s
        self._timer = self._loop.call_at(self._until_s, self._fire)

    def _fire(self) -> None:
        if self._until_s > self._fires_at_s:
            self._start()
            return
        self._timer, self._fires_at_s = None, math.inf
        self._on_passed()
