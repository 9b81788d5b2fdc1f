"""One service as the process that operators run: started, sent signals, and asked how it does."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import aiohttp

import chassis.env
import sallyport.provision.ground
import sallyport.provision.handout
from tests.conftest import free_port

ROOT = Path(__file__).parents[2]
LOOPBACK = "127.0.0.1"
POLL_S = 0.05
START_S_MAX = 40.0
LOG_S_MAX = 10.0


class ServiceProcess:
    """One process of a service; started again after it has ended, it has the same ports.

    Args:
        name: of the service.
        log_file: takes what it writes.
        environ: what it is told, but for where probes find it.
    """

    def __init__(self, name: str, *, log_file: Path, environ: Mapping[str, str]) -> None:
        self.private_address = chassis.env.Address(LOOPBACK, free_port())
        self.log_file = log_file
        self.environ = {**environ, "SALLYPORT_PRIVATE_LISTEN": str(self.private_address)}
        self._name = name
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process's id, while it runs."""
        return self._started.pid

    async def start(self) -> None:
        """Return once it is ready."""
        await self.spawn()
        await until(self.is_ready, limit_s=START_S_MAX)

    async def spawn(self, changes: Mapping[str, str] | None = None) -> None:
        """Start it, with changes to its environment, without waiting."""
        with self.log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                f"services.{self._name}",
                cwd=ROOT,
                env={"PATH": os.defpath, **self.environ, **(changes or {})},
                stdout=log,
                stderr=log,
            )

    async def wait(self) -> int:
        """Return its exit code."""
        return await self._started.wait()

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal, and return its exit code once it has ended."""
        if self._started.returncode is None:
            self._started.send_signal(number)
        return await self._started.wait()

    async def end(self) -> None:
        """Make sure that nothing is left of it."""
        if self._process is not None:
            await self.stop(signal.SIGKILL)

    async def is_ready(self) -> bool:
        """Return what /readyz says; False while nobody answers."""
        try:
            async with aiohttp.ClientSession() as session, session.get(self.ready_url) as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def metrics(self) -> str:
        """Return what /metrics says."""
        async with aiohttp.ClientSession() as session, session.get(self.metrics_url) as answer:
            return await answer.text()

    async def logged(self, words: str) -> str:
        """Return what it has logged, once that holds these words: lines may be written a little late."""

        async def are_written() -> bool:
            return words in self.log_file.read_text()

        await until(are_written, limit_s=LOG_S_MAX)
        return self.log_file.read_text()

    @property
    def ready_url(self) -> str:
        """Where it tells whether it is ready."""
        return f"http://{self.private_address}/readyz"

    @property
    def metrics_url(self) -> str:
        """Where it tells its numbers."""
        return f"http://{self.private_address}/metrics"

    @property
    def _started(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process


def engine_settings(
    ground: sallyport.provision.ground.Ground, database: chassis.env.DatabaseConfig, name: str
) -> Mapping[str, str]:
    """Return how a service reaches its key service and its database."""
    vault = sallyport.provision.handout.vault_config(ground.openbao, ground.folder, name)
    return {
        **sallyport.provision.handout.vault_settings(vault),
        **sallyport.provision.handout.database_settings(database),
    }


async def until(is_so: Callable[[], Awaitable[bool]], *, limit_s: float) -> None:
    """Return once something is so; a test that waits longer fails."""
    async with asyncio.timeout(limit_s):
        for _ in range(int(limit_s / POLL_S) + 1):
            if await is_so():
                return
            await asyncio.sleep(POLL_S)
    raise TimeoutError
