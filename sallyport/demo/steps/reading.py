"""Reading an order: with unmodified libraries through Amazon, and once more from the safe."""

from collections.abc import Sequence

import orjson

from sallyport.demo.patience import patiently
from sallyport.demo.scene import Scene, StepFailed

AMZN_SP_API = "sallyport.demo.libraries.amzn_sp_api"
PYTHON_AMAZON_SP_API = "sallyport.demo.libraries.python_amazon_sp_api"


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
    answer = await patiently(lambda: scene.desktop.call("GET", scene.address_path))
    if answer.status != 200 or not _shows(orjson.loads(answer.body), scene.the_order.needles):
        raise StepFailed(f"the bound desktop did not get the address ({answer.status})")
    again = [call for call in await scene.amazon.calls(before) if call["path"].endswith("/address")]
    if again:
        raise StepFailed("Amazon was asked for the address again")
    return "served from the safe: 200, no call to Amazon"


def _shows(document: object, needles: Sequence[str]) -> bool:
    text = orjson.dumps(document).decode()
    return any(needle in text for needle in needles)
