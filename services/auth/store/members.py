"""Who belongs to a seller or to the staff, in Postgres; and how somebody leaves at once.

Whoever changes what a person signs in with holds that person's row, so that the last way in, and the last
owner, are counted by one at a time.
"""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

import chassis.db
from services.auth.model.people import (
    MEMBERS_MAX,
    PASSKEY,
    PASSWORD,
    PROVIDER,
    Invitation,
    Member,
    Removal,
    User,
    WaysIn,
)
from services.auth.model.people_refusals import LastCredential, LastOwner, MemberNotFound
from services.auth.model.roles import Role
from services.auth.store.news import tell_device
from services.auth.store.part import StorePart
from services.auth.store.people import insert_invitation
from services.auth.store.sellers import hold_person, hold_seller_of

SELECT_MEMBER = """
    SELECT u.user_id, coalesce(u.seller_id::text, '') AS seller_id, u.role, u.name_sealed, u.created_at,
           u.signed_in_at,
           EXISTS (SELECT FROM auth.passkeys k WHERE k.user_id = u.user_id) AS has_passkey,
           EXISTS (SELECT FROM auth.passwords p WHERE p.user_id = u.user_id) AS has_password,
           EXISTS (SELECT FROM auth.provider_links l WHERE l.user_id = u.user_id) AS is_linked
    FROM auth.users u
"""
CREDENTIALS_END = (
    "DELETE FROM auth.passkeys WHERE user_id = $1",
    "DELETE FROM auth.passwords WHERE user_id = $1",
    "DELETE FROM auth.provider_links WHERE user_id = $1",
)
SESSIONS_END = (
    "DELETE FROM auth.sessions WHERE user_id = $1",
    "DELETE FROM auth.invitations WHERE user_id = $1",
    "DELETE FROM auth.codes WHERE user_id = $1",
    "DELETE FROM auth.device_grants WHERE user_id = $1",
)
# What outlives a credential, but not the person's leaving.
MEMORY_ENDS = ("DELETE FROM auth.password_hashes WHERE user_id = $1",)


class MemberStore(StorePart):
    """People as their colleagues see them."""

    async def invite_again(self, invitation: Invitation) -> None:
        """End a person's credentials, sessions and invitations, and keep a new invitation; in one step."""
        async with chassis.db.transaction(self._pool) as connection:
            await hold_user(connection, invitation.user_id)
            for statement in (*CREDENTIALS_END, *SESSIONS_END):
                await connection.execute(statement, invitation.user_id)
            await insert_invitation(connection, invitation)

    async def list_members(self, seller_id: str) -> Sequence[Member]:
        """Return those who are there, oldest first, at most MEMBERS_MAX; STAFF gives the staff."""
        async with chassis.db.transaction(self._pool) as connection:
            found = await connection.fetch(
                SELECT_MEMBER
                + """
                WHERE u.seller_id IS NOT DISTINCT FROM $1::uuid AND u.left_at IS NULL
                ORDER BY u.created_at, u.user_id
                LIMIT $2
                """,
                seller_id or None,
                MEMBERS_MAX,
            )
        return [member(row) for row in found]

    async def find_member(self, user_id: str) -> Member:
        """Return somebody who is there."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                SELECT_MEMBER + "WHERE u.user_id = $1 AND u.left_at IS NULL", user_id
            )
        if row is None:
            raise MemberNotFound
        return member(row)

    async def change_role(self, user_id: str, role: Role) -> None:
        """Give a person another role, in effect at once."""
        async with chassis.db.transaction(self._pool) as connection:
            await hold_seller_of(connection, user_id)
            if role is not Role.OWNER:
                await _check_owner_left(connection, user_id)
            status = await connection.execute(
                "UPDATE auth.users SET role = $2 WHERE user_id = $1 AND left_at IS NULL", user_id, role
            )
            if status != "UPDATE 1":
                raise MemberNotFound

    async def remove_user(self, user_id: str, now: datetime, *, keeps_owner: bool) -> Removal:
        """End all that a person has, and destroy what is kept about them; in one step."""
        async with chassis.db.transaction(self._pool) as connection:
            await hold_seller_of(connection, user_id)
            if keeps_owner:
                await _check_owner_left(connection, user_id)
            status = await connection.execute(
                """
                UPDATE auth.users SET left_at = $2, name_sealed = NULL
                WHERE user_id = $1 AND left_at IS NULL
                """,
                user_id,
                now,
            )
            if status != "UPDATE 1":
                raise MemberNotFound
            sessions = await connection.fetchval(
                "SELECT count(*) FROM auth.sessions WHERE user_id = $1", user_id
            )
            for statement in (*CREDENTIALS_END, *SESSIONS_END, *MEMORY_ENDS):
                await connection.execute(statement, user_id)
            ended = await connection.fetch(
                """
                UPDATE auth.devices SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL
                RETURNING device_id, seller_id
                """,
                user_id,
                now,
            )
            for row in ended:
                await tell_device(connection, str(row["device_id"]), str(row["seller_id"]))
        return Removal(sessions_ended=sessions, device_ids=tuple(str(row["device_id"]) for row in ended))


def member(row: asyncpg.Record) -> Member:
    """Return the member in a row of SELECT_MEMBER."""
    user = User(
        user_id=str(row["user_id"]),
        seller_id=row["seller_id"],
        role=Role(row["role"]),
        name_sealed=row["name_sealed"],
        created_at=row["created_at"],
    )
    ways = ((PASSKEY, row["has_passkey"]), (PASSWORD, row["has_password"]), (PROVIDER, row["is_linked"]))
    return Member(
        user=user, signed_in_at=row["signed_in_at"], credentials=tuple(way for way, held in ways if held)
    )


async def hold_user(connection: chassis.db.Connection, user_id: str) -> None:
    """Return if somebody is here, and let nobody else change what they sign in with meanwhile.

    Raises:
        MemberNotFound: absent, or left.
    """
    if not await hold_person(connection, user_id):
        raise MemberNotFound


async def _check_owner_left(connection: chassis.db.Connection, user_id: str) -> None:
    """Return if the seller keeps an owner who can sign in, also without this person as one.

    Two owners who would leave at once wait for each other on the owners' rows, in one order.

    Raises:
        LastOwner: nobody else could.
    """
    await connection.execute(
        """
        SELECT user_id FROM auth.users
        WHERE seller_id = (SELECT u.seller_id FROM auth.users u WHERE u.user_id = $1)
            AND role = 'owner' AND left_at IS NULL
        ORDER BY user_id
        FOR UPDATE
        """,
        user_id,
    )
    # A statement of its own, so that it sees what those who held the rows before have done.
    row = await connection.fetchrow(
        """
        SELECT u.role = 'owner' AS is_owner,
               EXISTS (
                   SELECT FROM auth.users o
                   WHERE o.seller_id = u.seller_id AND o.user_id <> u.user_id
                       AND o.role = 'owner' AND o.left_at IS NULL
                       AND (EXISTS (SELECT FROM auth.passkeys k WHERE k.user_id = o.user_id)
                            OR EXISTS (SELECT FROM auth.passwords p WHERE p.user_id = o.user_id)
                            OR EXISTS (SELECT FROM auth.provider_links l WHERE l.user_id = o.user_id))
               ) AS has_other
        FROM auth.users u
        WHERE u.user_id = $1
        """,
        user_id,
    )
    if row is not None and row["is_owner"] and not row["has_other"]:
        raise LastOwner


async def check_way_left(
    connection: chassis.db.Connection, user_id: str, way: str, *, is_provider_offered: bool
) -> None:
    """Return if something is left to sign in with when one way in is taken away.

    Raises:
        LastCredential: nothing is.
        MemberNotFound: absent, or left.
    """
    await hold_user(connection, user_id)
    row = await connection.fetchrow(
        """
        SELECT (SELECT count(*) FROM auth.passkeys WHERE user_id = $1) AS passkeys,
               EXISTS (SELECT FROM auth.passwords WHERE user_id = $1) AS has_password,
               EXISTS (SELECT FROM auth.provider_links WHERE user_id = $1) AS is_linked
        """,
        user_id,
    )
    assert row is not None
    ways = WaysIn(passkeys=row["passkeys"], has_password=row["has_password"], is_linked=row["is_linked"])
    if ways.without(way, is_provider_offered=is_provider_offered) < 1:
        raise LastCredential
