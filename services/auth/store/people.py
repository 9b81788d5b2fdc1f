"""Applications, sellers, users, invitations and sessions in Postgres."""

from datetime import datetime

import asyncpg

import chassis.db
from services.auth.model.consents import Application
from services.auth.model.people import Invitation, NewSession, Seller, Session, User
from services.auth.model.refusals import ApplicationMissing, InvitationInvalid, SellerNotFound, SessionInvalid
from services.auth.model.roles import Role
from services.auth.store.part import StorePart
from services.auth.store.sellers import hold_seller


class PeopleStore(StorePart):
    """Who the vendor's sellers are, and who is signed in."""

    async def register_application(self, application: Application, now: datetime) -> None:
        """Keep an application, or what is new about a known one, and make it the present one."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                """
                INSERT INTO auth.applications (application_id, client_id, is_draft, registered_at)
                VALUES ($1, $2, $3, $4)
                ON CONFLICT (application_id) DO UPDATE
                SET client_id = EXCLUDED.client_id,
                    is_draft = EXCLUDED.is_draft,
                    registered_at = EXCLUDED.registered_at
                """,
                application.application_id,
                application.client_id,
                application.is_draft,
                now,
            )

    async def find_application(self, application_id: str | None = None) -> Application:
        """Return one application, or the one registered last."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                """
                SELECT application_id, client_id, is_draft
                FROM auth.applications
                WHERE $1::text IS NULL OR application_id = $1
                ORDER BY registered_at DESC
                LIMIT 1
                """,
                application_id,
            )
        if row is None:
            raise ApplicationMissing
        return Application(
            application_id=row["application_id"], client_id=row["client_id"], is_draft=row["is_draft"]
        )

    async def create_seller(self, seller: Seller) -> None:
        """Keep a new seller."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                "INSERT INTO auth.sellers (seller_id, name_sealed, created_at) VALUES ($1, $2, $3)",
                seller.seller_id,
                seller.name_sealed,
                seller.created_at,
            )

    async def find_seller(self, seller_id: str) -> Seller:
        """Return a seller."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                "SELECT seller_id, name_sealed, created_at FROM auth.sellers WHERE seller_id = $1",
                seller_id,
            )
        if row is None:
            raise SellerNotFound
        return Seller(
            seller_id=str(row["seller_id"]), name_sealed=row["name_sealed"], created_at=row["created_at"]
        )

    async def invite_user(self, user: User, invitation: Invitation) -> None:
        """Keep a new user with the invitation that lets them in."""
        async with chassis.db.transaction(self._pool) as connection:
            if user.seller_id:
                await hold_seller(connection, user.seller_id)
            await connection.execute(
                """
                INSERT INTO auth.users (user_id, seller_id, role, name_sealed, created_at)
                VALUES ($1, $2, $3, $4, $5)
                """,
                user.user_id,
                user.seller_id or None,
                user.role,
                user.name_sealed,
                user.created_at,
            )
            await connection.execute(
                """
                INSERT INTO auth.invitations (invitation_digest, user_id, expires_at)
                VALUES ($1, $2, $3)
                """,
                invitation.invitation_digest,
                invitation.user_id,
                invitation.expires_at,
            )

    async def find_invited(self, digest: bytes) -> User:
        """Return the user whom an invitation lets in, be it used or over."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                """
                SELECT u.user_id, coalesce(u.seller_id::text, '') AS seller_id, u.role, u.name_sealed,
                       u.created_at
                FROM auth.invitations i
                JOIN auth.users u ON u.user_id = i.user_id
                WHERE i.invitation_digest = $1
                """,
                digest,
            )
        if row is None:
            raise InvitationInvalid
        return User(
            user_id=str(row["user_id"]),
            seller_id=row["seller_id"],
            role=Role(row["role"]),
            name_sealed=row["name_sealed"],
            created_at=row["created_at"],
        )

    async def redeem_invitation(self, digest: bytes, session: NewSession, now: datetime) -> Session:
        """Use up an invitation and keep the session it opens, in one step."""
        async with chassis.db.transaction(self._pool) as connection:
            user_id = await connection.fetchval(
                """
                UPDATE auth.invitations SET redeemed_at = $2
                WHERE invitation_digest = $1 AND redeemed_at IS NULL AND expires_at > $2
                RETURNING user_id
                """,
                digest,
                now,
            )
            if user_id is None:
                raise InvitationInvalid
            await connection.execute(
                """
                INSERT INTO auth.sessions (session_id, token_digest, user_id, expires_at, needs_credential)
                VALUES ($1, $2, $3, $4, $5)
                """,
                session.session_id,
                session.token_digest,
                user_id,
                session.expires_at,
                session.needs_credential,
            )
            return await _find_session(connection, session.token_digest)

    async def find_session(self, digest: bytes) -> Session:
        """Return the session behind a token, be it over or not."""
        async with chassis.db.transaction(self._pool) as connection:
            return await _find_session(connection, digest)

    async def end_session(self, session_id: str) -> None:
        """Forget a session; forgetting it again is harmless."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute("DELETE FROM auth.sessions WHERE session_id = $1", session_id)


async def _find_session(connection: chassis.db.Connection, digest: bytes) -> Session:
    row = await connection.fetchrow(
        """
        SELECT s.session_id, s.user_id, s.expires_at, s.needs_credential, u.seller_id, u.role,
               u.name_sealed AS user_name_sealed, t.name_sealed AS seller_name_sealed
        FROM auth.sessions s
        JOIN auth.users u ON u.user_id = s.user_id
        JOIN auth.sellers t ON t.seller_id = u.seller_id
        WHERE s.token_digest = $1 AND t.offboarded_at IS NULL
        """,
        digest,
    )
    if row is None:
        raise SessionInvalid
    return _session(row)


def _session(row: asyncpg.Record) -> Session:
    return Session(
        session_id=str(row["session_id"]),
        user_id=str(row["user_id"]),
        seller_id=str(row["seller_id"]),
        role=Role(row["role"]),
        needs_credential=row["needs_credential"],
        seller_name_sealed=row["seller_name_sealed"],
        user_name_sealed=row["user_name_sealed"],
        expires_at=row["expires_at"],
    )
