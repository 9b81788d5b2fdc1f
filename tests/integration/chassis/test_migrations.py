"""Migrations on a real Postgres: each runs once, in order, whole, and stays as it ran."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest

import chassis.db
import chassis.env
import chassis.errors
import sallyport.provision
import sallyport.provision.database
import sallyport.provision.ground
from tests.conftest import PoolFor

CREATE = "CREATE TABLE letters (letter text PRIMARY KEY);"
FORBIDDEN = (
    "CREATE TABLE {own}.mine (number integer)",
    "CREATE TABLE public.mine (number integer)",
    "CREATE TEMPORARY TABLE mine (number integer)",
    "CREATE SCHEMA mine",
    "DELETE FROM {own}.migrations",
    "SELECT * FROM {other}.migrations",
    "SET ROLE sallyport_owner",
    "COPY (SELECT 1) TO PROGRAM 'true'",
)
FILL = "INSERT INTO letters VALUES ('a'), ('b');"


@pytest.fixture
async def owners(
    ground: sallyport.provision.ground.Ground, database: chassis.env.DatabaseConfig
) -> AsyncIterator[list[chassis.db.Connection]]:
    """Two connections of the owner to a database whose schema `trial` is empty."""
    async with AsyncExitStack() as stack:
        connections = [
            await stack.enter_async_context(
                sallyport.provision.database.signed_in(
                    ground.postgres, ground.openbao, role=sallyport.provision.OWNER, database=database.name
                )
            )
            for _ in range(2)
        ]
        await connections[0].execute("CREATE SCHEMA trial")
        yield connections


@pytest.fixture
def owner(owners: list[chassis.db.Connection]) -> chassis.db.Connection:
    return owners[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_letters.sql").write_text(CREATE)
    (tmp_path / "0002_first_letters.sql").write_text(FILL)
    return tmp_path


async def _letters(connection: chassis.db.Connection) -> list[str]:
    rows = await connection.fetch("SELECT letter FROM trial.letters ORDER BY letter")
    return [row["letter"] for row in rows]


async def test_migrations_run_in_order_into_their_schema(owner: chassis.db.Connection, folder: Path) -> None:
    assert await chassis.db.migrate(owner, "trial", folder) == ["0001_letters", "0002_first_letters"]
    assert await _letters(owner) == ["a", "b"]


async def test_migrations_run_once(owner: chassis.db.Connection, folder: Path) -> None:
    await chassis.db.migrate(owner, "trial", folder)
    assert await chassis.db.migrate(owner, "trial", folder) == []
    (folder / "0003_more.sql").write_text("INSERT INTO letters VALUES ('c')")
    assert await chassis.db.migrate(owner, "trial", folder) == ["0003_more"]
    assert await _letters(owner) == ["a", "b", "c"]


async def test_two_starts_at_once_run_each_migration_once(
    owners: list[chassis.db.Connection], folder: Path
) -> None:
    both = await asyncio.gather(*(chassis.db.migrate(owner, "trial", folder) for owner in owners))
    assert sorted(both) == [[], ["0001_letters", "0002_first_letters"]]


async def test_failing_migration_leaves_nothing_of_itself_R12(
    owner: chassis.db.Connection, folder: Path
) -> None:
    (folder / "0003_broken.sql").write_text("INSERT INTO letters VALUES ('c'); INSERT INTO absent VALUES (1)")
    with pytest.raises(asyncpg.UndefinedTableError):
        await chassis.db.migrate(owner, "trial", folder)
    assert await _letters(owner) == ["a", "b"]
    (folder / "0003_broken.sql").write_text("INSERT INTO letters VALUES ('c')")
    assert await chassis.db.migrate(owner, "trial", folder) == ["0003_broken"]


async def test_migration_that_was_changed_after_it_ran_is_refused(
    owner: chassis.db.Connection, folder: Path
) -> None:
    await chassis.db.migrate(owner, "trial", folder)
    (folder / "0001_letters.sql").write_text(CREATE + " -- prettier")
    with pytest.raises(chassis.errors.StartRefused) as caught:
        await chassis.db.migrate(owner, "trial", folder)
    assert caught.value.code == "migration_changed"


@pytest.mark.parametrize("name", ["3_short.sql", "0003_Upper.sql", "0002_twice.sql"])
async def test_file_out_of_form_or_with_a_taken_number_is_refused(
    owner: chassis.db.Connection, folder: Path, name: str
) -> None:
    (folder / name).write_text("SELECT 1")
    with pytest.raises(chassis.errors.StartRefused) as caught:
        await chassis.db.migrate(owner, "trial", folder)
    assert caught.value.code == "migration_invalid"


async def test_migration_that_comes_after_its_successor_still_runs_once(
    owner: chassis.db.Connection, folder: Path
) -> None:
    (folder / "0004_later.sql").write_text("INSERT INTO letters VALUES ('d')")
    await chassis.db.migrate(owner, "trial", folder)
    (folder / "0003_sooner.sql").write_text("INSERT INTO letters VALUES ('c')")
    assert await chassis.db.migrate(owner, "trial", folder) == ["0003_sooner"]
    assert await chassis.db.migrate(owner, "trial", folder) == []


async def test_older_release_runs_on_a_newer_schema_R26(owner: chassis.db.Connection, folder: Path) -> None:
    await chassis.db.migrate(owner, "trial", folder)
    (folder / "0002_first_letters.sql").unlink()
    assert await chassis.db.migrate(owner, "trial", folder) == []


async def test_service_without_migrations_has_nothing_to_do(
    owner: chassis.db.Connection, tmp_path: Path
) -> None:
    assert await chassis.db.migrate(owner, "trial", tmp_path / "absent") == []


@pytest.mark.parametrize("service", sallyport.provision.SERVICES_WITH_STORE)
async def test_service_keeps_to_the_tables_it_was_given(pool_for: PoolFor, service: str) -> None:
    other = next(name for name in sallyport.provision.SERVICES_WITH_STORE if name != service)
    pool = await pool_for(service)
    for statement in FORBIDDEN:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(statement.format(own=service, other=other))


@pytest.mark.parametrize("other", ["postgres", "template1"])
async def test_service_reaches_no_other_database(pool_for: PoolFor, other: str) -> None:
    pool = await pool_for("auth")
    assert not await pool.fetchval("SELECT has_database_privilege($1, 'CONNECT')", other)
