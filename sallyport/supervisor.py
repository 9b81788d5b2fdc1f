"""Keeps the parts of one machine's stack running: up in order, restarted when they die, down in reverse.

- A part is anything with a name, a process and three verbs; how it is started is its own affair.
- What keeps one from coming up again is told, and it is tried again, however long that takes.
- One that cannot be stopped keeps none of the others up; nor does a report that nobody reads any more.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

import chassis.secrecy

RESTART_DELAY_S = 0.2
RESTART_DELAY_S_MAX = 5.0
# Of what an error says, which may end with a log: the end of it.
REASON_LINES_MAX = 3


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
    """A part did not become healthy, or did not end; the text says which, and where its log or process is."""


Report = Callable[[str, str], None]
"""Called with a part's name and what just became of it, in one line.

"starting", "up", "died", "stopped", or with what was in the way "not up: …" and "not stopped: …".
"""


class Supervisor:
    """Start parts with `add` and keep them alive; all are stopped when the supervisor is left.

    Leaving it raises PartFailed when a part did not stop, unless something else had gone wrong before.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._parts: list[Part] = []
        self._watchers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Return the supervisor, with no part yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop every part."""
        unstopped = await self.stop()
        if unstopped and not isinstance(error, Exception):
            raise PartFailed(f"not stopped: {', '.join(unstopped)}")

    async def add(self, part: Part) -> None:
        """Start `part` and watch it from now on.

        Raises:
            PartFailed: it did not become healthy in its time, or the system refused what it needs.
        """
        self._report(part.name, "starting")
        self._parts.append(part)
        try:
            await part.start()
        except OSError as error:
            raise PartFailed(f"{part.name}: {_reason(error)}") from error
        self._report(part.name, "up")
        self._watchers.append(asyncio.create_task(self._watch(part), name=f"watch {part.name}"))

    def pid_of(self, name: str) -> int | None:
        """Return the process id of the part called `name`, or None while it is down."""
        return next(part.pid for part in self._parts if part.name == name)

    async def stop(self) -> Sequence[str]:
        """Stop every part, the last started first, whatever the others do; return those that did not stop."""
        unstopped = []
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        for part in reversed(self._parts):
            try:
                await part.stop()
            except Exception as error:  # noqa: BLE001 - the others are still to be stopped
                self._tell(part, f"not stopped: {_reason(error)}")
                unstopped.append(f"{part.name} (process {part.pid})")
            else:
                self._tell(part, "stopped")
        return unstopped

    async def _watch(self, part: Part) -> None:
        while True:
            await part.wait()
            self._tell(part, "died")
            await self._start_again(part)
            self._tell(part, "up")

    async def _start_again(self, part: Part) -> None:
        delay_s = RESTART_DELAY_S
        while True:
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, RESTART_DELAY_S_MAX)
            try:
                await part.start()
            except Exception as error:  # noqa: BLE001 - whatever it was, a full disk say, the next try may do
                self._tell(part, f"not up: {_reason(error)}")
            else:
                return

    def _tell(self, part: Part, event: str) -> None:
        # Whoever read may have gone; the parts are no less in need of care.
        with contextlib.suppress(OSError):
            self._report(part.name, event)


def _reason(error: Exception) -> str:
    """Return the end of what an error says, in one line and without credentials."""
    words = (
        str(error) if isinstance(error, PartFailed) else f"{type(error).__name__}: {error}".removesuffix(": ")
    )
    lines = [line.strip() for line in chassis.secrecy.scrub(words).splitlines()]
    return " / ".join(line for line in lines[-REASON_LINES_MAX:] if line)
