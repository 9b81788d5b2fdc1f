"""Uploads by form through the gateway's real process, sent by clients as to Amazon."""

import asyncio
import ssl
import urllib.request
from collections.abc import AsyncIterator, Callable, Sequence
from urllib.parse import parse_qsl

import httpx
import pytest
import urllib3

import sallyport.provision.ground
from fakes import s3_forms
from fakes.storage_server import CHUNK, Seen, saying, taking
from tests.conftest import KeeperFor
from tests.integration.gateway.documents import DOCUMENT_CHUNKS, GROWTH_BYTES_MAX, House, code_of, opened

Fields = Sequence[tuple[str, str]]
Client = Callable[[str, Fields, bytes, ssl.SSLContext], int]

FORM_TYPE = f"multipart/form-data; boundary={s3_forms.BOUNDARY}"


@pytest.fixture(scope="module")
async def house(
    ground: sallyport.provision.ground.Ground,
    keeper_for: KeeperFor,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[House]:
    async with opened(ground, keeper_for, tmp_path_factory.mktemp("forms")) as made:
        yield made


def by_httpx(url: str, fields: Fields, file: bytes, trust: ssl.SSLContext) -> int:
    with httpx.Client(verify=trust) as client:
        return client.post(url, data=dict(fields), files={"file": ("a.png", file, "image/png")}).status_code


def by_urllib3(url: str, fields: Fields, file: bytes, trust: ssl.SSLContext) -> int:
    with urllib3.PoolManager(ssl_context=trust) as pool:
        return pool.request("POST", url, fields=[*fields, ("File", ("käse.png", file))]).status


def by_hand(url: str, fields: Fields, file: bytes, trust: ssl.SSLContext) -> int:
    body = s3_forms.form(fields, file, end=b"")
    request = urllib.request.Request(url, body, {"Content-Type": FORM_TYPE})
    with urllib.request.urlopen(request, context=trust) as answer:
        return int(answer.status)


@pytest.mark.parametrize("client_of", [by_httpx, by_urllib3, by_hand])
async def test_unmodified_clients_upload_by_form_as_to_amazon(house: House, client_of: Client) -> None:
    bodies, file = [], b"\x89PNG\r\n\x1a\n" + CHUNK

    async def keeping(seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bodies.append(await reader.readexactly(int(seen.headers["content-length"])))
        location = house.storage.url("/secret-key")
        await saying("201 Created", b"<Bucket>secret</Bucket>", location=location)(seen, reader, writer)

    house.storage.plays["/form"] = keeping
    async with house.client() as client:
        link = await house.form_link(client)
    url, fields = link._replace(query="").geturl(), parse_qsl(link.query)
    assert await asyncio.to_thread(client_of, url, fields, file, house.trust) == 204
    seen = house.storage.seen[-1]
    *told, (_, stored) = s3_forms.read(seen.headers["content-type"], bodies[0])
    assert (seen.method, seen.target, stored) == ("POST", "/form", file)
    assert [value.decode() for _, value in told] == list(s3_forms.fields().values())


async def test_what_the_storage_says_of_a_form_stays_here_T29_T31(house: House) -> None:
    house.storage.plays["/form"] = saying(
        "201 Created", b"<Bucket>secret</Bucket>", location="https://secret"
    )
    async with house.client() as client:
        link = await house.form_link(client)
        answer = await client.post(
            link.path, content=s3_forms.form([], CHUNK), headers={"content-type": FORM_TYPE}
        )
    assert (answer.status_code, answer.content) == (204, b"")
    assert "secret" not in str(answer.headers)
    assert house.storage.seen[-1].target not in await house.gateway.logged("gateway.document.written")


async def test_a_large_form_is_passed_on_in_little_memory(house: House) -> None:
    house.storage.plays["/form"] = taking
    head, _, end = s3_forms.form([], b"?").partition(b"?")

    async def chunks() -> AsyncIterator[bytes]:
        yield head
        for _ in range(DOCUMENT_CHUNKS):
            yield CHUNK
        yield end

    async with house.client() as client:
        link, before = await house.form_link(client), house.peak_bytes()
        length = len(head) + DOCUMENT_CHUNKS * len(CHUNK) + len(end)
        headers = {"content-type": FORM_TYPE, "content-length": str(length)}
        answer = await client.post(link.path, content=chunks(), headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert house.storage.seen[-1].is_whole
    assert house.peak_bytes() - before < GROWTH_BYTES_MAX


async def test_a_form_that_breaks_off_is_never_whole_at_amazon(house: House) -> None:
    house.storage.plays["/form"] = taking
    house.storage.seen.clear()

    async def chunks() -> AsyncIterator[bytes]:
        yield s3_forms.form([], CHUNK)[:-100]
        await house.storage.arrival("/form")
        raise ConnectionError

    async with house.client() as client:
        link = await house.form_link(client)
        length = len(s3_forms.form([], CHUNK))
        headers = {"content-type": FORM_TYPE, "content-length": str(length)}
        with pytest.raises(ConnectionError):
            await client.post(link.path, content=chunks(), headers=headers)
    seen = await house.storage.arrival("/form")
    await asyncio.wait_for(seen.is_over.wait(), 10)
    assert not seen.is_whole


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (s3_forms.form([], CHUNK * 2 + b"amzn1.oa2-cs.v1.0123456789"), 422, "credentials_not_accepted"),
        (s3_forms.form([], CHUNK * 2) + b"behind the end", 400, "document_form_invalid"),
        (s3_forms.form([("bucket", "x")], CHUNK), 400, "document_form_invalid"),
    ],
)
async def test_a_form_that_may_not_pass_is_never_whole_at_amazon_T06(
    house: House, body: bytes, status: int, code: str
) -> None:
    house.storage.plays["/form"] = taking
    house.storage.seen.clear()
    async with house.client() as client:
        link = await house.form_link(client)
        answer = await client.post(link.path, content=body, headers={"content-type": FORM_TYPE})
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert not any(each.is_whole for each in house.storage.seen)


async def test_a_form_without_a_length_is_told_so_as_amazon_would_tell_it(house: House) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield s3_forms.form([], CHUNK)

    async with house.client() as client:
        link = await house.form_link(client)
        answer = await client.post(link.path, content=chunks(), headers={"content-type": FORM_TYPE})
    assert answer.status_code == 411
