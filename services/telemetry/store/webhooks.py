"""How far a receiver has come, and what it would not take, in Postgres."""

from datetime import datetime

import chassis.db
from services.telemetry.model.chain import SHARD, Record
from services.telemetry.model.webhooks import DeadLetter, Standing, Turn

DEAD_LETTERS_MAX = 10_000
DEAD_LETTERS_SHOWN_MAX = 20
# One receiver for now; the tables take more.
WEBHOOK = "main"

SETTLE = """
    UPDATE telemetry.webhooks
    SET sequence = greatest(sequence, $3), attempts = 0, retry_at = NULL
    WHERE webhook = $1 AND fence = $2
"""


class WebhookStore:
    """One row per receiver; whoever holds the turn writes, under its fence."""

    def __init__(self, pool: chassis.db.Pool) -> None:
        self._pool = pool

    async def take(self, turn_s: float) -> Turn | None:
        """Return the turn for so many seconds; None while another holds it, and the very first time.

        A receiver that was never told anything starts at the log's end.
        """
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                """
                UPDATE telemetry.webhooks
                SET fence = fence + 1, held_until = clock_timestamp() + make_interval(secs => $2)
                WHERE webhook = $1
                  AND (held_until IS NULL
                       OR held_until NOT BETWEEN clock_timestamp()
                          AND clock_timestamp() + make_interval(secs => $2))
                RETURNING fence, sequence, attempts, retry_at, gone_digest
                """,
                WEBHOOK,
                turn_s,
            )
            if row is None:
                await connection.execute(
                    """
                    INSERT INTO telemetry.webhooks (webhook, sequence)
                    SELECT $1, coalesce(max(sequence), 0) FROM telemetry.records WHERE shard = $2
                    ON CONFLICT (webhook) DO NOTHING
                    """,
                    WEBHOOK,
                    SHARD,
                )
                return None
        return Turn(
            fence=row["fence"],
            sequence=row["sequence"],
            attempts=row["attempts"],
            retry_at=row["retry_at"],
            gone_digest=row["gone_digest"],
        )

    async def give_back(self, fence: int) -> None:
        """End a turn, if it is still this one."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                "UPDATE telemetry.webhooks SET held_until = NULL WHERE webhook = $1 AND fence = $2",
                WEBHOOK,
                fence,
            )

    async def find_event(self, event_id: str) -> Record | None:
        """Return the record of an event, if there is one."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                "SELECT sequence, body, hash FROM telemetry.records WHERE event_id = $1", event_id
            )
        return None if row is None else Record(row["sequence"], row["body"], row["hash"])

    async def settle(self, fence: int, sequence: int) -> bool:
        """Keep that everything up to a sequence is told; False when the turn was lost."""
        async with chassis.db.transaction(self._pool) as connection:
            return await connection.execute(SETTLE, WEBHOOK, fence, sequence) == "UPDATE 1"

    async def postpone(self, fence: int, attempts: int, retry_at: datetime) -> bool:
        """Keep that the next report failed so often, and when to try again; False when the turn was lost."""
        async with chassis.db.transaction(self._pool) as connection:
            kept = await connection.execute(
                """
                UPDATE telemetry.webhooks SET attempts = $3, retry_at = $4
                WHERE webhook = $1 AND fence = $2
                """,
                WEBHOOK,
                fence,
                attempts,
                retry_at,
            )
        return kept == "UPDATE 1"

    async def abandon(self, fence: int, letter: DeadLetter) -> bool:
        """Keep a report that was refused too often, and go past it; False when the turn was lost.

        Of the dead letters the newest DEAD_LETTERS_MAX are kept.
        """
        async with chassis.db.transaction(self._pool) as connection:
            if await connection.execute(SETTLE, WEBHOOK, fence, letter.sequence) != "UPDATE 1":
                return False
            await connection.execute(
                """
                INSERT INTO telemetry.webhook_dead_letters
                    (webhook, sequence, kind, status, attempts, given_up_at)
                VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (webhook, sequence) DO NOTHING
                """,
                WEBHOOK,
                letter.sequence,
                letter.kind,
                letter.status,
                letter.attempts,
                letter.given_up_at,
            )
            await connection.execute(
                """
                DELETE FROM telemetry.webhook_dead_letters
                WHERE webhook = $1 AND sequence <= (
                    SELECT sequence FROM telemetry.webhook_dead_letters
                    WHERE webhook = $1 ORDER BY sequence DESC OFFSET $2 LIMIT 1
                )
                """,
                WEBHOOK,
                DEAD_LETTERS_MAX,
            )
        return True

    async def note_gone(self, fence: int, digest: bytes) -> bool:
        """Keep that the receiver at this address wants no more; False when the turn was lost."""
        async with chassis.db.transaction(self._pool) as connection:
            kept = await connection.execute(
                "UPDATE telemetry.webhooks SET gone_digest = $3 WHERE webhook = $1 AND fence = $2",
                WEBHOOK,
                fence,
                digest,
            )
        return kept == "UPDATE 1"

    async def note_back(self) -> None:
        """Forget that a receiver was gone or failed: it has just answered."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                """
                UPDATE telemetry.webhooks SET gone_digest = NULL, attempts = 0, retry_at = NULL
                WHERE webhook = $1
                """,
                WEBHOOK,
            )

    async def standing(self) -> Standing:
        """Return how telling the receiver goes, as of one moment."""
        async with chassis.db.transaction(self._pool) as connection:
            head = await connection.fetchval(
                "SELECT coalesce(max(sequence), 0) FROM telemetry.records WHERE shard = $1", SHARD
            )
            row = await connection.fetchrow(
                "SELECT sequence, attempts, retry_at, gone_digest FROM telemetry.webhooks WHERE webhook = $1",
                WEBHOOK,
            )
            letters = await connection.fetch(
                """
                SELECT sequence, kind, status, attempts, given_up_at FROM telemetry.webhook_dead_letters
                WHERE webhook = $1 ORDER BY sequence DESC LIMIT $2
                """,
                WEBHOOK,
                DEAD_LETTERS_SHOWN_MAX,
            )
        return Standing(
            sequence=row["sequence"] if row else head,
            head=head,
            attempts=row["attempts"] if row else 0,
            retry_at=row["retry_at"] if row else None,
            gone_digest=row["gone_digest"] if row else None,
            dead_letters=tuple(DeadLetter(**letter) for letter in letters),
        )
