"""Who looks after the applications' client secrets, and what was done about them, in Postgres."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

import chassis.db
from services.auth.model.consents import Application
from services.auth.model.rotation import APPLICATIONS_MAX, RotationLease, RotationState
from services.auth.store.part import StorePart


class RotationStore(StorePart):
    """One row per application, made when somebody first looks after it."""

    async def list_applications(self) -> Sequence[Application]:
        """Return the registered applications, the present one first, at most APPLICATIONS_MAX."""
        async with chassis.db.transaction(self._pool) as connection:
            rows = await connection.fetch(
                """
                SELECT application_id, client_id, is_draft
                FROM auth.applications
                ORDER BY registered_at DESC
                LIMIT $1
                """,
                APPLICATIONS_MAX,
            )
        return [
            Application(
                application_id=row["application_id"], client_id=row["client_id"], is_draft=row["is_draft"]
            )
            for row in rows
        ]

    async def find_rotation(self, application_id: str) -> RotationState:
        """Return what is remembered of an application's rotations."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                """
                SELECT asked_at, refused_at, refusal, told_secret_id, told_days
                FROM auth.secret_rotations
                WHERE application_id = $1
                """,
                application_id,
            )
        return RotationState() if row is None else _state(row)

    async def hold_rotation(self, application_id: str, lease_s: float) -> RotationLease | None:
        """Return the right to look after a registered application's secrets; None while another has it."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                """
                INSERT INTO auth.secret_rotations AS r (application_id, held_until)
                VALUES ($1, clock_timestamp() + make_interval(secs => $2))
                ON CONFLICT (application_id) DO UPDATE
                SET fence = r.fence + 1, held_until = clock_timestamp() + make_interval(secs => $2)
                WHERE r.held_until IS NULL
                   OR r.held_until NOT BETWEEN clock_timestamp()
                      AND clock_timestamp() + make_interval(secs => $2)
                RETURNING r.fence, r.asked_at, r.refused_at, r.refusal, r.told_secret_id, r.told_days
                """,
                application_id,
                lease_s,
            )
        if row is None:
            return None
        return RotationLease(application_id=application_id, fence=row["fence"], state=_state(row))

    async def note_asked(self, lease: RotationLease, now: datetime) -> bool:
        """Keep that Amazon is about to be asked; False, and nothing kept, when the lease was lost."""
        async with chassis.db.transaction(self._pool) as connection:
            kept = await connection.execute(
                """
                UPDATE auth.secret_rotations
                SET asked_at = $3, refused_at = NULL, refusal = ''
                WHERE application_id = $1 AND fence = $2
                """,
                lease.application_id,
                lease.fence,
                now,
            )
        return kept == "UPDATE 1"

    async def note_rotation_refused(self, lease: RotationLease, code: str, now: datetime) -> None:
        """Keep that Amazon refused: what was asked before is the last that may have had an effect."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                """
                UPDATE auth.secret_rotations
                SET asked_at = $3, refused_at = $5, refusal = $4
                WHERE application_id = $1 AND fence = $2
                """,
                lease.application_id,
                lease.fence,
                lease.state.asked_at,
                code,
                now,
            )

    async def note_told(self, lease: RotationLease, secret_id: str, days: int) -> None:
        """Keep that the vendor was told of a secret's end at a mark."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                """
                UPDATE auth.secret_rotations
                SET told_secret_id = $3, told_days = $4
                WHERE application_id = $1 AND fence = $2
                """,
                lease.application_id,
                lease.fence,
                secret_id,
                days,
            )

    async def release_rotation(self, lease: RotationLease) -> None:
        """Give the lease back if it is still held."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                "UPDATE auth.secret_rotations SET held_until = NULL WHERE application_id = $1 AND fence = $2",
                lease.application_id,
                lease.fence,
            )


def _state(row: asyncpg.Record) -> RotationState:
    return RotationState(
        asked_at=row["asked_at"],
        refused_at=row["refused_at"],
        refusal=row["refusal"],
        told_secret_id=row["told_secret_id"],
        told_days=row["told_days"],
    )
