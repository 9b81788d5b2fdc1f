"""A thief with every byte of the database and a live, unsealed key service; and backups that are restored.

Covered (R-18, R-20): a byte-for-byte copy of the database taken before the erasure opens nothing after it,
and a safe started on that copy revives nothing and erases it again; the database's files and WAL never
hold a plaintext; a day's key that comes back in the key service is destroyed before anything is opened.
Not covered: a snapshot of the key service older than its configured lifetime.
"""

import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

import chassis.crypto.seal
import chassis.db
import chassis.env
import sallyport.provision
import sallyport.provision.database
import sallyport.provision.ground
from fakes.retention_house import CONSOLE, DAY, PLAINTEXT
from sallyport.engines.openbao import CallRefused
from services.retention.model.errors import Expired
from services.retention.model.records import DataKey
from tests.conftest import KeeperFor
from tests.integration.retention.real_house import RealHouse

CANARY = b"Canary Buyer"
MEBIBYTE = 1024 * 1024


@pytest.fixture
async def backup(
    sealed_house: RealHouse,
    ground: sallyport.provision.ground.Ground,
    database: chassis.env.DatabaseConfig,
    keeper_for: KeeperFor,
) -> AsyncIterator[chassis.db.Pool]:
    """A copy of the database with the sealed record in it, made before anything was erased."""
    name = f"{database.name}_backup"
    keeper = await keeper_for("retention")
    superuser = {"role": "postgres", "database": "postgres"}
    await sealed_house.pool.expire_connections()
    async with sallyport.provision.database.signed_in(
        ground.postgres, ground.openbao, **superuser
    ) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", database.name
        )
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {database.name}")
    async with AsyncExitStack() as stack:
        pool = await chassis.db.open_pool(replace(database, name=name), "retention", keeper)
        stack.push_async_callback(pool.close)
        yield pool
    async with sallyport.provision.database.signed_in(
        ground.postgres, ground.openbao, **superuser
    ) as connection:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def data_keys_of(pool: chassis.db.Pool) -> list[DataKey]:
    async with chassis.db.transaction(pool) as connection:
        rows = await connection.fetch("SELECT key_id, seller_id, erase_day, wrapped FROM retention.data_keys")
    return [DataKey(**{**dict(row), "key_id": str(row["key_id"])}) for row in rows]


async def root_opens(ground: sallyport.provision.ground.Ground, data_key: DataKey) -> CallRefused | bytes:
    """Return what whoever holds the key service's root token gets from a wrapped data key."""
    place = base64.b64encode(chassis.crypto.seal.associated(**data_key.place)).decode()
    opened = data_key.wrapped
    for name in (f"day-{data_key.erase_day}", f"seller-{data_key.seller_id}"):
        body = {"ciphertext": opened, "associated_data": place}
        try:
            answer = await ground.openbao.call("POST", f"transit/decrypt/retention-{name}", body)
        except CallRefused as refusal:
            return refusal
        opened = base64.b64decode(answer["data"]["plaintext"]).decode("latin-1")
    return opened.encode("latin-1")


async def test_a_dump_opens_before_the_erasure_and_never_after_R18_T17(
    sealed_house: RealHouse, backup: chassis.db.Pool, ground: sallyport.provision.ground.Ground
) -> None:
    (stolen,) = await data_keys_of(backup)
    assert isinstance(await root_opens(ground, stolen), bytes)
    sealed_house.clock.pass_(31 * DAY.total_seconds())
    await sealed_house.use.erasing.erase_due(CONSOLE)
    assert isinstance(await root_opens(ground, stolen), CallRefused)
    day = f"transit/keys/retention-day-{stolen.erase_day}"
    await ground.openbao.call("POST", day, {"type": "aes256-gcm96"})
    assert isinstance(await root_opens(ground, stolen), CallRefused)


async def test_a_dump_never_opens_after_its_seller_was_erased_T18(
    sealed_house: RealHouse, backup: chassis.db.Pool, ground: sallyport.provision.ground.Ground
) -> None:
    (stolen,) = await data_keys_of(backup)
    await sealed_house.use.erasing.erase_seller(sealed_house.seller, CONSOLE)
    assert isinstance(await root_opens(ground, stolen), CallRefused)


async def test_a_restored_database_revives_nothing_and_is_erased_again_R20(
    sealed_house: RealHouse, backup: chassis.db.Pool
) -> None:
    house = sealed_house
    house.clock.pass_(31 * DAY.total_seconds())
    await house.use.erasing.erase_due(CONSOLE)
    house.pool = backup
    house.restart()
    with pytest.raises(Expired):
        await house.open()
    (receipt,) = await house.use.erasing.erase_due(CONSOLE)
    assert receipt.subject == await house.only_day()
    assert await data_keys_of(backup) == []


async def test_a_revived_key_is_dead_before_a_restored_database_is_read_R20(
    sealed_house: RealHouse, backup: chassis.db.Pool
) -> None:
    house, day = sealed_house, await sealed_house.only_day()
    house.clock.pass_(31 * DAY.total_seconds())
    await house.use.erasing.erase_due(CONSOLE)
    await house.keys.create(day)
    house.restart()
    assert await house.is_well()
    assert not await house.keys.exists(day)
    assert house.signals.counts["revived day"] == 1
    house.pool = backup
    house.restart()
    with pytest.raises(Expired):
        await house.open()


async def test_no_byte_of_the_database_or_its_log_shows_a_plaintext_T15(
    sealed_house: RealHouse, ground: sallyport.provision.ground.Ground
) -> None:
    assert await sealed_house.open() == PLAINTEXT
    async with sallyport.provision.database.signed_in(
        ground.postgres, ground.openbao, role="postgres"
    ) as superuser:
        await superuser.execute("CHECKPOINT")
    files = [path for path in (ground.folder.root / "postgres").rglob("*") if path.is_file()]
    assert any("pg_wal" in path.parts for path in files)
    assert [path for path in files if holds(path, CANARY)] == []


def holds(path: Path, needle: bytes) -> bool:
    """Return whether a file holds some bytes; files that go away meanwhile do not."""
    tail = b""
    try:
        with path.open("rb") as file:
            while chunk := file.read(MEBIBYTE):
                if needle in tail + chunk:
                    return True
                tail = chunk[-len(needle) :]
    except FileNotFoundError:
        return False
    return False
