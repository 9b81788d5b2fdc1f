"""Which regions told sellers' ids, by fingerprints that all replicas share, in Postgres."""

from collections.abc import Sequence
from datetime import timedelta

import chassis.db
from services.gateway.model.calls import Region
from services.gateway.store.statements import short_statement

# Whoever asks by an id, or is told one, waits for it; without it calls go where their device says.
HOME_S_MAX = 1.0
# Amazon keeps reports and feeds no longer. Source: Reports and Feeds API models: kept up to 90 days.
KEPT = timedelta(days=90)
# What is told again and again is written no more often.
RENEWED_AFTER = timedelta(days=1)


class HomeStore:
    """Fits `fingerprints.FingerprintStore`."""

    def __init__(self, pool: chassis.db.Pool) -> None:
        self._pool = pool

    async def settle(self, seller_id: str, fingerprints: Sequence[bytes], region: Region) -> None:
        """Keep that a region told ids, none of them twice; it counts from now for KEPT, within RENEWED_AFTER.

        Raises:
            StoreUnavailable: not within HOME_S_MAX; it may or may not have been kept.
        """
        async with short_statement(self._pool, HOME_S_MAX) as connection:
            await connection.execute(
                """
                INSERT INTO gateway.id_homes AS known (seller_id, fingerprint, region)
                SELECT $1, told.fingerprint, $3
                FROM unnest($2::bytea[]) AS told (fingerprint)
                ORDER BY told.fingerprint
                ON CONFLICT (seller_id, fingerprint, region)
                DO UPDATE SET told_at = clock_timestamp()
                WHERE known.told_at < clock_timestamp() - $4::interval
                """,
                seller_id,
                fingerprints,
                region,
                RENEWED_AFTER,
            )

    async def homes(self, seller_id: str, fingerprint: bytes) -> frozenset[Region]:
        """Return the regions that told an id; empty where it is not known.

        Raises:
            StoreUnavailable: nobody can say within HOME_S_MAX.
        """
        async with short_statement(self._pool, HOME_S_MAX) as connection:
            rows = await connection.fetch(
                "SELECT region FROM gateway.id_homes WHERE seller_id = $1 AND fingerprint = $2",
                seller_id,
                fingerprint,
            )
        return frozenset(Region(row["region"]) for row in rows)

    async def forget_homes(self, limit: int) -> int:
        """Forget ids that no region told for KEPT, at most `limit`; return how many.

        Raises:
            StoreUnavailable: nothing may have been forgotten.
        """
        async with short_statement(self._pool, HOME_S_MAX) as connection:
            status = await connection.execute(
                """
                DELETE FROM gateway.id_homes
                WHERE (seller_id, fingerprint, region) IN (
                    SELECT seller_id, fingerprint, region
                    FROM gateway.id_homes
                    WHERE told_at < clock_timestamp() - $1::interval
                    ORDER BY told_at
                    LIMIT $2
                    FOR UPDATE SKIP LOCKED
                )
                """,
                KEPT,
                limit,
            )
        return chassis.db.rows_affected(status)
