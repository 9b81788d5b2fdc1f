"""Erasing one day, proof and receipt included, beside deleting as many rows.

One record of each day is sealed by the service; the others are copies of its row under other order ids, made
in SQL, because erasing opens none of them.
"""

import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import chassis.clock
import chassis.db
from bench.identity import stub_as_gateway
from sallyport.bench.figures import Series, table
from sallyport.demo.scene import Scene, StepFailed
from sallyport.provision.database import signed_in
from wire.retention.v1 import retention_pb2, retention_pb2_grpc

BATCH_ROWS = 1_000
PLAINTEXT = b'{"payload":"' + b"x" * 500 + b'"}'
# One more day, and what was sealed is due.
SHIPPED_AGO = timedelta(days=29)
SELLER_ID = str(uuid.uuid4())

NEWEST = "SELECT erase_day FROM retention.records WHERE seller_id = $1 ORDER BY erase_day DESC LIMIT 1"
MULTIPLY = """
    INSERT INTO retention.records
        (seller_id, order_id, field_set, erase_day, key_id, fetched_at, expires_at, is_unsound, sealed)
    SELECT seller_id, order_id || '-' || n, field_set, erase_day, key_id, fetched_at, expires_at,
        is_unsound, sealed
    FROM retention.records, generate_series(2, $2::int) AS n WHERE erase_day = $1
"""
ASIDE = "INSERT INTO retention.bench SELECT * FROM retention.records WHERE erase_day = $1"
DELETE = "DELETE FROM retention.bench WHERE ctid = ANY(ARRAY(SELECT ctid FROM retention.bench LIMIT $1))"


async def measure(scene: Scene, *, rounds: int, sizes: Sequence[int]) -> Iterator[str]:
    """Return the table; the virtual time is some days later then."""
    stack, rows = scene.stack, []
    async with (
        stub_as_gateway(stack, "retention", retention_pb2_grpc.RetentionServiceStub) as retention,
        signed_in(stack.ground.postgres, stack.ground.openbao, role="postgres") as connection,
    ):
        for size in sizes:
            erased, deleted = [], []
            for _ in range(rounds):
                await _seal_one(retention, chassis.clock.choose(stack.layout.clock_file).now())
                await _multiply(connection, size)
                deleted.append(await _delete_ms(connection))
                erased.append(await _erase_ms(scene, connection))
            ours, theirs = Series.of(erased), Series.of(deleted)
            rows.append((f"{size:,} records", str(ours), str(theirs), str(theirs.over(ours))))
    columns = ("one day of", "EraseDue, ms", "batched DELETE and VACUUM, ms", "DELETE's / EraseDue's")
    return table("Erasing one day", columns, rows)


async def _seal_one(retention: "retention_pb2_grpc.RetentionServiceAsyncStub", now: datetime) -> None:
    order_id = str(uuid.uuid4())
    order = retention_pb2.OrderObservation(order_id=order_id, state=retention_pb2.ORDER_STATE_SHIPPED)
    for moment in (order.purchased_at, order.shipped_at):
        moment.FromDatetime(now - SHIPPED_AGO)
    order.observed_at.FromDatetime(now)
    await retention.ObserveOrders(retention_pb2.ObserveOrdersRequest(seller_id=SELLER_ID, orders=[order]))
    record = retention_pb2.SealRequest(
        seller_id=SELLER_ID, order_id=order_id, field_set="bench", plaintext=PLAINTEXT
    )
    record.fetched_at.FromDatetime(now)
    await retention.Seal(record)


async def _multiply(connection: chassis.db.Connection, size: int) -> None:
    """Multiply the newest day's one record, and copy the day's rows aside, for DELETE."""
    day = await connection.fetchval(NEWEST, SELLER_ID)
    await connection.execute(MULTIPLY, day, size)
    await connection.execute("DROP TABLE IF EXISTS retention.bench")
    await connection.execute("CREATE TABLE retention.bench (LIKE retention.records INCLUDING ALL)")
    await connection.execute(ASIDE, day)
    await connection.execute("CHECKPOINT")


async def _delete_ms(connection: chassis.db.Connection) -> float:
    started_s = time.perf_counter()
    while await connection.execute(DELETE, BATCH_ROWS) != "DELETE 0":
        pass
    await connection.execute("VACUUM retention.bench")
    return (time.perf_counter() - started_s) * 1_000


async def _erase_ms(scene: Scene, connection: chassis.db.Connection) -> float:
    day = await connection.fetchval(NEWEST, SELLER_ID)
    await scene.amazon.advance(1)
    started_s = time.perf_counter()
    answer = await scene.admin.retention.EraseDue(retention_pb2.EraseDueRequest())
    elapsed_ms = (time.perf_counter() - started_s) * 1_000
    if f"day:{day}" not in {receipt.subject for receipt in answer.receipts}:
        raise StepFailed(f"the day {day} was not erased by this call")
    return elapsed_ms
