"""The buckets that all replicas share, in Postgres: one row each, locked while its rule is applied.

The rule itself is `model.buckets`. Rows are locked in the order of their keys, so that replicas never wait
for each other in a circle.
"""

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence

import asyncpg
import orjson

import chassis.db
from services.gateway.model.buckets import IDLE_S, Ask, Bucket, Grant, Lease
from services.gateway.model.quota import Quota

# Whoever waits for a permit would rather be refused than wait for longer.
EXCHANGE_S_MAX = 2.0

_Key = tuple[str, str, str]


class BucketStore:
    """Fits `forward.ports.BucketStore`."""

    def __init__(self, pool: chassis.db.Pool) -> None:
        self._pool = pool

    async def ping(self) -> None:
        """Return if Postgres answers.

        Raises:
            StoreUnavailable: it does not.
        """
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute("SELECT 1")

    async def exchange(self, asks: Mapping[Quota, Ask]) -> Mapping[Quota, Grant]:
        """Take in what a replica tells of its leases, and grant what there is.

        Raises:
            StoreUnavailable: no answer within EXCHANGE_S_MAX; it may have been taken in all the same.
        """
        try:
            async with (
                asyncio.timeout(EXCHANGE_S_MAX),
                chassis.db.transaction(self._pool) as connection,
            ):
                return await _exchange(connection, asks)
        except TimeoutError as error:
            raise chassis.db.StoreUnavailable from error

    async def forget_idle(self, limit: int) -> int:
        """Forget buckets that nobody used for IDLE_S, at most `limit`; return how many."""
        async with chassis.db.transaction(self._pool) as connection:
            status = await connection.execute(
                """
                DELETE FROM gateway.buckets
                WHERE (seller_id, region, operation) IN (
                    SELECT seller_id, region, operation
                    FROM gateway.buckets
                    WHERE counted_at < clock_timestamp() - make_interval(secs => $1)
                    ORDER BY counted_at
                    LIMIT $2
                    FOR UPDATE SKIP LOCKED
                )
                """,
                IDLE_S,
                limit,
            )
        return chassis.db.rows_affected(status)


async def _exchange(connection: chassis.db.Connection, asks: Mapping[Quota, Ask]) -> dict[Quota, Grant]:
    found, now_s = await _lock(connection, list(asks))
    missing = [quota for quota in asks if _key(quota) not in found]
    if missing:
        await _make(connection, missing)
        found, now_s = await _lock(connection, list(asks))
    grants = {
        quota: found[_key(quota)].exchange(ask, now_s, is_stated=quota.is_stated)
        for quota, ask in asks.items()
    }
    await _keep(connection, found)
    return grants


async def _lock(
    connection: chassis.db.Connection, quotas: Sequence[Quota]
) -> tuple[dict[_Key, Bucket], float]:
    """Return the buckets that exist, locked, and a moment that is not later than now."""
    rows = await connection.fetch(
        """
        SELECT b.seller_id, b.region, b.operation, b.rate_per_s, b.burst, b.calls_left, b.share, b.leases,
               extract(epoch FROM b.counted_at)::float8 AS counted_at_s,
               extract(epoch FROM b.cut_at)::float8 AS cut_at_s,
               extract(epoch FROM b.raised_at)::float8 AS raised_at_s,
               extract(epoch FROM clock_timestamp())::float8 AS now_s
        FROM gateway.buckets b
        JOIN unnest($1::text[], $2::text[], $3::text[]) AS wanted (seller_id, region, operation)
            USING (seller_id, region, operation)
        ORDER BY b.seller_id, b.region, b.operation
        FOR UPDATE OF b
        """,
        *zip(*map(_key, quotas), strict=True),
    )
    now_s = max((row["now_s"] for row in rows), default=0.0)
    return {(row["seller_id"], row["region"], row["operation"]): _bucket(row) for row in rows}, now_s


async def _make(connection: chassis.db.Connection, quotas: Sequence[Quota]) -> None:
    """Make the buckets of quotas, full, unless another replica has made them meanwhile."""
    await connection.executemany(
        """
        INSERT INTO gateway.buckets
            (seller_id, region, operation, rate_per_s, burst, calls_left, counted_at)
        VALUES ($1, $2, $3, $4, $5::integer, $5::integer, clock_timestamp())
        ON CONFLICT DO NOTHING
        """,
        sorted((*_key(quota), quota.rate_per_s, quota.burst) for quota in quotas),
    )


async def _keep(connection: chassis.db.Connection, buckets: Mapping[_Key, Bucket]) -> None:
    await connection.executemany(
        """
        UPDATE gateway.buckets
        SET rate_per_s = $4, calls_left = $5, counted_at = to_timestamp($6), share = $7,
            cut_at = to_timestamp($8), raised_at = to_timestamp($9), leases = $10
        WHERE seller_id = $1 AND region = $2 AND operation = $3
        """,
        [
            (
                *key,
                bucket.rate_per_s,
                bucket.left,
                bucket.counted_at_s,
                bucket.share,
                bucket.cut_at_s,
                bucket.raised_at_s,
                orjson.dumps([dataclasses.asdict(lease) for lease in bucket.leases]).decode(),
            )
            for key, bucket in buckets.items()
        ],
    )


def _key(quota: Quota) -> _Key:
    return quota.seller_id, quota.region.value, quota.operation_key


def _bucket(row: asyncpg.Record) -> Bucket:
    return Bucket(
        rate_per_s=row["rate_per_s"],
        burst=row["burst"],
        left=row["calls_left"],
        counted_at_s=row["counted_at_s"],
        share=row["share"],
        cut_at_s=row["cut_at_s"],
        raised_at_s=row["raised_at_s"],
        leases=[Lease(**lease) for lease in orjson.loads(row["leases"])],
    )
