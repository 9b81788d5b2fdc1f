"""Sends things in groups: whatever waits when the way is free goes in one call.

- While one group is on its way the next one gathers, so that nothing is delayed for company when there is
  little to do, and a call's price is shared by many when there is much.
- A group whose fate is unknown is sent again as it is; the receiver must make one thing of it.
- One thing that the receiver will not take fails alone, not with the others of its group.
- What nobody waits for goes with the next group, and makes one of its own only when none comes for a while:
  it would stand in front of whoever comes a moment later.
- How many wait, and for how long, is bounded (R-23). One timer serves all of them.
"""

import asyncio
import itertools
import math
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import chassis.errors

# What the receiver says about one of the things itself; asking again would not help.
JUDGEMENTS = (chassis.errors.InvalidInput, chassis.errors.Conflict)

# Longer than a commit takes, and too short to be missed.
LINGER_S = 0.01
# Whoever waits too long is told of it at most so much later: many at once, and not each in a step of its own.
LOOK_S = 0.05
# How long the last of them may take when the process ends.
FLUSH_S_MAX = 1.0

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
        linger_s: how long a thing that nobody waits for may look for company.
    """

    group_max: int
    waiting_max: int
    wait_s_max: float
    sends_max: int
    linger_s: float = LINGER_S


def _forget(_: object) -> None:
    """Do nothing about a loss: whoever waits is told of it."""


@dataclass(slots=True, eq=False)
class _Handed(Generic[T]):
    """A thing on its way.

    Attributes:
        fate: what whoever handed it in waits on; None when nobody waits.
        until_s: when they have waited too long.
        if_lost: gets it back when it did not arrive, or may not have.
    """

    thing: T
    fate: asyncio.Future[None] | None = None
    until_s: float = math.inf
    if_lost: Callable[[T], None] = _forget

    def is_settled(self) -> bool:
        return self.fate is not None and self.fate.done()

    def arrive(self) -> None:
        if self.fate is not None and not self.fate.done():
            self.fate.set_result(None)

    def fail(self, error: Exception) -> None:
        if self.fate is None:
            self.if_lost(self.thing)
        elif not self.fate.done():
            self.fate.set_exception(error)


class Groups(Generic[T]):
    """Hand things in; `run` sends them and belongs to the process's tasks."""

    def __init__(self, send: Callable[[Sequence[T]], Awaitable[object]], bounds: Bounds) -> None:
        self._send = send
        self._bounds = bounds
        self._waiting: deque[_Handed[T]] = deque()
        self._on_way: Sequence[_Handed[T]] = ()
        self._has_work = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._lingering: asyncio.TimerHandle | None = None

    async def hand_in(self, thing: T) -> None:
        """Return once the thing has arrived.

        Raises:
            NotSent: it may or may not have arrived.
            SallyportError: the receiver's own refusal, or the way's.
        """
        if len(self._waiting) >= self._bounds.waiting_max:
            raise NotSent
        loop = asyncio.get_running_loop()
        fate = loop.create_future()
        handed = _Handed(thing, fate, loop.time() + self._bounds.wait_s_max)
        self._waiting.append(handed)
        if self._timer is None:
            self._timer = loop.call_at(handed.until_s, self._give_up)
        self._has_work.set()
        await fate

    def hand_over(self, thing: T, if_lost: Callable[[T], None]) -> None:
        """Have a thing sent that nobody waits for, with whatever goes next.

        `if_lost` gets it back when it did not arrive, or may not have; at once when too many wait.
        """
        if len(self._waiting) >= self._bounds.waiting_max:
            if_lost(thing)
            return
        self._waiting.append(_Handed(thing, if_lost=if_lost))
        self._linger()

    async def run(self) -> None:
        """Send what waits, for ever."""
        while True:
            await self._has_work.wait()
            await self._pass_next_on()
            if not self._is_wanted():
                self._has_work.clear()
                if self._waiting:
                    self._linger()

    async def flush(self) -> None:
        """Send what is left when `run` has ended, within FLUSH_S_MAX."""
        try:
            async with asyncio.timeout(FLUSH_S_MAX):
                while self._waiting:
                    await self._pass_next_on()
        except TimeoutError:
            while self._waiting:
                self._waiting.popleft().fail(NotSent())

    def _is_wanted(self) -> bool:
        """Return whether the next group goes at once: it is full, or somebody waits for it."""
        is_full = len(self._waiting) >= self._bounds.group_max
        return is_full or any(handed.fate is not None for handed in self._waiting)

    def _linger(self) -> None:
        if self._lingering is None:
            self._lingering = asyncio.get_running_loop().call_later(
                self._bounds.linger_s, self._end_lingering
            )

    def _end_lingering(self) -> None:
        self._lingering = None
        self._has_work.set()

    async def _pass_next_on(self) -> None:
        """Send the oldest things; what was on its way when this is cancelled waits again (R-04)."""
        group = self._on_way = self._next_group()
        if not group:
            return
        try:
            await self._pass_on(group)
        except asyncio.CancelledError:
            self._waiting.extendleft(reversed(group))
            raise
        finally:
            self._on_way = ()

    def _next_group(self) -> Sequence[_Handed[T]]:
        """Take the oldest things, and pass over those whose senders have gone."""
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        count = min(len(self._waiting), self._bounds.group_max)
        taken = [self._waiting.popleft() for _ in range(count)]
        return [handed for handed in taken if not handed.is_settled()]

    async def _pass_on(self, group: Sequence[_Handed[T]]) -> None:
        """Send a group and tell its senders; never raises for the receiver's faults."""
        try:
            await self._send_surely([handed.thing for handed in group])
        except JUDGEMENTS as error:
            if len(group) == 1:
                group[0].fail(error)
                return
            for handed in group:
                await self._pass_on([handed])
        except chassis.errors.SallyportError as error:
            for handed in group:
                handed.fail(_again(error))
        else:
            for handed in group:
                handed.arrive()

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
        now_s, self._timer = loop.time(), None
        for handed in itertools.chain(self._on_way, self._waiting):
            if handed.fate is None or handed.fate.done():
                continue
            if handed.until_s > now_s:
                self._timer = loop.call_at(max(handed.until_s, now_s + LOOK_S), self._give_up)
                return
            handed.fail(NotSent())


def _again(error: chassis.errors.SallyportError) -> NotSent:
    """Return an error of its own for each sender, because each will raise it."""
    own = NotSent(retry_after_s=error.retry_after_s)
    own.__cause__ = error
    return own
