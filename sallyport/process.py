"""A service as a part of the stack: a child process that is up when its health URL says so."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

import sallyport.engines.child
from sallyport.supervisor import PartFailed

HEALTHY_WITHIN_S = 40.0
STOP_GRACE_S = 25.0
PROBE_EVERY_S = 0.1
PROBE_TIMEOUT_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run and how to tell that it is healthy.

    Attributes:
        command: the program, by its absolute path, and its arguments.
        environ: its whole environment.
        health_url: answers 200 over plain HTTP on loopback when the program is ready.
        log_file: its standard output and error.
    """

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str]
    health_url: str
    log_file: Path


class Process:
    """One running `Program`; a `supervisor.Part`."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._child = sallyport.engines.child.Child(
            sallyport.engines.child.Program(command=program.command, environ=program.environ),
            program.log_file,
        )

    @property
    def name(self) -> str:
        """The program's name."""
        return self._program.name

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._child.pid if self._child.is_running else None

    async def start(self) -> None:
        """Start the program and return when its health URL answers 200.

        Raises:
            PartFailed: it ended, or was not healthy within HEALTHY_WITHIN_S.
        """
        await self._child.start()
        try:
            async with asyncio.timeout(HEALTHY_WITHIN_S):
                await self._become_healthy()
        except TimeoutError:
            await self.stop()
            raise PartFailed(self._complaint(f"was not healthy within {HEALTHY_WITHIN_S:.0f} s")) from None

    async def wait(self) -> int:
        """Return the exit code once the process has ended."""
        return await self._child.wait()

    async def stop(self) -> None:
        """Ask it to end, and end it when it has not within STOP_GRACE_S."""
        await self._child.stop(STOP_GRACE_S)

    async def _become_healthy(self) -> None:
        timeout = aiohttp.ClientTimeout(total=PROBE_TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while not await self._is_healthy(session):  # noqa: ASYNC110 - another process has no event
                await asyncio.sleep(PROBE_EVERY_S)

    async def _is_healthy(self, session: aiohttp.ClientSession) -> bool:
        if not self._child.is_running:
            raise PartFailed(self._complaint(f"ended with exit code {await self.wait()}"))
        try:
            async with session.get(self._program.health_url) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _complaint(self, what: str) -> str:
        lines = self._child.log_tail().strip().splitlines()
        last = lines[-1] if lines else "its log is empty"
        return f"{self.name} {what}: {last} (whole log: {self._program.log_file})"
