"""Connections: made with the certificate of now, checked before use, and made again when they are lost."""

import asyncio
import dataclasses
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import asyncpg

import chassis.clock
import chassis.crypto.tls
import chassis.entropy
import chassis.env
import chassis.errors
import chassis.identity
import chassis.log
from chassis.db.faults import StoreUnavailable, translate, translated

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
else:
    Connection = asyncpg.Connection
    Pool = asyncpg.Pool

CONNECT_S_MAX = 5.0
ACQUIRE_S_MAX = 3.0
# A statement that was given up is first ended on the server, which may hang.
RELEASE_S_MAX = 3.0
COMMAND_S_MAX = 10.0
OPEN_S_MAX = 30.0
OPEN_PAUSE_S = 0.2
IDLE_S_MAX = 300.0
REDIAL_S_MIN = 0.1
REDIAL_S_MAX = 2.0
SERVER_SETTINGS = {
    "timezone": "UTC",
    "statement_timeout": f"{COMMAND_S_MAX:.0f}s",
    "idle_in_transaction_session_timeout": "30s",
}

_log = chassis.log.get("db")


async def open_pool(
    config: chassis.env.DatabaseConfig,
    user: str,
    keeper: chassis.identity.Keeper,
    *,
    connections_max: int = 10,
) -> Pool:
    """Return a pool with one good connection in it; close it, or use it as a context manager.

    Args:
        config: where Postgres is, and which authority vouches for it.
        user: the role; the keeper's certificate must carry it as common name.
        keeper: already started.
        connections_max: bounds what this process takes of the server.

    Raises:
        StartRefused: `synchronous_commit_required`, when commits would not wait for the disk.
        StoreUnavailable: Postgres was not there within OPEN_S_MAX.
    """
    dialer = _Dialer(config, user, keeper)
    pool = asyncpg.create_pool(
        init_size=0,
        min_size=0,
        max_size=connections_max,
        max_inactive_connection_lifetime=IDLE_S_MAX,
        connect=dialer,
        reset=_keep,
    )
    await pool
    try:
        await _first_connection(pool)
    except BaseException:
        pool.terminate()
        raise
    keeper.on_change(pool.expire_connections)
    return pool


async def connect(
    config: chassis.env.DatabaseConfig, user: str, certificate: chassis.crypto.tls.Certificate
) -> Connection:
    """Return one connection outside of any pool, e.g. for migrations; close it.

    Raises:
        StoreUnavailable: Postgres cannot be reached or refuses the certificate.
    """
    with translated():
        return await _dial(config, user, _context(config, certificate))


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """Give a connection with a transaction that commits at the end and rolls back on any error.

    Raises:
        StoreUnavailable: no connection within ACQUIRE_S_MAX, or the connection or the server failed.
    """
    async with statement(pool) as connection, connection.transaction():
        yield connection


class statement:  # noqa: N801 - used like a function, and cheaper than one made into a context manager
    """Give a connection for one statement, which is a transaction by itself: one exchange with the server.

    Raises:
        StoreUnavailable: no connection within ACQUIRE_S_MAX, or the connection or the server failed.
    """

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __aenter__(self) -> Connection:
        with translated():
            self._connection = await _acquired(self._pool)
        # The pool's proxy offers all that a connection offers.
        return cast("Connection", self._connection)

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, asyncpg.InternalClientError):
            # asyncpg lost its place on it, as it may when the server dies.
            self._connection.terminate()
        with translated():
            await self._pool.release(self._connection, timeout=RELEASE_S_MAX)
        translate(error)


def rows_affected(status: str) -> int:
    """Return how many rows a statement changed, by what `Connection.execute` told of it, e.g. "DELETE 7"."""
    return int(status.rpartition(" ")[2])


async def _acquired(pool: Pool) -> "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]":
    """Return a connection; a timeout of our own spares the task that asyncpg makes for one of its own."""
    try:
        async with asyncio.timeout(ACQUIRE_S_MAX):
            return await pool.acquire()
    except chassis.errors.StartRefused as error:
        # Somebody switched synchronous_commit off while we run.
        raise StoreUnavailable from error


class _Dialer:
    """Opens a pool's connections: each with the certificate of now, and with pauses while that fails."""

    def __init__(
        self, config: chassis.env.DatabaseConfig, user: str, keeper: chassis.identity.Keeper
    ) -> None:
        self._config = config
        self._user = user
        self._tls = chassis.crypto.tls.CurrentContext(
            lambda: keeper.current, lambda certificate: _context(config, certificate)
        )
        self._clock = chassis.clock.SystemClock()
        self._entropy = chassis.entropy.SystemEntropy()
        self._pause_s = 0.0
        self._next_at_s = 0.0

    async def __call__(self, *_: object, **options: Any) -> Connection:
        if self._clock.monotonic_s() < self._next_at_s:
            raise StoreUnavailable
        try:
            connection = await _dial(self._config, self._user, self._tls(), **options)
        except Exception:
            self._pause_s = min(max(self._pause_s * 2, REDIAL_S_MIN), REDIAL_S_MAX)
            self._next_at_s = self._clock.monotonic_s() + self._entropy.uniform(0.5, 1.0) * self._pause_s
            raise
        self._pause_s = 0.0
        return connection


async def _first_connection(pool: Pool) -> None:
    clock = chassis.clock.SystemClock()
    deadline_s = clock.monotonic_s() + OPEN_S_MAX
    while True:
        try:
            with translated():
                async with pool.acquire():
                    return
        except StoreUnavailable as error:
            if clock.monotonic_s() > deadline_s:
                raise
            _log.warning("store_awaited", error=error)
            await clock.sleep(OPEN_PAUSE_S)


async def _dial(
    config: chassis.env.DatabaseConfig, user: str, tls: ssl.SSLContext, **options: Any
) -> Connection:
    connection: Connection = await asyncpg.connect(
        host=config.host,
        port=config.port,
        database=config.name,
        user=user,
        ssl=tls,
        timeout=CONNECT_S_MAX,
        command_timeout=COMMAND_S_MAX,
        server_settings={"application_name": user, **SERVER_SETTINGS},
        **options,
    )
    if await connection.fetchval("SHOW synchronous_commit") != "on":
        await connection.close()
        raise chassis.errors.StartRefused(
            "synchronous_commit_required", "synchronous_commit is off; switch it on in Postgres"
        )
    return connection


def _context(
    config: chassis.env.DatabaseConfig, certificate: chassis.crypto.tls.Certificate
) -> ssl.SSLContext:
    trusting = dataclasses.replace(certificate, ca_pem=config.ca_file.read_bytes())
    return chassis.crypto.tls.client_context(trusting)


async def _keep(connection: object) -> None:
    """Leave a connection as it is for the next user, and save the exchange that would clean it.

    Nothing here outlives its transaction: locks and settings are the transactions' own. asyncpg itself sees
    to listeners, and to a transaction that was left open.
    """
