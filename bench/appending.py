"""Rows a second into the audit log, beside COPY of the same rows into a table of the same shape."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Iterator, Sequence
from datetime import UTC, datetime

import chassis.db
from bench.figures import Series, table
from bench.identity import stub_as_gateway
from sallyport.provision.database import signed_in
from sallyport.stack import Stack
from wire.telemetry.v1 import telemetry_pb2, telemetry_pb2_grpc

BATCH_ROWS = 100
IN_FLIGHT = 4
COPIED = "CREATE SCHEMA bench CREATE TABLE records (LIKE telemetry.records INCLUDING ALL)"
TAIL = "SELECT * FROM telemetry.records ORDER BY sequence DESC LIMIT $1"


async def measure(stack: Stack, *, rounds: int, batches: int) -> Iterator[str]:
    """Return the table."""
    rows = batches * BATCH_ROWS
    appended, copied, at_once = [], [], []
    async with (
        stub_as_gateway(stack, "telemetry", telemetry_pb2_grpc.TelemetryServiceStub) as telemetry,
        signed_in(stack.ground.postgres, stack.ground.openbao, role="postgres") as connection,
    ):
        await connection.execute(COPIED)
        for _ in range(rounds):
            calls = iter([_call() for _ in range(batches)])
            appended.append(rows / await _elapsed_s(_append(telemetry, calls)))
            same = [tuple(row) for row in reversed(await connection.fetch(TAIL, rows))]
            await connection.execute("TRUNCATE bench.records")
            copied.append(rows / await _elapsed_s(_copy(connection, same, BATCH_ROWS)))
            await connection.execute("TRUNCATE bench.records")
            at_once.append(rows / await _elapsed_s(_copy(connection, same, rows)))
    ours = Series.of(appended)
    cells = (
        ("telemetry's Append, chained and checked", ours, ours),
        ("COPY, 100 rows a commit", ours, Series.of(copied)),
        ("COPY, all rows in one commit", ours, Series.of(at_once)),
    )
    title = f"Audit rows a second, {rows:,} a round in calls of {BATCH_ROWS}, {IN_FLIGHT} calls at a time"
    columns = ("", "rows/s", "telemetry's / its own")
    return table(title, columns, [(name, str(own), str(mine.over(own))) for name, mine, own in cells])


async def _append(
    telemetry: "telemetry_pb2_grpc.TelemetryServiceAsyncStub", calls: Iterator[telemetry_pb2.AppendRequest]
) -> None:
    async def send() -> None:
        for call in calls:
            await telemetry.Append(call)

    await asyncio.gather(*(send() for _ in range(IN_FLIGHT)))


async def _copy(
    connection: chassis.db.Connection, rows: Sequence[tuple[object, ...]], batch_rows: int
) -> None:
    for start in range(0, len(rows), batch_rows):
        batch = rows[start : start + batch_rows]
        await connection.copy_records_to_table("records", schema_name="bench", records=batch)


async def _elapsed_s(work: Awaitable[None]) -> float:
    started_s = time.perf_counter()
    await work
    return time.perf_counter() - started_s


def _call() -> telemetry_pb2.AppendRequest:
    return telemetry_pb2.AppendRequest(events=[_event() for _ in range(BATCH_ROWS)])


def _event() -> telemetry_pb2.AuditEvent:
    """Return an event of the size of a read's."""
    event = telemetry_pb2.AuditEvent(
        event_id=str(uuid.uuid4()),
        kind="gateway.pii.read",
        phase=telemetry_pb2.PHASE_FACT,
        result="done",
        actor=telemetry_pb2.Actor(kind="device", id=str(uuid.uuid4())),
        seller_id=str(uuid.uuid4()),
        request_id=str(uuid.uuid4()),
        details={
            "operation": "ordersV0.getOrderAddress",
            "order_ids": "902-1845936-5435065",
            "status": "200",
        },
    )
    event.occurred_at.FromDatetime(datetime.now(UTC))
    return event
