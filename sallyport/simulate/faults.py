"""Faults between any two steps: a `Faulty` port may be slow, fail around its effect, or crash its node.

Invariants:
- Every fault is drawn from the run's one generator, so a seed repeats them all.
- Each fault and each step is written to the trace; two runs are the same when their traces are.
- The number of faults is bounded: after `faults_max` the world is calm, so a correct story can end.
"""

import asyncio
import hashlib
import inspect
import random
from collections.abc import Awaitable, Callable
from typing import Any

import chassis.errors

DELAY_S_MAX = 2.0
"""A step takes up to this long, in virtual seconds."""


class Crashed(BaseException):
    """The node died at this step. Not an `Exception`: no use case may catch its own death."""


class LinkDown(chassis.errors.Unavailable):
    """A call's answer was lost; whether it had an effect is not known to the caller."""

    code = "link_down"
    text = "The peer did not answer."


class Trace:
    """What happened, in order. Its digest is the run's fingerprint."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        """Add one line."""
        self.lines.append(line)

    def digest(self) -> str:
        """Return the SHA-256 of all lines, in hex."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()


class Faults:
    """Decides at each step what goes wrong.

    Args:
        rate: the share of steps with a fault, 0 to 1.
        faults_max: after so many faults no more occur.
    """

    def __init__(self, *, choices: random.Random, trace: Trace, rate: float, faults_max: int) -> None:
        self._choices = choices
        self._trace = trace
        self._rate = rate
        self._left = faults_max
        self.injected: dict[str, int] = {}

    async def around(self, node: str, step: str, effect: Callable[[], Awaitable[Any]]) -> Any:
        """Run `effect` as `step` of `node`, with whatever the seed holds for it.

        Raises:
            Crashed: the node died before or after the effect.
            LinkDown: the effect did not happen, or its answer was lost.
        """
        await asyncio.sleep(self._choices.uniform(0.0, DELAY_S_MAX))
        fault = self._draw()
        self._trace.write(f"{node} {step} {fault}")
        if fault == "crash before":
            raise Crashed(node)
        if fault == "lost before":
            raise LinkDown
        result = await effect()
        if fault == "crash after":
            raise Crashed(node)
        if fault == "lost after":
            raise LinkDown
        return result

    def _draw(self) -> str:
        if self._left <= 0 or self._choices.random() >= self._rate:
            return "ok"
        self._left -= 1
        fault = self._choices.choice(("crash before", "crash after", "lost before", "lost after"))
        self.injected[fault] = self.injected.get(fault, 0) + 1
        return fault


class Faulty:
    """A port whose every asynchronous method goes through `Faults.around`; all else is passed on."""

    def __init__(self, port: object, *, node: str, name: str, faults: Faults) -> None:
        self._port = port
        self._node = node
        self._name = name
        self._faults = faults

    def __getattr__(self, method: str) -> Any:
        real = getattr(self._port, method)
        if not inspect.iscoroutinefunction(real):
            return real

        async def step(*values: Any, **named: Any) -> Any:
            return await self._faults.around(
                self._node, f"{self._name}.{method}", lambda: real(*values, **named)
            )

        return step
