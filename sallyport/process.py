"""A child process of the console: its own session, its own log file, gone when the console is gone."""

import asyncio
import ctypes
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from sallyport.supervisor import PartFailed

PR_SET_PDEATHSIG = 1
HEALTHY_WITHIN_S = 40.0
STOPPED_WITHIN_S = 25.0
PROBE_EVERY_S = 0.1
LOG_TAIL_BYTES = 2_000


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run and how to tell that it is healthy.

    Args:
        command: the program and its arguments.
        environ: its whole environment.
        health_url: answers 200 over plain HTTP on loopback when the program is ready.
        log: its standard output and error are appended here.
    """

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str]
    health_url: str
    log: Path


class Process:
    """One running `Program`; a `supervisor.Part`."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._process: asyncio.subprocess.Process | None = None

    @property
    def name(self) -> str:
        """The program's name."""
        return self._program.name

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Start the program and return when its health URL answers 200.

        Raises:
            PartFailed: it ended, or was not healthy within HEALTHY_WITHIN_S.
        """
        self._program.log.parent.mkdir(parents=True, exist_ok=True)
        with self._program.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._program.command,
                env=dict(self._program.environ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        await self._become_healthy()

    async def wait(self) -> int:
        """Return the exit code once the process has ended."""
        if self._process is None:
            return 0
        return await self._process.wait()

    async def stop(self) -> None:
        """Ask it to end, and end it when it has not within STOPPED_WITHIN_S."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOPPED_WITHIN_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def _become_healthy(self) -> None:
        try:
            async with asyncio.timeout(HEALTHY_WITHIN_S), aiohttp.ClientSession() as session:
                while not await self._is_healthy(session):  # noqa: ASYNC110 - another process has no event
                    await asyncio.sleep(PROBE_EVERY_S)
        except TimeoutError:
            await self.stop()
            raise PartFailed(self._complaint(f"was not healthy within {HEALTHY_WITHIN_S:.0f} s")) from None

    async def _is_healthy(self, session: aiohttp.ClientSession) -> bool:
        if self.pid is None:
            code = await self.wait()
            raise PartFailed(self._complaint(f"ended with exit code {code}"))
        try:
            async with session.get(self._program.health_url) as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def _complaint(self, what: str) -> str:
        tail = self._program.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace").strip()
        last = tail.splitlines()[-1] if tail else "its log is empty"
        return f"{self.name} {what}: {last} (whole log: {self._program.log})"


def die_with_parent() -> None:
    """In a child before exec: have the kernel end it when the console dies, however it dies."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
