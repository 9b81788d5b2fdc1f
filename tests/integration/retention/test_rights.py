"""What the service's role and the two identities at the key service may do, and nothing more."""

import asyncpg
import pytest

import chassis.db
import chassis.errors
import chassis.vault
from chassis.secrecy import Secret
from fakes.retention_house import CONSOLE
from services.retention.model.erasures import Subject
from services.retention.vault import ReceiptKey, SubjectKeys
from tests.conftest import VaultFor
from tests.integration.retention.real_house import RealHouse

DAY = Subject.parse("day:2199-01-01")
DENIED = "42501"
"""Source: PostgreSQL, appendix A: insufficient_privilege."""


BEYOND_ITS_TABLES = (
    "CREATE TABLE retention.extra (id int)",
    "CREATE TABLE public.extra (id int)",
    "CREATE SCHEMA extra",
    "CREATE TEMPORARY TABLE extra (id int)",
    "DROP TABLE retention.records",
    "ALTER TABLE retention.records ADD COLUMN extra text",
    "TRUNCATE retention.records",
    "ALTER FUNCTION retention.create_partition(date) OWNER TO retention",
    "SELECT * FROM telemetry.records",
    "SELECT * FROM auth.migrations",
    "SELECT pg_read_file('/etc/passwd')",
    "COPY retention.records TO PROGRAM 'cat'",
    "SET ROLE sallyport_owner",
)
EDITING = (
    "UPDATE retention.receipts SET subject = 'other'",
    "DELETE FROM retention.receipts",
    "DELETE FROM retention.erasures",
    "UPDATE retention.erasures SET closed_at = now()",
    "DELETE FROM retention.subjects",
    "UPDATE retention.records SET sealed = ''",
    "UPDATE retention.records SET expires_at = now() + interval '1 year'",
    "UPDATE retention.data_keys SET wrapped = ''",
)


async def outcome(pool: chassis.db.Pool, statement: str) -> str:
    """Return the SQLSTATE of a statement's refusal, or what it did."""
    try:
        async with chassis.db.transaction(pool) as connection:
            return await connection.execute(statement)
    except asyncpg.PostgresError as refusal:
        return refusal.sqlstate or ""


async def test_the_role_makes_no_tables_and_reads_no_other_schema_T15(house: RealHouse) -> None:
    outcomes = {statement: await outcome(house.pool, statement) for statement in BEYOND_ITS_TABLES}
    assert outcomes == dict.fromkeys(BEYOND_ITS_TABLES, DENIED)


async def test_the_role_edits_neither_proof_nor_ciphertext_T22(sealed_house: RealHouse) -> None:
    await sealed_house.use.erasing.erase_seller(sealed_house.seller, CONSOLE)
    outcomes = {statement: await outcome(sealed_house.pool, statement) for statement in EDITING}
    assert outcomes == dict.fromkeys(EDITING, DENIED)


async def test_the_role_reaches_partitions_through_their_table_only(sealed_house: RealHouse) -> None:
    async with chassis.db.transaction(sealed_house.pool) as connection:
        partition = await connection.fetchval(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'retention.records'::regclass"
        )
    assert await outcome(sealed_house.pool, f"SELECT * FROM {partition}") == DENIED
    assert await outcome(sealed_house.pool, f"DROP TABLE {partition}") == DENIED


async def test_an_open_days_partition_cannot_be_dropped(sealed_house: RealHouse) -> None:
    day = (await sealed_house.only_day()).day
    with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError):
        async with chassis.db.transaction(sealed_house.pool) as connection:
            await connection.execute("SELECT retention.drop_partition($1)", day)


async def test_a_record_cannot_lie_under_a_day_that_outlives_its_clock_R18(sealed_house: RealHouse) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        async with chassis.db.transaction(sealed_house.pool) as connection:
            await connection.execute(
                """
                INSERT INTO retention.records
                SELECT seller_id, order_id, 'forged', erase_day, key_id, fetched_at,
                       erase_day::timestamp AT TIME ZONE 'UTC' - interval '1 second', false, sealed
                FROM retention.records
                """
            )


async def test_the_service_cannot_sign_a_receipt(vault_for: VaultFor) -> None:
    with pytest.raises(chassis.vault.KeyAccessDenied):
        await ReceiptKey(await vault_for("retention")).sign(b"statement")


async def test_the_verifier_can_neither_make_use_nor_destroy_a_key(vault_for: VaultFor) -> None:
    own, verifiers = SubjectKeys(await vault_for("retention")), SubjectKeys(await vault_for("verifier"))
    await own.create(DAY)
    wrapped = await own.wrap(DAY, Secret(b"key"), b"")
    assert await verifiers.unwrap(DAY, wrapped, b"") == Secret(b"key")
    for call in (
        verifiers.create(Subject.parse("day:2199-01-02")),
        verifiers.wrap(DAY, Secret(b"key"), b""),
        verifiers.destroy(DAY),
    ):
        with pytest.raises(chassis.errors.Denied):
            await call
    assert await own.exists(DAY)
    await own.destroy(DAY)


async def test_no_other_identity_opens_what_retention_wraps_T21(vault_for: VaultFor) -> None:
    own = SubjectKeys(await vault_for("retention"))
    await own.create(DAY)
    wrapped = await own.wrap(DAY, Secret(b"key"), b"")
    for identity in ("gateway", "auth", "telemetry", "console"):
        others = SubjectKeys(await vault_for(identity))
        with pytest.raises(chassis.errors.Denied):
            await others.unwrap(DAY, wrapped, b"")
    await own.destroy(DAY)
