"""Rows a second into the audit log, beside COPY of the same rows into a table of the same shape."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import chassis.db
from bench.identity import stub_as_gateway
from sallyport.bench.figures import Series, ratio, table
from sallyport.provision.database import signed_in
from sallyport.stack import Stack
from wire.telemetry.v1 import telemetry_pb2, telemetry_pb2_grpc

BATCH_ROWS = 100
IN_FLIGHT = 4
COPIED = "CREATE SCHEMA bench CREATE TABLE records (LIKE telemetry.records INCLUDING ALL)"
TAIL = "SELECT * FROM telemetry.records ORDER BY sequence DESC LIMIT $1"


@dataclass(frozen=True)
class Appends:
    """Rows a second, by round."""

    rows: int
    appended: Series
    copied: Series
    at_once: Series

    @property
    def ratio(self) -> Series:
        """What telemetry takes, as a share of what COPY takes in batches of the same size."""
        return self.appended.over(self.copied)

    def tables(self) -> Iterator[str]:
        """Yield the table's lines."""
        cells = (
            ("telemetry's Append, chained and checked", self.appended),
            (f"COPY, {BATCH_ROWS} rows a commit", self.copied),
            ("COPY, all rows in one commit", self.at_once),
        )
        calls = f"in calls of {BATCH_ROWS}, {IN_FLIGHT} calls at a time"
        title = f"Audit rows a second, {self.rows:,} a round {calls}"
        columns = ("", "rows/s", "telemetry's / its own")
        return table(title, columns, [(name, str(own), ratio(self.appended, own)) for name, own in cells])


async def measure(stack: Stack, *, rounds: int, batches: int) -> Appends:
    """Return how fast rows go in, each way."""
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
    return Appends(rows, Series.of(appended), Series.of(copied), Series.of(at_once))


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
