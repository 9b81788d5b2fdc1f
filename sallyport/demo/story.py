"""The story: one seller's order from consent to proven erasure.

A step returns what it has proven or raises StepFailed.
"""

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

import chassis.crypto.sign
import sallyport.audit.export
import sallyport.audit.verify
from sallyport.demo.patience import patiently
from sallyport.demo.scene import Scene, StepFailed
from sallyport.engines.openbao import CallRefused
from wire.retention.v1 import retention_pb2

AMZN_SP_API = "sallyport.demo.libraries.amzn_sp_api"
PYTHON_AMAZON_SP_API = "sallyport.demo.libraries.python_amazon_sp_api"
DAYS_PAST_THE_CLOCK = 31
ERASED_WITHIN_S = 90.0
LOOK_EVERY_S = 1.0
AMAZON_TRACES = re.compile(
    rb"Atza\||Atzr\||Atz\.sprdt\||Atza%7C|Atzr%7C|amzn1\.oa2-cs\.|X-Amz-Signature|sellingpartnerapi-[a-z]{2}\.amazon"
)


@dataclass(frozen=True)
class Step:
    """One step: what it is called and how it is taken; taking it returns what was proven."""

    name: str
    take: Callable[[Scene], Awaitable[str]]


async def connect_a_seller(scene: Scene) -> str:
    """Sign in by invitation, consent at Amazon, come back connected."""
    await scene.submit(await scene.open(await scene.invite()), "/portal/enter")
    connect = await scene.open("/portal/connect")
    consent = await scene.submit(connect, "/portal/connect", marketplace_id=scene.marketplace_id)
    home = await scene.submit(consent, "/apps/authorize/consent", seller_id=scene.account["seller_id"])
    if ">active<" not in home.text:
        raise StepFailed(f"the portal shows no active connection ({home.status})")
    given = [consent for consent in await scene.amazon.consents() if consent["is_in_force"]]
    mine = [consent for consent in given if consent["seller_id"] == scene.account["seller_id"]]
    if not mine:
        raise StepFailed("Amazon knows of no consent")
    return f"consent in force at Amazon for {scene.account['name']}; one state used, one code exchanged"


async def enrol_the_desktops(scene: Scene) -> str:
    """Enrol a bound desktop and two programs; the vendor lets two of the three see personal data."""
    await scene.desktop.enrol(scene.browser, "Anna's laptop")
    scene.desktop_id = await scene.newest_device()
    scene.trusted = await scene.enrol_program("Packing station")
    scene.untrusted = await scene.enrol_program("Stock planner")
    for device_id in (scene.desktop_id, scene.trusted.device_id):
        await scene.allow(device_id)
    return "one bound (PKCE, DPoP), two compat (LWA-shaped); scope `pii` for two by the vendor's decision"


async def read_with_unmodified_libraries(scene: Scene) -> str:
    """List orders and read one address with both libraries; the device without the scope sees it masked."""
    orders = await scene.amazon.orders(scene.account["seller_id"])
    waiting = [order for order in orders if order.status == "Unshipped" and order.needles]
    if not waiting or scene.trusted is None or scene.untrusted is None:
        raise StepFailed("the simulated seller has no order waiting, or the desktops are not enrolled")
    scene.order = order = waiting[-1]
    for module in (AMZN_SP_API, PYTHON_AMAZON_SP_API):
        seen = await scene.run_library(module, scene.trusted, order.order_id)
        if order.order_id not in seen["order_ids"]:
            raise StepFailed(f"{module} did not list the order")
        if not _shows(seen["address"], order.needles):
            raise StepFailed(f"{module} did not get the buyer's address")
    masked = await scene.run_library(PYTHON_AMAZON_SP_API, scene.untrusted, order.order_id)
    if _shows(masked["address"], order.needles) or set(masked["address"]) != set(seen["address"]):
        raise StepFailed("the device without the scope `pii` did not get the same document, masked")
    return f"order {order.order_id}: address in full for one device, masked for another"


async def read_again_from_the_safe(scene: Scene) -> str:
    """Read the same address with the bound desktop; Amazon hears nothing of it."""
    before = await scene.amazon.latest_call()
    answer = await patiently(lambda: scene.desktop.call("GET", _address_path(scene)))
    if answer.status != 200 or not _shows(orjson.loads(answer.body), scene.the_order.needles):
        raise StepFailed(f"the bound desktop did not get the address ({answer.status})")
    again = [call for call in await scene.amazon.calls(before) if call["path"].endswith("/address")]
    if again:
        raise StepFailed("Amazon was asked for the address again")
    return "served from the safe: 200, no call to Amazon"


async def check_the_audit_log(scene: Scene) -> str:
    """Export and verify the log, find who read the order, and see one changed byte found."""
    with tempfile.TemporaryDirectory() as folder:
        log, key = Path(folder) / "audit.ndjson", Path(folder) / "checkpoint.pem"
        await patiently(lambda: _export(scene, log, key))
        lines, public_pem = log.read_bytes().splitlines(keepends=True), key.read_text()
    report = sallyport.audit.verify.verify(lines, public_pem)
    if report.fault is not None:
        raise StepFailed(f"the log does not verify: {report.fault.text}")
    readers = _readers(lines, scene.the_order.order_id)
    if scene.untrusted is None or {scene.desktop_id, scene.untrusted.device_id} - readers:
        raise StepFailed("the log does not name everyone who read the order")
    place = next(n for n, line in enumerate(lines) if scene.the_order.order_id.encode() in line)
    changed = [*lines]
    changed[place] = changed[place].replace(scene.the_order.order_id.encode(), b"000-0000000-0000000", 1)
    found = sallyport.audit.verify.verify(changed, public_pem).fault
    if found is None:
        raise StepFailed("a changed record was not found")
    where = f"record {found.sequence}, {found.reason}"
    return f"{len(lines)} lines verify; {len(readers)} devices read the order; a change is found: {where}"


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
    late = await patiently(lambda: scene.desktop.call("GET", _address_path(scene)))
    if late.status != 410:
        raise StepFailed(f"the address was not refused as expired but answered {late.status}")
    paths = len(verified.findings)
    return f"{len(receipts)} signed receipt(s), {paths} paths tried in vain, read refused: 410"


async def look_at_the_wire(scene: Scene) -> str:
    """Look for anything of Amazon's in all that the desktops' side saw, and at who called Amazon."""
    captured = scene.wiretap.captured()
    found = AMAZON_TRACES.search(captured)
    if found or scene.stack.application.client_secret.encode() in captured:
        raise StepFailed("the desktop's wire holds something of Amazon's")
    calls = await scene.amazon.calls()
    strangers = [call for call in calls if not _is_ours(call)]
    if strangers:
        raise StepFailed(f"Amazon was called by someone else: {strangers[0]['path']}")
    return f"{len(captured):,} bytes of the desktops hold no trace; all {len(calls)} calls to Amazon are ours"


STORY: Sequence[Step] = (
    Step("a seller connects", connect_a_seller),
    Step("desktops enrol", enrol_the_desktops),
    Step("unmodified libraries read an order", read_with_unmodified_libraries),
    Step("the safe serves it again", read_again_from_the_safe),
    Step("the audit log says who read what", check_the_audit_log),
    Step("the clock runs out", outlive_the_clock),
    Step("the wire is clean", look_at_the_wire),
)


def _address_path(scene: Scene) -> str:
    return f"/orders/v0/orders/{scene.the_order.order_id}/address"


def _shows(document: object, needles: Sequence[str]) -> bool:
    text = orjson.dumps(document).decode()
    return any(needle in text for needle in needles)


async def _export(scene: Scene, log: Path, key: Path) -> None:
    await sallyport.audit.export.export(scene.stack.access(), from_sequence=0, out=log, public_key_out=key)


def _readers(lines: Sequence[bytes], order_id: str) -> set[str]:
    """Return the devices that the log names as readers of an order's personal data, masked or not."""
    readers = set()
    for line in lines:
        record = orjson.loads(line).get("record", {})
        is_reading = record.get("kind", "").startswith("gateway.pii.")
        if is_reading and order_id in orjson.dumps(record.get("details", {})).decode():
            readers.add(record["actor"]["id"])
    return readers


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
            if refusal.status == 404:
                continue
        raise StepFailed(f"the key of {day} is still in the key service")


def _is_ours(call: dict[str, object]) -> bool:
    agent = str(call.get("user_agent", ""))
    return agent.startswith("Sallyport/") or str(call["path"]).startswith("/apps/authorize/")
