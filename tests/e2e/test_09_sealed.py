"""The key service sealed in the middle of traffic: a clear 503 at the public door, and back without hands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest

from sallyport.demo.scene import Scene
from sallyport.demo.steps.people import connect_a_seller, enrol_the_desktops
from sallyport.layout import SERVICES

CODE = "key_service_unavailable"
BACK_S_MAX = 30.0
PAUSE_S = 0.1
READERS = 3


@asynccontextmanager
async def sealed(scene: Scene) -> AsyncIterator[None]:
    """Have the key service sealed inside, and unsealed after."""
    openbao = scene.stack.ground.openbao
    await openbao.seal()
    try:
        yield
    finally:
        await openbao.start()


def _pids(scene: Scene) -> list[int | None]:
    return [scene.stack.supervisor.pid_of(service) for service in SERVICES]


async def _get(scene: Scene, path: str) -> tuple[int, str]:
    """Return what the bound desktop is answered: the status, and the code of a refusal."""
    desktop, url = scene.desktop, scene.stack.layout.public_url + path
    headers = {
        "Authorization": f"DPoP {desktop.access_token}",
        "DPoP": desktop.proof("GET", url, desktop.access_token),
    }
    async with desktop._session.get(url, headers=headers) as answer:
        desktop._heard(answer)
        body = await answer.read()
    if answer.status == 200:
        return answer.status, ""
    return answer.status, orjson.loads(body)["errors"][0]["details"].partition(":")[0]


async def _good(scene: Scene, path: str) -> None:
    """Return once a path is served."""
    async with asyncio.timeout(BACK_S_MAX):
        while (await _get(scene, path))[0] != 200:  # noqa: ASYNC110 - another process has no event
            await asyncio.sleep(PAUSE_S)


@pytest.mark.timeout(300)
async def test_a_key_service_sealed_in_the_middle_of_traffic_R06(scene: Scene) -> None:
    await connect_a_seller(scene)
    await enrol_the_desktops(scene)
    waiting = [
        order.order_id
        for order in await scene.amazon.orders(scene.account["seller_id"])
        if order.status == "Unshipped"
    ]
    order, address = (f"/orders/v0/orders/{waiting[-1]}{part}" for part in ("", "/address"))
    await _good(scene, order)
    pids, seen, is_over = _pids(scene), [], False

    async def read() -> None:
        while not is_over:
            seen.append(await _get(scene, order))

    traffic = [asyncio.create_task(read()) for _ in range(READERS)]
    async with sealed(scene):
        # The first personal data of this seller: its key would have to be made now.
        assert await _get(scene, address) == (503, CODE)
        # Names are sealed too; a browser that tries again for a while gets its page once they open.
        page = asyncio.create_task(scene.open("/portal"))
    await _good(scene, address)
    assert (await page).status == 200
    is_over = True
    await asyncio.gather(*traffic)
    # Whoever needed no key was served on; nobody saw anything but that.
    assert {status for status, _ in seen} <= {200, 503}
    assert {code for status, code in seen if status == 503} <= {CODE}
    assert seen[-1] == (200, "")
    assert _pids(scene) == pids
