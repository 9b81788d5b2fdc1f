"""Calling the simulated Amazon as a vendor's server without Sallyport would: the yardstick of answers."""

import ssl
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp

from sallyport.demo.scene import Scene


async def read_address(scene: Scene) -> bytes:
    """Return the bytes with which Amazon answers `getOrderAddress` for the scene's order."""
    trust = ssl.create_default_context(cafile=scene.stack.layout.amazon_ca_file)
    base = scene.stack.layout.amazon_url
    async with aiohttp.ClientSession(base, connector=aiohttp.TCPConnector(ssl=trust)) as amazon:
        access_token = await _access_token(scene, amazon)
        restricted = {"method": "GET", "path": scene.address_path}
        token = await _post(
            amazon,
            "/tokens/2021-03-01/restrictedDataToken",
            headers={"x-amz-access-token": access_token},
            json={"restrictedResources": [restricted]},
        )
        headers = {"x-amz-access-token": token["restrictedDataToken"]}
        async with amazon.get(scene.address_path, headers=headers) as answer:
            assert answer.status == 200
            theirs = await answer.read()
    await _forget_calls(scene)
    return theirs


async def _forget_calls(scene: Scene) -> None:
    """Have Amazon forget these calls: the stories look for callers that are not Sallyport."""
    calls = f"{scene.stack.layout.amazon_control_url}/_simulator/calls"
    async with aiohttp.ClientSession() as controls, controls.delete(calls) as answer:
        assert answer.status == 200


async def _access_token(scene: Scene, amazon: aiohttp.ClientSession) -> str:
    application = scene.stack.application
    redirect_uri = f"{scene.stack.layout.public_url}/consent/callback"
    page = {"application_id": application.application_id, "state": "own", "redirect_uri": redirect_uri}
    location = await scene.amazon.confirm(
        f"{scene.stack.layout.amazon_url}/apps/authorize/consent?{urlencode(page)}",
        scene.account["seller_id"],
    )
    tokens = await _post(
        amazon,
        "/auth/o2/token",
        data={
            "grant_type": "authorization_code",
            "code": parse_qs(urlsplit(location).query)["spapi_oauth_code"][0],
            "redirect_uri": redirect_uri,
            "client_id": application.client_id,
            "client_secret": application.client_secret,
        },
    )
    access_token: str = tokens["access_token"]
    return access_token


async def _post(amazon: aiohttp.ClientSession, path: str, **request: Any) -> dict[str, Any]:
    async with amazon.post(path, **request) as answer:
        assert answer.status == 200
        document: dict[str, Any] = await answer.json()
        return document
