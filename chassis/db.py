"""Postgres: connections that prove who they are, transactions, and migrations.

- A connection is TLS 1.3 with the server's certificate and name checked, and shows the process's own
  certificate; there is no password. After the certificate was renewed, connections made with the old one
  are replaced as they come back to the pool.
- A connection on which a commit would not wait for the disk is not used (R-03).
- When Postgres is away callers get `store_unavailable` at once, new connections are tried with growing,
  spread pauses, and work goes on by itself when it is back (R-05).
- Faults of the connection and of the machine are translated here. What a statement itself did wrong, such
  as a violated constraint, is for the store that sent it.
"""

import dataclasses
import hashlib
import re
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import asyncpg

import chassis.clock
import chassis.crypto.tls
import chassis.entropy
import chassis.env
import chassis.errors
import chassis.identity
import chassis.log

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
else:
    Connection = asyncpg.Connection
    Pool = asyncpg.Pool

CONNECT_S_MAX = 5.0
ACQUIRE_S_MAX = 3.0
COMMAND_S_MAX = 10.0
OPEN_S_MAX = 30.0
OPEN_PAUSE_S = 0.2
IDLE_S_MAX = 300.0
REDIAL_S_MIN = 0.1
REDIAL_S_MAX = 2.0
MIGRATIONS_MAX = 1_000
MIGRATION_LOCK_S_MAX = 60.0
MIGRATION_S_MAX = 600.0
SERVER_SETTINGS = {
    "timezone": "UTC",
    "statement_timeout": f"{COMMAND_S_MAX:.0f}s",
    "idle_in_transaction_session_timeout": "30s",
}
MIGRATION_FORM = re.compile(r"(?P<number>[0-9]{4})_[a-z0-9_]+\.sql", re.ASCII)
SCHEMA_FORM = re.compile(r"[a-z][a-z_]{0,30}", re.ASCII)

# SQLSTATE classes, and single states, that say nothing about the statement: the store is away, full,
# shutting down, no longer the primary, or two transactions met. Source: PostgreSQL, appendix A.
FAULT_CLASSES = ("08", "28", "40", "53", "57", "58", "XX")
FAULT_STATES = frozenset({"25006", "55P03"})

_log = chassis.log.get("db")


class StoreUnavailable(chassis.errors.Unavailable):
    """Postgres is away, full or too slow. A commit that was under way may have happened (R-04)."""

    code = "store_unavailable"
    text = "The store cannot answer right now."


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
    with _translated():
        return await _dial(config, user, _context(config, certificate))


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """Give a connection with a transaction that commits at the end and rolls back on any error.

    Raises:
        StoreUnavailable: no connection within ACQUIRE_S_MAX, or the connection or the server failed.
    """
    try:
        with _translated():
            async with pool.acquire(timeout=ACQUIRE_S_MAX) as connection, connection.transaction():
                # The pool's proxy offers all that a connection offers.
                yield cast("Connection", connection)
    except chassis.errors.StartRefused as error:
        # Somebody switched synchronous_commit off while we run.
        raise StoreUnavailable from error


async def migrate(connection: Connection, schema: str, folder: Path) -> list[str]:
    """Bring a schema up to date, and return the names of the migrations applied now, in order.

    Each file `0001_words.sql` runs once, in its own transaction, with `schema` first on the search path. What
    ran is recorded in `<schema>.migrations`. Migrations that the database has and the folder has not are left
    alone: an older release runs on a newer schema (R-26).

    Args:
        connection: of the role that owns the schema.
        schema: exists already.
        folder: an absent one means that there are no migrations.

    Raises:
        StartRefused: `migration_invalid` for a file name out of form or order, `migration_changed` for a file
            that differs from what ran.
        StoreUnavailable: the connection or the server failed, or another migration did not end within
            MIGRATION_LOCK_S_MAX.
    """
    if not SCHEMA_FORM.fullmatch(schema):
        raise ValueError("a schema is named with lower-case letters")
    migrations = _read_migrations(folder)
    with _translated():
        await connection.execute(f"SET statement_timeout = '{MIGRATION_S_MAX:.0f}s'")
        await connection.execute(
            "SELECT pg_advisory_lock(hashtextextended($1, 0))",
            f"migrations {schema}",
            timeout=MIGRATION_LOCK_S_MAX,
        )
        try:
            await connection.execute(_ensure_record(schema))
            applied = await _applied(connection, schema)
            fresh = [migration for migration in migrations if not _is_applied(migration, applied)]
            for migration in fresh:
                await _apply(connection, schema, migration)
        finally:
            await connection.execute(
                "SELECT pg_advisory_unlock(hashtextextended($1, 0))", f"migrations {schema}"
            )
    return [migration.name for migration in fresh]


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
            with _translated():
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


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except chassis.errors.SallyportError:
        raise
    except Exception as error:
        if not _is_fault(error):
            raise
        raise StoreUnavailable from error


def _is_fault(error: Exception) -> bool:
    """Return whether an error is the store's, and not the statement's."""
    match error:
        case OSError() | asyncpg.OutdatedSchemaCacheError() | asyncpg.InvalidCachedStatementError():
            return True
        case asyncpg.PostgresError():
            state = error.sqlstate or ""
            return state.startswith(FAULT_CLASSES) or state in FAULT_STATES
        case asyncpg.InterfaceError():
            # Those that are also ValueErrors are about arguments; the others mean a closed connection.
            return not isinstance(error, ValueError)
    return False


@dataclass(frozen=True)
class _Migration:
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def _read_migrations(folder: Path) -> Sequence[_Migration]:
    files = sorted(folder.glob("*.sql"))[:MIGRATIONS_MAX]
    migrations = []
    for number, file in enumerate(files, start=1):
        match = MIGRATION_FORM.fullmatch(file.name)
        if match is None or int(match["number"]) != number:
            raise chassis.errors.StartRefused(
                "migration_invalid", f"{file.name} is not named NNNN_words.sql in order"
            )
        migrations.append(_Migration(number, file.stem, file.read_text(encoding="utf-8")))
    return migrations


def _ensure_record(schema: str) -> str:
    return f"""
        CREATE TABLE IF NOT EXISTS {schema}.migrations (
            number integer PRIMARY KEY,
            name text NOT NULL,
            checksum text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )"""


async def _applied(connection: Connection, schema: str) -> dict[int, str]:
    rows = await connection.fetch(
        f"SELECT number, checksum FROM {schema}.migrations"  # noqa: S608 - the schema's form was checked
    )
    return {row["number"]: row["checksum"] for row in rows}


def _is_applied(migration: _Migration, applied: dict[int, str]) -> bool:
    if applied.get(migration.number, migration.checksum) != migration.checksum:
        raise chassis.errors.StartRefused(
            "migration_changed", f"{migration.name} was changed after it ran; write a new migration instead"
        )
    return migration.number in applied


async def _apply(connection: Connection, schema: str, migration: _Migration) -> None:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL search_path TO {schema}")
        await connection.execute(migration.sql, timeout=MIGRATION_S_MAX)
        await connection.execute(
            f"INSERT INTO {schema}.migrations (number, name, checksum) VALUES ($1, $2, $3)",  # noqa: S608 - as above
            migration.number,
            migration.name,
            migration.checksum,
        )
    _log.info("migration_applied", schema=schema, migration=migration.name)
