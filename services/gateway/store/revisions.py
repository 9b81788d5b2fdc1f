"""How often sellers' data was written to through any replica, by API, in Postgres."""

from datetime import timedelta

import chassis.db
from services.gateway.store.statements import short_statement

# Whoever writes or reads waits for it; without it nothing is served again.
REVISION_S_MAX = 1.0
# Far longer than any answer is served again, so no answer is left of a revision whose number comes again.
IDLE = timedelta(days=1)


class RevisionStore:
    """Fits `forward.ports.RevisionStore`."""

    def __init__(self, pool: chassis.db.Pool) -> None:
        self._pool = pool

    async def revision(self, seller_id: str, api: str) -> int:
        """Return how often something was written.

        Raises:
            StoreUnavailable: nobody can say within REVISION_S_MAX.
        """
        async with short_statement(self._pool, REVISION_S_MAX) as connection:
            found = await connection.fetchval(
                "SELECT revision FROM gateway.revisions WHERE seller_id = $1 AND api = $2", seller_id, api
            )
        return found or 0

    async def revise(self, seller_id: str, api: str) -> None:
        """Count one more write.

        Raises:
            StoreUnavailable: not within REVISION_S_MAX; it may or may not have been counted.
        """
        async with short_statement(self._pool, REVISION_S_MAX) as connection:
            await connection.execute(
                """
                INSERT INTO gateway.revisions AS known (seller_id, api)
                VALUES ($1, $2)
                ON CONFLICT (seller_id, api)
                DO UPDATE SET revision = known.revision + 1, revised_at = clock_timestamp()
                """,
                seller_id,
                api,
            )

    async def forget_revisions(self, limit: int) -> int:
        """Forget what nobody wrote to for IDLE, at most `limit`; return how many.

        Raises:
            StoreUnavailable: nothing may have been forgotten.
        """
        async with short_statement(self._pool, REVISION_S_MAX) as connection:
            status = await connection.execute(
                """
                DELETE FROM gateway.revisions
                WHERE (seller_id, api) IN (
                    SELECT seller_id, api
                    FROM gateway.revisions
                    WHERE revised_at < clock_timestamp() - $1::interval
                    ORDER BY revised_at
                    LIMIT $2
                    FOR UPDATE SKIP LOCKED
                )
                """,
                IDLE,
                limit,
            )
        return chassis.db.rows_affected(status)
