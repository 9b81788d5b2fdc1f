"""Applications, sellers, the people, and their invitations in Postgres."""

from datetime import datetime

import chassis.db
from services.auth.model.consents import Application
from services.auth.model.people import (
    MEMBERS_MAX,
    Invitation,
    NewSession,
    Seller,
    Session,
    User,
)
from services.auth.model.people_refusals import MembersFull
from services.auth.model.refusals import ApplicationMissing, InvitationInvalid, SellerNotFound
from services.auth.model.roles import Role
from services.auth.store.part import StorePart
from services.auth.store.sellers import hold_person, hold_seller
from services.auth.store.sessions import open_session


class PeopleStore(StorePart):
    """Who the vendor's sellers are, and whom they invited."""

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
            await _check_room(connection, user.seller_id)
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
            await insert_invitation(connection, invitation)

    async def find_invited(self, digest: bytes) -> User:
        """Return the user whom an invitation lets in, be it used or over."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                """
                SELECT u.user_id, coalesce(u.seller_id::text, '') AS seller_id, u.role, u.name_sealed,
                       u.created_at
                FROM auth.invitations i
                JOIN auth.users u ON u.user_id = i.user_id
                WHERE i.invitation_digest = $1 AND u.left_at IS NULL
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
            await hold_person(connection, session.user_id)
            redeemed = await connection.execute(
                """
                UPDATE auth.invitations SET redeemed_at = $3
                WHERE invitation_digest = $1 AND user_id = $2 AND redeemed_at IS NULL AND expires_at > $3
                """,
                digest,
                session.user_id,
                now,
            )
            if redeemed != "UPDATE 1":
                raise InvitationInvalid
            return await open_session(connection, session)


async def _check_room(connection: chassis.db.Connection, seller_id: str) -> None:
    """Return if one more person may come; those who come at once wait for each other here.

    Raises:
        MembersFull: there are MEMBERS_MAX.
    """
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('members ' || $1, 0))", seller_id)
    members = await connection.fetchval(
        "SELECT count(*) FROM auth.users WHERE seller_id IS NOT DISTINCT FROM $1::uuid AND left_at IS NULL",
        seller_id or None,
    )
    if members >= MEMBERS_MAX:
        raise MembersFull


async def insert_invitation(connection: chassis.db.Connection, invitation: Invitation) -> None:
    """Keep an invitation."""
    await connection.execute(
        """
        INSERT INTO auth.invitations (invitation_digest, user_id, expires_at)
        VALUES ($1, $2, $3)
        """,
        invitation.invitation_digest,
        invitation.user_id,
        invitation.expires_at,
    )
