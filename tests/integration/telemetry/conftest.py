"""A running telemetry process, and those who may or may not call it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

import chassis.env
import sallyport.provision.ground
from tests.conftest import KeeperFor
from tests.integration.telemetry.process import Caller, TelemetryProcess

CallerFor = Callable[[str], Awaitable[Caller]]


@pytest.fixture
async def idle_telemetry(
    ground: sallyport.provision.ground.Ground, database: chassis.env.DatabaseConfig, tmp_path: Path
) -> AsyncIterator[TelemetryProcess]:
    """A process that was not started yet."""
    process = TelemetryProcess(ground, database, tmp_path)
    yield process
    await process.end()


@pytest.fixture
async def telemetry(idle_telemetry: TelemetryProcess) -> TelemetryProcess:
    """A process that is ready."""
    await idle_telemetry.start()
    return idle_telemetry


@pytest.fixture
async def caller_for(idle_telemetry: TelemetryProcess, keeper_for: KeeperFor) -> AsyncIterator[CallerFor]:
    """`await caller_for("gateway")`: an identity with a channel to the process."""
    async with AsyncExitStack() as stack:

        async def connect(identity: str) -> Caller:
            caller = Caller(await keeper_for(identity), idle_telemetry.address)
            stack.push_async_callback(caller.channel.close)
            return caller

        yield connect
