"""The right to refresh, and the access tokens that replicas share, in Postgres."""

from datetime import datetime

import asyncpg

import chassis.db
from services.auth.model.lending import Lease, Refreshed, SealedAccess
from services.auth.model.refusals import ConsentRevoked
from services.auth.store import rows
from services.auth.store.part import StorePart

SELECT_ACCESS = """
    SELECT l.consent_id, l.token_sealed, l.token_fence, l.token_expires_at, c.seller_id
    FROM auth.access_leases l
    JOIN auth.consents c ON c.consent_id = l.consent_id
    WHERE l.consent_id = $1
"""


class LeaseLost(Exception):
    """Somebody else took the lease, or the consent ended: roll back what was written under it."""


class LeaseStore(StorePart):
    """One row per active consent."""

    async def find_access(self, consent_id: str) -> SealedAccess | None:
        """Return the shared access token, be it over or not."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(SELECT_ACCESS, consent_id)
        return None if row is None else _sealed_access(row)

    async def acquire(self, consent_id: str, lease_s: float) -> Lease | None:
        """Return a lease for so many seconds; None while another holds it. Each fence is above the last."""
        async with chassis.db.transaction(self._pool) as connection:
            fence = await connection.fetchval(
                """
                UPDATE auth.access_leases
                SET fence = fence + 1, held_until = clock_timestamp() + make_interval(secs => $2)
                WHERE consent_id = $1 AND (held_until IS NULL OR held_until <= clock_timestamp())
                RETURNING fence
                """,
                consent_id,
                lease_s,
            )
            access = await connection.fetchrow(SELECT_ACCESS, consent_id)
            consent = await connection.fetchrow(rows.SELECT_CONSENT + "WHERE consent_id = $1", consent_id)
        if access is None or consent is None:
            raise ConsentRevoked
        if fence is None:
            return None
        return Lease(fence=fence, consent=rows.consent(consent), access=_sealed_access(access))

    async def settle(self, consent_id: str, fence: int, refreshed: Refreshed) -> bool:
        """Keep what a refresh brought and give the lease back; False, and nothing kept, when it was lost."""
        try:
            async with chassis.db.transaction(self._pool) as connection:
                await _keep_refresh(connection, consent_id, refreshed)
                await _keep_access(connection, fence, refreshed.access)
        except LeaseLost:
            return False
        return True

    async def note_refusal(self, consent_id: str, fence: int, now: datetime) -> None:
        """Keep when Amazon first refused the refresh token, if the lease is still held."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                """
                UPDATE auth.consents c
                SET refused_at = coalesce(c.refused_at, $3)
                FROM auth.access_leases l
                WHERE c.consent_id = $1 AND l.consent_id = c.consent_id AND l.fence = $2
                """,
                consent_id,
                fence,
                now,
            )

    async def release(self, consent_id: str, fence: int) -> None:
        """Give the lease back if it is still held."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                "UPDATE auth.access_leases SET held_until = NULL WHERE consent_id = $1 AND fence = $2",
                consent_id,
                fence,
            )


async def _keep_refresh(connection: chassis.db.Connection, consent_id: str, refreshed: Refreshed) -> None:
    await connection.execute(
        """
        UPDATE auth.consents
        SET used_at = $2,
            refused_at = NULL,
            refresh_version = refresh_version + CASE WHEN $3::text IS NULL THEN 0 ELSE 1 END,
            refresh_token_sealed = coalesce($3, refresh_token_sealed)
        WHERE consent_id = $1 AND ended_at IS NULL
        """,
        consent_id,
        refreshed.refreshed_at,
        refreshed.refresh_token_sealed,
    )


async def _keep_access(connection: chassis.db.Connection, fence: int, access: SealedAccess) -> None:
    kept = await connection.execute(
        """
        UPDATE auth.access_leases
        SET token_sealed = $3, token_fence = $2, token_expires_at = $4, held_until = NULL
        WHERE consent_id = $1 AND fence = $2
        """,
        access.consent_id,
        fence,
        access.token_sealed,
        access.expires_at,
    )
    if kept != "UPDATE 1":
        raise LeaseLost


def _sealed_access(row: asyncpg.Record) -> SealedAccess | None:
    if row["token_sealed"] is None:
        return None
    return SealedAccess(
        consent_id=str(row["consent_id"]),
        seller_id=str(row["seller_id"]),
        token_sealed=row["token_sealed"],
        expires_at=row["token_expires_at"],
        fence=row["token_fence"],
    )
