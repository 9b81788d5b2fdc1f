"""The port to Amazon: the same suite on the fake and on real TLS connections, and what only sockets do."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import pytest

from fakes.gateway_ports import FakeUpstream, json_answer
from services.gateway import amazon
from services.gateway.model.calls import Region, UpstreamAnswer
from services.gateway.model.faults import (
    UpstreamInvalid,
    UpstreamLost,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from tests.contract.amazon_origin import (
    PATIENCE_S,
    TOKEN,
    Origin,
    Play,
    Real,
    open_origin,
    request,
    saying,
    wire,
)

# Many times the cap of an answer; a server must not outlive its test.
CHUNKS_MAX = 4_096


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(wire("200 OK", b"", content_length="1000000"))
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(wire("200 OK", b"", content_length="", transfer_encoding="chunked"))
    for _ in range(CHUNKS_MAX):
        if writer.is_closing():
            return
        writer.write(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        await writer.drain()


BOMB = gzip.compress(bytes(64 * 1_048_576))

PLAYS: Mapping[str, Play] = MappingProxyType(
    {
        "/ok": saying(wire("200 OK", b'{"a":1}', x_amzn_RequestId="r-1")),
        "/missing": saying(wire("404 Not Found", b'{"errors":[]}')),
        "/redirect": saying(wire("302 Found", b"", location="https://evil.example/")),
        "/endless": endless,
        "/lost": saying(),
        "/silence": silence,
        "/gzip": saying(wire("200 OK", gzip.compress(b'{"a":1}'), content_encoding="gzip")),
        "/bomb": saying(wire("200 OK", BOMB, content_encoding="gzip")),
        "/cut-gzip": saying(wire("200 OK", gzip.compress(b'{"a":1}')[:-9], content_encoding="gzip")),
        "/not-gzip": saying(wire("200 OK", b"{}", content_encoding="gzip")),
        "/unasked": saying(wire("200 OK", b"{}", content_encoding="br")),
        "/drip": drip,
        "/short": saying(wire("200 OK", b"{", content_length="9")),
        "/garbage": saying(b"\x16\x03\x01 NOT HTTP\r\n\r\n"),
        "/two-framings": saying(wire("200 OK", b"0\r\n\r\n", transfer_encoding="chunked")),
        "/long-header": saying(wire("200 OK", b"{}", x_long="x" * 100_000)),
        "/status-600": saying(wire("600 Strange")),
    }
)


class Stage(Protocol):
    """One way to have Amazon play a part."""

    async def send(self, part: str, timeout_s: float = PATIENCE_S) -> UpstreamAnswer: ...


class Fake:
    """The fake, told what the server would do."""

    REPLIES: Mapping[str, UpstreamAnswer | Exception] = MappingProxyType(
        {
            "/ok": json_answer(b'{"a":1}'),
            "/missing": json_answer(b'{"errors":[]}', 404),
            "/redirect": json_answer(b"", 302),
            "/endless": json_answer(bytes(17 * 1_048_576)),
            "/lost": UpstreamLost(),
            "/silence": UpstreamTimeout(),
        }
    )

    async def send(self, part: str, timeout_s: float = PATIENCE_S) -> UpstreamAnswer:
        upstream = FakeUpstream()
        upstream.replies.append(self.REPLIES[part])
        return await upstream.send(request(part), timeout_s=timeout_s)


@pytest.fixture(params=["fake", "real"])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    if request.param == "fake":
        yield Fake()
        return
    async with open_origin(tmp_path, Origin(dict(PLAYS), is_closing=True)) as made:
        yield made


@pytest.fixture
async def sockets(tmp_path: Path) -> AsyncIterator[Real]:
    async with open_origin(tmp_path, Origin(dict(PLAYS), is_closing=True)) as made:
        yield made


@pytest.mark.parametrize(
    ("part", "status", "body"), [("/ok", 200, b'{"a":1}'), ("/missing", 404, b'{"errors":[]}')]
)
async def test_an_answer_comes_back_whole(stage: Stage, part: str, status: int, body: bytes) -> None:
    answer = await stage.send(part)
    assert (answer.status, answer.body) == (status, body)
    assert answer.header("content-type") == "application/json"
    assert all(name == name.lower() for name, _ in answer.headers)


async def test_a_redirect_is_not_followed_T29(stage: Stage) -> None:
    with pytest.raises(UpstreamInvalid):
        await stage.send("/redirect")


async def test_an_endless_answer_is_cut_off_T29(stage: Stage) -> None:
    with pytest.raises(UpstreamInvalid):
        await stage.send("/endless")


async def test_a_broken_connection_is_told_from_none_at_all(stage: Stage) -> None:
    with pytest.raises(UpstreamLost):
        await stage.send("/lost")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_a_request_whose_answer_was_lost_is_not_made_again_R07(sockets: Real, method: str) -> None:
    asked = replace(request("/lost"), method=method)
    with pytest.raises(UpstreamLost):
        await sockets.upstream.send(asked, timeout_s=PATIENCE_S)
    assert len(sockets.origin.heard) == 1


async def test_silence_ends_with_the_callers_time_R07(stage: Stage) -> None:
    with pytest.raises(UpstreamTimeout):
        await stage.send("/silence", timeout_s=0.1)


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ("/bomb", UpstreamInvalid),
        ("/cut-gzip", UpstreamInvalid),
        ("/not-gzip", UpstreamInvalid),
        ("/unasked", UpstreamInvalid),
        ("/garbage", UpstreamInvalid),
        ("/two-framings", UpstreamInvalid),
        ("/long-header", UpstreamInvalid),
        ("/status-600", UpstreamInvalid),
        ("/short", UpstreamLost),
    ],
)
async def test_a_hostile_answer_is_not_taken_T29(sockets: Real, part: str, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        await sockets.send(part)


async def test_a_dripping_answer_ends_with_the_callers_time_T29(sockets: Real) -> None:
    with pytest.raises(UpstreamTimeout):
        await sockets.send("/drip", timeout_s=0.2)


async def test_a_compressed_answer_is_unpacked(sockets: Real) -> None:
    assert (await sockets.send("/gzip")).body == b'{"a":1}'


async def test_nobody_at_the_other_end_is_unreachable(sockets: Real) -> None:
    with pytest.raises(UpstreamUnreachable):
        await sockets.send("/ok", region=Region.EU)


async def test_an_endpoint_that_does_not_prove_its_name_is_not_called_T24(tmp_path: Path) -> None:
    async with open_origin(tmp_path, Origin({}), names=("evil.example",)) as impostor:
        with pytest.raises(UpstreamUnreachable):
            await impostor.send("/ok")
        assert not impostor.origin.heard


async def test_what_is_sent_is_what_was_asked_for(sockets: Real) -> None:
    await sockets.upstream.send(request("/ok", query="a=%2F+%3d&b=c|d"), timeout_s=PATIENCE_S)
    await sockets.upstream.send(request("/ok", body=b'{"a":1}'), timeout_s=PATIENCE_S)
    read, effect = (head.decode().split("\r\n") for head in sockets.origin.heard)
    assert read[0] == "GET /ok?a=%2F+%3d&b=c|d HTTP/1.1"
    names = {line.partition(":")[0].lower() for line in read[1:] if line}
    assert names == {"host", "accept", "user-agent", "accept-encoding", "x-amz-access-token"}
    assert f"x-amz-access-token: {TOKEN}" in read
    assert "content-length: 7" in effect


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost",
        "https://localhost/sp",
        "https://u@localhost",
        "localhost",
        "https://",
        "https://h?q",
    ],
)
def test_a_base_url_is_an_https_origin_T05(url: str) -> None:
    with pytest.raises(ValueError, match="https origin"):
        amazon.Amazon(base_urls={Region.NA: url}, tls=ssl.create_default_context())
