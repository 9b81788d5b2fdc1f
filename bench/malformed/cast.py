"""Who sends: devices of one seller whose account is connected, and of one whose is not.

The latter's calls pass every check of what a stranger wrote and end before Amazon, so that they cost nobody's
quota.
"""

import ssl
from dataclasses import replace

import aiohttp

import sallyport.vendor
from bench.malformed.attempts import Pass
from sallyport.demo.browser import Browser
from sallyport.demo.scene import Program, Scene
from sallyport.demo.steps.people import connect_a_seller

TOKEN_PATH = "/auth/o2/token"  # noqa: S105 - a path


async def admit(scene: Scene, trust: ssl.SSLContext) -> Pass:
    """Return what valid requests are made with."""
    # What fails at Amazon is Amazon's own to document.
    await scene.amazon.set_hostility("none")
    await connect_a_seller(scene)
    connected = await scene.enrol_program("Packing station")
    async with Browser(trust) as browser:
        seller_id = await sallyport.vendor.create_seller(scene.admin)
        other = replace(scene, browser=browser, seller_id=seller_id)
        await other.come_in()
        unconnected = await other.enrol_program("Stock planner")
    tokens = [await _token(scene, program, trust) for program in (connected, unconnected)]
    return Pass((tokens[0], tokens[1]), unconnected.device_id, unconnected.refresh_token)


async def _token(scene: Scene, program: Program, trust: ssl.SSLContext) -> str:
    """Return an access token, got as an unmodified library gets it."""
    form = {
        "grant_type": "refresh_token",
        "client_id": program.device_id,
        "refresh_token": program.refresh_token,
    }
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        url = f"{scene.stack.layout.public_url}{TOKEN_PATH}"
        async with session.post(url, data=form, ssl=trust) as answer:
            token: str = (await answer.json())["access_token"]
            return token
