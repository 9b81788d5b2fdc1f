"""The audit log in Postgres: records, checkpoints, and the bookmark of the search for orphans."""

import operator
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

import chassis.db
import chassis.errors
from services.telemetry.model.admission import Admitted, Answer, Call, Known, Ledger, admit, mentioned_ids
from services.telemetry.model.chain import GENESIS, SHARD, Head, Record
from services.telemetry.model.checkpoints import Checkpoint, Tip
from services.telemetry.model.events import FINAL_RESULTS, Event, Phase
from services.telemetry.model.intents import Intent

PAGE_ROWS_MAX = 1_000
# Ids of which a process remembers what the log holds; about 500 B each.
TAIL_IDS_MAX = 20_000
# Held by whoever appends to the shard, until the end of the transaction.
LOCK_NAME = f"telemetry records {SHARD}"

RECORD_COLUMNS = (
    "shard",
    "sequence",
    "event_id",
    "sender",
    "phase",
    "intent_id",
    "is_final",
    "recorded_at",
    "digest",
    "body",
    "hash",
)

# Short words of all rows travel as one text each: asyncpg looks closely at every single member of an array.
NO_INTENT = "-"
ADD_NEXT = """
    WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0)))
    INSERT INTO telemetry.records
        (shard, sequence, event_id, sender, phase, intent_id, is_final, recorded_at, digest, body, hash)
    SELECT $2::text, $3 + added.place, added.event_id, added.sender, added.phase, added.intent_id,
        added.is_final, $5::timestamptz, added.digest, added.body, added.hash
    FROM turn, unnest(
        string_to_array($6, ' ')::uuid[], string_to_array($7, ' '), string_to_array($8, ' '),
        string_to_array($9, ' ', '-')::uuid[], string_to_array($10, ' ')::boolean[],
        $11::bytea[], $12::bytea[], $13::bytea[]
    ) WITH ORDINALITY
        AS added (event_id, sender, phase, intent_id, is_final, digest, body, hash, place)
    WHERE EXISTS (SELECT FROM telemetry.records WHERE shard = $2 AND sequence = $3 AND hash = $4)
"""


@dataclass(slots=True)
class _Tail:
    """What this process knows of the log's end, having written it.

    Attributes:
        ledger: true as long as nobody else appends.
        is_alone: nobody else has, from one append of ours to the next.
    """

    ledger: Ledger
    is_alone: bool


class AuditStore:
    """The audit log in Postgres.

    A process that finds itself the only one to append goes on from what it knows, in one exchange with
    Postgres; when that turns out wrong, nothing was added, and it asks in turn.
    """

    def __init__(self, pool: chassis.db.Pool) -> None:
        self._pool = pool
        self._tail: _Tail | None = None

    async def append(self, calls: Sequence[Call], *, recorded_at: datetime) -> list[Answer]:
        """Return one answer per call, once everything admitted is durable; all in one transaction.

        Raises:
            StoreUnavailable: nothing of it may be counted on.
        """
        # Whoever appends takes the tail along: after a failure nobody knows where the log ends.
        tail, self._tail = self._tail, None
        if tail is not None and tail.is_alone and tail.ledger.covers(calls):
            head = tail.ledger.head
            admitted, answers = admit(tail.ledger, calls, recorded_at=recorded_at)
            if admitted and await self._add_next(head, admitted, recorded_at):
                self._keep(tail)
                return answers
            tail = None
        return await self._append_in_turn(calls, tail, recorded_at=recorded_at)

    async def _add_next(self, head: Head, admitted: Sequence[Admitted], recorded_at: datetime) -> bool:
        """Add records directly after the head, unless the log has gone on without us or holds one of them.

        The primary key lets only one record have each place, and the shared lock lets nobody who asks for a
        turn be overtaken. That the head is there shows that the log is still the one we know (R-05).
        """
        try:
            async with chassis.db.statement(self._pool) as connection:
                told = await connection.execute(
                    ADD_NEXT, LOCK_NAME, SHARD, *head, recorded_at, *_words(admitted), *_links(admitted)
                )
        except asyncpg.UniqueViolationError:
            return False
        return chassis.db.rows_affected(told) == len(admitted)

    async def _append_in_turn(
        self, calls: Sequence[Call], tail: _Tail | None, *, recorded_at: datetime
    ) -> list[Answer]:
        """Append under the log's lock, after asking it about everything that the calls mention."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", LOCK_NAME)
            ledger = await _ledger(connection, mentioned_ids(calls))
            is_alone = tail is not None and tail.ledger.head == ledger.head
            if tail is not None and is_alone:
                tail.ledger.learn(ledger)
                ledger = tail.ledger
            admitted, answers = admit(ledger, calls, recorded_at=recorded_at)
            if admitted:
                await connection.copy_records_to_table(
                    "records",
                    schema_name="telemetry",
                    columns=RECORD_COLUMNS,
                    records=[_row(each, recorded_at) for each in admitted],
                )
        self._keep(_Tail(ledger, is_alone=is_alone))
        return answers

    def _keep(self, tail: _Tail) -> None:
        tail.ledger.forget(TAIL_IDS_MAX)
        self._tail = tail

    async def tip(self) -> Tip:
        """Return where log and checkpoints stand, as of one moment."""
        async with chassis.db.transaction(self._pool) as connection:
            row = await connection.fetchrow(
                """
                SELECT head.sequence, head.hash, last.number, last.sequence AS covered
                FROM (SELECT $1::text AS shard) AS here
                LEFT JOIN LATERAL (
                    SELECT sequence, hash FROM telemetry.records
                    WHERE shard = here.shard ORDER BY sequence DESC LIMIT 1
                ) AS head ON true
                LEFT JOIN LATERAL (
                    SELECT number, sequence FROM telemetry.checkpoints
                    WHERE shard = here.shard ORDER BY number DESC LIMIT 1
                ) AS last ON true
                """,
                SHARD,
            )
        assert row is not None
        head = GENESIS if row["sequence"] is None else Head(row["sequence"], row["hash"])
        return Tip(head, row["number"] or 0, row["covered"] or 0)

    async def add_checkpoint(self, checkpoint: Checkpoint) -> bool:
        """Keep a checkpoint; False when its number is taken, and then nothing changed."""
        async with chassis.db.transaction(self._pool) as connection:
            number = await connection.fetchval(
                """
                INSERT INTO telemetry.checkpoints (shard, number, sequence, signed_at, body, signature)
                VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (shard, number) DO NOTHING
                RETURNING number
                """,
                SHARD,
                checkpoint.number,
                checkpoint.sequence,
                checkpoint.signed_at,
                checkpoint.body,
                checkpoint.signature,
            )
        return number is not None

    async def record(self, sequence: int) -> Record | None:
        """Return the record at a sequence, if the log is that long."""
        found = await self.records(sequence, sequence)
        return found[0] if found else None

    async def records(self, first: int, last: int) -> Sequence[Record]:
        """Return the records from `first` to `last`, in order, at most PAGE_ROWS_MAX; perhaps none."""
        async with chassis.db.transaction(self._pool) as connection:
            rows = await connection.fetch(
                """
                SELECT sequence, body, hash FROM telemetry.records
                WHERE shard = $1 AND sequence BETWEEN $2 AND $3
                ORDER BY sequence LIMIT $4
                """,
                SHARD,
                first,
                last,
                PAGE_ROWS_MAX,
            )
        return [Record(row["sequence"], row["body"], row["hash"]) for row in rows]

    async def checkpoints(self, first: int, last: int, numbers: tuple[int, int]) -> Sequence[Checkpoint]:
        """Return the checkpoints at the sequences `first` to `last`, by number, at most PAGE_ROWS_MAX.

        Args:
            first: lowest sequence.
            last: highest sequence.
            numbers: lowest and highest number wanted.
        """
        async with chassis.db.transaction(self._pool) as connection:
            rows = await connection.fetch(
                """
                SELECT number, sequence, signed_at, body, signature FROM telemetry.checkpoints
                WHERE shard = $1 AND sequence BETWEEN $2 AND $3 AND number BETWEEN $4 AND $5
                ORDER BY number LIMIT $6
                """,
                SHARD,
                first,
                last,
                *numbers,
                PAGE_ROWS_MAX,
            )
        return [Checkpoint(*row) for row in rows]

    async def intents(self) -> Sequence[Intent]:
        """Return intents not yet marked, in chain order, from the oldest on, at most PAGE_ROWS_MAX."""
        async with chassis.db.transaction(self._pool) as connection:
            rows = await connection.fetch(
                """
                SELECT intent.sequence, intent.event_id, intent.recorded_at,
                    EXISTS (
                        SELECT FROM telemetry.records AS outcome WHERE outcome.intent_id = intent.event_id
                    ) AS has_outcome
                FROM telemetry.records AS intent
                WHERE intent.shard = $1 AND intent.phase = 'intent' AND intent.sequence > (
                    SELECT resolved_to FROM telemetry.resolution WHERE shard = $1
                )
                ORDER BY intent.sequence LIMIT $2
                """,
                SHARD,
                PAGE_ROWS_MAX,
            )
        return [
            Intent(row["sequence"], str(row["event_id"]), row["recorded_at"], row["has_outcome"])
            for row in rows
        ]

    async def mark_resolved(self, sequence: int) -> None:
        """Mark every intent up to this sequence as having an outcome; never moves back."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                "UPDATE telemetry.resolution SET resolved_to = $2 WHERE shard = $1 AND resolved_to < $2",
                SHARD,
                sequence,
            )

    async def is_writable(self) -> bool:
        """Return whether the store answers and takes writes.

        Raises:
            StoreUnavailable: it does not answer.
        """
        async with chassis.db.transaction(self._pool) as connection:
            answer: str = await connection.fetchval("SHOW transaction_read_only")
        return answer == "off"


async def _ledger(connection: chassis.db.Connection, ids: Collection[str]) -> Ledger:
    """Return what the log holds about these ids; its lock is held, so nothing can come between.

    One statement, because its round trip is paid by everyone who waits for the lock: the last record, the
    records with these ids, and the final outcomes of intents with these ids.
    """
    rows = await connection.fetch(
        """
        (SELECT sequence, hash, event_id, sender, phase, digest, intent_id, is_final
            FROM telemetry.records WHERE shard = $1 ORDER BY sequence DESC LIMIT 1)
        UNION ALL
        SELECT sequence, hash, event_id, sender, phase, digest, intent_id, is_final
            FROM telemetry.records WHERE event_id = ANY($2::uuid[])
        UNION ALL
        SELECT sequence, hash, event_id, sender, phase, digest, intent_id, is_final
            FROM telemetry.records WHERE intent_id = ANY($2::uuid[]) AND is_final
        """,
        SHARD,
        ids,
    )
    last = max(rows, key=operator.itemgetter("sequence"), default=None)
    return Ledger(
        head=Head(last["sequence"], last["hash"]) if last else GENESIS,
        known={str(row["event_id"]): _known(row) for row in rows},
        settled={str(row["intent_id"]) for row in rows if row["is_final"]},
    )


def _known(row: asyncpg.Record) -> Known:
    return Known(row["sequence"], row["sender"], Phase(row["phase"]), row["digest"])


def _words(admitted: Sequence[Admitted]) -> tuple[str, ...]:
    """Return the columns event_id, sender, phase, intent_id and is_final, each as one text."""
    events = [each.entry.event for each in admitted]
    return (
        " ".join([event.event_id for event in events]),
        " ".join([each.entry.sender for each in admitted]),
        " ".join([event.phase for event in events]),
        " ".join([event.intent_id or NO_INTENT for event in events]),
        " ".join(["true" if _is_final(event) else "false" for event in events]),
    )


def _links(admitted: Sequence[Admitted]) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Return the columns digest, body and hash."""
    return (
        [each.entry.digest for each in admitted],
        [each.record.body for each in admitted],
        [each.record.hash for each in admitted],
    )


def _row(each: Admitted, recorded_at: datetime) -> tuple[object, ...]:
    entry, event, record = each.entry, each.entry.event, each.record
    return (
        SHARD,
        record.sequence,
        event.event_id,
        entry.sender,
        event.phase,
        event.intent_id,
        _is_final(event),
        recorded_at,
        entry.digest,
        record.body,
        record.hash,
    )


def _is_final(event: Event) -> bool:
    return event.phase is Phase.OUTCOME and event.result in FINAL_RESULTS
