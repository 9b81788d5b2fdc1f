"""Consents and their beginnings in Postgres."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

import chassis.db
from services.auth.model.consent_refusals import ConsentNotFound
from services.auth.model.consents import (
    CONSENTS_LISTED_MAX,
    AccountKind,
    Consent,
    Ending,
    Region,
    State,
)
from services.auth.model.refusals import ConsentMissing, InvalidState, SellingPartnerTaken
from services.auth.store import rows
from services.auth.store.news import tell_devices
from services.auth.store.part import StorePart
from services.auth.store.sellers import hold_seller

SELECT_STATE = """
    SELECT state_digest, session_id, seller_id, marketplace_id, region, account_kind, application_id,
           selling_partner_digest, expires_at, used_at,
           coalesce(extract(epoch FROM clock_timestamp() - kept_at), 0)::float8 AS age_s
    FROM auth.consent_states
"""


class ConsentStore(StorePart):
    """What sellers granted."""

    async def begin_consent(self, state: State) -> None:
        """Keep a state."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                """
                INSERT INTO auth.consent_states
                    (state_digest, session_id, seller_id, marketplace_id, region, account_kind,
                     application_id, selling_partner_digest, expires_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                """,
                state.state_digest,
                state.session_id,
                state.seller_id,
                state.marketplace_id,
                state.region,
                state.account_kind,
                state.application_id,
                state.selling_partner_digest,
                state.expires_at,
            )

    async def use_state(self, digest: bytes, now: datetime) -> State:
        """Return a state as it was, and use it up in the same step."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                SELECT_STATE + "WHERE state_digest = $1 FOR UPDATE",
                digest,
            )
            if row is None:
                raise InvalidState
            await connection.execute(
                "UPDATE auth.consent_states SET used_at = coalesce(used_at, $2) WHERE state_digest = $1",
                digest,
                now,
            )
        return _state(row)

    async def find_begun(self, session_id: str, now: datetime) -> State | None:
        """Return what a session began last and has not completed, if its time is not over."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                SELECT_STATE
                + """
                WHERE session_id = $1 AND used_at IS NULL AND expires_at > $2
                ORDER BY expires_at DESC
                LIMIT 1
                """,
                session_id,
                now,
            )
        return None if row is None else _state(row)

    async def check_selling_partner(self, digest: bytes, seller_id: str) -> None:
        """Return if an account at Amazon is free or this seller's."""
        async with chassis.db.transaction(self._pool) as connection:
            owner = await _owner(connection, digest)
        if owner not in {None, seller_id}:
            raise SellingPartnerTaken

    async def record_consent(self, consent: Consent, selling_partner_digest: bytes) -> None:
        """Keep a consent, tie its account to its seller, end the region's older consent; in one step."""
        async with chassis.db.transaction(self._pool) as connection:
            await hold_seller(connection, consent.seller_id)
            # Two consents of one seller wait for each other here, so that the later one ends the earlier.
            await connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('consents ' || $1, 0))", consent.seller_id
            )
            await connection.execute(
                """
                INSERT INTO auth.selling_partners (selling_partner_digest, seller_id)
                VALUES ($1, $2)
                ON CONFLICT (selling_partner_digest) DO NOTHING
                """,
                selling_partner_digest,
                consent.seller_id,
            )
            if await _owner(connection, selling_partner_digest) != consent.seller_id:
                raise SellingPartnerTaken
            await _replace(connection, consent)
            await _insert(connection, consent)
            await tell_devices(connection, consent.seller_id)

    async def find_consent(self, seller_id: str, region: Region) -> Consent:
        """Return the newest consent of a seller for a region, be it active or not."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                rows.SELECT_CONSENT
                + """
                WHERE seller_id = $1 AND region = $2
                ORDER BY ended_at IS NULL DESC, granted_at DESC
                LIMIT 1
                """,
                seller_id,
                region,
            )
        if row is None:
            raise ConsentMissing
        return rows.consent(row)

    async def find_own_consent(self, seller_id: str, consent_id: str) -> Consent:
        """Return a consent of a seller, be it active or not."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                rows.SELECT_CONSENT + "WHERE seller_id = $1 AND consent_id = $2", seller_id, consent_id
            )
        if row is None:
            raise ConsentNotFound
        return rows.consent(row)

    async def list_consents(self, seller_id: str) -> Sequence[Consent]:
        """Return a seller's consents but the replaced ones, newest first, at most CONSENTS_LISTED_MAX."""
        async with chassis.db.transaction(self._pool) as connection:
            found = await connection.fetch(
                rows.SELECT_CONSENT
                + """
                WHERE seller_id = $1 AND ending IS DISTINCT FROM 'replaced'
                ORDER BY granted_at DESC
                LIMIT $2
                """,
                seller_id,
                CONSENTS_LISTED_MAX,
            )
        return [rows.consent(row) for row in found]

    async def list_doubtful(self, refused_before: datetime, rows_max: int) -> Sequence[Consent]:
        """Return active consents that Amazon refused before a time, oldest refusal first."""
        async with chassis.db.transaction(self._pool) as connection:
            found = await connection.fetch(
                rows.SELECT_CONSENT
                + """
                WHERE refused_at < $1 AND ended_at IS NULL
                ORDER BY refused_at
                LIMIT $2
                """,
                refused_before,
                rows_max,
            )
        return [rows.consent(row) for row in found]

    async def list_idle(self, used_before: datetime, rows_max: int) -> Sequence[Consent]:
        """Return active consents last used before a time, oldest use first."""
        async with chassis.db.transaction(self._pool) as connection:
            found = await connection.fetch(
                rows.SELECT_CONSENT
                + """
                WHERE used_at < $1 AND ended_at IS NULL
                ORDER BY used_at
                LIMIT $2
                """,
                used_before,
                rows_max,
            )
        return [rows.consent(row) for row in found]

    async def end_consent(
        self, consent_id: str, ending: Ending, now: datetime, *, used_before: datetime | None = None
    ) -> bool:
        """End an active consent and destroy its token, but for a QUARANTINED one; False when it had ended."""
        async with chassis.db.transaction(self._pool) as connection:
            return await end(connection, consent_id, ending, now=now, used_before=used_before)


async def end(
    connection: chassis.db.Connection,
    consent_id: str,
    ending: Ending,
    *,
    now: datetime,
    used_before: datetime | None = None,
) -> bool:
    """End an active consent within a transaction; see `ConsentStore.end_consent`."""
    seller_id = await connection.fetchval(
        """
        UPDATE auth.consents
        SET ended_at = $2,
            ending = $3,
            refresh_token_sealed = CASE WHEN $3 = 'quarantined' THEN refresh_token_sealed END
        WHERE consent_id = $1 AND ended_at IS NULL AND used_at < coalesce($4, 'infinity'::timestamptz)
        RETURNING seller_id
        """,
        consent_id,
        now,
        ending,
        used_before,
    )
    if seller_id is None:
        return False
    await connection.execute("DELETE FROM auth.access_leases WHERE consent_id = $1", consent_id)
    await tell_devices(connection, str(seller_id))
    return True


def _state(row: asyncpg.Record) -> State:
    return State(
        state_digest=row["state_digest"],
        session_id=str(row["session_id"]),
        seller_id=str(row["seller_id"]),
        marketplace_id=row["marketplace_id"],
        region=Region(row["region"]),
        account_kind=AccountKind(row["account_kind"]),
        application_id=row["application_id"],
        selling_partner_digest=row["selling_partner_digest"],
        expires_at=row["expires_at"],
        used_at=row["used_at"],
        age_s=row["age_s"],
    )


async def _owner(connection: chassis.db.Connection, digest: bytes) -> str | None:
    owner = await connection.fetchval(
        "SELECT seller_id FROM auth.selling_partners WHERE selling_partner_digest = $1", digest
    )
    return None if owner is None else str(owner)


async def _replace(connection: chassis.db.Connection, consent: Consent) -> None:
    """End the active consent that this one follows, and destroy what Amazon gave for it."""
    replaced_id = await connection.fetchval(
        """
        UPDATE auth.consents
        SET ended_at = $3, ending = 'replaced', refresh_token_sealed = NULL
        WHERE seller_id = $1 AND region = $2 AND ended_at IS NULL
        RETURNING consent_id
        """,
        consent.seller_id,
        consent.region,
        consent.granted_at,
    )
    await connection.execute("DELETE FROM auth.access_leases WHERE consent_id = $1", replaced_id)


async def _insert(connection: chassis.db.Connection, consent: Consent) -> None:
    await connection.execute(
        """
        INSERT INTO auth.consents
            (consent_id, seller_id, region, marketplace_id, account_kind, application_id,
             selling_partner_sealed, refresh_token_sealed, refresh_version, granted_at, expires_at, used_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """,
        consent.consent_id,
        consent.seller_id,
        consent.region,
        consent.marketplace_id,
        consent.account_kind,
        consent.application_id,
        consent.selling_partner_sealed,
        consent.refresh_token_sealed,
        consent.refresh_version,
        consent.granted_at,
        consent.expires_at,
        consent.used_at,
    )
    await connection.execute("INSERT INTO auth.access_leases (consent_id) VALUES ($1)", consent.consent_id)
