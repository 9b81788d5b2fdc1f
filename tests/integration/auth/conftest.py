"""A running auth on real engines, an Amazon that answers, a telemetry that records, and those who call."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import chassis.db
import chassis.env
import sallyport.provision
import sallyport.provision.database
import sallyport.provision.ground
from fakes.auth_amazon_server import AmazonServer
from tests.conftest import KeeperFor
from tests.integration.auth.process import AuthProcess, Caller, Safe, Telemetry
from tests.integration.auth.story import Story

ProcessFor = Callable[[str], Awaitable[AuthProcess]]
CallerFor = Callable[[str, AuthProcess], Awaitable[Caller]]
Owner = Callable[[], Awaitable[chassis.db.Connection]]


@pytest.fixture
async def amazon_server(tmp_path: Path) -> AsyncIterator[AmazonServer]:
    async with AmazonServer().serve(tmp_path) as server:
        yield server


@pytest.fixture
async def telemetry(keeper_for: KeeperFor) -> Telemetry:
    """Listening from `process_for` on."""
    return Telemetry(await keeper_for("telemetry"))


@pytest.fixture
async def safe(keeper_for: KeeperFor) -> Safe:
    """Listening from `process_for` on."""
    return Safe(await keeper_for("retention"))


@dataclass(frozen=True)
class Peers:
    """Whom auth calls."""

    amazon: AmazonServer
    telemetry: Telemetry
    safe: Safe


@pytest.fixture
def peers(amazon_server: AmazonServer, telemetry: Telemetry, safe: Safe) -> Peers:
    return Peers(amazon_server, telemetry, safe)


@pytest.fixture
async def process_for(
    ground: sallyport.provision.ground.Ground,
    database: chassis.env.DatabaseConfig,
    peers: Peers,
    tmp_path: Path,
) -> AsyncIterator[ProcessFor]:
    """`await process_for("first")`: a ready process; all of them share database, Amazon and telemetry."""
    async with AsyncExitStack() as stack:
        telemetry = await stack.enter_async_context(peers.telemetry.serve())
        retention = await stack.enter_async_context(peers.safe.serve())

        async def start(name: str) -> AuthProcess:
            process = AuthProcess(
                ground,
                database,
                amazon=peers.amazon,
                telemetry=telemetry,
                retention=retention,
                log_file=tmp_path / f"{name}.log",
            )
            stack.push_async_callback(process.end)
            await process.start()
            return process

        yield start


@pytest.fixture
async def caller_for(keeper_for: KeeperFor) -> AsyncIterator[CallerFor]:
    """`await caller_for("gateway", process)`: an identity with a channel to a process."""
    async with AsyncExitStack() as stack:

        async def connect(identity: str, process: AuthProcess) -> Caller:
            caller = Caller(await keeper_for(identity), process)
            stack.push_async_callback(caller.channel.close)
            return caller

        yield connect


@pytest.fixture
async def process(process_for: ProcessFor) -> AuthProcess:
    return await process_for("auth")


@pytest.fixture
async def story(process: AuthProcess, caller_for: CallerFor, amazon_server: AmazonServer) -> Story:
    """Everybody who takes part in one seller's beginnings."""
    gateway = await caller_for("gateway", process)
    console = await caller_for("console", process)
    return Story(
        gateway=gateway.service,
        people=gateway.people,
        authorization=gateway.authorization,
        console=console.admin,
        sellers=console.sellers,
        amazon=amazon_server,
    )


@pytest.fixture
async def owner(
    ground: sallyport.provision.ground.Ground, database: chassis.env.DatabaseConfig
) -> AsyncIterator[chassis.db.Connection]:
    """The owner of the schema: who holds a dump of the database, or tampers with it."""
    async with _signed_in(ground, database.name) as connection:
        yield connection


@asynccontextmanager
async def _signed_in(
    ground: sallyport.provision.ground.Ground, name: str
) -> AsyncIterator[chassis.db.Connection]:
    async with sallyport.provision.database.signed_in(
        ground.postgres, ground.openbao, role=sallyport.provision.OWNER, database=name
    ) as connection:
        yield connection
