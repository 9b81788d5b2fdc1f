"""Documents through the gateway's real process: large ones in little memory, slow, broken, hostile ones."""

import asyncio
import gzip
import hashlib
import random
from collections.abc import AsyncIterator

import httpx
import pytest

import sallyport.provision.ground
from fakes.storage_server import CHUNK, digest_of, ended, giving, saying, taking
from tests.conftest import KeeperFor
from tests.integration.gateway.documents import (
    DOCUMENT_CHUNKS,
    GROWTH_BYTES_MAX,
    MIB,
    PII,
    REPORTS,
    House,
    code_of,
    opened,
)
from tests.unit.gateway.packing import PACKERS

# Does not pack, so that it is opened to as much as it has.
NOISE = random.Random(0).randbytes(MIB)


@pytest.fixture(scope="module")
async def house(
    ground: sallyport.provision.ground.Ground,
    keeper_for: KeeperFor,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[House]:
    async with opened(ground, keeper_for, tmp_path_factory.mktemp("documents")) as made:
        yield made


async def test_a_large_document_is_read_in_little_memory(house: House) -> None:
    house.storage.plays["/large"] = giving(DOCUMENT_CHUNKS)
    async with house.client() as client:
        link = await house.download_link(client, "large")
        before, digest = house.peak_bytes(), hashlib.sha256()
        async with client.stream("GET", link) as answer:
            async for chunk in answer.aiter_raw():
                digest.update(chunk)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain")
    assert digest.hexdigest() == digest_of(DOCUMENT_CHUNKS)
    assert house.peak_bytes() - before < GROWTH_BYTES_MAX
    assert list(house.log.kinds.values()).count("gateway.pii.read") >= 1


async def test_a_large_document_is_written_in_little_memory(house: House) -> None:
    house.storage.plays["/large-feed"] = taking

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(DOCUMENT_CHUNKS):
            yield CHUNK

    async with house.client() as client:
        link = await house.upload_link(client, "large-feed")
        before = house.peak_bytes()
        headers = {"content-type": "text/large-feed", "content-length": str(DOCUMENT_CHUNKS * len(CHUNK))}
        answer = await client.put(link, content=chunks(), headers=headers)
    assert (answer.status_code, answer.content) == (200, b"")
    seen = house.storage.seen[-1]
    assert (seen.is_whole, seen.digest) == (True, digest_of(DOCUMENT_CHUNKS))
    assert seen.headers["content-type"] == "text/large-feed"
    assert house.peak_bytes() - before < GROWTH_BYTES_MAX


async def test_a_slow_reader_slows_the_storage_down_and_one_that_leaves_ends_it_R25(house: House) -> None:
    house.storage.plays["/slow"] = giving(DOCUMENT_CHUNKS)
    async with house.client() as client:
        link = await house.download_link(client, "slow")
        before = house.peak_bytes()
        async with client.stream("GET", link) as answer:
            await anext(answer.aiter_raw())
            seen, moved = house.storage.seen[-1], -1
            while seen.body_bytes != moved:
                moved = seen.body_bytes
                await asyncio.sleep(0.1)
            assert moved < 32 * MIB
    await asyncio.wait_for(seen.is_over.wait(), 10)
    assert not seen.is_whole
    assert house.peak_bytes() - before < GROWTH_BYTES_MAX


async def test_an_upload_that_breaks_off_is_never_whole_at_amazon(house: House) -> None:
    house.storage.plays["/broken"] = taking

    async def chunks() -> AsyncIterator[bytes]:
        yield CHUNK
        await house.storage.arrival("/broken")
        raise ConnectionError

    async with house.client() as client:
        link = await house.upload_link(client, "broken")
        headers = {"content-type": "text/broken", "content-length": str(4 * len(CHUNK))}
        with pytest.raises(ConnectionError):
            await client.put(link, content=chunks(), headers=headers)
    seen = await house.storage.arrival("/broken")
    await asyncio.wait_for(seen.is_over.wait(), 10)
    assert not seen.is_whole


async def test_an_upload_with_a_credential_is_refused_and_never_whole_at_amazon_T06(house: House) -> None:
    house.storage.plays["/secret"] = taking
    async with house.client() as client:
        link = await house.upload_link(client, "secret")
        body = CHUNK * 2 + b"amzn1.oa2-cs.v1.0123456789"
        answer = await client.put(link, content=body, headers={"content-type": "text/secret"})
    assert (answer.status_code, code_of(answer)) == (422, "credentials_not_accepted")
    assert not any(each.is_whole for each in house.storage.seen if each.target.startswith("/secret"))


async def test_a_packed_upload_with_a_credential_is_refused_too_T06(house: House) -> None:
    house.storage.plays["/packed-secret"] = taking
    async with house.client() as client:
        for encoding in ("gzip", "deflate", "br", "zstd"):
            link = await house.upload_link(client, "packed-secret")
            body = PACKERS[encoding][1](NOISE + b"amzn1.oa2-cs.v1.0123456789")
            headers = {"content-type": "text/packed-secret", "content-encoding": encoding}
            answer = await client.put(link, content=body, headers=headers)
            assert (answer.status_code, code_of(answer)) == (422, "credentials_not_accepted")
    assert not any(each.is_whole for each in house.storage.seen if each.target.startswith("/packed-secret"))
    assert list(house.log.kinds.values()).count("gateway.credentials.refused") >= 4


async def test_a_large_packed_document_is_written_as_it_came_in_little_memory(house: House) -> None:
    house.storage.plays["/packed-feed"] = taking
    body = gzip.compress(NOISE * 32, compresslevel=1)
    async with house.client() as client:
        link = await house.upload_link(client, "packed-feed")
        before = house.peak_bytes()
        headers = {"content-type": "text/packed-feed", "content-encoding": "gzip"}
        answer = await client.put(link, content=body, headers=headers)
    seen = house.storage.seen[-1]
    assert (answer.status_code, seen.is_whole) == (200, True)
    assert (seen.digest, seen.headers["content-encoding"]) == (hashlib.sha256(body).hexdigest(), "gzip")
    assert house.peak_bytes() - before < GROWTH_BYTES_MAX


@pytest.mark.parametrize(
    ("encoding", "status", "code"),
    [("compress", 415, "encoding_not_served"), ("gzip", 400, "encoding_broken")],
)
async def test_an_upload_that_nobody_could_look_into_is_refused_T06(
    house: House, encoding: str, status: int, code: str
) -> None:
    house.storage.plays["/unopened"] = taking
    async with house.client() as client:
        link = await house.upload_link(client, "unopened")
        headers = {"content-type": "text/unopened", "content-encoding": encoding}
        answer = await client.put(link, content=CHUNK, headers=headers)
    assert (answer.status_code, code_of(answer)) == (status, code)


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("ended", 410, "document_ended"),
        ("missing", 404, "document_missing"),
        ("moved", 502, "upstream_invalid"),
        ("failing", 503, "storage_unavailable"),
    ],
)
async def test_what_the_storage_refuses_is_told_in_words_T29_T31(
    house: House, name: str, status: int, code: str
) -> None:
    house.storage.plays["/ended"] = ended
    house.storage.plays["/moved"] = saying("302 Found", location="https://evil.example/")
    house.storage.plays["/failing"] = saying("503 Slow Down", b"<Error>secret</Error>")
    async with house.client() as client:
        answer = await client.get(await house.download_link(client, name))
    assert (answer.status_code, code_of(answer)) == (status, code)
    for secret in ("secret", "evil", "X-Amz", "localhost:"):
        assert secret not in answer.text + str(answer.headers)


async def test_a_link_elsewhere_never_reaches_a_desktop_T05(house: House) -> None:
    house.links["elsewhere"] = "https://evil.example/x?X-Amz-Signature=5e"
    async with house.client() as client:
        headers = {"x-amz-access-token": house.auth.enrol(*PII)}
        answer = await client.get(f"{REPORTS}/elsewhere", headers=headers)
    assert answer.status_code == 502
    assert "evil" not in answer.text


async def test_guessed_altered_and_misused_capabilities_are_one_and_the_same_T11(house: House) -> None:
    house.storage.plays["/mine"] = giving(1)
    async with house.client() as client:
        link = await house.download_link(client, "mine")
        altered = link[:-1] + ("A" if link[-1] != "A" else "B")
        answers = [
            await client.get("/_doc/guess"),
            await client.get("/_doc/"),
            await client.get(altered),
            await client.put(link, content=b"x", headers={"content-type": "text/plain"}),
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.text for answer in answers}) == 1
        refused = await client.delete(link)
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, PUT, POST")
        assert (await client.get(link)).content == CHUNK


async def test_a_revoked_device_loses_its_capabilities_and_its_document_on_the_way_T01(house: House) -> None:
    house.storage.plays["/mine"] = giving(DOCUMENT_CHUNKS)
    token = house.auth.enrol(*PII)
    async with house.client() as client:
        link = await house.download_link(client, "mine", token)
        async with client.stream("GET", link) as answer:
            incoming = answer.aiter_raw()
            await anext(incoming)
            house.auth.revoke(token)
            with pytest.raises(httpx.RemoteProtocolError):
                async for _ in incoming:
                    pass
        assert (await client.get(link)).status_code == 403


async def test_no_link_and_no_capability_is_logged_T28(house: House) -> None:
    house.storage.plays["/mine"] = giving(1)
    async with house.client() as client:
        link = await house.download_link(client, "mine")
        assert (await client.get(link)).status_code == 200
    logged = await house.gateway.logged("gateway.document.read")
    assert "gateway.document.read" in logged
    for secret in (link.rsplit("/", 1)[1], "X-Amz", "secret-key", "evil.example", "sp_at_"):
        assert secret not in logged
