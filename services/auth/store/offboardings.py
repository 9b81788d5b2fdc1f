"""Sellers as the vendor's operators see them, and those who leave, in Postgres."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

import chassis.db
from services.auth.model.offboarding import KnownSeller, Offboarding
from services.auth.model.people import Seller
from services.auth.model.refusals import SellerNotFound
from services.auth.store.members import CREDENTIALS_END, MEMORY_ENDS, SESSIONS_END
from services.auth.store.news import tell_devices
from services.auth.store.part import StorePart

SELECT_KNOWN = """
    SELECT s.seller_id, s.name_sealed, s.created_at,
           (SELECT count(*) FROM auth.consents c
            WHERE c.seller_id = s.seller_id AND c.ended_at IS NULL) AS active_consents,
           (SELECT count(*) FROM auth.devices d
            WHERE d.seller_id = s.seller_id AND d.revoked_at IS NULL) AS active_devices,
           o.closed_at, o.key_destroyed_at, o.erased_at, o.finished_at, o.receipt_id, o.told_at
    FROM auth.sellers s
    LEFT JOIN auth.offboardings o ON o.seller_id = s.seller_id
"""
SELECT_OFFBOARDING = """
    SELECT seller_id, closed_at, key_destroyed_at, erased_at, finished_at, receipt_id, told_at
    FROM auth.offboardings
"""

# What only served to let somebody in, or tied an account at Amazon to the seller.
FORGETTING = (
    "DELETE FROM auth.sessions WHERE user_id IN (SELECT user_id FROM auth.users WHERE seller_id = $1)",
    "DELETE FROM auth.invitations WHERE user_id IN (SELECT user_id FROM auth.users WHERE seller_id = $1)",
    "DELETE FROM auth.passkeys WHERE user_id IN (SELECT user_id FROM auth.users WHERE seller_id = $1)",
    "DELETE FROM auth.passwords WHERE user_id IN (SELECT user_id FROM auth.users WHERE seller_id = $1)",
    "DELETE FROM auth.password_hashes WHERE user_id IN (SELECT user_id FROM auth.users WHERE seller_id = $1)",
    "DELETE FROM auth.provider_links WHERE user_id IN (SELECT user_id FROM auth.users WHERE seller_id = $1)",
    "DELETE FROM auth.codes WHERE seller_id = $1",
    "DELETE FROM auth.device_grants WHERE seller_id = $1",
    "DELETE FROM auth.consent_states WHERE seller_id = $1",
    "DELETE FROM auth.selling_partners WHERE seller_id = $1",
)


class SellerStore(StorePart):
    """Every seller, those who left too."""

    async def find_known_seller(self, seller_id: str) -> KnownSeller:
        """Return a seller."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(SELECT_KNOWN + "WHERE s.seller_id = $1", seller_id)
        if row is None:
            raise SellerNotFound
        return _known(row)

    async def list_known_sellers(self, after: str, rows_max: int) -> Sequence[KnownSeller]:
        """Return sellers by their ids, from the first one after `after`; empty: from the very first."""
        async with chassis.db.transaction(self._pool) as connection:
            found = await connection.fetch(
                SELECT_KNOWN
                + """
                WHERE $1::uuid IS NULL OR s.seller_id > $1
                ORDER BY s.seller_id
                LIMIT $2
                """,
                after or None,
                rows_max,
            )
        return [_known(row) for row in found]

    async def close_seller(self, seller_id: str, now: datetime) -> Offboarding:
        """End all that lets anybody of a seller in, and destroy the sealed refresh tokens, in one step."""
        async with chassis.db.transaction(self._pool) as connection:
            # Whoever keeps something new for the seller waits here, or is waited for: see `store.sellers`.
            seller = await connection.fetchrow(
                "SELECT offboarded_at FROM auth.sellers WHERE seller_id = $1 FOR UPDATE", seller_id
            )
            if seller is None:
                raise SellerNotFound
            if seller["offboarded_at"] is None:
                await _close(connection, seller_id, now)
            row = await connection.fetchrow(SELECT_OFFBOARDING + "WHERE seller_id = $1", seller_id)
        assert row is not None
        return _offboarding(row)

    async def list_offboardings(self, rows_max: int) -> Sequence[Offboarding]:
        """Return those that the audit log may not have as finished, oldest first."""
        async with chassis.db.transaction(self._pool) as connection:
            found = await connection.fetch(
                SELECT_OFFBOARDING + "WHERE told_at IS NULL ORDER BY closed_at, seller_id LIMIT $1", rows_max
            )
        return [_offboarding(row) for row in found]

    async def keep_offboarding(self, offboarding: Offboarding) -> Offboarding:
        """Keep each step's time that is not known yet; return all as it is kept, by whoever came first."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                """
                UPDATE auth.offboardings
                SET key_destroyed_at = coalesce(key_destroyed_at, $2),
                    erased_at = coalesce(erased_at, $3),
                    receipt_id = CASE
                        WHEN finished_at IS NULL THEN coalesce($4, receipt_id) ELSE receipt_id END,
                    finished_at = coalesce(finished_at, $5),
                    told_at = coalesce(told_at, $6)
                WHERE seller_id = $1
                RETURNING seller_id, closed_at, key_destroyed_at, erased_at, finished_at, receipt_id, told_at
                """,
                offboarding.seller_id,
                offboarding.key_destroyed_at,
                offboarding.erased_at,
                offboarding.receipt_id,
                offboarding.finished_at,
                offboarding.told_at,
            )
        if row is None:
            raise SellerNotFound
        return _offboarding(row)


async def _close(connection: chassis.db.Connection, seller_id: str, now: datetime) -> None:
    await connection.execute(
        "UPDATE auth.sellers SET offboarded_at = $2 WHERE seller_id = $1", seller_id, now
    )
    await connection.execute(
        "INSERT INTO auth.offboardings (seller_id, closed_at) VALUES ($1, $2)", seller_id, now
    )
    people = await connection.fetch(
        """
        UPDATE auth.users SET left_at = $2, name_sealed = NULL
        WHERE seller_id = $1 AND left_at IS NULL
        RETURNING user_id
        """,
        seller_id,
        now,
    )
    for row in people:
        for statement in (*CREDENTIALS_END, *SESSIONS_END, *MEMORY_ENDS):
            await connection.execute(statement, row["user_id"])
    await tell_devices(connection, seller_id)
    await connection.execute(
        "UPDATE auth.devices SET revoked_at = $2 WHERE seller_id = $1 AND revoked_at IS NULL", seller_id, now
    )
    await _end_consents(connection, seller_id, now)
    for statement in FORGETTING:
        await connection.execute(statement, seller_id)


async def _end_consents(connection: chassis.db.Connection, seller_id: str, now: datetime) -> None:
    # The texts go even where the consent ended before and its token was kept for an inquiry.
    await connection.execute(
        """
        UPDATE auth.consents
        SET ended_at = coalesce(ended_at, $2),
            ending = coalesce(ending, 'offboarded'),
            refresh_token_sealed = NULL
        WHERE seller_id = $1 AND (ended_at IS NULL OR refresh_token_sealed IS NOT NULL)
        """,
        seller_id,
        now,
    )
    await connection.execute(
        """
        DELETE FROM auth.access_leases
        WHERE consent_id IN (SELECT consent_id FROM auth.consents WHERE seller_id = $1)
        """,
        seller_id,
    )


def _known(row: asyncpg.Record) -> KnownSeller:
    seller = Seller(
        seller_id=str(row["seller_id"]), name_sealed=row["name_sealed"], created_at=row["created_at"]
    )
    return KnownSeller(
        seller=seller,
        active_consents=row["active_consents"],
        active_devices=row["active_devices"],
        offboarding=None if row["closed_at"] is None else _offboarding(row),
    )


def _offboarding(row: asyncpg.Record) -> Offboarding:
    return Offboarding(
        seller_id=str(row["seller_id"]),
        closed_at=row["closed_at"],
        key_destroyed_at=row["key_destroyed_at"],
        erased_at=row["erased_at"],
        finished_at=row["finished_at"],
        receipt_id=row["receipt_id"],
        told_at=row["told_at"],
    )
