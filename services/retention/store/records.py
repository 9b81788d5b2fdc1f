"""Sealed records and orders' clocks.

A writer names the revision of the order's clock that it decided by; when the clock changed since, nothing is
written. What a record is kept under stays open until the write is done.
"""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

import chassis.db
from services.retention.model.errors import KeyRetired, OrderContended, SubjectClosed
from services.retention.model.orders import OrderClock
from services.retention.model.records import DataKey, Found, Kept, Record, RecordName
from services.retention.store.data_keys import lock_open


class RecordStore:
    """The tables `records` and `order_clocks`."""

    def __init__(self, pool: chassis.db.Pool) -> None:
        self._pool = pool

    async def find(self, name: RecordName) -> Found:
        """Return what is known under a name."""
        async with chassis.db.transaction(self._pool) as connection:
            clocks = await _clocks(connection, name.seller_id, [name.order_id])
            row = await connection.fetchrow(
                """
                SELECT r.field_set, r.erase_day, r.key_id, r.fetched_at, r.expires_at, r.is_unsound, r.sealed,
                       k.wrapped
                FROM retention.records r JOIN retention.data_keys k ON k.key_id = r.key_id
                WHERE r.seller_id = $1 AND r.order_id = $2 AND r.field_set = $3
                ORDER BY r.erase_day LIMIT 1
                """,
                name.seller_id,
                name.order_id,
                name.field_set,
            )
        kept = None if row is None else _kept(name.seller_id, name.order_id, row)
        return Found(clocks.get(name.order_id), kept)

    async def find_clocks(self, seller_id: str, order_ids: Sequence[str]) -> dict[str, OrderClock]:
        """Return the known clocks among these orders, by order id."""
        async with chassis.db.transaction(self._pool) as connection:
            return await _clocks(connection, seller_id, order_ids)

    async def save_clocks(self, clocks: Sequence[OrderClock]) -> None:
        """Store clocks, all or none; each must still have the revision that it was read with.

        Raises:
            OrderContended: one has not.
        """
        ordered = sorted(clocks, key=lambda clock: (clock.seller_id, clock.order_id))
        async with chassis.db.transaction(self._pool) as connection:
            written = await connection.fetch(
                """
                INSERT INTO retention.order_clocks AS c
                    (seller_id, order_id, unshipped_at, left_at, expires_at, is_move_due, revision)
                SELECT seller_id, order_id, unshipped_at, left_at, expires_at, is_move_due, revision + 1
                FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[],
                            $6::boolean[], $7::bigint[])
                    AS given (seller_id, order_id, unshipped_at, left_at, expires_at, is_move_due, revision)
                ON CONFLICT (seller_id, order_id) DO UPDATE
                SET unshipped_at = excluded.unshipped_at, left_at = excluded.left_at,
                    expires_at = excluded.expires_at, is_move_due = excluded.is_move_due,
                    revision = excluded.revision
                WHERE c.revision = excluded.revision - 1
                RETURNING 1
                """,
                [clock.seller_id for clock in ordered],
                [clock.order_id for clock in ordered],
                [clock.unshipped_at for clock in ordered],
                [clock.left_at for clock in ordered],
                [clock.expires_at for clock in ordered],
                [clock.is_move_due for clock in ordered],
                [clock.revision for clock in ordered],
            )
            if len(written) < len(ordered):
                raise OrderContended

    async def put(self, record: Record, clock: OrderClock) -> None:
        """Keep a record in place of any other under its name, if the clock still has its revision.

        Raises:
            OrderContended: the clock changed.
            KeyRetired: the record's data key, or what it is wrapped by, was erased.
        """
        name = record.name
        async with chassis.db.transaction(self._pool) as connection:
            await _hold(connection, clock)
            await connection.execute(
                "DELETE FROM retention.records WHERE seller_id = $1 AND order_id = $2 AND field_set = $3",
                name.seller_id,
                name.order_id,
                name.field_set,
            )
            await _insert(connection, record)

    async def set_aside(self, record: Record) -> None:
        """Mark a record as unsound; nothing opens it again."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                """
                UPDATE retention.records SET is_unsound = true
                WHERE seller_id = $1 AND order_id = $2 AND field_set = $3 AND erase_day = $4
                """,
                *_identity(record),
            )

    async def find_moves(self, limit: int) -> list[OrderClock]:
        """Return clocks with `is_move_due`, at most `limit`."""
        async with chassis.db.transaction(self._pool) as connection:
            rows = await connection.fetch(
                """
                SELECT seller_id, order_id, unshipped_at, left_at, expires_at, revision, is_move_due
                FROM retention.order_clocks WHERE is_move_due
                ORDER BY seller_id, order_id LIMIT $1
                """,
                limit,
            )
        return [_clock(row) for row in rows]

    async def find_stale(self, clock: OrderClock, limit: int) -> list[Kept]:
        """Return an order's records that would outlive its clock, with their data keys, at most `limit`."""
        async with chassis.db.transaction(self._pool) as connection:
            rows = await connection.fetch(
                """
                SELECT r.field_set, r.erase_day, r.key_id, r.fetched_at, r.expires_at, r.is_unsound, r.sealed,
                       k.wrapped
                FROM retention.records r JOIN retention.data_keys k ON k.key_id = r.key_id
                WHERE r.seller_id = $1 AND r.order_id = $2 AND r.expires_at > $3
                ORDER BY r.field_set, r.erase_day LIMIT $4
                """,
                clock.seller_id,
                clock.order_id,
                clock.expires_at,
                limit,
            )
        return [_kept(clock.seller_id, clock.order_id, row) for row in rows]

    async def move(self, clock: OrderClock, *, stale: Sequence[Record], fresh: Sequence[Record]) -> None:
        """Replace stale records of an order by fresh ones and store `is_move_due`, in one piece.

        Raises:
            OrderContended: the clock changed.
            KeyRetired: a fresh record's data key was erased.
        """
        async with chassis.db.transaction(self._pool) as connection:
            await _hold(connection, clock)
            await connection.execute(
                """
                UPDATE retention.order_clocks SET is_move_due = $3, revision = revision + 1
                WHERE seller_id = $1 AND order_id = $2
                """,
                clock.seller_id,
                clock.order_id,
                clock.is_move_due,
            )
            await connection.executemany(
                """
                DELETE FROM retention.records
                WHERE seller_id = $1 AND order_id = $2 AND field_set = $3 AND erase_day = $4
                """,
                [_identity(record) for record in stale],
            )
            for record in fresh:
                await _insert(connection, record)

    async def oldest_fetched_at(self) -> datetime | None:
        """Return when the oldest kept copy was fetched; None when nothing is kept."""
        async with chassis.db.transaction(self._pool) as connection:
            oldest: datetime | None = await connection.fetchval(
                "SELECT fetched_at FROM retention.records ORDER BY fetched_at LIMIT 1"
            )
        return oldest

    async def purge_clocks(self, before: datetime, limit: int) -> int:
        """Forget clocks that ended before a moment, at most `limit`; return how many."""
        async with chassis.db.transaction(self._pool) as connection:
            rows = await connection.fetch(
                """
                DELETE FROM retention.order_clocks WHERE (seller_id, order_id) IN (
                    SELECT seller_id, order_id FROM retention.order_clocks
                    WHERE expires_at < $1 ORDER BY expires_at LIMIT $2
                ) RETURNING 1
                """,
                before,
                limit,
            )
        return len(rows)


async def _clocks(
    connection: chassis.db.Connection, seller_id: str, order_ids: Sequence[str]
) -> dict[str, OrderClock]:
    rows = await connection.fetch(
        """
        SELECT seller_id, order_id, unshipped_at, left_at, expires_at, revision, is_move_due
        FROM retention.order_clocks WHERE seller_id = $1 AND order_id = ANY($2::text[])
        """,
        seller_id,
        list(order_ids),
    )
    return {row["order_id"]: _clock(row) for row in rows}


async def _hold(connection: chassis.db.Connection, clock: OrderClock) -> None:
    """Keep others from an order until the transaction ends, if its clock is still the one decided by."""
    held = await connection.fetchval(
        """
        SELECT 1 FROM retention.order_clocks
        WHERE seller_id = $1 AND order_id = $2 AND revision = $3 FOR UPDATE
        """,
        clock.seller_id,
        clock.order_id,
        clock.revision,
    )
    if held is None:
        raise OrderContended


async def _insert(connection: chassis.db.Connection, record: Record) -> None:
    try:
        await lock_open(connection, record.name.seller_id, record.erase_day)
    except SubjectClosed as error:
        raise KeyRetired from error
    inserted = await connection.fetchval(
        """
        INSERT INTO retention.records
            (seller_id, order_id, field_set, erase_day, key_id, fetched_at, expires_at, sealed)
        SELECT $1, $2, $3, $4, key_id, $6, $7, $8 FROM retention.data_keys WHERE key_id = $5
        RETURNING 1
        """,
        *_identity(record),
        record.key_id,
        record.fetched_at,
        record.expires_at,
        record.sealed,
    )
    if inserted is None:
        raise KeyRetired


def _identity(record: Record) -> tuple[object, ...]:
    return record.name.seller_id, record.name.order_id, record.name.field_set, record.erase_day


def _clock(row: asyncpg.Record) -> OrderClock:
    return OrderClock(
        seller_id=row["seller_id"],
        order_id=row["order_id"],
        unshipped_at=row["unshipped_at"],
        left_at=row["left_at"],
        expires_at=row["expires_at"],
        revision=row["revision"],
        is_move_due=row["is_move_due"],
    )


def _kept(seller_id: str, order_id: str, row: asyncpg.Record) -> Kept:
    key_id = str(row["key_id"])
    record = Record(
        name=RecordName(seller_id, order_id, row["field_set"]),
        erase_day=row["erase_day"],
        key_id=key_id,
        fetched_at=row["fetched_at"],
        expires_at=row["expires_at"],
        sealed=row["sealed"],
        is_unsound=row["is_unsound"],
    )
    data_key = DataKey(key_id=key_id, seller_id=seller_id, erase_day=row["erase_day"], wrapped=row["wrapped"])
    return Kept(record, data_key)
