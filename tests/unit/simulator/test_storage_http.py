"""The storage over real TLS sockets, on a port of its own."""

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.unit.simulator.papers import FEEDS, PLAIN_ORDERS, REPORTS
from tests.unit.simulator.test_http import House, opened

TYPE = "text/plain; charset=UTF-8"
PORTS = ("--listen", "127.0.0.1:0=consent,lwa,api", "--listen", "127.0.0.1:0=storage")


async def call(house: House, token: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    headers = {"x-amz-access-token": token}
    async with house.session.request(method, house.base + path, headers=headers, json=body) as response:
        assert response.status < 300, await response.text()
        document: dict[str, Any] = await response.json()
        return document


async def a_report(house: House) -> URL:
    """Return a link to a report, and let it be made without delay."""
    await house.control("POST", "/documents", {"queued_s": 0, "working_s": 0, "compression": "none"})
    token = (await house.connect())["access_token"]
    shop = house.running.core.world.sellers[0].marketplaces[0].marketplace_id
    asked = {"reportType": PLAIN_ORDERS, "marketplaceIds": [shop]}
    made = await call(house, token, "POST", f"{REPORTS}/reports", asked)
    report = await call(house, token, "GET", f"{REPORTS}/reports/{made['reportId']}")
    path = f"{REPORTS}/documents/{report['reportDocumentId']}"
    return URL((await call(house, token, "GET", path))["url"], encoded=True)


async def a_slot(house: House) -> URL:
    token = (await house.connect())["access_token"]
    made = await call(house, token, "POST", f"{FEEDS}/documents", {"contentType": TYPE})
    return URL(made["url"], encoded=True)


async def test_links_lead_to_the_storages_own_port_and_only_there(tmp_path: Path) -> None:
    async with opened(tmp_path, *PORTS) as house:
        url = await a_report(house)
        assert str(url.origin()) == house.running.https[1]
        async with house.session.get(url) as response:
            assert (response.status, response.headers["Server"]) == (200, "AmazonS3")
            assert (await response.text()).startswith("order-id\t")
        async with house.session.get(house.base + url.raw_path_qs) as response:
            assert response.status == 404


async def test_a_download_can_be_cut_off_in_the_middle_or_drip_R28(tmp_path: Path) -> None:
    async with opened(tmp_path, *PORTS) as house:
        url = await a_report(house)
        for kind in ("truncated", "drip"):
            fault = {"operation": "storage.getObject", "kind": kind, "delay_s": 0.02}
            await house.control("POST", "/faults", fault)
        async with house.session.get(url) as cut:
            assert cut.status == 200
            with pytest.raises(aiohttp.ClientPayloadError):
                await cut.read()
        async with house.session.get(url) as dripping, house.session.get(url) as whole:
            assert await dripping.read() == await whole.read()


async def test_a_large_file_comes_whole(tmp_path: Path) -> None:
    async with opened(tmp_path, *PORTS) as house:
        await house.control("POST", "/documents", {"bytes_min": 3_000_000})
        async with house.session.get(await a_report(house)) as response:
            body = await response.read()
        assert len(body) == response.content_length
        assert len(body) >= 3_000_000


async def test_an_upload_is_kept_byte_for_byte_compressed_or_not(tmp_path: Path) -> None:
    async with opened(tmp_path, *PORTS) as house:
        url, body = await a_slot(house), b"\x1f\x8b not really gzip"
        headers = {"Content-Type": TYPE, "Content-Encoding": "gzip"}
        async with house.session.put(url, data=body, headers=headers) as response:
            assert response.status == 200
        _, shown = await house.control("GET", "/uploads")
        assert [each["bytes"] for each in shown["uploads"]] == [len(body)]  # type: ignore[attr-defined]


async def test_a_chunked_upload_is_refused_as_s3_does(tmp_path: Path) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"a"

    async with opened(tmp_path, *PORTS) as house:
        url = await a_slot(house)
        async with house.session.put(url, data=chunks(), headers={"Content-Type": TYPE}) as response:
            assert response.status == 501
            assert "<Code>NotImplemented</Code>" in await response.text()


async def test_an_upload_beyond_the_bound_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path, *PORTS) as house:
        headers = {"x-amz-access-token": (await house.connect())["access_token"]}
        url = f"{house.base}{FEEDS}/documents"
        async with house.session.post(url, data=io.BytesIO(b"x" * 1_048_577), headers=headers) as response:
            assert response.status == 413


async def test_the_storages_name_in_links_can_be_chosen(tmp_path: Path) -> None:
    async with opened(tmp_path, "--storage-url", "https://storage.localhost:1234") as house:
        url = await a_report(house)
        assert (url.host, url.port) == ("storage.localhost", 1234)


async def test_an_objects_bytes_can_be_looked_at_by_the_controls(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        url = await a_report(house)
        folder, name = url.path.split("/")[-2:]
        control = f"{house.running.control}/_simulator/objects/{folder}/{name}"
        async with house.session.get(control) as held, house.session.get(url) as fetched_:
            assert await held.read() == await fetched_.read()
