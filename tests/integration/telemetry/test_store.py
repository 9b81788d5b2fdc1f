"""The audit log on real Postgres and a real key service, without the network edge."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

import chassis.clock
import chassis.db
import chassis.entropy
import chassis.env
import chassis.errors
import chassis.metrics
import sallyport.engines.openbao
import sallyport.engines.postgres
import sallyport.provision
import sallyport.provision.database
from fakes.clock import START
from sallyport.audit.verify import Reason, verify
from services.telemetry.app import UseCases, compose
from services.telemetry.committer import Committer
from services.telemetry.model.errors import AuditUnavailable
from services.telemetry.model.events import Actor, Event, Result, check
from services.telemetry.signals import Signals
from services.telemetry.store import AuditStore
from services.telemetry.vault import CheckpointKey
from tests.conftest import PoolFor, VaultFor
from tests.integration.service import until
from tests.unit.telemetry.house import fact, intent, outcome

TABLES = ("records", "checkpoints")
WEBHOOK_COLUMNS = ("sequence", "fence", "held_until", "attempts", "retry_at", "gone_digest")


Engines = tuple[sallyport.engines.postgres.Postgres, sallyport.engines.openbao.OpenBao]


@pytest.fixture
def engines(
    postgres: sallyport.engines.postgres.Postgres, openbao: sallyport.engines.openbao.OpenBao
) -> Engines:
    return postgres, openbao


@asynccontextmanager
async def telemetry(pool: chassis.db.Pool, vault_for: VaultFor) -> AsyncIterator[UseCases]:
    clock, signals = chassis.clock.SystemClock(), Signals(chassis.metrics.Registry())
    store = AuditStore(pool)
    committer = Committer(store=store, clock=clock, signals=signals)
    key = CheckpointKey(await vault_for("telemetry"))
    writer = asyncio.create_task(committer.run())
    try:
        yield compose(
            store=store,
            committer=committer,
            key=key,
            clock=clock,
            entropy=chassis.entropy.SystemEntropy(),
            signals=signals,
        )
    finally:
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)


async def exported(use_cases: UseCases) -> list[bytes]:
    lines = use_cases.exporter.export(0, actor=Actor("operator", "console"), request_id=None)
    return [line + b"\n" async for line in lines]


def fresh(event: Event) -> Event:
    return fact(0, event_id=str(uuid.uuid4()), kind=event.kind)


async def test_fifty_appenders_at_once_make_one_chain_that_verifies_T22(
    pool_for: PoolFor, vault_for: VaultFor
) -> None:
    pool = await pool_for("telemetry")
    async with telemetry(pool, vault_for) as one, telemetry(pool, vault_for) as other:

        async def append(number: int) -> list[int]:
            told: list[int] = []
            for turn in range(20):
                use_cases = (one, other)[(number + turn) % 2]
                told += await use_cases.intake.append("gateway", [fresh(fact(0)) for _ in range(3)])
            return told

        told = await asyncio.gather(*(append(number) for number in range(50)))
        await one.checkpoints.sign_if_due()
        lines = await exported(other)
    sequences = {sequence for each in told for sequence in each}
    assert len(sequences) == 50 * 20 * 3
    public_pem = await (await vault_for("console")).transit_public_pem("telemetry-checkpoint")
    report = verify(lines, public_pem, at_least=max(sequences))
    assert report.fault is None
    assert report.records == report.last_sequence == 3_000 + 3  # both loaded a key, one exports


async def test_columns_say_what_their_bodies_say_whichever_way_they_were_added(pool_for: PoolFor) -> None:
    pool = await pool_for("telemetry")
    store = AuditStore(pool)
    for first in (1, 11, 21):
        call = [
            intent(first),
            outcome(first + 1, first, Result.UNKNOWN),
            outcome(first + 2, first),
            fact(first + 3),
        ]
        await store.append([[check("gateway", event) for event in call]], recorded_at=START)
    rows = await pool.fetch("SELECT * FROM telemetry.records ORDER BY sequence")
    assert len(rows) == 12
    for row in rows:
        said = json.loads(row["body"])
        for column in ("shard", "sequence", "sender", "phase"):
            assert row[column] == said[column]
        assert str(row["event_id"]) == said["event_id"]
        assert row["intent_id"] == (uuid.UUID(said["intent_id"]) if "intent_id" in said else None)
        assert row["is_final"] == (said["phase"] == "outcome" and said["result"] == "done")
        assert row["recorded_at"] == START


async def test_the_role_cannot_change_or_remove_anything_of_the_log_T22(pool_for: PoolFor) -> None:
    pool = await pool_for("telemetry")
    for table in TABLES:
        for statement in (
            f"UPDATE telemetry.{table} SET body = '\\x00'",
            f"DELETE FROM telemetry.{table}",
            f"TRUNCATE telemetry.{table}",
            f"ALTER TABLE telemetry.{table} DISABLE TRIGGER ALL",
            f"DROP TABLE telemetry.{table}",
            f"CREATE RULE r AS ON INSERT TO telemetry.{table} DO INSTEAD NOTHING",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await pool.execute(statement)


async def test_even_the_owner_is_stopped_by_the_tables_themselves_T22(
    engines: Engines,
    database: chassis.env.DatabaseConfig,
) -> None:
    async with sallyport.provision.database.signed_in(
        *engines, role=sallyport.provision.OWNER, database=database.name
    ) as connection:
        for table in TABLES:
            for statement in (
                f"UPDATE telemetry.{table} SET body = '\\x00'",
                f"DELETE FROM telemetry.{table}",
                f"TRUNCATE telemetry.{table}",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                    await connection.execute(statement)


REWRITTEN = (
    "UPDATE telemetry.records SET body = replace(convert_from(body, 'UTF8'), {})::bytea WHERE sequence = 3"
)
INSIDER = {
    "edits whom": (REWRITTEN.format("'seller-1', 'seller-2'"), (Reason.BROKEN_HASH, 3)),
    "edits who": (REWRITTEN.format("'gateway', 'auth'"), (Reason.BROKEN_HASH, 3)),
    "removes one": ("DELETE FROM telemetry.records WHERE sequence = 3", (Reason.GAP, 3)),
    "removes the first": ("DELETE FROM telemetry.records WHERE sequence = 1", (Reason.GAP, 1)),
    "cuts the end": ("DELETE FROM telemetry.records WHERE sequence > 3", (Reason.GAP, 4)),
    "removes a checkpoint": ("DELETE FROM telemetry.checkpoints WHERE number = 1", (Reason.GAP, 7)),
}


@pytest.mark.parametrize(("statement", "found"), INSIDER.values(), ids=INSIDER.keys())
async def test_what_a_database_administrator_changes_the_auditor_finds_T22(
    statement: str,
    found: tuple[Reason, int],
    engines: Engines,
    database: chassis.env.DatabaseConfig,
    pool_for: PoolFor,
    vault_for: VaultFor,
) -> None:
    pool = await pool_for("telemetry")
    async with telemetry(pool, vault_for) as use_cases:
        await use_cases.intake.append("gateway", [fact(number) for number in range(1, 6)])
        await use_cases.checkpoints.sign_if_due()
        await use_cases.intake.append("gateway", [fact(6)])
        await use_cases.checkpoints.sign_if_due()
        async with sallyport.provision.database.signed_in(
            *engines, role="postgres", database=database.name
        ) as connection:
            await connection.execute("SET session_replication_role = replica")
            await connection.execute(statement)
        lines = await exported(use_cases)
    report = verify(lines, await CheckpointKey(await vault_for("console")).public_pem())
    assert report.fault is not None
    assert (report.fault.reason, report.fault.sequence) == found


async def test_the_role_has_exactly_the_rights_of_the_migrations(pool_for: PoolFor) -> None:
    pool = await pool_for("telemetry")
    rows = await pool.fetch(
        """
        SELECT table_schema, table_name, privilege_type FROM information_schema.role_table_grants
        WHERE grantee = 'telemetry'
        UNION
        SELECT table_schema, table_name, privilege_type || ' ' || column_name
        FROM information_schema.role_column_grants WHERE grantee = 'telemetry' AND privilege_type = 'UPDATE'
        """
    )
    assert {tuple(row) for row in rows} == {
        ("telemetry", "records", "SELECT"),
        ("telemetry", "records", "INSERT"),
        ("telemetry", "checkpoints", "SELECT"),
        ("telemetry", "checkpoints", "INSERT"),
        ("telemetry", "resolution", "SELECT"),
        ("telemetry", "resolution", "UPDATE resolved_to"),
        ("telemetry", "webhooks", "SELECT"),
        ("telemetry", "webhooks", "INSERT"),
        *(("telemetry", "webhooks", f"UPDATE {column}") for column in WEBHOOK_COLUMNS),
        ("telemetry", "webhook_dead_letters", "SELECT"),
        ("telemetry", "webhook_dead_letters", "INSERT"),
        ("telemetry", "webhook_dead_letters", "DELETE"),
    }


@pytest.mark.parametrize("other", ["auth", "retention"])
async def test_no_other_service_sees_the_log(other: str, pool_for: PoolFor) -> None:
    pool = await pool_for(other)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.fetch("SELECT * FROM telemetry.records")


async def test_postgres_killed_under_load_loses_nothing_acknowledged_and_doubles_nothing_R03_R04_R05(
    postgres: sallyport.engines.postgres.Postgres, pool_for: PoolFor, vault_for: VaultFor
) -> None:
    pool = await pool_for("telemetry")
    async with telemetry(pool, vault_for) as use_cases:
        told: dict[str, int] = {}
        is_busy, is_back = asyncio.Event(), asyncio.Event()

        async def append(number: int) -> None:
            for _ in range(40):
                event = intent(number, event_id=str(uuid.uuid4()))
                told[event.event_id] = await insist(event)
                if len(told) >= 200:
                    is_busy.set()

        async def insist(event: Event) -> int:
            for _ in range(50):
                try:
                    return (await use_cases.intake.append("gateway", [event]))[0]
                except AuditUnavailable:
                    await asyncio.wait_for(is_back.wait(), 60)
            raise AssertionError

        async def kill() -> None:
            await is_busy.wait()
            postgres.server.kill()
            await postgres.server.wait()
            await postgres.start()
            is_back.set()

        await asyncio.gather(kill(), *(append(number) for number in range(20)))
        lines = await exported(use_cases)
    report = verify(lines, await CheckpointKey(await vault_for("console")).public_pem())
    assert report.fault is None
    assert len(told) == len(set(told.values())) == 800
    assert report.records == 800 + 1 + 1


async def test_while_postgres_is_away_health_tells_and_an_append_changes_nothing_R02(
    postgres: sallyport.engines.postgres.Postgres, pool_for: PoolFor, vault_for: VaultFor
) -> None:
    pool = await pool_for("telemetry")
    async with telemetry(pool, vault_for) as use_cases:
        assert await use_cases.health.check()
        await postgres.stop()
        try:
            assert not await use_cases.health.check()
            with pytest.raises(chassis.errors.Unavailable) as refusal:
                await use_cases.intake.append("gateway", [fact(1)])
            assert refusal.value.code == "audit_unavailable"
        finally:
            await postgres.start()
        await until(use_cases.health.check, limit_s=10)
        lines = await exported(use_cases)
    kinds = [json.loads(line)["record"]["kind"] for line in lines if line.startswith(b'{"hash"')]
    assert kinds[:2] == ["telemetry.service.started", "telemetry.store.recovered"]
    assert not any(b"gateway" in line for line in lines)


async def test_a_full_disk_fails_closed_and_heals_without_hands_R13(
    engines: Engines,
    database: chassis.env.DatabaseConfig,
    pool_for: PoolFor,
    vault_for: VaultFor,
) -> None:
    pool = await pool_for("telemetry")
    async with (
        sallyport.provision.database.signed_in(
            *engines, role=sallyport.provision.OWNER, database=database.name
        ) as connection,
        telemetry(pool, vault_for) as use_cases,
    ):
        await use_cases.health.check()
        # The server's own error for a full disk, raised where it would come from.
        await connection.execute(
            """
            CREATE FUNCTION telemetry.fill_up() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
            CREATE TRIGGER fill_up BEFORE INSERT ON telemetry.records EXECUTE FUNCTION telemetry.fill_up();
            """
        )
        with pytest.raises(AuditUnavailable):
            await use_cases.intake.append("gateway", [fact(1)])
        assert not await use_cases.health.check()
        assert not await use_cases.health.check()
        await connection.execute("DROP TRIGGER fill_up ON telemetry.records")
        assert await use_cases.health.check()
        assert await use_cases.intake.append("gateway", [fact(2)]) == (3,)
        lines = await exported(use_cases)
    assert not any(fact(1).event_id.encode() in line for line in lines)


async def test_a_checkpoint_of_the_real_key_cannot_be_forged_by_the_console_T22(vault_for: VaultFor) -> None:
    key = CheckpointKey(await vault_for("console"))
    with pytest.raises(chassis.errors.Denied):
        await key.sign(b"anything")
