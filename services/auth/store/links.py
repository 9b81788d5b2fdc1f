"""Accounts at the vendor's identity provider, by their digests, in Postgres."""

from datetime import datetime

import asyncpg

import chassis.db
from services.auth.model.people import PROVIDER, NewSession, Person, Renewal, Session
from services.auth.model.people_refusals import AccountTaken, SignInRefused
from services.auth.store.members import check_way_left, hold_user
from services.auth.store.part import StorePart
from services.auth.store.sellers import hold_person
from services.auth.store.sessions import end_other_sessions, open_session, renew_session


class LinkStore(StorePart):
    """Which account stands for whom."""

    async def is_linked(self, user_id: str) -> bool:
        """Return whether an account stands for a person."""
        async with chassis.db.transaction(self._pool) as connection:
            found = await connection.fetchval(
                "SELECT EXISTS (SELECT FROM auth.provider_links WHERE user_id = $1)", user_id
            )
        return bool(found)

    async def find_linked(self, account_digest: bytes) -> Person:
        """Return the person for whom an account stands."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                """
                SELECT u.user_id, coalesce(u.seller_id::text, '') AS seller_id
                FROM auth.provider_links l
                JOIN auth.users u ON u.user_id = l.user_id
                WHERE l.account_digest = $1
                """,
                account_digest,
            )
        if row is None:
            raise SignInRefused
        return Person(user_id=str(row["user_id"]), seller_id=row["seller_id"])

    async def link_account(self, account_digest: bytes, linked_at: datetime, renewal: Renewal) -> Session:
        """Let an account stand for the session's person, and renew the session, in one step."""
        async with chassis.db.transaction(self._pool) as connection:
            await hold_user(connection, renewal.session.user_id)
            try:
                await connection.execute(
                    """
                    INSERT INTO auth.provider_links (user_id, account_digest, linked_at)
                    VALUES ($1, $2, $3)
                    """,
                    renewal.session.user_id,
                    account_digest,
                    linked_at,
                )
            except asyncpg.UniqueViolationError as error:
                raise AccountTaken from error
            return await renew_session(connection, renewal)

    async def sign_in_with_account(self, account_digest: bytes, session: NewSession) -> Session:
        """Open a session."""
        async with chassis.db.transaction(self._pool) as connection:
            # First, so that the link which is found stays until the session is there, to be ended with it.
            await hold_person(connection, session.user_id)
            user_id = await connection.fetchval(
                "SELECT user_id FROM auth.provider_links WHERE account_digest = $1", account_digest
            )
            if user_id is None or str(user_id) != session.user_id:
                raise SignInRefused
            return await open_session(connection, session)

    async def unlink_account(self, user_id: str, session_id: str) -> None:
        """Let no account stand for a person, and end their other sessions."""
        async with chassis.db.transaction(self._pool) as connection:
            await check_way_left(connection, user_id, PROVIDER, is_provider_offered=True)
            await connection.execute("DELETE FROM auth.provider_links WHERE user_id = $1", user_id)
            await end_other_sessions(connection, user_id, session_id)
