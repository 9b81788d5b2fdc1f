"""The engines as parts of the stack: an engine that was killed is started the same way as the first time."""

from typing import Protocol

import sallyport.engines.child
from sallyport.supervisor import PartFailed


class Engine(Protocol):
    """What PostgreSQL and OpenBao have in common."""

    async def start(self) -> None:
        """Return when it serves; raises EngineFailed."""
        ...

    async def wait(self) -> object:
        """Return when it has ended."""
        ...

    async def stop(self) -> None:
        """End it in good order."""
        ...


class EnginePart:
    """An engine under the supervisor's eye; `process` is the one whose end means the engine's end."""

    def __init__(self, name: str, engine: Engine, process: sallyport.engines.child.Child) -> None:
        self._name = name
        self._engine = engine
        self._process = process

    @property
    def name(self) -> str:
        """What people call it."""
        return self._name

    @property
    def pid(self) -> int | None:
        """The engine's process while it runs."""
        return self._process.pid if self._process.is_running else None

    async def start(self) -> None:
        """Start the engine.

        Raises:
            PartFailed: it did not come up.
        """
        try:
            await self._engine.start()
        except sallyport.engines.child.EngineFailed as error:
            raise PartFailed(str(error)) from error

    async def wait(self) -> int:
        """Return once the engine has ended; its exit code tells nobody anything."""
        await self._engine.wait()
        return 0

    async def stop(self) -> None:
        """Stop the engine."""
        await self._engine.stop()
