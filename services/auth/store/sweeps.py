"""Removal of what is over, in bounded sweeps."""

from datetime import datetime

import chassis.db
from services.auth.model.ages import CLOCKS_APART_MAX
from services.auth.model.device_grants import DEVICE_GRANT_MEMORY
from services.auth.model.devices import CODE_MEMORY, DEVICE_IDLE_MAX
from services.auth.model.passwords import LOCKED
from services.auth.model.rewrapping import REWRAPPING_MEMORY
from services.auth.model.tokens import ACCESS_MEMORY
from services.auth.store.part import StorePart

# Each statement with how long its rows are remembered after they are over by the clock of whoever sweeps.
SWEEPS = (
    (
        """
        DELETE FROM auth.invitations WHERE invitation_digest IN (
            SELECT invitation_digest FROM auth.invitations WHERE expires_at < $1 LIMIT $2)
        """,
        CLOCKS_APART_MAX,
    ),
    (
        """
        DELETE FROM auth.sessions WHERE session_id IN (
            SELECT session_id FROM auth.sessions WHERE expires_at < $1 LIMIT $2)
        """,
        CLOCKS_APART_MAX,
    ),
    (
        """
        DELETE FROM auth.consent_states WHERE state_digest IN (
            SELECT state_digest FROM auth.consent_states WHERE expires_at < $1 LIMIT $2)
        """,
        CLOCKS_APART_MAX,
    ),
    (
        """
        DELETE FROM auth.codes WHERE code_digest IN (
            SELECT code_digest FROM auth.codes WHERE expires_at < $1 LIMIT $2)
        """,
        CODE_MEMORY,
    ),
    (
        """
        DELETE FROM auth.device_grants WHERE device_code_digest IN (
            SELECT device_code_digest FROM auth.device_grants WHERE expires_at < $1 LIMIT $2)
        """,
        DEVICE_GRANT_MEMORY,
    ),
    (
        """
        DELETE FROM auth.spent_ceremonies WHERE ceremony_digest IN (
            SELECT ceremony_digest FROM auth.spent_ceremonies WHERE expires_at < $1 LIMIT $2)
        """,
        CLOCKS_APART_MAX,
    ),
    (
        """
        DELETE FROM auth.password_failures WHERE subject_digest IN (
            SELECT subject_digest FROM auth.password_failures WHERE failed_at < $1 LIMIT $2)
        """,
        LOCKED,
    ),
    (
        """
        DELETE FROM auth.access_tokens WHERE token_digest IN (
            SELECT token_digest FROM auth.access_tokens AS old
            WHERE expires_at < $1 AND (restrictions <> '[]' OR EXISTS (
                SELECT FROM auth.access_tokens AS newer
                WHERE newer.device_id = old.device_id AND newer.restrictions = '[]'
                    AND (coalesce(newer.kept_at, '-infinity'), newer.issued_at)
                        > (coalesce(old.kept_at, '-infinity'), old.issued_at)))
            LIMIT $2)
        """,
        ACCESS_MEMORY,
    ),
    (
        """
        DELETE FROM auth.refresh_tokens WHERE token_digest IN (
            SELECT token_digest FROM auth.refresh_tokens WHERE rotated_at < $1 LIMIT $2)
        """,
        DEVICE_IDLE_MAX,
    ),
    (
        """
        DELETE FROM auth.rewrappings WHERE (round_id, kind, owner_id) IN (
            SELECT round_id, kind, owner_id FROM auth.rewrappings WHERE closed_at < $1 LIMIT $2)
        """,
        REWRAPPING_MEMORY,
    ),
)


class SweepStore(StorePart):
    """The broom."""

    async def purge(self, now: datetime, rows_max: int) -> int:
        """Remove at most so many rows of each kind that is over; return how many went."""
        purged = 0
        for statement, memory in SWEEPS:
            async with chassis.db.transaction(self._pool) as connection:
                status = await connection.execute(statement, now - memory, rows_max)
            purged += chassis.db.rows_affected(status)
        return purged
