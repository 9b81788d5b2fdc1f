"""An event loop whose order of execution and whose time come from a seed.

Invariants:
- Only one thing decides which of several ready callbacks runs next: the seeded generator.
- Time is virtual and moves only when nothing is ready, straight to the earliest timer.
- There is no I/O: a socket, thread or signal asked of this loop is an error, so nothing unseeded can leak in.
- A run that can make no progress, or makes too many steps, ends with an error and not with a hang.
"""

import asyncio
import contextvars
import heapq
import random
from asyncio import events
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, TypeVarTuple, Unpack, cast

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

STEPS_MAX = 2_000_000
"""A run of more callbacks than this is taken for an endless one."""


class Deadlock(Exception):
    """Nothing is ready, no timer is set, and the awaited work is not done."""


class Endless(Exception):
    """The run took more than STEPS_MAX steps."""


def new_loop(seed: int) -> "SeededLoop":
    """Return a loop whose every choice follows from `seed`."""
    # The I/O half of a loop is absent on purpose, which only the type checker minds.
    make = cast("Callable[[random.Random], SeededLoop]", SeededLoop)
    return make(random.Random(seed))  # noqa: S311 - it must repeat, not surprise


class SeededLoop(asyncio.AbstractEventLoop):
    """Run coroutines in an order chosen by `choices`, on virtual time that starts at 0 s."""

    def __init__(self, choices: random.Random) -> None:
        self._choices = choices
        self._now_s = 0.0
        self._ready: list[asyncio.Handle] = []
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timers_made = 0
        self._is_running = False
        self._is_closed = False
        self.steps = 0
        self.unhandled: list[dict[str, Any]] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` to its end and return its result.

        Raises:
            Deadlock: the work waits for something that can no longer happen.
            Endless: the work took more than STEPS_MAX steps.
        """
        events._set_running_loop(self)  # noqa: SLF001 - what a loop must do; asyncio has no public name for it
        self._is_running = True
        try:
            task: asyncio.Task[T] = self.create_task(work)
            while not task.done():
                self._step()
            return task.result()
        finally:
            self._is_running = False
            events._set_running_loop(None)  # noqa: SLF001

    def _step(self) -> None:
        if self.steps >= STEPS_MAX:
            raise Endless(f"more than {STEPS_MAX} steps")
        if not self._ready:
            self._advance()
        self.steps += 1
        ready = len(self._ready)
        handle = self._ready.pop(self._choices.randrange(ready) if ready > 1 else 0)
        if not handle.cancelled():
            handle._run()  # noqa: SLF001 - the loop is the one caller this method has

    def _advance(self) -> None:
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._timers:
            raise Deadlock(f"nothing left to run at {self._now_s:.3f} s")
        self._now_s = max(self._now_s, self._timers[0][0])
        while self._timers and self._timers[0][0] <= self._now_s:
            self._ready.append(heapq.heappop(self._timers)[2])

    def time(self) -> float:
        """Return the virtual time in seconds since the loop was made."""
        return self._now_s

    def call_soon(
        self,
        callback: Callable[[Unpack[Arguments]], object],
        *args: *Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """Make `callback` ready; among the ready ones the seed decides."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[Arguments]], object],
        *args: *Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Make `callback` ready `delay` virtual seconds from now."""
        return self.call_at(self._now_s + max(delay, 0.0), callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Arguments]], object],
        *args: *Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Make `callback` ready at the virtual time `when`, in seconds."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers_made += 1
        heapq.heappush(self._timers, (when, self._timers_made, timer))
        return timer

    def create_future(self) -> "asyncio.Future[Any]":
        """Return a future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **options: Any) -> "asyncio.Task[Any]":
        """Start a task on this loop; the options are those of `asyncio.Task`."""
        return asyncio.Task(coro, loop=self, **options)

    def is_running(self) -> bool:
        """Tell whether `run` is on the stack."""
        return self._is_running

    def is_closed(self) -> bool:
        """Tell whether `close` was called."""
        return self._is_closed

    def close(self) -> None:
        """Forget everything that was still scheduled."""
        self._ready.clear()
        self._timers.clear()
        self._is_closed = True

    def get_debug(self) -> bool:
        """Return False: debug mode would read the wall clock."""
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep what nobody awaited, for the report."""
        self.unhandled.append(context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Nothing to do: cancelled timers are passed over when their time comes."""
