"""Faults between any two steps: a step may be slow, fail around its effect, be cut off, or crash its node.

Invariants:
- Every fault is drawn from the run's one generator, so a seed repeats them all.
- Each step is written to the trace with its time and its fault; two runs are the same when their traces are.
- The dead do nothing: once a process is over, no step of it has an effect or gets an answer.
- After `calm` nothing goes wrong any more, so a correct story can end.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

import chassis.errors
from sallyport.simulate.trace import Trace

T = TypeVar("T")

TRAVEL_S_MAX = 0.02
"""An untroubled step takes up to this long, in virtual seconds."""

SLOW_SHARE = 1.5
"""A slow step takes up to this many times what its caller waits for, so a third of them come too late."""


class Crashed(BaseException):
    """The process died at this step. Not an `Exception`: no use case may catch its own death."""


class Process(Protocol):
    """Who takes steps; see `nodes.Life`."""

    @property
    def name(self) -> str:
        """How the trace calls it."""
        ...

    @property
    def can_crash(self) -> bool:
        """Whether it may die; people and their desktops do not."""
        ...

    def check(self) -> None:
        """Return while it lives; raises Crashed after."""
        ...

    def end(self) -> None:
        """Let it die now."""
        ...


class Fault(StrEnum):
    """What may happen to one step."""

    NONE = "ok"
    LOST_BEFORE = "lost before"
    LOST_AFTER = "lost after"
    SLOW_BEFORE = "slow before"
    SLOW_AFTER = "slow after"
    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    CUT = "cut off"


# A crash takes everything else of its node along, so it is drawn less often.
_WEIGHTS = {
    Fault.LOST_BEFORE: 6,
    Fault.LOST_AFTER: 6,
    Fault.SLOW_BEFORE: 3,
    Fault.SLOW_AFTER: 3,
    Fault.CRASH_BEFORE: 1,
    Fault.CRASH_AFTER: 1,
}
_CRASHES = frozenset({Fault.CRASH_BEFORE, Fault.CRASH_AFTER})

# Each run has leanings of its own, because some mistakes show only where one kind of fault prevails.
_LEANINGS = (0.2, 1.0, 1.0, 4.0)


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a process reaches one thing outside it.

    Attributes:
        process: who asks.
        to: what is asked, e.g. "store", "vault", or the name of a peer.
        lost: makes what the process hears when no answer comes.
        limit_s: how long it waits for one.
        is_near: what is asked never takes time of its own, so an untroubled step needs no limit.
    """

    process: Process
    to: str
    lost: Callable[[], chassis.errors.SallyportError]
    limit_s: float
    is_near: bool = False


class Faults:
    """Decides at each step what goes wrong.

    Args:
        rate: the share of steps with a fault, 0 to 1.
    """

    def __init__(self, *, choices: random.Random, trace: Trace, rate: float) -> None:
        self._choices = choices
        self._trace = trace
        self._rate = rate
        self._weights = {fault: weight * choices.choice(_LEANINGS) for fault, weight in _WEIGHTS.items()}
        self._cut_until_s: dict[tuple[str, str], float] = {}
        self.injected: Counter[Fault] = Counter()
        self.steps = 0

    def calm(self) -> None:
        """Let nothing go wrong from now on."""
        self._rate = 0.0
        self._cut_until_s.clear()

    def cut(self, pair: tuple[str, str], for_s: float) -> None:
        """Keep a process from reaching something for a while: (name of the process, `Way.to`)."""
        self._trace.write(f"{pair[0]} is cut off from {pair[1]} for {for_s:.3f} s")
        self._cut_until_s[pair] = asyncio.get_running_loop().time() + for_s

    async def around(self, way: Way, step: str, effect: Callable[[], Awaitable[T]]) -> T:
        """Return what `effect` gives, as a step of a process, with whatever the seed holds for it.

        Raises:
            Crashed: the process died before or after the effect.
            SallyportError: `way.lost`: the effect did not happen, or its answer did not come in time.
        """
        way.process.check()
        fault = self._draw(way)
        self.steps += 1
        self._trace.write(f"{way.process.name} {way.to}.{step} {fault}")
        if fault is Fault.NONE and way.is_near:
            return await self._step(way, fault, effect)
        try:
            async with asyncio.timeout(way.limit_s) as limit:
                return await self._step(way, fault, effect)
        except TimeoutError as error:
            if limit.expired():
                way.process.check()
                raise way.lost() from error
            raise

    async def _step(self, way: Way, fault: Fault, effect: Callable[[], Awaitable[T]]) -> T:
        if fault in {Fault.LOST_BEFORE, Fault.CUT}:
            await self._pass(way, way.limit_s)
            raise way.lost()
        await self._pass(way, self._longest_s(way, fault is Fault.SLOW_BEFORE))
        if fault is Fault.CRASH_BEFORE:
            _crash(way)
        result = await effect()
        if fault is Fault.CRASH_AFTER:
            _crash(way)
        if fault is Fault.LOST_AFTER:
            await self._pass(way, way.limit_s)
            raise way.lost()
        if fault is Fault.SLOW_AFTER:
            await self._pass(way, self._longest_s(way, True))
        way.process.check()
        return result

    async def _pass(self, way: Way, longest_s: float) -> None:
        await asyncio.sleep(self._choices.uniform(0.0, longest_s))
        way.process.check()

    def _longest_s(self, way: Way, is_slow: bool) -> float:
        return SLOW_SHARE * way.limit_s if is_slow else TRAVEL_S_MAX

    def _draw(self, way: Way) -> Fault:
        fault = self._drawn(way)
        if fault is not Fault.NONE:
            self.injected[fault] += 1
        return fault

    def _drawn(self, way: Way) -> Fault:
        if asyncio.get_running_loop().time() < self._cut_until_s.get((way.process.name, way.to), 0.0):
            return Fault.CUT
        if self._choices.random() >= self._rate:
            return Fault.NONE
        possible = [fault for fault in _WEIGHTS if way.process.can_crash or fault not in _CRASHES]
        return self._choices.choices(possible, [self._weights[fault] for fault in possible])[0]


def _crash(way: Way) -> None:
    way.process.end()
    raise Crashed(way.process.name)
