"""The clock: 31 days after the order was shipped its address is gone for good, and a receipt says so."""

import asyncio
from collections.abc import Sequence

import chassis.crypto.sign
from sallyport.demo.patience import patiently
from sallyport.demo.scene import Scene, StepFailed
from sallyport.engines.openbao import CallRefused
from wire.retention.v1 import retention_pb2

DAYS_PAST_THE_CLOCK = 31
ERASED_WITHIN_S = 90.0
LOOK_EVERY_S = 1.0
ABSENT = 404
EXPIRED = 410


async def outlive_the_clock(scene: Scene) -> str:
    """Ship the order, let the gateway see it, move 31 days on: the key is gone and a receipt says so."""
    order_id = scene.the_order.order_id
    await scene.amazon.ship(order_id)
    seen = await patiently(lambda: scene.desktop.call("GET", f"/orders/v0/orders/{order_id}"))
    if seen.status != 200:
        raise StepFailed(f"the shipped order could not be read ({seen.status})")
    await scene.amazon.advance(DAYS_PAST_THE_CLOCK)
    receipts = await _erased(scene)
    for receipt in receipts:
        if not chassis.crypto.sign.verify(receipt.public_key_pem, receipt.statement, receipt.signature):
            raise StepFailed(f"the receipt for {receipt.subject} is not signed by the verifier")
    scene.erase_subject = receipts[0].subject
    await _expect_no_key(scene, receipts)
    verified = await patiently(
        lambda: scene.admin.retention.VerifyErasure(
            retention_pb2.VerifyErasureRequest(subject=scene.erase_subject)
        )
    )
    if not verified.is_erased:
        raise StepFailed(f"the verifier still reached: {verified.findings}")
    await patiently(scene.desktop.refresh)
    late = await patiently(lambda: scene.desktop.call("GET", scene.address_path))
    if late.status != EXPIRED:
        raise StepFailed(f"the address was not refused as expired but answered {late.status}")
    paths = len(verified.findings)
    return f"{len(receipts)} signed receipt(s), {paths} paths tried in vain, read refused: 410"


async def _erased(scene: Scene) -> list[retention_pb2.Receipt]:
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + ERASED_WITHIN_S
    while loop.time() < deadline_s:
        await patiently(lambda: scene.admin.retention.EraseDue(retention_pb2.EraseDueRequest()))
        listed = await patiently(
            lambda: scene.admin.retention.ListReceipts(retention_pb2.ListReceiptsRequest())
        )
        if listed.receipts:
            return list(listed.receipts)
        await asyncio.sleep(LOOK_EVERY_S)
    raise StepFailed("no day was erased")


async def _expect_no_key(scene: Scene, receipts: Sequence[retention_pb2.Receipt]) -> None:
    for receipt in receipts:
        day = receipt.subject.removeprefix("day:")
        try:
            await scene.stack.ground.openbao.call("GET", f"transit/keys/retention-day-{day}")
        except CallRefused as refusal:
            if refusal.status == ABSENT:
                continue
        raise StepFailed(f"the key of {day} is still in the key service")
