"""Passwords, past and present, and the count of failures, in Postgres."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

import chassis.db
from services.auth.model.ceremonies import Spent
from services.auth.model.passwords import (
    PASSWORDS_REMEMBERED,
    Attempt,
    Failures,
    Login,
    OldHash,
)
from services.auth.model.people import PASSWORD, NewSession, Person, Renewal, Session
from services.auth.model.people_refusals import CeremonyOver, EmailTaken, SignInRefused
from services.auth.store.members import check_way_left, hold_user
from services.auth.store.part import StorePart
from services.auth.store.sellers import hold_person
from services.auth.store.sessions import end_other_sessions, open_session, renew_session, spend

SELECT_LOGIN = """
    SELECT p.user_id, coalesce(u.seller_id::text, '') AS seller_id, p.version, p.email_digest,
           p.email_sealed, h.hash_sealed, p.totp_sealed, p.totp_step, h.set_at
    FROM auth.passwords p
    JOIN auth.password_hashes h ON h.user_id = p.user_id AND h.version = p.version
    JOIN auth.users u ON u.user_id = p.user_id
"""


class PasswordStore(StorePart):
    """People's passwords."""

    async def count_attempt(self, subject_digest: bytes, failures_max: int, now: datetime) -> Attempt:
        """Count an attempt as failed before it is judged, unless the subject is locked."""
        async with chassis.db.transaction(self._pool) as connection:
            # The row is made or held in one statement: between two, a right answer may forget it.
            row = await connection.fetchrow(
                """
                INSERT INTO auth.password_failures AS f (subject_digest, failures, failed_at)
                VALUES ($1, 0, $2)
                ON CONFLICT (subject_digest) DO UPDATE SET failures = f.failures
                RETURNING failures, failed_at
                """,
                subject_digest,
                now,
            )
            assert row is not None
            known = Failures(failures=row["failures"], failed_at=row["failed_at"])
            counted = known.count(now, failures_max)
            if counted is None:
                return Attempt(failures=known, is_locked=True)
            await connection.execute(
                """
                UPDATE auth.password_failures SET failures = $2, failed_at = $3
                WHERE subject_digest = $1
                """,
                subject_digest,
                counted.failures,
                counted.failed_at,
            )
        return Attempt(failures=counted, is_locked=False)

    async def uncount_attempt(self, subject_digest: bytes) -> None:
        """Take one attempt back: it was not wrong, or could not be judged."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                """
                UPDATE auth.password_failures SET failures = greatest(failures - 1, 0)
                WHERE subject_digest = $1
                """,
                subject_digest,
            )

    async def forget_failures(self, subject_digest: bytes) -> None:
        """Forget how often a subject failed."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                "DELETE FROM auth.password_failures WHERE subject_digest = $1", subject_digest
            )

    async def find_login(self, email_digest: bytes) -> Login | None:
        """Return the password login of an address; None without one, or when its person has left."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(SELECT_LOGIN + "WHERE p.email_digest = $1", email_digest)
        return None if row is None else _login(row)

    async def find_own_login(self, user_id: str) -> Login | None:
        """Return a person's password login."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(SELECT_LOGIN + "WHERE p.user_id = $1", user_id)
        return None if row is None else _login(row)

    async def list_hashes(self, user_id: str) -> Sequence[OldHash]:
        """Return a person's last hashes with the present one, newest first, at most PASSWORDS_REMEMBERED."""
        async with chassis.db.transaction(self._pool) as connection:
            found = await connection.fetch(
                """
                SELECT version, hash_sealed, set_at
                FROM auth.password_hashes
                WHERE user_id = $1
                ORDER BY version DESC
                LIMIT $2
                """,
                user_id,
                PASSWORDS_REMEMBERED,
            )
        return [
            OldHash(version=row["version"], hash_sealed=row["hash_sealed"], set_at=row["set_at"])
            for row in found
        ]

    async def set_password(
        self, login: Login, spent: Spent, *, session_id: str, renewal: Renewal | None
    ) -> Session | None:
        """Keep a password in place of the former one and spend its enrolment, in one step."""
        async with chassis.db.transaction(self._pool) as connection:
            await hold_user(connection, login.person.user_id)
            await spend(connection, spent)
            await _insert_hash(connection, login)
            await _put_login(connection, login)
            await end_other_sessions(connection, login.person.user_id, session_id)
            return None if renewal is None else await renew_session(connection, renewal)

    async def replace_hash(self, login: Login, hash_sealed: str) -> None:
        """Keep the present password's hash, made anew; nothing is kept when the password was replaced."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                """
                UPDATE auth.password_hashes SET hash_sealed = $4
                WHERE user_id = $1 AND version = $2 AND hash_sealed = $3
                """,
                login.person.user_id,
                login.version,
                login.hash_sealed,
                hash_sealed,
            )

    async def sign_in_with_password(self, login: Login, totp_step: int, session: NewSession) -> Session:
        """Use up the step's code and open a session, in one step."""
        async with chassis.db.transaction(self._pool) as connection:
            await hold_person(connection, session.user_id)
            used = await connection.execute(
                """
                UPDATE auth.passwords SET totp_step = $3
                WHERE user_id = $1 AND version = $2 AND totp_step < $3
                """,
                login.person.user_id,
                login.version,
                totp_step,
            )
            if used != "UPDATE 1":
                raise SignInRefused
            return await open_session(connection, session)

    async def remove_password(self, user_id: str, session_id: str, *, is_provider_offered: bool) -> None:
        """Remove a password and end the person's other sessions; its hash goes on being remembered."""
        async with chassis.db.transaction(self._pool) as connection:
            await check_way_left(connection, user_id, PASSWORD, is_provider_offered=is_provider_offered)
            await connection.execute("DELETE FROM auth.passwords WHERE user_id = $1", user_id)
            await end_other_sessions(connection, user_id, session_id)


async def _insert_hash(connection: chassis.db.Connection, login: Login) -> None:
    """Keep a hash, and forget those that are not remembered any more.

    Raises:
        CeremonyOver: another password came first.
    """
    status = await connection.execute(
        """
        INSERT INTO auth.password_hashes (user_id, version, hash_sealed, set_at)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_id, version) DO NOTHING
        """,
        login.person.user_id,
        login.version,
        login.hash_sealed,
        login.set_at,
    )
    if status != "INSERT 0 1":
        raise CeremonyOver
    await connection.execute(
        "DELETE FROM auth.password_hashes WHERE user_id = $1 AND version <= $2",
        login.person.user_id,
        login.version - PASSWORDS_REMEMBERED,
    )


async def _put_login(connection: chassis.db.Connection, login: Login) -> None:
    try:
        await connection.execute(
            """
            INSERT INTO auth.passwords
                (user_id, version, email_digest, email_sealed, totp_sealed, totp_step)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (user_id) DO UPDATE
            SET version = EXCLUDED.version,
                email_digest = EXCLUDED.email_digest,
                email_sealed = EXCLUDED.email_sealed,
                totp_sealed = EXCLUDED.totp_sealed,
                totp_step = EXCLUDED.totp_step
            """,
            login.person.user_id,
            login.version,
            login.email_digest,
            login.email_sealed,
            login.totp_sealed,
            login.totp_step,
        )
    except asyncpg.UniqueViolationError as error:
        raise EmailTaken from error


def _login(row: asyncpg.Record) -> Login:
    return Login(
        person=Person(user_id=str(row["user_id"]), seller_id=row["seller_id"]),
        version=row["version"],
        email_digest=row["email_digest"],
        email_sealed=row["email_sealed"],
        hash_sealed=row["hash_sealed"],
        totp_sealed=row["totp_sealed"],
        totp_step=row["totp_step"],
        set_at=row["set_at"],
    )
