"""Turns at Login with Amazon in Postgres: one row per application, by the database's clock.

The row is the one place that all replicas meet at, so it is kept cheap: a turn is one statement on one small
row without an index on what changes, and callers who wait at once share a statement.
"""

import chassis.db
from services.auth.model.turns import PROBE_S, Hold, Pace, Turns
from services.auth.store.part import StorePart


class TurnStore(StorePart):
    """Who may ask Login with Amazon, and when."""

    async def take_turns(self, application_id: str, pace: Pace, *, count: int, patience_s: float) -> Turns:
        """Give the next turns, all or none; none when the last of them is further away than `patience_s`."""
        async with chassis.db.transaction(self._pool) as connection:
            given = await _take(connection, application_id, pace, count=count, patience_s=patience_s)
            if given is not None:
                return given
            away = await _look(connection, application_id)
            if away is not None and away.wait_s <= pace.ahead_s_max:
                return away
            await _begin(connection, application_id, pace)
            answer = await _take(connection, application_id, pace, count=count, patience_s=patience_s)
            answer = answer or await _look(connection, application_id)
            return answer or Turns(wait_s=pace.interval_s, is_given=False)

    async def hold_turns(self, application_id: str, hold_s: float) -> None:
        """Let nobody ask for so long; a longer hold stays."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                """
                INSERT INTO auth.lwa_turns AS t (application_id, held_until)
                VALUES ($1, clock_timestamp() + make_interval(secs => $2))
                ON CONFLICT (application_id) DO UPDATE
                SET held_until = greatest(t.held_until, excluded.held_until)
                """,
                application_id,
                hold_s,
            )

    async def find_hold(self, application_id: str) -> Hold:
        """Return for how long nobody may ask, and whether Amazon refuses the application."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                """
                SELECT CASE
                           WHEN held_until <= clock_timestamp() THEN 0
                           ELSE extract(epoch FROM held_until - clock_timestamp())
                       END::float8 AS hold_s,
                       refused_at IS NOT NULL AS is_refused
                FROM auth.lwa_turns
                WHERE application_id = $1
                """,
                application_id,
            )
        if row is None:
            return Hold(hold_s=0.0, is_refused=False)
        return Hold(hold_s=row["hold_s"], is_refused=row["is_refused"])

    async def begin_refusal(self, application_id: str) -> bool:
        """Note that Amazon refuses the application, and hold everybody for PROBE_S; False if it was noted."""
        async with chassis.db.transaction(self._pool) as connection:
            status = await connection.execute(
                """
                UPDATE auth.lwa_turns
                SET refused_at = clock_timestamp(), held_until = clock_timestamp() + make_interval(secs => $2)
                WHERE application_id = $1 AND refused_at IS NULL
                """,
                application_id,
                PROBE_S,
            )
        return bool(status == "UPDATE 1")

    async def end_refusal(self, application_id: str) -> bool:
        """Note that Amazon takes the application again, or may; False when it was not refused."""
        async with chassis.db.transaction(self._pool) as connection:
            status = await connection.execute(
                """
                UPDATE auth.lwa_turns
                SET refused_at = NULL, held_until = '-infinity'
                WHERE application_id = $1 AND refused_at IS NOT NULL
                """,
                application_id,
            )
        return bool(status == "UPDATE 1")


async def _take(
    connection: chassis.db.Connection, application_id: str, pace: Pace, *, count: int, patience_s: float
) -> Turns | None:
    """Move the row on by so many turns if the last is near enough; in an episode only by one, to probe."""
    row = await connection.fetchrow(
        """
        UPDATE auth.lwa_turns
        SET next_at = greatest(next_at, held_until, clock_timestamp() - make_interval(secs => $2))
                + make_interval(secs => $3::float8),
            held_until = CASE
                WHEN refused_at IS NULL THEN held_until
                ELSE clock_timestamp() + make_interval(secs => $6)
            END
        WHERE application_id = $1
          AND greatest(next_at, held_until, clock_timestamp() - make_interval(secs => $2))
                + make_interval(secs => $4) <= clock_timestamp() + make_interval(secs => $5)
          AND (refused_at IS NULL OR ($7::bigint = 1 AND held_until <= clock_timestamp()))
        RETURNING extract(epoch FROM next_at - clock_timestamp())::float8 - $3::float8 AS wait_s,
                  refused_at IS NOT NULL AS is_refused
        """,
        application_id,
        pace.tolerance_s,
        count * pace.interval_s,
        (count - 1) * pace.interval_s,
        patience_s,
        PROBE_S,
        count,
    )
    if row is None:
        return None
    return Turns(wait_s=row["wait_s"], is_given=True, is_refused=row["is_refused"])


async def _begin(connection: chassis.db.Connection, application_id: str, pace: Pace) -> None:
    """Make the row, or begin its turns anew if they are further ahead than can be.

    They are where the database's clock was set back: nobody would get a turn until it had caught up (R-14).
    """
    await connection.execute(
        """
        INSERT INTO auth.lwa_turns AS t (application_id)
        VALUES ($1)
        ON CONFLICT (application_id) DO UPDATE
        SET next_at = clock_timestamp()
        WHERE t.next_at > clock_timestamp() + make_interval(secs => $2)
        """,
        application_id,
        pace.ahead_s_max,
    )


async def _look(connection: chassis.db.Connection, application_id: str) -> Turns | None:
    row = await connection.fetchrow(
        """
        SELECT extract(epoch FROM greatest(next_at, held_until) - clock_timestamp())::float8 AS wait_s,
               refused_at IS NOT NULL AS is_refused
        FROM auth.lwa_turns
        WHERE application_id = $1
        """,
        application_id,
    )
    if row is None:
        return None
    return Turns(wait_s=max(0.0, row["wait_s"]), is_given=False, is_refused=row["is_refused"])
