"""Devices' refresh and access tokens in Postgres, as digests."""

import asyncpg

import chassis.db
from services.auth.model.devices import Device
from services.auth.model.refusals import InvalidGrant, TokenInvalid
from services.auth.model.tokens import ACCESS_TOKENS_MAX, AccessToken, NewAccess, RefreshToken, Rotation
from services.auth.store import rows
from services.auth.store.news import tell_device
from services.auth.store.part import StorePart


class TokenStore(StorePart):
    """What devices hold."""

    async def find_refresh_token(self, digest: bytes) -> RefreshToken:
        """Return a refresh token, be it rotated or not."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                """
                SELECT device_id, nonce,
                       extract(epoch FROM clock_timestamp() - rotated_at)::float8 AS rotated_ago_s
                FROM auth.refresh_tokens
                WHERE token_digest = $1
                """,
                digest,
            )
            if row is None:
                raise InvalidGrant
            device = await _find_device(connection, row)
        return RefreshToken(
            token_digest=digest,
            device=device,
            rotated_ago_s=row["rotated_ago_s"],
            nonce=row["nonce"],
        )

    async def rotate(self, rotation: Rotation) -> bytes:
        """Replace a refresh token and issue its access token; return the nonce that is in force."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                "SELECT device_id, nonce FROM auth.refresh_tokens WHERE token_digest = $1 FOR UPDATE",
                rotation.token_digest,
            )
            if row is None:
                raise InvalidGrant
            if row["nonce"] is not None:
                nonce: bytes = row["nonce"]
                return nonce
            device_id = str(row["device_id"])
            await connection.execute(
                """
                UPDATE auth.refresh_tokens SET nonce = $2, rotated_at = clock_timestamp()
                WHERE token_digest = $1
                """,
                rotation.token_digest,
                rotation.nonce,
            )
            await connection.execute(
                "INSERT INTO auth.refresh_tokens (token_digest, device_id) VALUES ($1, $2)",
                rotation.successor_digest,
                device_id,
            )
            if rotation.app_version:
                await connection.execute(
                    "UPDATE auth.devices SET app_version = $2 WHERE device_id = $1",
                    device_id,
                    rotation.app_version,
                )
            await insert_access(connection, device_id, rotation.access)
        return rotation.nonce

    async def issue_access(self, device_id: str, access: NewAccess) -> None:
        """Keep an access token; the device's oldest of its kind beyond ACCESS_TOKENS_MAX are dropped."""
        async with chassis.db.transaction(self._pool) as connection:
            await insert_access(connection, device_id, access)

    async def find_access_token(self, digest: bytes) -> AccessToken:
        """Return an access token, be it over or not."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                """
                SELECT device_id, issued_at, expires_at, restrictions, target_application,
                       coalesce(extract(epoch FROM clock_timestamp() - kept_at), 0)::float8 AS age_s
                FROM auth.access_tokens
                WHERE token_digest = $1
                """,
                digest,
            )
            if row is None:
                raise TokenInvalid
            device = await _find_device(connection, row)
        return AccessToken(
            device=device,
            issued_at=row["issued_at"],
            expires_at=row["expires_at"],
            restrictions=rows.restrictions(row["restrictions"]),
            target_application=row["target_application"],
            age_s=row["age_s"],
        )

    async def drop_access_token(self, digest: bytes) -> None:
        """Forget an access token and tell every replica; forgetting it again is harmless."""
        async with chassis.db.transaction(self._pool) as connection:
            device_id = await connection.fetchval(
                "DELETE FROM auth.access_tokens WHERE token_digest = $1 RETURNING device_id", digest
            )
            if device_id is not None:
                seller_id = await connection.fetchval(
                    "SELECT seller_id FROM auth.devices WHERE device_id = $1", device_id
                )
                await tell_device(connection, str(device_id), str(seller_id))


async def _find_device(connection: chassis.db.Connection, holding: asyncpg.Record) -> Device:
    """Return the device that a token's row refers to."""
    row = await connection.fetchrow(rows.SELECT_DEVICE + "WHERE device_id = $1", holding["device_id"])
    assert row is not None
    return rows.device(row)


async def insert_access(connection: chassis.db.Connection, device_id: str, access: NewAccess) -> None:
    """Note that the device is in use, keep its access token, drop its oldest of the kind beyond the bound.

    The oldest are those kept first: by the hosts' clocks, those of a host that is late would be, all of them.
    """
    # First, so that two tokens for one device wait for each other here and nowhere else.
    await connection.execute(
        "UPDATE auth.devices SET used_at = greatest(used_at, $2) WHERE device_id = $1",
        device_id,
        access.issued_at,
    )
    await connection.execute(
        """
        INSERT INTO auth.access_tokens
            (token_digest, device_id, restrictions, issued_at, expires_at, target_application)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        access.token_digest,
        device_id,
        rows.restrictions_text(access.restrictions),
        access.issued_at,
        access.expires_at,
        access.target_application,
    )
    await connection.execute(
        """
        DELETE FROM auth.access_tokens
        WHERE token_digest IN (
            SELECT token_digest FROM auth.access_tokens
            WHERE device_id = $1 AND (restrictions <> '[]') = $3
            ORDER BY kept_at DESC NULLS LAST, issued_at DESC
            OFFSET $2
        )
        """,
        device_id,
        ACCESS_TOKENS_MAX,
        bool(access.restrictions),
    )
