"""The application's own tokens that replicas share, and the right to fetch them, in Postgres."""

import asyncpg

import chassis.db
from services.auth.model.grantless import GrantlessLease, Scope, SealedGrantless
from services.auth.store.part import StorePart

SELECT_SHARED = """
    SELECT application_id, scope, token_sealed, token_fence, token_expires_at,
           coalesce(extract(epoch FROM clock_timestamp() - settled_at), 0)::float8 AS age_s
    FROM auth.grantless_leases
    WHERE application_id = $1 AND scope = $2
"""


class GrantlessStore(StorePart):
    """One row per application and scope."""

    async def find_grantless(self, application_id: str, scope: Scope) -> SealedGrantless | None:
        """Return the shared token of a scope, be it over or not."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(SELECT_SHARED, application_id, scope)
        return None if row is None else _sealed(row)

    async def acquire_grantless(
        self, application_id: str, scope: Scope, lease_s: float
    ) -> GrantlessLease | None:
        """Return a lease for so many seconds; None while another holds it. Each fence is above the last."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                """
                INSERT INTO auth.grantless_leases (application_id, scope)
                VALUES ($1, $2)
                ON CONFLICT DO NOTHING
                """,
                application_id,
                scope,
            )
            fence = await connection.fetchval(
                """
                UPDATE auth.grantless_leases
                SET fence = fence + 1, held_until = clock_timestamp() + make_interval(secs => $3)
                WHERE application_id = $1 AND scope = $2
                  AND (held_until IS NULL
                       OR held_until NOT BETWEEN clock_timestamp()
                          AND clock_timestamp() + make_interval(secs => $3))
                RETURNING fence
                """,
                application_id,
                scope,
                lease_s,
            )
            row = await connection.fetchrow(SELECT_SHARED, application_id, scope)
        assert row is not None
        return None if fence is None else GrantlessLease(fence=fence, token=_sealed(row))

    async def settle_grantless(self, fresh: SealedGrantless) -> bool:
        """Keep a fresh token and give its lease back; False, and nothing kept, when the lease was lost."""
        async with chassis.db.transaction(self._pool) as connection:
            status = await connection.execute(
                """
                UPDATE auth.grantless_leases
                SET token_sealed = $4, token_fence = $3, token_expires_at = $5, held_until = NULL,
                    settled_at = clock_timestamp()
                WHERE application_id = $1 AND scope = $2 AND fence = $3
                """,
                fresh.application_id,
                fresh.scope,
                fresh.fence,
                fresh.token_sealed,
                fresh.expires_at,
            )
        return bool(status == "UPDATE 1")

    async def forget_grantless(
        self, application_id: str, scope: Scope, *, fence: int, age_s_min: float
    ) -> bool:
        """Forget the shared token written under a fence if it is old enough; False when it stays."""
        async with chassis.db.transaction(self._pool) as connection:
            status = await connection.execute(
                """
                UPDATE auth.grantless_leases
                SET token_sealed = NULL, token_fence = NULL, token_expires_at = NULL
                WHERE application_id = $1 AND scope = $2 AND token_fence = $3
                  AND (settled_at IS NULL OR settled_at <= clock_timestamp() - make_interval(secs => $4))
                """,
                application_id,
                scope,
                fence,
                age_s_min,
            )
        return bool(status == "UPDATE 1")

    async def release_grantless(self, application_id: str, scope: Scope, fence: int) -> None:
        """Give the lease back if it is still held."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                """
                UPDATE auth.grantless_leases
                SET held_until = NULL
                WHERE application_id = $1 AND scope = $2 AND fence = $3
                """,
                application_id,
                scope,
                fence,
            )


def _sealed(row: asyncpg.Record) -> SealedGrantless | None:
    if row["token_sealed"] is None:
        return None
    return SealedGrantless(
        application_id=row["application_id"],
        scope=Scope(row["scope"]),
        token_sealed=row["token_sealed"],
        expires_at=row["token_expires_at"],
        fence=row["token_fence"],
        age_s=row["age_s"],
    )
