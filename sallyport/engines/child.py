"""A program that runs beside the console and dies with it."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TETHER = Path(__file__).with_name("tether.py")
KILL_WAIT_S = 10.0
LOG_TAIL_BYTES = 2_000


class EngineFailed(Exception):
    """An engine did not do what it was asked; the text holds the end of its log."""


@dataclass(frozen=True)
class Owner:
    """The system user that a program runs as; zeros keep the console's own."""

    user_id: int = 0
    group_id: int = 0


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run.

    Attributes:
        command: program and arguments; the program by its absolute path.
        environ: the whole environment.
        folder: where it works; None for the console's own.
        owner: whom it runs as.
        stop_signal: what makes it stop in good order.
    """

    command: Sequence[str]
    environ: Mapping[str, str]
    folder: Path | None = None
    owner: Owner = Owner()
    stop_signal: signal.Signals = signal.SIGTERM


class Child:
    """One process: started, asked whether it lives, stopped; its output goes to one file.

    The file of the run before is kept beside it with the suffix `.1`.
    """

    def __init__(self, program: Program, log_file: Path) -> None:
        self._program = program
        self._log_file = log_file
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process id; zero before the first start."""
        return 0 if self._process is None else self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Return once the process exists; whether it is ready is for the engine to find out."""
        if self._log_file.exists():
            self._log_file.replace(self._log_file.with_suffix(".log.1"))
        tether = [os.getpid(), int(self._program.stop_signal)]
        owner = [self._program.owner.user_id, self._program.owner.group_id]
        with self._log_file.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(TETHER)),
                *(str(number) for number in tether + owner),
                *self._program.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self._program.environ),
                cwd=self._program.folder,
                start_new_session=True,
            )

    async def wait(self) -> int:
        """Return the exit code once the process has ended."""
        return 0 if self._process is None else await self._process.wait()

    async def stop(self, grace_s: float) -> None:
        """Return once the process has ended: asked first, killed after `grace_s` seconds."""
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(self._program.stop_signal)
        try:
            await asyncio.wait_for(self._process.wait(), grace_s)
        except TimeoutError:
            self.kill()
            await asyncio.wait_for(self._process.wait(), KILL_WAIT_S)

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    def log_tail(self) -> str:
        """Return the end of what the process has written."""
        written = self._log_file.read_bytes() if self._log_file.exists() else b""
        return written[-LOG_TAIL_BYTES:].decode("utf-8", "replace")


async def run(program: Program, log_file: Path, *, limit_s: float) -> None:
    """Return once the program has ended well.

    Raises:
        EngineFailed: it ended otherwise, or not within `limit_s`.
    """
    child = Child(program, log_file)
    await child.start()
    try:
        code = await asyncio.wait_for(child.wait(), limit_s)
    except TimeoutError:
        code = None
    finally:
        await child.stop(0.0)
    if code != 0:
        raise EngineFailed(f"{Path(program.command[0]).name} ended with {code}: {child.log_tail()}")
