"""How far each erasure has come, the receipts, and what the database still holds of a subject."""

from datetime import date, datetime

import asyncpg

import chassis.db
from services.retention.model.audit import Origin
from services.retention.model.erasures import Erasure, Probe, Receipt, Stage, Subject
from services.retention.model.orders import day_of


class ErasureStore:
    """The tables `erasures` and `receipts`, and the removal of everything else."""

    def __init__(self, pool: chassis.db.Pool) -> None:
        self._pool = pool

    async def find_due(self, now: datetime, limit: int) -> list[Subject]:
        """Return days that have begun and whatever erasure is unfinished, oldest first, at most `limit`."""
        async with chassis.db.transaction(self._pool) as connection:
            rows = await connection.fetch(
                """
                SELECT s.subject FROM retention.subjects s
                WHERE (s.erase_day <= $1 AND s.closed_at IS NULL) OR EXISTS (
                    SELECT FROM retention.erasures e WHERE e.subject = s.subject AND e.stage <> 'reported'
                )
                ORDER BY s.erase_day NULLS LAST, s.subject LIMIT $2
                """,
                day_of(now),
                limit,
            )
        return [Subject.parse(row["subject"]) for row in rows]

    async def close(self, erasure: Erasure) -> Erasure:
        """Close a subject so that nothing new is kept under it, and count what is.

        Returns:
            The erasure with its counts; if one of the subject is unfinished, that one instead; of a day that
            was erased, its finished one.
        """
        subject = erasure.subject
        async with chassis.db.transaction(self._pool) as connection:
            known = await _lock(connection, subject)
            if known is not None:
                return known
            await connection.execute(
                "UPDATE retention.subjects SET closed_at = $2 WHERE subject = $1",
                str(subject),
                erasure.closed_at,
            )
            counts = await _counts(connection, subject)
            await connection.execute(
                """
                INSERT INTO retention.erasures
                    (erasure_id, subject, caller, request_id, intent_id, outcome_id, closed_at,
                     records, data_keys, oldest_expires_at, stage)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'closed')
                """,
                erasure.erasure_id,
                str(subject),
                erasure.origin.caller,
                erasure.origin.request_id,
                erasure.intent_id,
                erasure.outcome_id,
                erasure.closed_at,
                counts["records"],
                counts["data_keys"],
                counts["oldest_expires_at"],
            )
            stored = await _last(connection, subject)
        assert stored is not None
        return stored

    async def drop(self, subject: Subject) -> None:
        """Remove every row of a closed subject, if any is left."""
        async with chassis.db.transaction(self._pool) as connection:
            if subject.day is not None:
                await connection.execute("SELECT retention.drop_partition($1)", subject.day)
                await connection.execute("DELETE FROM retention.data_keys WHERE erase_day = $1", subject.day)
                return
            for table in ("records", "data_keys", "order_clocks"):
                await connection.execute(
                    f"DELETE FROM retention.{table} WHERE seller_id = $1",  # noqa: S608 - names from above
                    subject.seller_id,
                )

    async def add_receipt(self, receipt: Receipt) -> Receipt:
        """Keep the receipt of an erasure, which becomes proven; return the first one that was kept."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                """
                INSERT INTO retention.receipts
                    (receipt_id, erasure_id, subject, statement, signature, public_key_pem, signed_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (erasure_id) DO NOTHING
                """,
                receipt.receipt_id,
                receipt.erasure_id,
                str(receipt.subject),
                receipt.statement,
                receipt.signature,
                receipt.public_key_pem,
                receipt.signed_at,
            )
            await connection.execute(
                "UPDATE retention.erasures SET stage = 'proven' WHERE erasure_id = $1 AND stage = 'closed'",
                receipt.erasure_id,
            )
            return await _receipt(connection, receipt.erasure_id)

    async def find_receipt(self, erasure_id: str) -> Receipt:
        """Return the receipt of a proven erasure."""
        async with chassis.db.transaction(self._pool) as connection:
            return await _receipt(connection, erasure_id)

    async def finish(self, erasure_id: str) -> None:
        """Note that an erasure is reported."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                "UPDATE retention.erasures SET stage = 'reported' WHERE erasure_id = $1", erasure_id
            )

    async def list_receipts(self, limit: int) -> list[Receipt]:
        """Return receipts, newest first, at most `limit`."""
        async with chassis.db.transaction(self._pool) as connection:
            rows = await connection.fetch(
                """
                SELECT receipt_id, erasure_id, subject, statement, signature, public_key_pem, signed_at
                FROM retention.receipts ORDER BY signed_at DESC, receipt_id DESC LIMIT $1
                """,
                limit,
            )
        return [_as_receipt(row) for row in rows]

    async def is_known(self, subject: Subject) -> bool:
        """Return whether the subject was ever opened or erased."""
        async with chassis.db.transaction(self._pool) as connection:
            found = await connection.fetchval(
                "SELECT 1 FROM retention.subjects WHERE subject = $1", str(subject)
            )
        return found is not None

    async def find_probe(self, subject: Subject) -> Probe | None:
        """Return the subject's probe."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                """
                SELECT probe_wrapped, probe_sealed FROM retention.subjects
                WHERE subject = $1 AND opened_at IS NOT NULL
                """,
                str(subject),
            )
        return None if row is None else Probe(subject, row["probe_wrapped"], row["probe_sealed"])

    async def count_rows(self, subject: Subject) -> int | None:
        """Return how many records and data keys there are; None when a day has no partition either."""
        async with chassis.db.transaction(self._pool) as connection:
            counts = await _counts(connection, subject)
            rows: int = counts["records"] + counts["data_keys"]
            if rows == 0 and subject.day is not None and not await _has_partition(connection, subject.day):
                return None
        return rows


async def _lock(connection: chassis.db.Connection, subject: Subject) -> Erasure | None:
    """Keep others from a subject until the transaction ends; return an erasure of it that stands."""
    await connection.execute(
        """
        INSERT INTO retention.subjects (subject, erase_day) VALUES ($1, $2) ON CONFLICT (subject) DO NOTHING
        """,
        str(subject),
        subject.day,
    )
    await connection.execute("SELECT FROM retention.subjects WHERE subject = $1 FOR UPDATE", str(subject))
    last = await _last(connection, subject)
    is_over = last is None or (last.stage is Stage.REPORTED and subject.day is None)
    return None if is_over else last


async def _counts(connection: chassis.db.Connection, subject: Subject) -> asyncpg.Record:
    column = "seller_id" if subject.day is None else "erase_day"
    counts = await connection.fetchrow(
        f"""
        SELECT count(*) AS records, min(expires_at) AS oldest_expires_at,
               (SELECT count(*) FROM retention.data_keys WHERE {column} = $1) AS data_keys
        FROM retention.records WHERE {column} = $1
        """,  # noqa: S608 - one of two names from above
        subject.day or subject.seller_id,
    )
    assert counts is not None
    return counts


async def _last(connection: chassis.db.Connection, subject: Subject) -> Erasure | None:
    """Return the erasure that is under way, else the latest; an earlier one may be dated later (R-14)."""
    row = await connection.fetchrow(
        """
        SELECT erasure_id, caller, request_id, intent_id, outcome_id, closed_at, records, data_keys,
               oldest_expires_at, stage
        FROM retention.erasures WHERE subject = $1
        ORDER BY stage = 'reported', closed_at DESC, erasure_id DESC LIMIT 1
        """,
        str(subject),
    )
    if row is None:
        return None
    return Erasure(
        erasure_id=str(row["erasure_id"]),
        subject=subject,
        origin=Origin(row["caller"], row["request_id"]),
        intent_id=str(row["intent_id"]),
        outcome_id=str(row["outcome_id"]),
        closed_at=row["closed_at"],
        records=row["records"],
        data_keys=row["data_keys"],
        oldest_expires_at=row["oldest_expires_at"],
        stage=Stage(row["stage"]),
    )


async def _receipt(connection: chassis.db.Connection, erasure_id: str) -> Receipt:
    row = await connection.fetchrow(
        """
        SELECT receipt_id, erasure_id, subject, statement, signature, public_key_pem, signed_at
        FROM retention.receipts WHERE erasure_id = $1
        """,
        erasure_id,
    )
    # Only a proven erasure is asked for, and a receipt is never removed.
    assert row is not None
    return _as_receipt(row)


async def _has_partition(connection: chassis.db.Connection, day: date) -> bool:
    found = await connection.fetchval("SELECT to_regclass('retention.' || retention.partition_of($1))", day)
    return found is not None


def _as_receipt(row: asyncpg.Record) -> Receipt:
    return Receipt(
        receipt_id=str(row["receipt_id"]),
        erasure_id=str(row["erasure_id"]),
        subject=Subject.parse(row["subject"]),
        statement=row["statement"],
        signature=row["signature"],
        public_key_pem=row["public_key_pem"],
        signed_at=row["signed_at"],
    )
