"""Real engines, and a whole stack of real processes: each started once, when the first test asks for it."""

import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import pytest

import chassis.clock
import chassis.db
import chassis.env
import chassis.identity
import chassis.rpc
import chassis.vault
import sallyport.engines.openbao
import sallyport.engines.postgres
import sallyport.provision
import sallyport.provision.database
import sallyport.provision.ground
import sallyport.provision.handout
from tests.stage import layout, scene, stack

__all__ = ["layout", "scene", "stack"]

VaultFor = Callable[[str], Awaitable[chassis.vault.Vault]]
KeeperFor = Callable[[str], Awaitable[chassis.identity.Keeper]]
PoolFor = Callable[[str], Awaitable[chassis.db.Pool]]

CERTIFICATE_S = 3600.0
MEMORY = Path("/dev/shm")
MEMORY_BYTES_MIN = 2 * 1024**3
_databases = count(1)


def free_port() -> int:
    """Return a loopback port that nobody listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def state_folder() -> Iterator[Path]:
    """A state folder, in memory where there is room: the engines sync every commit, and disks are slow.

    Not below pytest's own folder, which every test session closes to others: Postgres' user must reach it.
    """
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES_MIN
    folder = Path(tempfile.mkdtemp(prefix="sallyport-test-", dir=MEMORY if has_room else None))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
async def ground(state_folder: Path) -> AsyncIterator[sallyport.provision.ground.Ground]:
    """Both engines, provisioned, with every migration applied."""
    ports = {"postgres_port": free_port(), "vault_port": free_port()}
    async with sallyport.provision.ground.open_ground(state_folder, **ports) as opened:
        yield opened


@pytest.fixture(scope="session")
def openbao(ground: sallyport.provision.ground.Ground) -> sallyport.engines.openbao.OpenBao:
    """The real key service; a test that seals or kills it starts it again."""
    return ground.openbao


@pytest.fixture(scope="session")
def postgres(ground: sallyport.provision.ground.Ground) -> sallyport.engines.postgres.Postgres:
    """The real database server; a test that kills it starts it again."""
    return ground.postgres


@pytest.fixture(scope="session")
async def vault_for(ground: sallyport.provision.ground.Ground) -> AsyncIterator[VaultFor]:
    """`await vault_for("auth")`: a client logged in as an identity, the same one for the whole session."""
    clients: dict[str, chassis.vault.Vault] = {}
    async with AsyncExitStack() as stack:

        async def open_client(identity: str) -> chassis.vault.Vault:
            if identity not in clients:
                config = sallyport.provision.handout.vault_config(ground.openbao, ground.folder, identity)
                vault = await chassis.vault.connect(config, chassis.clock.SystemClock())
                clients[identity] = await stack.enter_async_context(vault)
            return clients[identity]

        yield open_client


@pytest.fixture(scope="session")
async def keeper_for(vault_for: VaultFor) -> KeeperFor:
    """`await keeper_for("auth")`: the keeper of an identity's certificate, with one already issued."""
    keepers: dict[str, chassis.identity.Keeper] = {}

    async def start_keeper(identity: str) -> chassis.identity.Keeper:
        if identity not in keepers:
            vault = await vault_for(identity)
            keepers[identity] = chassis.identity.Keeper(
                lambda: vault.issue_certificate(identity, (f"{identity}.sallyport.internal",), CERTIFICATE_S),
                chassis.clock.SystemClock(),
            )
            await keepers[identity].start()
        return keepers[identity]

    return start_keeper


@pytest.fixture
async def database(
    ground: sallyport.provision.ground.Ground,
) -> AsyncIterator[chassis.env.DatabaseConfig]:
    """A database for one test: all schemas and tables, no rows."""
    name = f"test_{next(_databases)}"
    superuser = {"role": "postgres", "database": "postgres"}
    async with sallyport.provision.database.signed_in(
        ground.postgres, ground.openbao, **superuser
    ) as connection:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {sallyport.provision.DATABASE}")
        await connection.execute(f"ALTER DATABASE {name} OWNER TO {sallyport.provision.OWNER}")
        await connection.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        for service in sallyport.provision.SERVICES_WITH_STORE:
            await connection.execute(f"GRANT CONNECT ON DATABASE {name} TO {service}")
    yield sallyport.provision.handout.database_config(ground.postgres, name)
    async with sallyport.provision.database.signed_in(
        ground.postgres, ground.openbao, **superuser
    ) as connection:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def pool_for(database: chassis.env.DatabaseConfig, keeper_for: KeeperFor) -> AsyncIterator[PoolFor]:
    """`await pool_for("auth")`: a pool of a service's role on the test's own database."""
    async with AsyncExitStack() as stack:

        async def open_pool(service: str) -> chassis.db.Pool:
            pool = await chassis.db.open_pool(database, service, await keeper_for(service))
            stack.push_async_callback(pool.close)
            return pool

        yield open_pool
