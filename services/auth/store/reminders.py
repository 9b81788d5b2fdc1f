"""Reminders of consents' ends in Postgres."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg

import chassis.db
from services.auth.model.consents import Consent, Ending, Region
from services.auth.model.reminders import ENDED, MARKS_DAYS, Reminder, reached_by
from services.auth.store import rows
from services.auth.store.consents import end
from services.auth.store.part import StorePart


class ReminderStore(StorePart):
    """One row for each consent and mark."""

    async def list_reached(self, mark_days: int, ends_by: datetime, rows_max: int) -> Sequence[Consent]:
        """Return active consents ending by a time, soonest first, not reminded at this mark or tighter."""
        async with chassis.db.transaction(self._pool) as connection:
            found = await connection.fetch(
                rows.SELECT_CONSENT
                + """
                WHERE expires_at <= $1 AND ended_at IS NULL AND NOT EXISTS (
                    SELECT FROM auth.consent_reminders r
                    WHERE r.consent_id = consents.consent_id AND r.mark_days <= $2
                )
                ORDER BY expires_at
                LIMIT $3
                """,
                ends_by,
                mark_days,
                rows_max,
            )
        return [rows.consent(row) for row in found]

    async def keep_reminder(self, reminder: Reminder) -> None:
        """Keep a reminder, unless there is one of its consent and mark."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                """
                INSERT INTO auth.consent_reminders (consent_id, mark_days, days_left, reminded_at)
                VALUES ($1, $2, $3, $4)
                ON CONFLICT (consent_id, mark_days) DO NOTHING
                """,
                reminder.consent_id,
                reminder.mark_days,
                reminder.days_left,
                reminder.reminded_at,
            )

    async def list_untold(self, rows_max: int) -> Sequence[Reminder]:
        """Return reminders that the audit log may not have, as they were first kept, oldest first."""
        async with chassis.db.transaction(self._pool) as connection:
            found = await connection.fetch(
                """
                SELECT r.consent_id, r.mark_days, r.days_left, r.reminded_at, c.seller_id, c.region
                FROM auth.consent_reminders r
                JOIN auth.consents c ON c.consent_id = r.consent_id
                WHERE r.told_at IS NULL
                ORDER BY r.reminded_at, r.consent_id
                LIMIT $1
                """,
                rows_max,
            )
        return [_reminder(row) for row in found]

    async def settle_reminder(self, reminder: Reminder, now: datetime) -> bool:
        """Note that a reminder was told; one of the end ends its consent in the same step, as EXPIRED."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                """
                UPDATE auth.consent_reminders SET told_at = coalesce(told_at, $3)
                WHERE consent_id = $1 AND mark_days = $2
                """,
                reminder.consent_id,
                reminder.mark_days,
                now,
            )
            if reminder.mark_days != ENDED:
                return False
            return await end(connection, reminder.consent_id, Ending.EXPIRED, now=now)

    async def count_ending(self, now: datetime) -> Mapping[int, int]:
        """Return how many active consents end within each of MARKS_DAYS."""
        async with chassis.db.transaction(self._pool) as connection:
            return {
                mark_days: await connection.fetchval(
                    "SELECT count(*) FROM auth.consents WHERE expires_at <= $1 AND ended_at IS NULL",
                    reached_by(mark_days, now),
                )
                for mark_days in MARKS_DAYS
            }


def _reminder(row: asyncpg.Record) -> Reminder:
    return Reminder(
        consent_id=str(row["consent_id"]),
        seller_id=str(row["seller_id"]),
        region=Region(row["region"]),
        mark_days=row["mark_days"],
        days_left=row["days_left"],
        reminded_at=row["reminded_at"],
    )
