"""Keys on their way to a new version, and the values that they seal, in Postgres."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

import chassis.db
from services.auth.model.key_refusals import RoundMissing
from services.auth.model.rewrapping import (
    AGED_KEYS_MAX,
    PAGE_VALUES_MAX,
    SETTLING_S,
    Cause,
    KeyAges,
    KeyKind,
    KeyOwner,
    Outcome,
    Progress,
    Rewrapping,
    Round,
    SealedValue,
)
from services.auth.model.sealing import AnyPlace, ApplicationPlace, Place
from services.auth.store.part import StorePart
from services.auth.store.sealed import BEGIN, LIST_OLDER, REPLACE

KEYS_MAX = 1_000_000


class RewrappingStore(StorePart):
    """Key rotation's memory."""

    async def begin_round(self, round_id: str, owner: KeyOwner | None, now: datetime) -> Round:
        """Take up the rotation of one key, or of all for None; keys that are under way are left out."""
        kinds = tuple(KeyKind) if owner is None else (owner.kind,)
        owner_id = None if owner is None else owner.owner_id
        async with chassis.db.transaction(self._pool) as connection:
            begun = [
                await connection.execute(BEGIN[kind], round_id, Cause.ASKED, now, owner_id, None, KEYS_MAX)
                for kind in kinds
            ]
            known: int = await connection.fetchval(
                """
                SELECT count(*) FROM auth.sealing_keys
                WHERE kind = ANY($1) AND ($2::text IS NULL OR owner_id = $2)
                """,
                list(kinds),
                owner_id,
            )
        keys = sum(chassis.db.rows_affected(status) for status in begun)
        return Round(round_id=round_id, keys=keys, keys_under_way=known - keys)

    async def begin_aged(self, round_id: str, since: datetime, now: datetime) -> int:
        """Take up keys in use since before a time, at most AGED_KEYS_MAX; return how many those were."""
        begun = 0
        async with chassis.db.transaction(self._pool) as connection:
            for kind in KeyKind:
                status = await connection.execute(
                    BEGIN[kind], round_id, Cause.AGE, now, None, since, AGED_KEYS_MAX - begun
                )
                begun += chassis.db.rows_affected(status)
        return begun

    async def find_progress(self, round_id: str) -> Progress:
        """Return how far a round has come."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                """
                SELECT count(*) AS keys,
                       count(*) FILTER (WHERE rewrapped_at IS NOT NULL OR closed_at IS NOT NULL) AS rewrapped,
                       count(closed_at) AS closed,
                       coalesce(sum(values_total), 0)::bigint AS values_total,
                       coalesce(sum(values_done), 0)::bigint AS values_done,
                       coalesce(sum(values_damaged), 0)::bigint AS values_damaged,
                       extract(epoch FROM max(rewrapped_at) FILTER (WHERE closed_at IS NULL)
                           + make_interval(secs => $2) - clock_timestamp())::float8 AS closes_in_s
                FROM auth.rewrappings
                WHERE round_id = $1
                """,
                round_id,
                SETTLING_S,
            )
        assert row is not None
        if not row["keys"]:
            raise RoundMissing
        is_settling = row["keys"] == row["rewrapped"] > row["closed"]
        return Progress(
            keys=row["keys"],
            keys_rewrapped=row["rewrapped"],
            keys_closed=row["closed"],
            values=row["values_total"],
            values_done=row["values_done"],
            values_damaged=row["values_damaged"],
            closes_in_s=max(0.0, row["closes_in_s"]) if is_settling else None,
        )

    async def find_ages(self, since: datetime) -> KeyAges:
        """Return how old the keys are; aged are those in use since before a time."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                """
                SELECT count(*) AS keys, min(k.since) AS oldest_since,
                       count(*) FILTER (WHERE k.since < $1) AS aged,
                       (SELECT count(*) FROM auth.rewrappings WHERE closed_at IS NULL) AS under_way
                FROM auth.sealing_keys k
                """,
                since,
            )
        assert row is not None
        return KeyAges(
            keys=row["keys"],
            oldest_since=row["oldest_since"],
            aged=row["aged"],
            under_way=row["under_way"],
        )

    async def claim_rewrapping(self, lease_s: float) -> Rewrapping | None:
        """Return a key with something to do and a lease on it; None when there is none."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                """
                WITH next AS (
                    SELECT round_id, kind, owner_id
                    FROM auth.rewrappings
                    WHERE closed_at IS NULL
                      AND (held_until IS NULL
                           OR held_until NOT BETWEEN clock_timestamp()
                              AND clock_timestamp() + make_interval(secs => $1))
                      AND (rewrapped_at IS NULL
                           OR rewrapped_at + make_interval(secs => $2) <= clock_timestamp())
                    ORDER BY rewrapped_at NULLS FIRST, wanted_at
                    LIMIT 1
                    FOR UPDATE SKIP LOCKED
                )
                UPDATE auth.rewrappings r
                SET held_until = clock_timestamp() + make_interval(secs => $1)
                FROM next
                WHERE r.round_id = next.round_id AND r.kind = next.kind AND r.owner_id = next.owner_id
                RETURNING r.round_id, r.kind, r.owner_id, r.version_before, r.version,
                          r.rewrapped_at IS NOT NULL AS is_settled
                """,
                lease_s,
                SETTLING_S,
            )
        if row is None:
            return None
        return Rewrapping(
            round_id=str(row["round_id"]),
            owner=KeyOwner(kind=KeyKind(row["kind"]), owner_id=row["owner_id"]),
            version_before=row["version_before"],
            version=row["version"],
            is_settled=row["is_settled"],
        )

    async def note_beginning(self, rewrapping: Rewrapping, version_before: int) -> None:
        """Keep a key's newest version as it was before this rotation; the first note counts."""
        await self._note(
            """
            UPDATE auth.rewrappings SET version_before = coalesce(version_before, $4)
            WHERE round_id = $1 AND kind = $2 AND owner_id = $3
            """,
            rewrapping,
            version_before,
        )

    async def note_rotation(self, rewrapping: Rewrapping, version: int) -> None:
        """Keep a key's new version; the first note counts."""
        await self._note(
            """
            UPDATE auth.rewrappings SET version = coalesce(version, $4)
            WHERE round_id = $1 AND kind = $2 AND owner_id = $3
            """,
            rewrapping,
            version,
        )

    async def list_older(self, owner: KeyOwner, version: int, after: str) -> Sequence[SealedValue]:
        """Return values sealed under older versions than this, by their sealed text and after one."""
        async with chassis.db.transaction(self._pool) as connection:
            found = await connection.fetch(
                LIST_OLDER[owner.kind], owner.owner_id, version, after, PAGE_VALUES_MAX
            )
        return [_value(owner, row) for row in found]

    async def replace_sealed(self, owner: KeyOwner, value: SealedValue, sealed: str) -> bool:
        """Put a new sealed text in the old one's place; False, and nothing written, when it is not there."""
        async with chassis.db.transaction(self._pool) as connection:
            status = await connection.execute(
                REPLACE[owner.kind, value.column], owner.owner_id, value.sealed, sealed
            )
        return chassis.db.rows_affected(status) > 0

    async def note_page(self, rewrapping: Rewrapping, done: int, lease_s: float) -> None:
        """Add to what was done, and extend the lease."""
        await self._note(
            """
            UPDATE auth.rewrappings
            SET values_done = values_done + $4, held_until = clock_timestamp() + make_interval(secs => $5)
            WHERE round_id = $1 AND kind = $2 AND owner_id = $3 AND closed_at IS NULL
            """,
            rewrapping,
            done,
            lease_s,
        )

    async def end_pass(self, rewrapping: Rewrapping, damaged: int) -> None:
        """Keep that every value was looked at, and give the lease back; the key settles from now on."""
        await self._note(
            """
            UPDATE auth.rewrappings
            SET values_damaged = $4, rewrapped_at = clock_timestamp(), held_until = NULL
            WHERE round_id = $1 AND kind = $2 AND owner_id = $3 AND closed_at IS NULL
            """,
            rewrapping,
            damaged,
        )

    async def close_rewrapping(self, rewrapping: Rewrapping, outcome: Outcome, now: datetime) -> None:
        """Keep how a key's rotation ended; the first end counts."""
        await self._note(
            """
            UPDATE auth.rewrappings SET outcome = $4, closed_at = $5, held_until = NULL
            WHERE round_id = $1 AND kind = $2 AND owner_id = $3 AND closed_at IS NULL
            """,
            rewrapping,
            outcome,
            now,
        )

    async def _note(self, statement: str, rewrapping: Rewrapping, *noted: object) -> None:
        async with chassis.db.transaction(self._pool) as connection:
            owner = rewrapping.owner
            await connection.execute(statement, rewrapping.round_id, owner.kind, owner.owner_id, *noted)


def _value(owner: KeyOwner, row: asyncpg.Record) -> SealedValue:
    bound = {
        "table": row["home"],
        "column": row["column_name"],
        "row_id": row["row_id"],
        "version": row["place_version"],
    }
    place: AnyPlace
    if owner.kind is KeyKind.APPLICATION:
        place = ApplicationPlace(application_id=owner.owner_id, **bound)
    else:
        place = Place(seller_id=owner.owner_id, **bound)
    return SealedValue(column=row["name"], place=place, sealed=row["sealed"])
