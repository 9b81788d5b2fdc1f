"""The types of sellers' documents that all replicas share, in Postgres."""

from collections.abc import Mapping
from datetime import timedelta

import chassis.db
from services.gateway.store.statements import short_statement

# Whoever is told of documents, or asks for one, waits for it; without it a type counts as unknown.
TYPE_S_MAX = 1.0
# Amazon keeps reports and feeds no longer. Source: Reports and Feeds API models: kept up to 90 days.
KEPT = timedelta(days=90)


class DocumentTypeStore:
    """Fits `forward.document_links.DocumentTypes`."""

    def __init__(self, pool: chassis.db.Pool) -> None:
        self._pool = pool

    async def learn(self, seller_id: str, types: Mapping[str, str]) -> None:
        """Keep what was told: document id → type; what is known already stays.

        Raises:
            StoreUnavailable: not within TYPE_S_MAX; it may or may not have been kept.
        """
        async with short_statement(self._pool, TYPE_S_MAX) as connection:
            await connection.execute(
                """
                INSERT INTO gateway.document_types (seller_id, document_id, type)
                SELECT $1, told.document_id, told.type
                FROM unnest($2::text[], $3::text[]) AS told (document_id, type)
                ORDER BY told.document_id
                ON CONFLICT DO NOTHING
                """,
                seller_id,
                list(types),
                list(types.values()),
            )

    async def find(self, seller_id: str, document_id: str) -> str:
        """Return a document's type; empty when it is not known.

        Raises:
            StoreUnavailable: nobody can say within TYPE_S_MAX.
        """
        async with short_statement(self._pool, TYPE_S_MAX) as connection:
            found = await connection.fetchval(
                "SELECT type FROM gateway.document_types WHERE seller_id = $1 AND document_id = $2",
                seller_id,
                document_id,
            )
        return found or ""

    async def forget_documents(self, limit: int) -> int:
        """Forget types of documents that Amazon does not keep any more, at most `limit`; return how many.

        Raises:
            StoreUnavailable: nothing may have been forgotten.
        """
        async with short_statement(self._pool, TYPE_S_MAX) as connection:
            status = await connection.execute(
                """
                DELETE FROM gateway.document_types
                WHERE (seller_id, document_id) IN (
                    SELECT seller_id, document_id
                    FROM gateway.document_types
                    WHERE told_at < clock_timestamp() - $1::interval
                    ORDER BY told_at
                    LIMIT $2
                )
                """,
                KEPT,
                limit,
            )
        return chassis.db.rows_affected(status)
