"""Wrapped data keys, and the days and sellers whose keys wrap them."""

from datetime import date, datetime

import chassis.db
from services.retention.model.erasures import Probe, Subject, SubjectKind
from services.retention.model.errors import SubjectClosed
from services.retention.model.records import DataKey


class DataKeyStore:
    """The tables `data_keys` and `subjects`."""

    def __init__(self, pool: chassis.db.Pool) -> None:
        self._pool = pool

    async def find_data_key(self, seller_id: str, erase_day: date) -> DataKey | None:
        """Return a seller's data key for a day."""
        async with chassis.db.transaction(self._pool) as connection:
            return await _find(connection, seller_id, erase_day)

    async def add_data_key(self, data_key: DataKey) -> DataKey:
        """Store a data key unless the seller has one for the day; return the stored one.

        Raises:
            SubjectClosed: the day or the seller is being erased, or the day has been.
        """
        async with chassis.db.transaction(self._pool) as connection:
            await lock_open(connection, data_key.seller_id, data_key.erase_day)
            await connection.execute(
                """
                INSERT INTO retention.data_keys (key_id, seller_id, erase_day, wrapped)
                VALUES ($1, $2, $3, $4)
                ON CONFLICT (seller_id, erase_day) DO NOTHING
                """,
                data_key.key_id,
                data_key.seller_id,
                data_key.erase_day,
                data_key.wrapped,
            )
            stored = await _find(connection, data_key.seller_id, data_key.erase_day)
            # Nobody removes a key under an open subject, and the lock keeps both open.
            assert stored is not None
            return stored

    async def is_open(self, subject: Subject) -> bool:
        """Return whether records may be kept under a subject; False if it was never opened.

        Raises:
            SubjectClosed: it is being erased, or is a day that has been.
        """
        async with chassis.db.transaction(self._pool) as connection:
            return await _is_open(connection, subject)

    async def open_subject(self, probe: Probe, at: datetime) -> None:
        """Make room for a subject's records and keep its probe, unless that was done.

        A seller who was erased and came back is opened anew; a day never is.

        Raises:
            SubjectClosed: it is being erased, or is a day that has been.
        """
        async with chassis.db.transaction(self._pool) as connection:
            if not await _insert(connection, probe, at):
                await _reopen(connection, probe, at)
            elif probe.subject.day is not None:
                await connection.execute("SELECT retention.create_partition($1)", probe.subject.day)


async def lock_open(connection: chassis.db.Connection, seller_id: str, erase_day: date) -> None:
    """Keep a seller and a day from being closed until the transaction ends.

    Raises:
        SubjectClosed: one of them is closed, or was never opened.
    """
    subjects = [str(Subject.of_day(erase_day)), str(Subject.of_seller(seller_id))]
    rows = await connection.fetch(
        """
        SELECT subject FROM retention.subjects
        WHERE subject = ANY($1::text[]) AND closed_at IS NULL
        ORDER BY subject FOR SHARE
        """,
        subjects,
    )
    if len(rows) < len(subjects):
        raise SubjectClosed


async def _insert(connection: chassis.db.Connection, probe: Probe, at: datetime) -> bool:
    inserted = await connection.fetchval(
        """
        INSERT INTO retention.subjects (subject, erase_day, opened_at, probe_wrapped, probe_sealed)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (subject) DO NOTHING RETURNING 1
        """,
        str(probe.subject),
        probe.subject.day,
        at,
        probe.wrapped,
        probe.sealed,
    )
    return inserted is not None


async def _reopen(connection: chassis.db.Connection, probe: Probe, at: datetime) -> None:
    await connection.execute(
        "SELECT FROM retention.subjects WHERE subject = $1 FOR UPDATE", str(probe.subject)
    )
    if not await _is_open(connection, probe.subject):
        await connection.execute(
            """
            UPDATE retention.subjects
            SET opened_at = $2, closed_at = NULL, probe_wrapped = $3, probe_sealed = $4
            WHERE subject = $1
            """,
            str(probe.subject),
            at,
            probe.wrapped,
            probe.sealed,
        )


async def _is_open(connection: chassis.db.Connection, subject: Subject) -> bool:
    row = await connection.fetchrow(
        """
        SELECT s.closed_at IS NOT NULL AS is_closed, EXISTS (
            SELECT FROM retention.erasures e WHERE e.subject = s.subject AND e.stage <> 'reported'
        ) AS is_unfinished
        FROM retention.subjects s WHERE s.subject = $1
        """,
        str(subject),
    )
    if row is None:
        return False
    if row["is_closed"] and (subject.kind is SubjectKind.DAY or row["is_unfinished"]):
        raise SubjectClosed
    return not row["is_closed"]


async def _find(connection: chassis.db.Connection, seller_id: str, erase_day: date) -> DataKey | None:
    row = await connection.fetchrow(
        "SELECT key_id, wrapped FROM retention.data_keys WHERE seller_id = $1 AND erase_day = $2",
        seller_id,
        erase_day,
    )
    if row is None:
        return None
    return DataKey(
        key_id=str(row["key_id"]), seller_id=seller_id, erase_day=erase_day, wrapped=row["wrapped"]
    )
