"""Who has access to what, and the sellers in numbers, in Postgres."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

import chassis.db
from services.auth.model.audit import Actor
from services.auth.model.people import Seller
from services.auth.model.refusals import SellerNotFound
from services.auth.model.reviews import Access, SellerSummary
from services.auth.store import rows
from services.auth.store.members import SELECT_MEMBER, member
from services.auth.store.part import StorePart

SELECT_SUMMARY = """
    SELECT s.seller_id, s.name_sealed, s.created_at,
           (SELECT count(*) FROM auth.consents c
            WHERE c.seller_id = s.seller_id AND c.ended_at IS NULL AND c.expires_at > $1) AS active_consents,
           (SELECT count(*) FROM auth.devices d
            WHERE d.seller_id = s.seller_id AND d.revoked_at IS NULL) AS active_devices,
           (SELECT min(c.expires_at) FROM auth.consents c
            WHERE c.seller_id = s.seller_id AND c.ended_at IS NULL AND c.expires_at > $1)
               AS next_consent_ends_at
    FROM auth.sellers s
"""


class ReviewStore(StorePart):
    """What the vendor's staff looks at."""

    async def list_summaries(self, after: str, now: datetime, rows_max: int) -> Sequence[SellerSummary]:
        """Return sellers by their ids, from the first one after `after`; those that left are left out."""
        async with chassis.db.transaction(self._pool) as connection:
            found = await connection.fetch(
                SELECT_SUMMARY
                + """
                WHERE s.offboarded_at IS NULL AND ($2::uuid IS NULL OR s.seller_id > $2)
                ORDER BY s.seller_id
                LIMIT $3
                """,
                now,
                after or None,
                rows_max,
            )
        return [_summary(row) for row in found]

    async def find_summary(self, seller_id: str, now: datetime) -> SellerSummary:
        """Return one seller."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                SELECT_SUMMARY + "WHERE s.offboarded_at IS NULL AND s.seller_id = $2", now, seller_id
            )
        if row is None:
            raise SellerNotFound
        return _summary(row)

    async def list_access(self, after: str, rows_max: int) -> Sequence[Access]:
        """Return people by their ids, from the first one after `after`, with their active devices."""
        async with chassis.db.transaction(self._pool) as connection:
            people = await connection.fetch(
                SELECT_MEMBER
                + """
                WHERE u.left_at IS NULL AND ($1::uuid IS NULL OR u.user_id > $1)
                ORDER BY u.user_id
                LIMIT $2
                """,
                after or None,
                rows_max,
            )
            sellers = await connection.fetch(
                """
                SELECT seller_id, name_sealed, created_at
                FROM auth.sellers
                WHERE seller_id = ANY($1::text[]::uuid[])
                """,
                list({row["seller_id"] for row in people if row["seller_id"]}),
            )
            devices = await connection.fetch(
                rows.SELECT_DEVICE
                + """
                WHERE user_id = ANY($1) AND revoked_at IS NULL
                ORDER BY enrolled_at, device_id
                """,
                [row["user_id"] for row in people],
            )
        known = {str(row["seller_id"]): _seller(row) for row in sellers}
        return [
            Access(
                seller=known.get(row["seller_id"]),
                member=member(row),
                devices=tuple(rows.device(one) for one in devices if one["user_id"] == row["user_id"]),
            )
            for row in people
        ]

    async def record_review(self, review_id: str, actor: Actor, now: datetime) -> None:
        """Note that somebody reviewed all access."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                """
                INSERT INTO auth.access_reviews (review_id, actor_kind, actor_id, reviewed_at)
                VALUES ($1, $2, $3, $4)
                """,
                review_id,
                actor.kind,
                actor.actor_id,
                now,
            )

    async def find_review_due(self) -> datetime | None:
        """Return when access was last reviewed, or else since when there is any; None without people."""
        async with chassis.db.transaction(self._pool) as connection:
            due: datetime | None = await connection.fetchval(
                """
                SELECT coalesce(
                    (SELECT max(reviewed_at) FROM auth.access_reviews),
                    (SELECT min(created_at) FROM auth.users))
                """
            )
        return due


def _summary(row: asyncpg.Record) -> SellerSummary:
    return SellerSummary(
        seller=_seller(row),
        active_consents=row["active_consents"],
        active_devices=row["active_devices"],
        next_consent_ends_at=row["next_consent_ends_at"],
    )


def _seller(row: asyncpg.Record) -> Seller:
    return Seller(
        seller_id=str(row["seller_id"]), name_sealed=row["name_sealed"], created_at=row["created_at"]
    )
