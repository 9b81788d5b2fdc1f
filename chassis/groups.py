"""Sends things in groups: whatever waits when the way is free goes in one call.

- While one group is on its way the next one gathers, so that nothing is delayed for company when there is
  little to do, and a call's price is shared by many when there is much.
- A group whose fate is unknown is sent again as it is; the receiver must make one thing of it.
- One thing that the receiver will not take fails alone, not with the others of its group.
- How many wait, and for how long, is bounded (R-23). One timer serves all of them.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import chassis.errors

# What the receiver says about one of the things itself; asking again would not help.
_JUDGEMENTS = (chassis.errors.InvalidInput, chassis.errors.Conflict)

T = TypeVar("T")


class NotSent(chassis.errors.Unavailable):
    """Too many wait, or it took too long: what was handed in may or may not have arrived."""

    code = "not_sent"
    text = "This cannot be passed on right now."


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How much, how long and how often.

    Attributes:
        group_max: things in one call.
        waiting_max: things that wait for the next calls.
        wait_s_max: from being handed in to being sent.
        sends_max: how often one group is sent while its fate is unknown.
    """

    group_max: int
    waiting_max: int
    wait_s_max: float
    sends_max: int


@dataclass(slots=True, eq=False)
class _Waiting(Generic[T]):
    thing: T
    fate: asyncio.Future[None]
    until_s: float

    def tell(self, error: Exception | None) -> None:
        if self.fate.done():
            return
        if error is None:
            self.fate.set_result(None)
        else:
            self.fate.set_exception(error)


class Groups(Generic[T]):
    """Hand things in; `run` sends them and belongs to the process's tasks."""

    def __init__(self, send: Callable[[Sequence[T]], Awaitable[object]], bounds: Bounds) -> None:
        self._send = send
        self._bounds = bounds
        self._waiting: deque[_Waiting[T]] = deque()
        self._outstanding: deque[_Waiting[T]] = deque()
        self._has_work = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    async def hand_in(self, thing: T) -> None:
        """Return once the thing has arrived.

        Raises:
            NotSent: it may or may not have arrived.
            SallyportError: the receiver's own refusal, or the way's.
        """
        if len(self._waiting) >= self._bounds.waiting_max:
            raise NotSent
        loop = asyncio.get_running_loop()
        waiting = _Waiting(thing, loop.create_future(), loop.time() + self._bounds.wait_s_max)
        self._waiting.append(waiting)
        self._outstanding.append(waiting)
        if self._timer is None:
            self._timer = loop.call_at(waiting.until_s, self._give_up)
        self._has_work.set()
        await waiting.fate

    async def run(self) -> None:
        """Send what waits, for ever."""
        while True:
            await self._has_work.wait()
            group = self._next_group()
            if group:
                await self._pass_on(group)
            while self._outstanding and self._outstanding[0].fate.done():
                self._outstanding.popleft()
            if not self._waiting:
                self._has_work.clear()

    def _next_group(self) -> list[_Waiting[T]]:
        """Take the oldest things whose senders still wait."""
        group: list[_Waiting[T]] = []
        while self._waiting and len(group) < self._bounds.group_max:
            waiting = self._waiting.popleft()
            if not waiting.fate.done():
                group.append(waiting)
        return group

    async def _pass_on(self, group: Sequence[_Waiting[T]]) -> None:
        """Send a group and tell its senders; never raises for the receiver's faults."""
        try:
            await self._send_surely([waiting.thing for waiting in group])
        except _JUDGEMENTS as error:
            if len(group) == 1:
                group[0].tell(error)
                return
            for waiting in group:
                await self._pass_on([waiting])
        except chassis.errors.SallyportError as error:
            for waiting in group:
                waiting.tell(_again(error))
        else:
            for waiting in group:
                waiting.tell(None)

    async def _send_surely(self, things: Sequence[T]) -> None:
        for _ in range(self._bounds.sends_max - 1):
            try:
                await self._send(things)
            except chassis.errors.Unavailable:
                continue
            return
        await self._send(things)

    def _give_up(self) -> None:
        """Tell those who have waited too long, and come back when the next one will have."""
        loop = asyncio.get_running_loop()
        while self._outstanding:
            oldest = self._outstanding[0]
            if not oldest.fate.done():
                if oldest.until_s > loop.time():
                    self._timer = loop.call_at(oldest.until_s, self._give_up)
                    return
                oldest.tell(NotSent())
            self._outstanding.popleft()
        self._timer = None


def _again(error: chassis.errors.SallyportError) -> NotSent:
    """Return an error of its own for each sender, because each will raise it."""
    own = NotSent(retry_after_s=error.retry_after_s)
    own.__cause__ = error
    return own
