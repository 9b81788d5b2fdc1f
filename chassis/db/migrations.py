"""Bringing a schema up to date: forward only, each file once, each as it first ran."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import chassis.errors
import chassis.log
from chassis.db.faults import translated
from chassis.db.pool import Connection

MIGRATIONS_MAX = 1_000
LOCK_S_MAX = 60.0
MIGRATION_S_MAX = 600.0
MIGRATION_FORM = re.compile(r"(?P<number>[0-9]{4})_[a-z0-9_]+\.sql", re.ASCII)
SCHEMA_FORM = re.compile(r"[a-z][a-z_]{0,30}", re.ASCII)

_log = chassis.log.get("db")


async def migrate(connection: Connection, schema: str, folder: Path) -> list[str]:
    """Bring a schema up to date, and return the names of the migrations applied now, in order.

    Each file `0001_words.sql` runs once, in its own transaction, with `schema` first on the search path. What
    ran is recorded in `<schema>.migrations`. Migrations that the database has and the folder has not are left
    alone: an older release runs on a newer schema (R-26). Numbers only order the files: one may be missing,
    so that changes made side by side need not wait for each other, and runs when it comes.

    Args:
        connection: of the role that owns the schema.
        schema: exists already.
        folder: an absent one means that there are no migrations.

    Raises:
        StartRefused: `migration_invalid` for a file name out of form or order, `migration_changed` for a file
            that differs from what ran.
        StoreUnavailable: the connection or the server failed, or another migration did not end within
            LOCK_S_MAX.
    """
    if not SCHEMA_FORM.fullmatch(schema):
        raise ValueError("a schema is named with lower-case letters")
    migrations = _read_migrations(folder)
    with translated():
        await connection.execute(f"SET statement_timeout = '{MIGRATION_S_MAX:.0f}s'")
        await connection.execute(
            "SELECT pg_advisory_lock(hashtextextended($1, 0))",
            f"migrations {schema}",
            timeout=LOCK_S_MAX,
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
    migrations: list[_Migration] = []
    for file in files:
        match = MIGRATION_FORM.fullmatch(file.name)
        if match is None:
            raise chassis.errors.StartRefused("migration_invalid", f"{file.name} is not named NNNN_words.sql")
        number = int(match["number"])
        if migrations and number == migrations[-1].number:
            raise chassis.errors.StartRefused("migration_invalid", f"{file.name} has a number that is taken")
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
