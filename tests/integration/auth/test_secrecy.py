"""What a thief of the database, of a log, or of the role's certificate gets."""

import asyncio
import time
from pathlib import Path

import asyncpg
import pytest

import chassis.clock
import chassis.db
import chassis.entropy
import sallyport.provision.database
import sallyport.provision.ground
from chassis.errors import Unavailable
from services.auth.vault import AuthVault
from tests.conftest import PoolFor, VaultFor
from tests.integration.auth.conftest import CallerFor
from tests.integration.auth.process import AuthProcess, Caller, Telemetry
from tests.integration.auth.story import APPLICATION_ID, Story
from tests.integration.auth.traces import leave_traces
from wire.auth.v1 import auth_pb2

TABLES = """
    SELECT table_name FROM information_schema.tables
    WHERE table_schema = 'auth' AND table_name <> 'migrations' ORDER BY table_name
"""

FORBIDDEN = (
    "DELETE FROM auth.consents",
    "DELETE FROM auth.devices",
    "DELETE FROM auth.sellers",
    "DELETE FROM auth.offboardings",
    "DELETE FROM auth.consent_reminders",
    "TRUNCATE auth.sessions",
    "UPDATE auth.consents SET seller_id = seller_id",
    "UPDATE auth.devices SET key_thumbprint = ''",
    "UPDATE auth.device_grants SET expires_at = expires_at",
    "UPDATE auth.sellers SET created_at = created_at",
    "UPDATE auth.offboardings SET closed_at = closed_at",
    "UPDATE auth.consent_reminders SET days_left = 0",
    "UPDATE auth.selling_partners SET seller_id = seller_id",
    "UPDATE auth.access_tokens SET expires_at = expires_at",
    "UPDATE auth.sessions SET expires_at = expires_at",
    "DROP TABLE auth.sessions",
    "CREATE TABLE auth.own (id int)",
    "SELECT * FROM telemetry.records",
    "SELECT * FROM auth.migrations",
    "SET ROLE sallyport_owner",
)


# What the clock brings about in time.
REMINDED = """
    INSERT INTO auth.consent_reminders (consent_id, mark_days, days_left, reminded_at)
    SELECT consent_id, 30, 30, granted_at FROM auth.consents
"""


async def tell_everything(story: Story) -> str:
    """Leave a trace in every table that desktops fill; return the session token of somebody connected."""
    leaver_id, leavers_token = await story.person()
    await story.connect(leavers_token)
    await story.leave(leaver_id)
    session_token, _, device = await story.begin()
    tokens = await story.enrol(session_token)
    await story.refresh(tokens.refresh_token)
    await story.let_in(session_token)
    await story.connect(session_token)
    await story.lend(device.device_id)
    await story.gateway.EnrolCompatDevice(
        auth_pb2.EnrolCompatDeviceRequest(session_token=session_token, device_name="Ana's laptop")
    )
    story.secrets.append("Ana's laptop")
    return session_token


@pytest.fixture
async def vault(vault_for: VaultFor) -> AuthVault:
    return AuthVault(await vault_for("auth"), chassis.clock.SystemClock(), chassis.entropy.SystemEntropy())


@pytest.fixture
async def console(caller_for: CallerFor, process: AuthProcess) -> Caller:
    return await caller_for("console", process)


async def test_a_dump_of_the_database_holds_no_secret_and_no_name_T15(
    story: Story, console: Caller, vault: AuthVault, owner: chassis.db.Connection
) -> None:
    session_token = await tell_everything(story)
    await leave_traces(story, console, session_token=session_token, vault=vault, owner=owner)
    await owner.execute(REMINDED)
    tables = [row["table_name"] for row in await owner.fetch(TABLES)]
    dump = {table: await _rows(owner, table) for table in tables}
    empty = [table for table, rows in dump.items() if not rows]
    assert empty == []
    text = "\n".join(row for rows in dump.values() for row in rows)
    assert len(set(story.secrets)) > 15
    for secret in story.secrets:
        assert secret not in text
        assert secret.encode().hex() not in text
    statistics = await owner.fetch("SELECT most_common_vals::text FROM pg_stats WHERE schemaname = 'auth'")
    assert not any(secret in str(row[0]) for row in statistics for secret in story.secrets)


async def test_neither_a_file_of_the_database_nor_its_log_holds_a_secret_T15(
    story: Story,
    console: Caller,
    vault: AuthVault,
    owner: chassis.db.Connection,
    ground: sallyport.provision.ground.Ground,
) -> None:
    began_s = time.time()
    session_token = await tell_everything(story)
    await leave_traces(story, console, session_token=session_token, vault=vault, owner=owner)
    async with sallyport.provision.database.signed_in(
        ground.postgres, ground.openbao, role="postgres"
    ) as superuser:
        await superuser.execute("CHECKPOINT")
    needles = [secret.encode() for secret in {*story.secrets, APPLICATION_ID}]
    folder = ground.folder.root / "postgres" / "data"
    searched, found = await asyncio.to_thread(_search, folder, needles, began_s)
    assert any("pg_wal" in path.parts for path in searched)
    # What lies open is found, so what is not found is not there.
    assert found == {APPLICATION_ID.encode()}


async def test_neither_log_nor_audit_holds_a_secret_or_a_name_T28(
    story: Story, process: AuthProcess, telemetry: Telemetry
) -> None:
    await tell_everything(story)
    log = await process.logged("auth.consent.completed")
    told = "\n".join(str(event) for event in telemetry.events)
    assert "auth.consent.completed" in log
    for secret in story.secrets:
        assert secret not in log
        assert secret not in told


async def test_a_sealed_token_moved_to_another_sellers_row_is_refused_T16(
    story: Story, owner: chassis.db.Connection, telemetry: Telemetry
) -> None:
    _, _, victim = await story.begin()
    _, _, thief = await story.begin()
    stolen = await owner.fetchval(
        "SELECT refresh_token_sealed FROM auth.consents WHERE seller_id = $1", victim.seller_id
    )
    await owner.execute(
        "UPDATE auth.consents SET refresh_token_sealed = $1 WHERE seller_id = $2", stolen, thief.seller_id
    )
    with pytest.raises(Unavailable) as refusal:
        await story.lend(thief.device_id)
    assert (refusal.value.code, refusal.value.http_status) == ("integrity_failure", 503)
    ending = await owner.fetchval("SELECT ending FROM auth.consents WHERE seller_id = $1", thief.seller_id)
    assert ending == "quarantined"
    assert story.amazon.refreshes == 0
    reasons = [dict(one.details)["reason"] for one in telemetry.events if one.kind == "auth.consent.revoked"]
    assert reasons == ["quarantined"] * 2
    await story.lend(victim.device_id)


async def test_a_name_moved_to_another_row_is_not_shown_T16(
    story: Story, owner: chassis.db.Connection
) -> None:
    session_token, _, _ = await story.begin()
    await owner.execute("UPDATE auth.users SET name_sealed = (SELECT name_sealed FROM auth.sellers)")
    with pytest.raises(Unavailable) as refusal:
        await story.gateway.FindSession(auth_pb2.FindSessionRequest(session_token=session_token))
    assert refusal.value.code == "integrity_failure"


async def test_the_services_role_may_do_no_more_than_it_does(pool_for: PoolFor) -> None:
    pool = await pool_for("auth")
    async with pool.acquire() as connection:
        for statement in FORBIDDEN:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def _rows(owner: chassis.db.Connection, table: str) -> list[str]:
    return [row[0] for row in await owner.fetch(f"SELECT t::text FROM auth.{table} t")]


def _search(folder: Path, needles: list[bytes], since_s: float) -> tuple[list[Path], set[bytes]]:
    """Return the files below a folder that changed since a time, and which needles lie in one of them."""
    searched = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_mtime >= since_s]
    found = set()
    for path in searched:
        content = path.read_bytes()
        found |= {needle for needle in needles if needle in content}
    return searched, found
