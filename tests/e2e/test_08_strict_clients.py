"""Strict OAuth clients, unmodified, sign in at the running gateway, call through it, and sign out."""

import asyncio
from functools import partial
from typing import Any

import pytest

from sallyport.demo.scene import Scene
from sallyport.demo.steps.people import connect_a_seller
from tests.e2e import authlib_client
from tests.e2e.strict_clients import approve, run_story

# A read of Amazon's whose quota has a burst of 20.
ORDERS = "/orders/v0/orders?CreatedAfter=2020-01-01T00%3A00%3A00Z&MarketplaceIds="


@pytest.fixture
async def connected(scene: Scene) -> Scene:
    """A scene whose seller's account is connected, with its owner signed in."""
    await scene.amazon.set_hostility("none")
    await connect_a_seller(scene)
    return scene


async def test_openid_client_signs_in_calls_refreshes_and_signs_out_T01_T02(connected: Scene) -> None:
    seen = await run_story(
        "openid_client", connected, partial(approve, connected), resource=ORDERS + connected.marketplace_id
    )
    about: dict[str, Any] = seen.pop("about")
    assert seen.pop("statuses") == [200] * 7
    # One for the token endpoint: the client remembers a server's newest nonce from then on.
    assert seen.pop("challenges") == 1
    assert seen == {
        "tokenType": "dpop",
        "rotated": True,
        "afterRevocation": "invalid_token",
        "afterSignOut": "invalid_grant",
    }
    assert (about["active"], about["token_type"], about["scope"]) == (True, "DPoP", "orders")
    assert (about["device_platform"], about["device_version"]) == ("linux", "4.3.0")


async def test_oauth4webapi_signs_in_calls_refreshes_and_signs_out_T01_T02(connected: Scene) -> None:
    seen = await run_story(
        "oauth4webapi",
        connected,
        partial(approve, connected),
        resource=ORDERS + connected.marketplace_id,
        pauseMs=200,
    )
    assert seen.pop("answers")[0] == "authorization_pending"
    assert seen == {
        "tokenType": "dpop",
        "statuses": [200, 200],
        "afterSignOut": "invalid_grant",
    }


async def test_authlibs_client_signs_in_by_code_and_by_device_grant_and_refreshes(connected: Scene) -> None:
    seen = await asyncio.to_thread(
        authlib_client.run,
        connected.stack.layout.public_url,
        str(connected.stack.ground.folder.services_ca_file),
        ORDERS + connected.marketplace_id,
        partial(_from_thread, asyncio.get_running_loop(), connected),
    )
    assert seen == {"token_types": ["DPoP", "DPoP"], "rotated": True, "statuses": [200, 200]}


def _from_thread(loop: asyncio.AbstractEventLoop, scene: Scene, errand: dict[str, str]) -> None:
    asyncio.run_coroutine_threadsafe(approve(scene, errand), loop).result()
