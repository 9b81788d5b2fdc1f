"""Passkeys in Postgres."""

from collections.abc import Sequence

import asyncpg

import chassis.db
from services.auth.model.ceremonies import Spent
from services.auth.model.passkeys import PASSKEYS_MAX, Passkey, PasskeyUse
from services.auth.model.people import PASSKEY, NewSession, Person, Renewal, Session
from services.auth.model.people_refusals import (
    CeremonyOver,
    PasskeyKnown,
    PasskeysFull,
    SignInRefused,
)
from services.auth.store.members import check_way_left, hold_user
from services.auth.store.part import StorePart
from services.auth.store.sellers import hold_person
from services.auth.store.sessions import end_other_sessions, open_session, renew_session, spend

SELECT_PASSKEY = """
    SELECT k.passkey_id, k.user_id, coalesce(u.seller_id::text, '') AS seller_id, k.credential_id,
           k.public_key, k.sign_count, k.name_sealed, k.registered_at, k.used_at
    FROM auth.passkeys k
    JOIN auth.users u ON u.user_id = k.user_id
"""


class PasskeyStore(StorePart):
    """People's passkeys."""

    async def list_passkeys(self, user_id: str) -> Sequence[Passkey]:
        """Return a person's passkeys, newest first, at most PASSKEYS_MAX."""
        async with chassis.db.transaction(self._pool) as connection:
            found = await connection.fetch(
                SELECT_PASSKEY
                + """
                WHERE k.user_id = $1
                ORDER BY k.registered_at DESC, k.passkey_id DESC
                LIMIT $2
                """,
                user_id,
                PASSKEYS_MAX,
            )
        return [_passkey(row) for row in found]

    async def find_passkey(self, credential_id: bytes) -> Passkey:
        """Return a passkey by the authenticator's name for it."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(SELECT_PASSKEY + "WHERE k.credential_id = $1", credential_id)
        if row is None:
            raise SignInRefused
        return _passkey(row)

    async def add_passkey(self, passkey: Passkey, spent: Spent, renewal: Renewal | None) -> Session | None:
        """Keep a passkey, spend its ceremony, and renew the session, in one step; return the new session."""
        async with chassis.db.transaction(self._pool) as connection:
            await hold_user(connection, passkey.person.user_id)
            await spend(connection, spent)
            held = await connection.fetchval(
                "SELECT count(*) FROM auth.passkeys WHERE user_id = $1", passkey.person.user_id
            )
            if held >= PASSKEYS_MAX:
                raise PasskeysFull
            await _insert(connection, passkey)
            return None if renewal is None else await renew_session(connection, renewal)

    async def sign_in_with_passkey(self, use: PasskeyUse, spent: Spent, session: NewSession) -> Session:
        """Note the use, spend the ceremony, and open a session, in one step."""
        async with chassis.db.transaction(self._pool) as connection:
            await hold_person(connection, session.user_id)
            try:
                await spend(connection, spent)
            except CeremonyOver as error:
                raise SignInRefused from error
            used = await connection.execute(
                """
                UPDATE auth.passkeys SET sign_count = $2, used_at = greatest(used_at, $3)
                WHERE passkey_id = $1 AND (sign_count < $2 OR (sign_count = 0 AND $2 = 0))
                """,
                use.passkey_id,
                use.sign_count,
                use.used_at,
            )
            if used != "UPDATE 1":
                raise SignInRefused
            return await open_session(connection, session)

    async def remove_passkey(self, passkey: Passkey, session_id: str, *, is_provider_offered: bool) -> None:
        """Remove a passkey and end the person's other sessions, in one step; doing it again is harmless."""
        user_id = passkey.person.user_id
        async with chassis.db.transaction(self._pool) as connection:
            await check_way_left(connection, user_id, PASSKEY, is_provider_offered=is_provider_offered)
            await connection.execute("DELETE FROM auth.passkeys WHERE passkey_id = $1", passkey.passkey_id)
            await end_other_sessions(connection, user_id, session_id)


async def _insert(connection: chassis.db.Connection, passkey: Passkey) -> None:
    status = await connection.execute(
        """
        INSERT INTO auth.passkeys
            (passkey_id, user_id, credential_id, public_key, sign_count, name_sealed, registered_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (credential_id) DO NOTHING
        """,
        passkey.passkey_id,
        passkey.person.user_id,
        passkey.credential_id,
        passkey.public_key,
        passkey.sign_count,
        passkey.name_sealed,
        passkey.registered_at,
    )
    if status != "INSERT 0 1":
        raise PasskeyKnown


def _passkey(row: asyncpg.Record) -> Passkey:
    return Passkey(
        passkey_id=str(row["passkey_id"]),
        person=Person(user_id=str(row["user_id"]), seller_id=row["seller_id"]),
        credential_id=row["credential_id"],
        public_key=row["public_key"],
        sign_count=row["sign_count"],
        name_sealed=row["name_sealed"],
        registered_at=row["registered_at"],
        used_at=row["used_at"],
    )
