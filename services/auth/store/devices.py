"""Devices and the codes that enrol them, in Postgres."""

from collections.abc import Sequence
from datetime import datetime

import chassis.db
from services.auth.model.consents import Region
from services.auth.model.device_refusals import ScopeWithheld
from services.auth.model.devices import (
    DEVICES_ACTIVE_MAX,
    DEVICES_LISTED_MAX,
    Code,
    Device,
    Reach,
    left_scopes,
)
from services.auth.model.refusals import DeviceNotFound, DevicesFull, InvalidGrant
from services.auth.model.tokens import Enrolment
from services.auth.store import rows
from services.auth.store.news import tell_device
from services.auth.store.part import StorePart
from services.auth.store.sellers import hold_person, hold_seller
from services.auth.store.tokens import insert_access


class DeviceStore(StorePart):
    """Enrolled desktops."""

    async def keep_code(self, code: Code) -> None:
        """Keep a code."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                """
                INSERT INTO auth.codes
                    (code_digest, device_id, seller_id, user_id, client_id, redirect_uri, code_challenge,
                     name_sealed, expires_at, platform, app_version, key_storage, key_thumbprint,
                     withheld_scopes)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
                """,
                code.code_digest,
                code.device_id,
                code.seller_id,
                code.user_id,
                code.client_id,
                code.redirect_uri,
                code.code_challenge,
                code.name_sealed,
                code.expires_at,
                code.facts.platform,
                code.facts.app_version,
                code.facts.key_storage,
                code.key_thumbprint,
                list(code.withheld_scopes),
            )

    async def find_code(self, digest: bytes) -> Code:
        """Return a code, be it used or not."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                """
                SELECT device_id, seller_id, user_id, client_id, redirect_uri, code_challenge, name_sealed,
                       expires_at, used_at, platform, app_version, key_storage, key_thumbprint,
                       withheld_scopes,
                       coalesce(extract(epoch FROM clock_timestamp() - kept_at), 0)::float8 AS age_s
                FROM auth.codes
                WHERE code_digest = $1
                """,
                digest,
            )
        if row is None:
            raise InvalidGrant
        return Code(
            code_digest=digest,
            device_id=str(row["device_id"]),
            seller_id=str(row["seller_id"]),
            user_id=str(row["user_id"]),
            client_id=row["client_id"],
            redirect_uri=row["redirect_uri"],
            code_challenge=row["code_challenge"],
            name_sealed=row["name_sealed"],
            expires_at=row["expires_at"],
            used_at=row["used_at"],
            facts=rows.facts(row),
            key_thumbprint=row["key_thumbprint"],
            withheld_scopes=tuple(row["withheld_scopes"]),
            age_s=row["age_s"],
        )

    async def burn_code(self, digest: bytes, now: datetime) -> None:
        """Use up a code without issuing anything."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                "UPDATE auth.codes SET used_at = coalesce(used_at, $2) WHERE code_digest = $1", digest, now
            )

    async def enrol_by_code(self, digest: bytes, enrolment: Enrolment, now: datetime) -> None:
        """Use up a code and keep the device and tokens it issues, in one step."""
        async with chassis.db.transaction(self._pool) as connection:
            await hold_person(connection, enrolment.device.user_id)
            used = await connection.execute(
                "UPDATE auth.codes SET used_at = $2 WHERE code_digest = $1 AND used_at IS NULL", digest, now
            )
            if used != "UPDATE 1":
                raise InvalidGrant
            await insert_device(connection, enrolment)

    async def enrol(self, enrolment: Enrolment) -> None:
        """Keep a device and its first tokens."""
        async with chassis.db.transaction(self._pool) as connection:
            await insert_device(connection, enrolment)

    async def find_device(self, device_id: str) -> Device:
        """Return a device, be it revoked or not."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(rows.SELECT_DEVICE + "WHERE device_id = $1", device_id)
        if row is None:
            raise DeviceNotFound
        return rows.device(row)

    async def list_devices(self, seller_id: str) -> Sequence[Device]:
        """Return a seller's devices, active ones first, then newest first, at most DEVICES_LISTED_MAX."""
        async with chassis.db.transaction(self._pool) as connection:
            found = await connection.fetch(
                rows.SELECT_DEVICE
                + """
                WHERE seller_id = $1
                ORDER BY revoked_at IS NULL DESC, enrolled_at DESC
                LIMIT $2
                """,
                seller_id,
                DEVICES_LISTED_MAX,
            )
        return [rows.device(row) for row in found]

    async def list_idle_devices(self, used_before: datetime, rows_max: int) -> Sequence[Device]:
        """Return active devices last used before a time, oldest use first."""
        async with chassis.db.transaction(self._pool) as connection:
            found = await connection.fetch(
                rows.SELECT_DEVICE
                + """
                WHERE used_at < $1 AND revoked_at IS NULL
                ORDER BY used_at
                LIMIT $2
                """,
                used_before,
                rows_max,
            )
        return [rows.device(row) for row in found]

    async def count_active(self, seller_id: str) -> int:
        """Return how many active devices a seller has."""
        async with chassis.db.transaction(self._pool) as connection:
            return await _count_active(connection, seller_id)

    async def revoke_device(
        self, device_id: str, now: datetime, *, used_before: datetime | None = None
    ) -> bool:
        """Revoke a device and tell every replica; False when there is none that is active."""
        async with chassis.db.transaction(self._pool) as connection:
            seller_id = await connection.fetchval(
                """
                UPDATE auth.devices SET revoked_at = $2
                WHERE device_id = $1 AND revoked_at IS NULL
                  AND used_at < coalesce($3, 'infinity'::timestamptz)
                RETURNING seller_id
                """,
                device_id,
                now,
                used_before,
            )
            if seller_id is None:
                return False
            await tell_device(connection, device_id, str(seller_id))
        return True

    async def set_scopes(self, device_id: str, scopes: tuple[str, ...]) -> None:
        """Change what a device may do and tell every replica."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                "SELECT seller_id, withheld_scopes FROM auth.devices WHERE device_id = $1 FOR UPDATE",
                device_id,
            )
            if row is None:
                raise DeviceNotFound
            if set(scopes).intersection(row["withheld_scopes"]):
                raise ScopeWithheld
            await connection.execute(
                "UPDATE auth.devices SET scopes = $2 WHERE device_id = $1", device_id, list(scopes)
            )
            await tell_device(connection, device_id, str(row["seller_id"]))

    async def withhold_scopes(self, device_id: str, withheld_scopes: tuple[str, ...]) -> None:
        """Take scopes away from a device for good and tell every replica; what is left is not nothing."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                "SELECT seller_id, scopes, withheld_scopes FROM auth.devices WHERE device_id = $1 FOR UPDATE",
                device_id,
            )
            if row is None:
                raise DeviceNotFound
            await connection.execute(
                "UPDATE auth.devices SET scopes = $2, withheld_scopes = $3 WHERE device_id = $1",
                device_id,
                list(left_scopes(tuple(row["scopes"]), withheld_scopes)),
                sorted({*row["withheld_scopes"], *withheld_scopes}),
            )
            await tell_device(connection, device_id, str(row["seller_id"]))

    async def find_reach(self, seller_id: str, now: datetime) -> Reach:
        """Return where a seller has active consents."""
        async with chassis.db.transaction(self._pool) as connection:
            found = await connection.fetch(
                """
                SELECT region, marketplace_id FROM auth.consents
                WHERE seller_id = $1 AND ended_at IS NULL AND expires_at > $2
                ORDER BY granted_at DESC
                """,
                seller_id,
                now,
            )
        return Reach(
            regions=tuple(sorted(Region(row["region"]) for row in found)),
            default_marketplace_id=found[0]["marketplace_id"] if found else "",
        )


async def _count_active(connection: chassis.db.Connection, seller_id: str) -> int:
    count: int = await connection.fetchval(
        "SELECT count(*) FROM auth.devices WHERE seller_id = $1 AND revoked_at IS NULL", seller_id
    )
    return count


async def insert_device(connection: chassis.db.Connection, enrolment: Enrolment) -> None:
    """Keep a device and its first tokens, if there is room for one more of its seller's.

    Raises:
        DevicesFull: the seller has DEVICES_ACTIVE_MAX active devices.
        InvalidGrant: whoever let it in has left.
    """
    device = enrolment.device
    await hold_seller(connection, device.seller_id)
    if not await hold_person(connection, device.user_id):
        raise InvalidGrant
    # Enrolments of one seller wait for each other here, so that none counts what another has not yet kept.
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"auth devices {device.seller_id}"
    )
    if await _count_active(connection, device.seller_id) >= DEVICES_ACTIVE_MAX:
        raise DevicesFull
    await connection.execute(
        """
        INSERT INTO auth.devices
            (device_id, seller_id, user_id, profile, scopes, client_id, key_thumbprint, name_sealed,
             enrolled_at, used_at, platform, app_version, key_storage, withheld_scopes)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        """,
        device.device_id,
        device.seller_id,
        device.user_id,
        device.profile,
        list(device.scopes),
        device.client_id,
        device.key_thumbprint,
        device.name_sealed,
        device.enrolled_at,
        device.used_at,
        device.facts.platform,
        device.facts.app_version,
        device.facts.key_storage,
        list(device.withheld_scopes),
    )
    await connection.execute(
        "INSERT INTO auth.refresh_tokens (token_digest, device_id) VALUES ($1, $2)",
        enrolment.refresh_digest,
        device.device_id,
    )
    if enrolment.access is not None:
        await insert_access(connection, device.device_id, enrolment.access)
