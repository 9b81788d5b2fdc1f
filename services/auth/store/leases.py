"""The right to refresh, and the access tokens that replicas share, in Postgres.

A lease that would end later than one given right now was given before Postgres' clock was set back, and holds
nobody up (R-14); so it is with all leases here.
"""

from datetime import datetime

import asyncpg

import chassis.db
from services.auth.model.consents import Region
from services.auth.model.lending import Lease, Refreshed, SealedAccess, Standing
from services.auth.model.refusals import ConsentRevoked, DeviceNotFound
from services.auth.store import rows
from services.auth.store.part import StorePart

SELECT_ACCESS = """
    SELECT l.consent_id, l.token_sealed, l.token_fence, l.token_expires_at, l.lent_at, c.seller_id,
           coalesce(extract(epoch FROM clock_timestamp() - l.settled_at), 0)::float8 AS age_s
    FROM auth.access_leases l
    JOIN auth.consents c ON c.consent_id = l.consent_id
    WHERE l.consent_id = $1
"""
# Source: ConsentStore.find_consent, which decides the same way.
NEWEST_CONSENT = """
    WHERE seller_id = $1 AND region = $2
    ORDER BY ended_at IS NULL DESC, granted_at DESC
    LIMIT 1
"""


class LeaseLost(Exception):
    """Somebody else took the lease, or the consent ended: roll back what was written under it."""


class LeaseStore(StorePart):
    """One row per active consent."""

    async def find_standing(self, device_id: str, region: Region) -> Standing:
        """Return what decides whether a device may be lent a token for a region, and what may be lent."""
        async with chassis.db.transaction(self._pool) as connection:
            device = await connection.fetchrow(rows.SELECT_DEVICE + "WHERE device_id = $1", device_id)
            if device is None:
                raise DeviceNotFound
            consent = await connection.fetchrow(
                rows.SELECT_CONSENT + NEWEST_CONSENT, device["seller_id"], region
            )
            if consent is None:
                return Standing(device=rows.device(device), consent=None, access=None, lent_at=None)
            access = await connection.fetchrow(SELECT_ACCESS, consent["consent_id"])
        return Standing(
            device=rows.device(device),
            consent=rows.consent(consent),
            access=None if access is None else _sealed_access(access),
            lent_at=None if access is None else access["lent_at"],
        )

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
                WHERE consent_id = $1
                  AND (held_until IS NULL
                       OR held_until NOT BETWEEN clock_timestamp()
                          AND clock_timestamp() + make_interval(secs => $2))
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

    async def take_due(self, now: datetime, lent_after: datetime, lease_s: float) -> Lease | None:
        """Return the lease on the token that has waited longest for its renewal ahead; None when none is due.

        One that another holds, or is just taking, is passed over.
        """
        async with chassis.db.transaction(self._pool) as connection:
            taken = await connection.fetchrow(
                """
                UPDATE auth.access_leases
                SET fence = fence + 1, held_until = clock_timestamp() + make_interval(secs => $3)
                WHERE consent_id = (
                    SELECT consent_id
                    FROM auth.access_leases
                    WHERE renew_at <= $1
                      AND lent_at > $2
                      AND (held_until IS NULL
                           OR held_until NOT BETWEEN clock_timestamp()
                              AND clock_timestamp() + make_interval(secs => $3))
                    ORDER BY renew_at
                    LIMIT 1
                    FOR UPDATE SKIP LOCKED
                )
                RETURNING consent_id, fence
                """,
                now,
                lent_after,
                lease_s,
            )
            if taken is None:
                return None
            access = await connection.fetchrow(SELECT_ACCESS, taken["consent_id"])
            consent = await connection.fetchrow(
                rows.SELECT_CONSENT + "WHERE consent_id = $1", taken["consent_id"]
            )
        assert access is not None
        assert consent is not None
        return Lease(fence=taken["fence"], consent=rows.consent(consent), access=_sealed_access(access))

    async def put_off(self, consent_id: str, fence: int, renew_at: datetime) -> None:
        """Try a renewal ahead again at another time, if nobody has taken the lease since."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                """
                UPDATE auth.access_leases
                SET renew_at = $3
                WHERE consent_id = $1 AND fence = $2 AND renew_at IS NOT NULL
                """,
                consent_id,
                fence,
                renew_at,
            )

    async def note_lent(self, consent_id: str, now: datetime) -> None:
        """Keep that the shared token was lent."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                "UPDATE auth.access_leases SET lent_at = greatest(lent_at, $2) WHERE consent_id = $1",
                consent_id,
                now,
            )

    async def forget_access(self, consent_id: str, fence: int, age_s_min: float) -> bool:
        """Forget the shared token written under a fence if it is old enough; False when it stays."""
        async with chassis.db.transaction(self._pool) as connection:
            status = await connection.execute(
                """
                UPDATE auth.access_leases
                SET token_sealed = NULL, token_fence = NULL, token_expires_at = NULL, renew_at = NULL
                WHERE consent_id = $1
                  AND token_fence = $2
                  AND (settled_at IS NULL OR settled_at <= clock_timestamp() - make_interval(secs => $3))
                """,
                consent_id,
                fence,
                age_s_min,
            )
        return bool(status == "UPDATE 1")

    async def settle(self, consent_id: str, fence: int, refreshed: Refreshed) -> bool:
        """Keep what a refresh brought and give the lease back; False, and nothing kept, when it was lost."""
        try:
            async with chassis.db.transaction(self._pool) as connection:
                await _keep_refresh(connection, consent_id, refreshed)
                await _keep_access(connection, fence, refreshed)
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
            refresh_version = $4,
            refresh_token_sealed = coalesce($3, refresh_token_sealed)
        WHERE consent_id = $1 AND ended_at IS NULL
        """,
        consent_id,
        refreshed.refreshed_at,
        refreshed.refresh_token_sealed,
        refreshed.refresh_version,
    )


async def _keep_access(connection: chassis.db.Connection, fence: int, refreshed: Refreshed) -> None:
    kept = await connection.execute(
        """
        UPDATE auth.access_leases
        SET token_sealed = $3,
            token_fence = $2,
            token_expires_at = $4,
            renew_at = $5,
            settled_at = clock_timestamp(),
            held_until = NULL
        WHERE consent_id = $1 AND fence = $2
        """,
        refreshed.access.consent_id,
        fence,
        refreshed.access.token_sealed,
        refreshed.access.expires_at,
        refreshed.renew_at,
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
        age_s=row["age_s"],
    )
