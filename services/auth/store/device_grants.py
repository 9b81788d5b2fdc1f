"""Device grants in Postgres: begun by desktops, decided on by people, redeemed by desktops."""

from datetime import datetime

import asyncpg

import chassis.db
from services.auth.model.device_grants import (
    DEVICE_GRANTS_MAX,
    Decision,
    DeviceGrant,
    Polled,
)
from services.auth.model.device_refusals import TooManyDeviceGrants, UserCodeInvalid
from services.auth.model.refusals import InvalidGrant
from services.auth.model.tokens import Enrolment
from services.auth.store import rows
from services.auth.store.devices import insert_device
from services.auth.store.part import StorePart
from services.auth.store.sellers import hold_person

SELECT_DEVICE_GRANT = """
    SELECT device_code_digest, user_code_digest, device_id, client_id, key_thumbprint, scopes, platform,
           app_version, key_storage, expires_at, interval_s, polled_at, is_approved, seller_id, user_id,
           name_sealed, withheld_scopes, nonce,
           extract(epoch FROM clock_timestamp() - redeemed_at)::float8 AS redeemed_ago_s,
           extract(epoch FROM clock_timestamp() - kept_at)::float8 AS age_s,
           coalesce(clock_timestamp() < polled_at + make_interval(secs => interval_s), false) AS is_too_early
    FROM auth.device_grants
"""


class DeviceGrantStore(StorePart):
    """Desktops that wait to be let in."""

    async def keep_device_grant(self, grant: DeviceGrant, now: datetime) -> None:
        """Keep a grant that a desktop began."""
        async with chassis.db.transaction(self._pool) as connection:
            waiting = await connection.fetchval(
                """
                SELECT count(*) FROM (
                    SELECT 1 FROM auth.device_grants WHERE expires_at > $1 LIMIT $2
                ) AS waiting
                """,
                now,
                DEVICE_GRANTS_MAX,
            )
            if waiting >= DEVICE_GRANTS_MAX:
                raise TooManyDeviceGrants
            await _insert(connection, grant)

    async def find_device_grant(self, user_code_digest: bytes) -> DeviceGrant:
        """Return the grant with this user code, be it decided on or over."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                SELECT_DEVICE_GRANT + "WHERE user_code_digest = $1", user_code_digest
            )
        if row is None:
            raise UserCodeInvalid
        return _grant(row)

    async def decide_device_grant(self, user_code_digest: bytes, decision: Decision, now: datetime) -> None:
        """Keep what a person decided; the same person deciding the same again is fine."""
        async with chassis.db.transaction(self._pool) as connection:
            decided = await connection.execute(
                """
                UPDATE auth.device_grants
                SET is_approved = $2, seller_id = $3, user_id = $4, name_sealed = $5, withheld_scopes = $6
                WHERE user_code_digest = $1 AND is_approved IS NULL AND expires_at > $7
                """,
                user_code_digest,
                decision.is_approved,
                decision.seller_id,
                decision.user_id,
                decision.name_sealed,
                list(decision.withheld_scopes),
                now,
            )
            if decided == "UPDATE 1":
                return
            is_repeated = await connection.fetchval(
                """
                SELECT true FROM auth.device_grants
                WHERE user_code_digest = $1 AND is_approved = $2 AND user_id = $3
                """,
                user_code_digest,
                decision.is_approved,
                decision.user_id,
            )
        if not is_repeated:
            raise UserCodeInvalid

    async def poll_device_grant(self, digest: bytes, client_id: str, key_thumbprint: str) -> Polled:
        """Return a grant as it was, tie it to the key, and count that its desktop asked; in one step."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                SELECT_DEVICE_GRANT + "WHERE device_code_digest = $1 FOR UPDATE", digest
            )
            if row is None or not (grant := _grant(row)).is_for(client_id, key_thumbprint):
                raise InvalidGrant
            await connection.execute(
                """
                UPDATE auth.device_grants
                SET key_thumbprint = $2, polled_at = clock_timestamp(), interval_s = $3
                WHERE device_code_digest = $1
                """,
                digest,
                key_thumbprint,
                grant.next_interval_s(is_too_early=row["is_too_early"]),
            )
        return Polled(grant=grant, is_too_early=row["is_too_early"])

    async def enrol_by_device_grant(self, digest: bytes, enrolment: Enrolment, nonce: bytes) -> bytes:
        """Use up a grant and keep the device and tokens it issues; return the nonce that is in force."""
        async with chassis.db.transaction(self._pool) as connection:
            await hold_person(connection, enrolment.device.user_id)
            known = await connection.fetchrow(
                "SELECT nonce FROM auth.device_grants WHERE device_code_digest = $1 FOR UPDATE", digest
            )
            if known is None:
                raise InvalidGrant
            if known["nonce"] is not None:
                in_force: bytes = known["nonce"]
                return in_force
            await connection.execute(
                """
                UPDATE auth.device_grants SET nonce = $2, redeemed_at = clock_timestamp()
                WHERE device_code_digest = $1
                """,
                digest,
                nonce,
            )
            await insert_device(connection, enrolment)
        return nonce


async def _insert(connection: chassis.db.Connection, grant: DeviceGrant) -> None:
    await connection.execute(
        """
        INSERT INTO auth.device_grants
            (device_code_digest, user_code_digest, device_id, client_id, key_thumbprint, scopes, platform,
             app_version, key_storage, expires_at, interval_s)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """,
        grant.device_code_digest,
        grant.user_code_digest,
        grant.device_id,
        grant.client_id,
        grant.key_thumbprint,
        list(grant.scopes),
        grant.facts.platform,
        grant.facts.app_version,
        grant.facts.key_storage,
        grant.expires_at,
        grant.interval_s,
    )


def _grant(row: asyncpg.Record) -> DeviceGrant:
    decision = None
    if row["is_approved"] is not None:
        decision = Decision(
            is_approved=row["is_approved"],
            seller_id=str(row["seller_id"]),
            user_id=str(row["user_id"]),
            name_sealed=row["name_sealed"],
            withheld_scopes=tuple(row["withheld_scopes"]),
        )
    return DeviceGrant(
        device_code_digest=row["device_code_digest"],
        user_code_digest=row["user_code_digest"],
        device_id=str(row["device_id"]),
        client_id=row["client_id"],
        key_thumbprint=row["key_thumbprint"],
        scopes=tuple(row["scopes"]),
        facts=rows.facts(row),
        expires_at=row["expires_at"],
        interval_s=row["interval_s"],
        decision=decision,
        redeemed_ago_s=row["redeemed_ago_s"],
        nonce=row["nonce"],
        age_s=row["age_s"],
    )
