"""Sessions in Postgres: opened, renewed, found, ended; and the ceremonies that open them, once."""

import asyncpg

import chassis.db
from services.auth.model.ceremonies import Spent
from services.auth.model.people import NewSession, Renewal, Session
from services.auth.model.people_refusals import CeremonyOver
from services.auth.model.refusals import SessionInvalid
from services.auth.model.roles import Role
from services.auth.store.part import StorePart

SELECT_SESSION = """
    SELECT s.session_id, s.user_id, s.expires_at, s.needs_credential, u.role,
           coalesce(extract(epoch FROM clock_timestamp() - s.kept_at), 0)::float8 AS age_s,
           coalesce(u.seller_id::text, '') AS seller_id, u.name_sealed AS user_name_sealed,
           coalesce(t.name_sealed, '') AS seller_name_sealed
    FROM auth.sessions s
    JOIN auth.users u ON u.user_id = s.user_id
    LEFT JOIN auth.sellers t ON t.seller_id = u.seller_id
"""


class SessionStore(StorePart):
    """Who is signed in."""

    async def find_session(self, digest: bytes) -> Session:
        """Return the session behind a token, be it over or not."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(SELECT_SESSION + "WHERE s.token_digest = $1", digest)
        return _found(row)

    async def find_session_by_id(self, session_id: str) -> Session:
        """Return a session, be it over or not."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(SELECT_SESSION + "WHERE s.session_id = $1", session_id)
        return _found(row)

    async def end_session(self, session_id: str) -> None:
        """Forget a session; forgetting it again is harmless."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute("DELETE FROM auth.sessions WHERE session_id = $1", session_id)

    async def spend(self, spent: Spent) -> None:
        """Spend a ceremony."""
        async with chassis.db.transaction(self._pool) as connection:
            await spend(connection, spent)


async def open_session(connection: chassis.db.Connection, session: NewSession) -> Session:
    """Keep a session of somebody who is held, and when they came in.

    Raises:
        SessionInvalid: they have left.
    """
    noted = await connection.execute(
        """
        UPDATE auth.users SET signed_in_at = greatest(signed_in_at, $2)
        WHERE user_id = $1 AND left_at IS NULL
        """,
        session.user_id,
        session.opened_at,
    )
    if noted != "UPDATE 1":
        raise SessionInvalid
    await connection.execute(
        """
        INSERT INTO auth.sessions (session_id, token_digest, user_id, expires_at, needs_credential)
        VALUES ($1, $2, $3, $4, $5)
        """,
        session.session_id,
        session.token_digest,
        session.user_id,
        session.expires_at,
        session.needs_credential,
    )
    row = await connection.fetchrow(SELECT_SESSION + "WHERE s.session_id = $1", session.session_id)
    return _found(row)


async def renew_session(connection: chassis.db.Connection, renewal: Renewal) -> Session:
    """Let one session take another one's place.

    Raises:
        SessionInvalid: that one has ended.
    """
    ended = await connection.execute(
        "DELETE FROM auth.sessions WHERE session_id = $1", renewal.ended_session_id
    )
    if ended != "DELETE 1":
        raise SessionInvalid
    return await open_session(connection, renewal.session)


async def end_other_sessions(connection: chassis.db.Connection, user_id: str, session_id: str) -> None:
    """End all sessions of a person but one."""
    await connection.execute(
        "DELETE FROM auth.sessions WHERE user_id = $1 AND session_id <> $2", user_id, session_id
    )


async def spend(connection: chassis.db.Connection, spent: Spent) -> None:
    """Spend a ceremony.

    Raises:
        CeremonyOver: it is spent.
    """
    status = await connection.execute(
        """
        INSERT INTO auth.spent_ceremonies (ceremony_digest, expires_at)
        VALUES ($1, $2)
        ON CONFLICT (ceremony_digest) DO NOTHING
        """,
        spent.ceremony_digest,
        spent.expires_at,
    )
    if status != "INSERT 0 1":
        raise CeremonyOver


def _found(row: asyncpg.Record | None) -> Session:
    if row is None:
        raise SessionInvalid
    return Session(
        session_id=str(row["session_id"]),
        user_id=str(row["user_id"]),
        seller_id=row["seller_id"],
        role=Role(row["role"]),
        needs_credential=row["needs_credential"],
        seller_name_sealed=row["seller_name_sealed"],
        user_name_sealed=row["user_name_sealed"],
        expires_at=row["expires_at"],
        age_s=row["age_s"],
    )
