"""What a device with the scope `pii` gets is what Amazon said, byte for byte, also from the safe.

Comes before the stories that let half a year pass: then auth has a client secret that nobody else knows.
"""

import orjson

from sallyport.demo.scene import Scene
from sallyport.demo.steps.people import connect_a_seller, enrol_the_desktops
from tests.e2e.amazon_direct import read_address


async def test_a_device_with_the_scope_gets_amazons_bytes_twice(scene: Scene) -> None:
    await scene.amazon.set_hostility("none")
    await connect_a_seller(scene)
    await enrol_the_desktops(scene)
    scene.order = (await scene.amazon.orders(scene.account["seller_id"]))[-1]
    first = await scene.desktop.call("GET", scene.address_path)
    second = await scene.desktop.call("GET", scene.address_path)
    theirs = await read_address(scene)
    await scene.amazon.set_hostility("mild")
    assert [first.status, second.status] == [200, 200]
    assert first.body == theirs
    assert second.body == theirs
    assert "ShippingAddress" in orjson.loads(theirs)["payload"]
