"""Postgres itself: who gets in, what a commit means, and what happens while it is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import asyncpg
import pytest

import chassis.crypto.tls
import chassis.db
import chassis.db.pool
import chassis.env
import chassis.errors
import sallyport.engines.openbao
import sallyport.engines.postgres
import sallyport.provision
import sallyport.provision.database
from fakes.certificates import Authority
from tests.conftest import KeeperFor, PoolFor

SignIn = Callable[..., AbstractAsyncContextManager[chassis.db.Connection]]


@pytest.fixture
def sign_in(
    postgres: sallyport.engines.postgres.Postgres,
    openbao: sallyport.engines.openbao.OpenBao,
    database: chassis.env.DatabaseConfig,
) -> SignIn:
    """`sign_in("sallyport_owner")`: a connection to the test's database outside of any pool."""

    def to_test_database(role: str) -> AbstractAsyncContextManager[chassis.db.Connection]:
        return sallyport.provision.database.signed_in(postgres, openbao, role=role, database=database.name)

    return to_test_database


@pytest.fixture
async def pool(pool_for: PoolFor, sign_in: SignIn) -> chassis.db.Pool:
    """Auth's pool, with a table of numbers that auth may read and add to."""
    async with sign_in(sallyport.provision.OWNER) as owner:
        await owner.execute("CREATE TABLE auth.numbers (number integer PRIMARY KEY)")
        await owner.execute("GRANT SELECT, INSERT ON auth.numbers TO auth")
    return await pool_for("auth")


@asynccontextmanager
async def restored(postgres: sallyport.engines.postgres.Postgres) -> AsyncIterator[None]:
    """Have the engine running again afterwards."""
    try:
        yield
    finally:
        await postgres.start()


async def _add(pool: chassis.db.Pool, number: int) -> None:
    async with chassis.db.transaction(pool) as connection:
        await connection.execute("INSERT INTO auth.numbers (number) VALUES ($1)", number)


async def _add_and_regret(pool: chassis.db.Pool, number: int) -> None:
    async with chassis.db.transaction(pool) as connection:
        await connection.execute("INSERT INTO auth.numbers (number) VALUES ($1)", number)
        raise chassis.errors.Conflict


async def _add_and_lose(
    pool: chassis.db.Pool, number: int, postgres: sallyport.engines.postgres.Postgres
) -> None:
    async with chassis.db.transaction(pool) as connection:
        await connection.execute("INSERT INTO auth.numbers (number) VALUES ($1)", number)
        postgres.server.kill()
        await postgres.wait()
        await _last_words(connection)


async def _last_words(connection: chassis.db.Connection) -> None:
    """Ask what a killed server began until it has ended, too; it answers a moment longer."""
    while await connection.fetchval("SELECT true"):
        pass


async def _numbers(pool: chassis.db.Pool) -> list[int]:
    async with chassis.db.transaction(pool) as connection:
        return [row["number"] for row in await connection.fetch("SELECT number FROM auth.numbers ORDER BY 1")]


async def test_pool_connects_as_the_role_that_the_certificate_names_T24(pool: chassis.db.Pool) -> None:
    async with chassis.db.transaction(pool) as connection:
        assert await connection.fetchval("SELECT current_user") == "auth"
        assert await connection.fetchval("SHOW synchronous_commit") == "on"


@pytest.mark.parametrize("role", ["retention", sallyport.provision.OWNER, "postgres", "nobody"])
async def test_certificate_of_one_role_does_not_open_another_T24(
    database: chassis.env.DatabaseConfig, keeper_for: KeeperFor, role: str
) -> None:
    certificate = (await keeper_for("auth")).current
    with pytest.raises(chassis.db.StoreUnavailable):
        await chassis.db.connect(database, role, certificate)


async def test_certificate_of_another_authority_does_not_get_in_T24(
    database: chassis.env.DatabaseConfig,
) -> None:
    with pytest.raises(chassis.db.StoreUnavailable):
        await chassis.db.connect(database, "auth", Authority().issue("auth"))


async def test_identity_without_a_role_does_not_get_in_T24(
    database: chassis.env.DatabaseConfig, keeper_for: KeeperFor
) -> None:
    certificate = (await keeper_for("console")).current
    with pytest.raises(chassis.db.StoreUnavailable):
        await chassis.db.connect(database, "console", certificate)


async def test_connection_without_tls_does_not_get_in_T24(database: chassis.env.DatabaseConfig) -> None:
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await asyncpg.connect(
            host=database.host, port=database.port, database=database.name, user="auth", ssl=False
        )


async def test_server_with_another_name_is_not_believed_T24(
    database: chassis.env.DatabaseConfig, keeper_for: KeeperFor
) -> None:
    misled = replace(database, host="127.0.0.2")
    with pytest.raises(chassis.db.StoreUnavailable):
        await chassis.db.connect(misled, "auth", (await keeper_for("auth")).current)


async def test_server_of_another_authority_is_not_believed_T24(
    database: chassis.env.DatabaseConfig, keeper_for: KeeperFor, tmp_path_factory: pytest.TempPathFactory
) -> None:
    misled = replace(database, ca_file=Authority().write_ca(tmp_path_factory.mktemp("ca")))
    with pytest.raises(chassis.db.StoreUnavailable):
        await chassis.db.connect(misled, "auth", (await keeper_for("auth")).current)


async def test_transaction_keeps_all_or_nothing(pool: chassis.db.Pool) -> None:
    await _add(pool, 1)
    with pytest.raises(chassis.errors.Conflict):
        await _add_and_regret(pool, 2)
    assert await _numbers(pool) == [1]


async def test_what_a_statement_did_wrong_is_the_stores_to_explain(pool: chassis.db.Pool) -> None:
    await _add(pool, 1)
    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        await _add(pool, 1)
    assert caught.value.constraint_name == "numbers_pkey"


async def test_statement_that_takes_too_long_is_a_fault_of_the_store(pool: chassis.db.Pool) -> None:
    with pytest.raises(chassis.db.StoreUnavailable):
        async with chassis.db.transaction(pool) as connection:
            await connection.execute("SET LOCAL statement_timeout = 20; SELECT pg_sleep(60)")


async def test_lost_race_of_two_transactions_is_a_fault_of_the_store(pool: chassis.db.Pool) -> None:
    with pytest.raises(chassis.db.StoreUnavailable):
        async with chassis.db.transaction(pool) as connection:
            await connection.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")


async def test_more_callers_than_connections_wait_for_a_bounded_time_R23(
    database: chassis.env.DatabaseConfig, keeper_for: KeeperFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = await keeper_for("auth")
    async with await chassis.db.open_pool(database, "auth", keeper, connections_max=1) as small:
        monkeypatch.setattr(chassis.db.pool, "ACQUIRE_S_MAX", 0.05)
        async with chassis.db.transaction(small):
            with pytest.raises(chassis.db.StoreUnavailable):
                async with chassis.db.transaction(small):
                    pass
        async with chassis.db.transaction(small) as connection:
            assert await connection.fetchval("SELECT 1") == 1


async def test_switched_off_synchronous_commit_refuses_to_start_R03(
    database: chassis.env.DatabaseConfig, keeper_for: KeeperFor, sign_in: SignIn
) -> None:
    keeper = await keeper_for("auth")
    async with sign_in("postgres") as superuser:
        await superuser.execute(f"ALTER ROLE auth IN DATABASE {database.name} SET synchronous_commit = off")
        with pytest.raises(chassis.errors.StartRefused) as caught:
            await chassis.db.open_pool(database, "auth", keeper)
    assert caught.value.code == "synchronous_commit_required"


async def test_synchronous_commit_switched_off_later_stops_the_service_R03(
    database: chassis.env.DatabaseConfig, pool: chassis.db.Pool, sign_in: SignIn
) -> None:
    async with sign_in("postgres") as superuser:
        await superuser.execute(f"ALTER ROLE auth IN DATABASE {database.name} SET synchronous_commit = off")
    await pool.expire_connections()
    with pytest.raises(chassis.db.StoreUnavailable):
        await _add(pool, 1)


async def test_acknowledged_rows_survive_a_killed_server_and_work_goes_on_R05(
    pool: chassis.db.Pool, postgres: sallyport.engines.postgres.Postgres
) -> None:
    await _add(pool, 1)
    async with restored(postgres):
        postgres.server.kill()
        await postgres.wait()
        with pytest.raises(chassis.db.StoreUnavailable):
            async with chassis.db.transaction(pool) as connection:
                await _last_words(connection)
        with pytest.raises(chassis.db.StoreUnavailable) as caught:
            await _add(pool, 2)
        assert caught.value.code == "store_unavailable"
    await _persistently(pool, 3)
    assert await _numbers(pool) == [1, 3]


async def test_connection_lost_in_a_transaction_is_a_fault_of_the_store_R04(
    pool: chassis.db.Pool, postgres: sallyport.engines.postgres.Postgres
) -> None:
    async with restored(postgres):
        with pytest.raises(chassis.db.StoreUnavailable):
            await _add_and_lose(pool, 1, postgres)
    await _persistently(pool, 2)
    assert await _numbers(pool) == [2]


async def test_killed_door_is_only_an_outage_R05(
    pool: chassis.db.Pool, postgres: sallyport.engines.postgres.Postgres
) -> None:
    async with restored(postgres):
        postgres.door.kill()
        await postgres.wait()
        with pytest.raises(chassis.db.StoreUnavailable):
            await _add(pool, 1)
    await _persistently(pool, 2)


async def _persistently(pool: chassis.db.Pool, number: int) -> None:
    """Add a number once the pool has found its way back; the test's own timeout bounds it."""
    while True:
        try:
            await _add(pool, number)
        except chassis.db.StoreUnavailable:
            await asyncio.sleep(0.01)
        else:
            return


async def test_absent_store_is_awaited_for_a_bounded_time(
    database: chassis.env.DatabaseConfig, keeper_for: KeeperFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chassis.db.pool, "OPEN_S_MAX", 0.0)
    absent = replace(database, name="absent", port=1)
    with pytest.raises(chassis.db.StoreUnavailable):
        await chassis.db.open_pool(absent, "auth", await keeper_for("auth"))


async def test_connections_are_made_anew_after_the_certificate_was_renewed_R15(
    pool: chassis.db.Pool, keeper_for: KeeperFor
) -> None:
    keeper = await keeper_for("auth")
    async with chassis.db.transaction(pool) as connection:
        before = await connection.fetchval("SELECT pg_backend_pid()")
        await keeper.renew()
        assert await connection.fetchval("SELECT pg_backend_pid()") == before
    async with chassis.db.transaction(pool) as connection:
        assert await connection.fetchval("SELECT pg_backend_pid()") != before
