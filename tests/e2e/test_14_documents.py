"""Documents on the whole stack: buyers' data for who may see it, and nothing of where Amazon keeps it."""

import gzip
import hashlib
import io
import json
import re
import ssl
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
import pytest

import chassis.errors
from sallyport.demo.patience import patiently
from sallyport.demo.scene import Scene
from sallyport.demo.steps.people import connect_a_seller

RESTRICTED = "GET_FLAT_FILE_ORDER_REPORT_DATA_SHIPPING"
PLAIN = "GET_MERCHANT_LISTINGS_ALL_DATA"
SINCE = "2020-01-01T00:00:00Z"
IMAGES = "/uploads/2020-11-01/uploadDestinations/aplus/2020-11-01/contentDocuments"
# An order of this number is for customized products; see simulator/world.py.
CUSTOMIZED = 10
_CUSTOMIZED_URL = re.compile(r'"CustomizedURL": "([^"]*)"')
BUYERS_COLUMN = b"recipient-name"


async def asked(scene: Scene, method: str, path: str, body: object = None) -> tuple[int, dict[str, object]]:
    """Return status and document of a desktop's call; what is throttled or down is asked again."""

    async def ask() -> tuple[int, dict[str, object]]:
        answer = await scene.desktop.call(method, path, json.dumps(body).encode() if body else b"")
        if answer.status == 429:
            raise chassis.errors.Unavailable
        return answer.status, json.loads(answer.body)

    return await patiently(ask)


async def report(scene: Scene, type_: str) -> str:
    """Return the document of a report that is done."""
    wanted = {"reportType": type_, "marketplaceIds": [scene.marketplace_id], "dataStartTime": SINCE}
    _, made = await asked(scene, "POST", "/reports/2021-06-30/reports", wanted)

    async def done() -> str:
        _, found = await asked(scene, "GET", f"/reports/2021-06-30/reports/{made['reportId']}")
        if found["processingStatus"] != "DONE":
            raise chassis.errors.Unavailable
        return str(found["reportDocumentId"])

    return await patiently(done)


async def document(scene: Scene, document_id: str) -> tuple[int, dict[str, object]]:
    return await asked(scene, "GET", f"/reports/2021-06-30/documents/{document_id}")


async def customized(scene: Scene, order_id: str) -> set[str]:
    """Return what stands where an order links to what its buyer handed in."""
    status, told = await asked(scene, "GET", f"/orders/v0/orders/{order_id}/orderItems/buyerInfo")
    assert status == 200
    return set(_CUSTOMIZED_URL.findall(json.dumps(told)))


def unpacked(told: dict[str, object], content: bytes) -> bytes:
    """Return a report as its program reads it: a long one is packed, and the answer with its link says so."""
    return gzip.decompress(content) if told.get("compressionAlgorithm") == "GZIP" else content


@asynccontextmanager
async def plain_client(scene: Scene) -> AsyncIterator[aiohttp.ClientSession]:
    """Give an HTTP client that knows nothing but the gateway's authority."""
    trust = ssl.create_default_context(cafile=scene.stack.ground.folder.services_ca_file)
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


@pytest.fixture
async def calm(scene: Scene) -> Scene:
    await scene.amazon.set_hostility("none")
    await connect_a_seller(scene)
    await scene.desktop.enrol(scene.browser, "Anna's laptop")
    return scene


async def test_a_report_with_buyers_data_is_for_who_may_see_it_and_others_are_everybodys(calm: Scene) -> None:
    restricted, plain = await report(calm, RESTRICTED), await report(calm, PLAIN)
    status, told = await document(calm, restricted)
    assert (status, "scope_missing" in json.dumps(told)) == (403, True)
    status, told = await document(calm, plain)
    assert status == 200
    assert str(told["url"]).startswith(f"{calm.stack.layout.public_url}/_doc/")

    await calm.allow(await calm.newest_device())
    status, told = await document(calm, restricted)
    assert status == 200
    async with plain_client(calm) as client, client.get(str(told["url"])) as answer:
        assert (answer.status, BUYERS_COLUMN in unpacked(told, await answer.read())) == (200, True)
    assert urlsplit(calm.stack.layout.storage_url).netloc not in json.dumps(told) + str(answer.headers)


async def test_an_image_is_uploaded_by_form_and_nothing_of_amazons_form_is_seen(calm: Scene) -> None:
    image = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400
    digest = hashlib.md5(image, usedforsecurity=False).hexdigest()
    query = urlencode(
        {"marketplaceIds": calm.marketplace_id, "contentMD5": digest, "contentType": "image/png"}
    )
    status, told = await asked(calm, "POST", f"{IMAGES}?{query}")
    place = cast("dict[str, Any]", told["payload"])
    assert (status, place["headers"]) == (201, None)

    link = urlsplit(place["url"])
    form = aiohttp.FormData(parse_qsl(link.query))
    form.add_field("file", image, filename="sea.png", content_type="image/png")
    async with (
        plain_client(calm) as client,
        client.post(link._replace(query="").geturl(), data=form) as answer,
    ):
        assert (answer.status, await answer.read()) == (204, b"")
    storage = urlsplit(calm.stack.layout.storage_url).netloc
    for secret in (storage, "simulated", "aws4-hmac-sha256", "private", "etag", "location"):
        assert secret not in f"{link.geturl()} {answer.headers}".lower()

    url = f"{calm.stack.layout.amazon_control_url}/_simulator/uploads"
    async with aiohttp.ClientSession() as client, client.get(url) as answer:
        kept = (await answer.json())["uploads"]
    uploaded = (hashlib.sha256(image).hexdigest(), len(image))
    assert uploaded in {(each["sha256"], each["bytes"]) for each in kept}


async def test_what_a_buyer_handed_in_comes_by_the_gateways_links_for_who_may_see_it(calm: Scene) -> None:
    order = (await calm.amazon.orders(calm.account["seller_id"]))[CUSTOMIZED]
    assert await customized(calm, order.order_id) == {"***"}
    await calm.allow(await calm.newest_device())

    async def shown() -> set[str]:
        links = await customized(calm, order.order_id)
        if "***" in links:
            raise chassis.errors.Unavailable
        return links

    for link in await patiently(shown):
        assert link.startswith(f"{calm.stack.layout.public_url}/_doc/")
        async with plain_client(calm) as client, client.get(link) as answer:
            packed = await answer.read()
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            words = archive.read(archive.namelist()[0]).decode()
        assert any(needle in words for needle in order.needles)


async def test_the_link_of_a_revoked_device_is_worth_nothing_T01(calm: Scene) -> None:
    _, told = await document(calm, await report(calm, PLAIN))
    home = await calm.open("/portal")
    await calm.submit(home, f"/portal/devices/{await calm.newest_device()}/revoke")

    async def refused() -> None:
        async with plain_client(calm) as client, client.get(str(told["url"])) as answer:
            if answer.status == 200:
                raise chassis.errors.Unavailable
            assert (answer.status, "device_revoked" in await answer.text()) == (403, True)

    await patiently(refused)
