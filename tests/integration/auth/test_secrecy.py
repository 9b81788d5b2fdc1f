"""What a thief of the database, of a log, or of the role's certificate gets."""

import asyncpg
import pytest

import chassis.db
from chassis.errors import Unavailable
from tests.conftest import PoolFor
from tests.integration.auth.process import AuthProcess, Telemetry
from tests.integration.auth.story import Story
from wire.auth.v1 import auth_pb2

TABLES = """
    SELECT table_name FROM information_schema.tables
    WHERE table_schema = 'auth' AND table_name <> 'migrations' ORDER BY table_name
"""

FORBIDDEN = (
    "DELETE FROM auth.consents",
    "DELETE FROM auth.devices",
    "DELETE FROM auth.sellers",
    "DELETE FROM auth.selling_partners",
    "TRUNCATE auth.sessions",
    "UPDATE auth.consents SET seller_id = seller_id",
    "UPDATE auth.devices SET key_thumbprint = ''",
    "UPDATE auth.sellers SET name_sealed = ''",
    "UPDATE auth.selling_partners SET seller_id = seller_id",
    "UPDATE auth.access_tokens SET expires_at = expires_at",
    "UPDATE auth.sessions SET expires_at = expires_at",
    "DROP TABLE auth.sessions",
    "CREATE TABLE auth.own (id int)",
    "SELECT * FROM telemetry.records",
    "SELECT * FROM auth.migrations",
    "SET ROLE sallyport_owner",
)


async def tell_everything(story: Story) -> None:
    """Leave a trace in every table."""
    session_token, _, device = await story.begin()
    tokens = await story.enrol(session_token)
    await story.refresh(tokens.refresh_token)
    await story.connect(session_token)
    await story.lend(device.device_id)
    await story.gateway.EnrolCompatDevice(
        auth_pb2.EnrolCompatDeviceRequest(session_token=session_token, device_name="Ana's laptop")
    )
    story.secrets.append("Ana's laptop")


async def test_a_dump_of_the_database_holds_no_secret_and_no_name_T15(
    story: Story, owner: chassis.db.Connection
) -> None:
    await tell_everything(story)
    tables = [row["table_name"] for row in await owner.fetch(TABLES)]
    dump = {table: await _rows(owner, table) for table in tables}
    assert [table for table, rows in dump.items() if not rows] == []
    text = "\n".join(row for rows in dump.values() for row in rows)
    assert len(set(story.secrets)) > 15
    for secret in story.secrets:
        assert secret not in text
        assert secret.encode().hex() not in text
    statistics = await owner.fetch("SELECT most_common_vals::text FROM pg_stats WHERE schemaname = 'auth'")
    assert not any(secret in str(row[0]) for row in statistics for secret in story.secrets)


async def test_neither_log_nor_audit_holds_a_secret_or_a_name_T28(
    story: Story, process: AuthProcess, telemetry: Telemetry
) -> None:
    await tell_everything(story)
    log = process.log_file.read_text()
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
