"""The running process: who may call it, what it refuses to start with, and its records' whole life."""

import itertools
import re
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

import chassis.crypto.sign
import chassis.env
import chassis.errors
import sallyport.provision.ground
from fakes.retention_house import PLAINTEXT
from services.retention.model.orders import begins_at, erase_day
from tests.conftest import KeeperFor
from tests.integration.retention.process import Caller, Stack
from wire.retention.v1 import retention_pb2

CallerFor = Callable[[str], Awaitable[Caller]]
_sellers = itertools.count(1)


@pytest.fixture
async def stack(
    ground: sallyport.provision.ground.Ground, database: chassis.env.DatabaseConfig, tmp_path: Path
) -> AsyncIterator[Stack]:
    """Processes that were not started yet."""
    made = Stack(ground, database, tmp_path)
    yield made
    await made.end()


@pytest.fixture
async def running(stack: Stack) -> Stack:
    """Telemetry, and a retention that found it there; both are ready."""
    for process in (stack.telemetry, stack.retention):
        await process.start()
    return stack


@pytest.fixture
async def caller_for(stack: Stack, keeper_for: KeeperFor) -> AsyncIterator[CallerFor]:
    """`await caller_for("gateway")`: an identity with a channel to the process."""
    seller_id = f"process-{next(_sellers)}"
    async with AsyncExitStack() as closing:

        async def connect(identity: str) -> Caller:
            caller = Caller(await keeper_for(identity), stack, seller_id)
            closing.push_async_callback(caller.channel.close)
            return caller

        yield connect


async def test_a_record_lives_until_its_clock_and_leaves_a_receipt_R18_R19(
    running: Stack, caller_for: CallerFor
) -> None:
    gateway, console = await caller_for("gateway"), await caller_for("console")
    await gateway.observe()
    expires_at = await gateway.seal()
    assert await gateway.open() == PLAINTEXT

    running.shift(begins_at(erase_day(expires_at)) + timedelta(minutes=1) - running.now)
    with pytest.raises(chassis.errors.Gone) as refusal:
        await gateway.open()
    assert (refusal.value.code, refusal.value.http_status) == ("expired", 410)

    await console.admin.EraseDue(retention_pb2.EraseDueRequest())
    listed = await console.admin.ListReceipts(retention_pb2.ListReceiptsRequest())
    (receipt,) = listed.receipts
    assert receipt.subject == f"day:{erase_day(expires_at)}"
    assert chassis.crypto.sign.verify(receipt.public_key_pem, receipt.statement, receipt.signature)
    verified = await console.admin.VerifyErasure(retention_pb2.VerifyErasureRequest(subject=receipt.subject))
    assert verified.is_erased
    assert [finding.path for finding in verified.findings] == ["key", "partition", "record", "cache"]
    logs = [each.log_file.read_text() for each in (running.retention, running.telemetry)]
    assert "Canary" not in "".join(logs) + await running.retention.metrics()


@pytest.mark.usefixtures("running")
async def test_only_the_gateway_opens_and_only_the_console_erases_T21_T24(caller_for: CallerFor) -> None:
    gateway, console = await caller_for("gateway"), await caller_for("console")
    await gateway.observe()
    await gateway.seal()
    for identity in ("console", "auth", "telemetry", "retention"):
        with pytest.raises(chassis.errors.Denied):
            await (await caller_for(identity)).open()
    for call in (
        gateway.admin.EraseDue(retention_pb2.EraseDueRequest()),
        gateway.admin.EraseSeller(retention_pb2.EraseSellerRequest(seller_id="any")),
        gateway.admin.ListReceipts(retention_pb2.ListReceiptsRequest()),
        gateway.admin.VerifyErasure(retention_pb2.VerifyErasureRequest(subject="seller:any")),
        console.service.ObserveOrders(retention_pb2.ObserveOrdersRequest()),
        console.service.Seal(retention_pb2.SealRequest()),
    ):
        with pytest.raises(chassis.errors.Denied):
            await call


@pytest.mark.usefixtures("running")
async def test_a_seller_is_erased_on_the_operators_word_T18(caller_for: CallerFor) -> None:
    gateway, console = await caller_for("gateway"), await caller_for("console")
    await gateway.observe()
    await gateway.seal()
    seller_id = gateway.open_request().seller_id
    receipt = await console.admin.EraseSeller(retention_pb2.EraseSellerRequest(seller_id=seller_id))
    assert receipt.subject == f"seller:{seller_id}"
    with pytest.raises(chassis.errors.NotFound):
        await gateway.open()


async def test_a_killed_process_goes_on_where_it_was_R12_R19(running: Stack, caller_for: CallerFor) -> None:
    gateway, console = await caller_for("gateway"), await caller_for("console")
    await gateway.observe()
    expires_at = await gateway.seal()
    assert await running.retention.stop(signal.SIGKILL) == -signal.SIGKILL
    await running.retention.start()
    assert await gateway.open() == PLAINTEXT

    await running.retention.stop(signal.SIGKILL)
    running.shift(expires_at - running.now)
    await running.retention.start()
    with pytest.raises(chassis.errors.Gone):
        await gateway.open()
    await console.admin.EraseDue(retention_pb2.EraseDueRequest())
    listed = await console.admin.ListReceipts(retention_pb2.ListReceiptsRequest())
    assert len(listed.receipts) == 1


async def test_without_telemetry_nothing_is_sealed_and_it_recovers_alone_R02(
    running: Stack, caller_for: CallerFor
) -> None:
    gateway = await caller_for("gateway")
    await gateway.observe()
    await running.telemetry.stop(signal.SIGKILL)
    with pytest.raises(chassis.errors.Unavailable) as refusal:
        await gateway.seal()
    assert refusal.value.code == "audit_unavailable"
    await running.telemetry.spawn()
    while True:
        try:
            await gateway.seal()
        except chassis.errors.Unavailable:
            continue
        break
    assert await gateway.open() == PLAINTEXT


async def test_it_ends_cleanly_when_told_R16(running: Stack) -> None:
    assert await running.retention.stop() == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"SALLYPORT_RETENTION_DAYS": "31"}, "retention_ceiling_exceeded"),
        ({"SALLYPORT_KEY_SNAPSHOT_LIFETIME_DAYS": "30"}, "retention_ceiling_exceeded"),
        ({"SALLYPORT_TLS": "off"}, "tls_required"),
    ],
    ids=["31 days", "snapshots", "tls"],
)
async def test_it_refuses_to_start_by_name_R18(stack: Stack, changes: dict[str, str], code: str) -> None:
    await stack.retention.spawn(changes)
    assert await stack.retention.wait() == 2
    assert re.search(rf"refused to start: {code}:", stack.retention.log_file.read_text())


@pytest.mark.usefixtures("running")
async def test_malformed_requests_are_refused_and_never_a_crash_T10(caller_for: CallerFor) -> None:
    gateway, console = await caller_for("gateway"), await caller_for("console")
    impossible = retention_pb2.SealRequest(seller_id="s", order_id="o", field_set="f")
    impossible.fetched_at.seconds = 10**15
    stateless = retention_pb2.ObserveOrdersRequest(
        seller_id="s", orders=[retention_pb2.OrderObservation(order_id="o")]
    )
    for call in (
        gateway.service.ObserveOrders(retention_pb2.ObserveOrdersRequest()),
        gateway.service.ObserveOrders(stateless),
        gateway.service.Seal(retention_pb2.SealRequest(seller_id="s", order_id="o", field_set="f")),
        gateway.service.Seal(impossible),
        gateway.service.Open(retention_pb2.OpenRequest()),
        gateway.service.Open(
            retention_pb2.OpenRequest(seller_id="s", order_id="o", field_set="f", age_s_max=-1)
        ),
        console.admin.EraseSeller(retention_pb2.EraseSellerRequest(seller_id="../x")),
        console.admin.VerifyErasure(retention_pb2.VerifyErasureRequest(subject="x")),
    ):
        with pytest.raises(chassis.errors.InvalidInput):
            await call
