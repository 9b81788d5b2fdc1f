"""A seller comes from Amazon's Appstore, connects, renews, disconnects, and in the end leaves."""

import asyncio
import functools
import io
import json

import pytest

import chassis.errors
import sallyport.cli
from sallyport.demo.browser import Page
from sallyport.demo.patience import patiently
from sallyport.demo.scene import Scene
from sallyport.demo.steps.people import connect_a_seller
from wire.auth.v1.sellers_pb2 import FindSellerRequest, KnownSeller
from wire.retention.v1.retention_pb2 import ListReceiptsRequest

CONSENT = "/apps/authorize/consent"
SIX_MINUTES = 6 / 1440


async def press_authorize(scene: Scene) -> Page:
    """Press Authorize on the application's Appstore page, and Confirm; return where Amazon leads."""
    url = f"{scene.stack.layout.amazon_url}{CONSENT}?application_id={scene.stack.application.application_id}"
    return await scene.submit(await scene.open(url), CONSENT, seller_id=scene.account["seller_id"])


async def connect_from_the_appstore(scene: Scene) -> Page:
    """Connect the scene's account from the Appstore; return the page where it ends."""
    handed = await press_authorize(scene)
    assert scene.account["seller_id"] in handed.text
    return await scene.submit(handed, "/consent/login", marketplace_id=scene.marketplace_id)


async def finished(scene: Scene) -> KnownSeller:
    """Return the scene's seller once nothing of theirs is left to destroy."""
    found = await scene.admin.sellers.FindSeller(FindSellerRequest(seller_id=scene.seller_id))
    if not found.offboarding.HasField("finished_at"):
        raise chassis.errors.Unavailable
    return found


async def test_a_seller_from_the_appstore_signs_in_on_the_way_and_is_connected(scene: Scene) -> None:
    led = await press_authorize(scene)
    assert "/portal/sign-in" in led.url
    await scene.come_in()
    home = await connect_from_the_appstore(scene)
    assert "The Amazon account is connected." in home.text
    assert home.text.count(">active<") == 1
    await scene.desktop.enrol(scene.browser, "Anna's laptop")
    assert (await scene.desktop.call("GET", "/orders/v0/orders/000-0000000-0000000")).status == 404


async def test_one_press_renews_and_one_press_disconnects(scene: Scene) -> None:
    await connect_a_seller(scene)
    home = await scene.open("/portal")
    consent = await scene.submit(home, "/portal/consents/")
    renewed = await scene.submit(consent, CONSENT, seller_id=scene.account["seller_id"])
    assert renewed.text.count(">active<") == 1
    disconnect = next(form for form in renewed.forms if form.action.endswith("/disconnect"))
    after = await scene.browser.submit(renewed, disconnect)
    assert ">disconnected<" in after.text
    assert ">active<" not in after.text


async def test_a_seller_who_leaves_is_out_at_once_and_nothing_of_theirs_stays_T18(
    scene: Scene, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await connect_a_seller(scene)
    await scene.desktop.enrol(scene.browser, "Anna's laptop")
    folder = str(scene.stack.layout.folder)
    words = ["sellers", "offboard", scene.seller_id, "--reason", "Contract 17 ended", "--json"]
    offboard = functools.partial(sallyport.cli.main, [*words, "--state-folder", folder])
    monkeypatch.setattr("sys.stdin", io.StringIO(f"yes\n{scene.seller_id}\n"))
    assert await asyncio.to_thread(offboard) == 2
    assert "end at once: 1 of its connections to Amazon, 1 of its desktops" in capsys.readouterr().err
    assert (await scene.desktop.call("GET", "/orders/v0/orders/000-0000000-0000000")).status == 404
    assert await asyncio.to_thread(offboard) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["active_consents"], told["active_devices"]) == (None, 0, 0)
    assert (await scene.desktop.call("GET", "/orders/v0/orders/000-0000000-0000000")).status == 401
    assert "/portal/sign-in" in (await scene.open("/portal")).url
    receipts = await scene.admin.retention.ListReceipts(ListReceiptsRequest())
    subjects = {receipt.receipt_id: receipt.subject for receipt in receipts.receipts}
    assert subjects[told["offboarding"]["receipt_id"]] == f"seller:{scene.seller_id}"

    await scene.amazon.advance(SIX_MINUTES)
    found = await patiently(lambda: finished(scene))
    assert found.offboarding.receipt_id != told["offboarding"]["receipt_id"]
