"""Keeps the parts of one machine's stack running: up in order, restarted when they die, down in reverse.

A part is anything with a name, a process and three verbs; how it is started is its own affair.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

RESTART_DELAY_S = 0.2
RESTART_DELAY_S_MAX = 5.0


class Part(Protocol):
    """One process of the stack."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def pid(self) -> int | None:
        """The running process, or None."""

    async def start(self) -> None:
        """Start it and return when it is healthy."""

    async def wait(self) -> int:
        """Return its exit code once it has ended."""

    async def stop(self) -> None:
        """End it in order; harmless when it has already ended."""


class PartFailed(Exception):
    """A part did not become healthy; the text says which and where its log is."""


Report = Callable[[str, str], None]
"""Called with a part's name and what just became of it: "starting", "up", "died", "stopped"."""


class Supervisor:
    """Start parts with `add`, keep them alive while `run` runs, stop them with `stop`."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._parts: list[Part] = []
        self._watchers: list[asyncio.Task[None]] = []
        self._is_stopping = False

    async def add(self, part: Part) -> None:
        """Start `part` and watch it from now on.

        Raises:
            PartFailed: it did not become healthy in its time.
        """
        self._report(part.name, "starting")
        self._parts.append(part)
        await part.start()
        self._report(part.name, "up")
        self._watchers.append(asyncio.create_task(self._watch(part), name=f"watch {part.name}"))

    def pid_of(self, name: str) -> int | None:
        """Return the process id of the part called `name`, or None while it is down."""
        return next(part.pid for part in self._parts if part.name == name)

    async def stop(self) -> None:
        """Stop every part, the last started first."""
        self._is_stopping = True
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        for part in reversed(self._parts):
            await part.stop()
            self._report(part.name, "stopped")

    async def _watch(self, part: Part) -> None:
        delay_s = RESTART_DELAY_S
        while not self._is_stopping:
            await part.wait()
            self._report(part.name, "died")
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, RESTART_DELAY_S_MAX)
            # Whatever kept it down, a full disk say, the next try may do.
            with contextlib.suppress(Exception):
                await part.start()
                self._report(part.name, "up")
                delay_s = RESTART_DELAY_S
