"""The console's verbs about keys, on the whole stack."""

import json

import pytest

import sallyport.cli
import sallyport.keys.progress
import sallyport.keys.rotate
from sallyport.demo.scene import Scene
from sallyport.demo.steps.people import connect_a_seller, enrol_the_desktops
from wire.auth.v1.keys_pb2 import RotateKeysRequest


async def test_a_sellers_key_is_rotated_from_the_console_while_the_seller_works(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    await connect_a_seller(scene)
    await enrol_the_desktops(scene)
    wanted = RotateKeysRequest(seller_id=scene.seller_id)
    with sallyport.keys.progress.Json() as display:
        begun, last = await sallyport.keys.rotate.rotate(
            scene.stack.access(), wanted, display, until_closed=False
        )
    assert (begun.keys, last.keys_rewrapped, last.values_damaged) == (1, 1, 0)
    assert last.values_done >= last.values > 3
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["keys_rewrapped"] == 1
    described = await sallyport.keys.rotate.describe(scene.stack.access())
    assert described.under_way >= 1
    assert (await scene.open("/portal")).text.count(">active<") == 1
    order = (await scene.amazon.orders(scene.account["seller_id"]))[-1]
    assert (await scene.desktop.call("GET", f"/orders/v0/orders/{order.order_id}")).status == 200
