"""What the release before knew nothing of: its people become owners, and its sessions set up a way in."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

import chassis.db
from services.auth.model.roles import Role
from services.auth.store import Store
from tests.conftest import PoolFor

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SELLER_ID = "0190b2f0-0000-7000-8000-0000000000a1"
USER_ID = "0190b2f0-0000-7000-8000-0000000000a2"
SESSION_ID = "0190b2f0-0000-7000-8000-0000000000a3"
DIGEST = b"\x5a" * 32


async def test_people_without_a_role_are_owners_and_set_up_a_way_in_R26(pool_for: PoolFor) -> None:
    pool = await pool_for("auth")
    async with chassis.db.transaction(pool) as connection:
        await _as_the_release_before(connection)
    session = await Store(pool).find_session(DIGEST)
    assert (session.user_id, session.role, session.needs_credential) == (USER_ID, Role.OWNER, True)
    (member,) = await Store(pool).list_members(SELLER_ID)
    assert (member.user.role, member.credentials) == (Role.OWNER, ())


async def test_a_role_and_a_seller_go_together(pool_for: PoolFor) -> None:
    pool = await pool_for("auth")
    with pytest.raises(asyncpg.CheckViolationError):
        async with chassis.db.transaction(pool) as connection:
            await connection.execute(
                """
                INSERT INTO auth.users (user_id, role, name_sealed, created_at)
                VALUES ($1, 'owner', 'sealed', $2)
                """,
                USER_ID,
                NOW,
            )


async def _as_the_release_before(connection: chassis.db.Connection) -> None:
    """Write the rows of a person with a session as code without roles does."""
    await connection.execute(
        "INSERT INTO auth.sellers (seller_id, name_sealed, created_at) VALUES ($1, 'sealed', $2)",
        SELLER_ID,
        NOW,
    )
    await connection.execute(
        """
        INSERT INTO auth.users (user_id, seller_id, name_sealed, created_at)
        VALUES ($1, $2, 'sealed', $3)
        """,
        USER_ID,
        SELLER_ID,
        NOW,
    )
    await connection.execute(
        """
        INSERT INTO auth.sessions (session_id, token_digest, user_id, expires_at)
        VALUES ($1, $2, $3, $4)
        """,
        SESSION_ID,
        DIGEST,
        USER_ID,
        NOW + timedelta(hours=12),
    )
