"""The HTTP edge over real sockets: what strangers may send, and what they get back (T-09, T-10)."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chassis.web
from tests.integration.chassis.web_stage import (
    BODY_BYTES_MAX,
    PATIENCE_S,
    ask,
    exchange,
    parsed,
    rest_of,
    serving,
)


@pytest.fixture(scope="module")
async def port() -> AsyncIterator[int]:
    async with serving() as site:
        yield site.port


async def test_a_body_within_bounds_reaches_the_handler_whole(port: int) -> None:
    answer = await ask(port, "POST /echo", body=b"x" * BODY_BYTES_MAX)
    assert answer.document["size"] == BODY_BYTES_MAX


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (["Content-Length: 1001"], b"x" * 1001),
        (["Content-Length: 99999999999"], b""),
        (["Transfer-Encoding: chunked"], b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n"),
        (["Content-Encoding: gzip", "Transfer-Encoding: chunked"], b""),
    ],
    ids=["declared", "declared-absurdly", "chunked", "bomb"],
)
async def test_a_body_beyond_its_bound_is_413_and_ends_the_connection_T09(
    port: int, headers: list[str], body: bytes
) -> None:
    if not body and "gzip" in headers[0]:
        bomb = gzip.compress(bytes(10_000_000))
        body = f"{len(bomb):x}\r\n".encode() + bomb + b"\r\n0\r\n\r\n"
    head = "\r\n".join(["POST /echo HTTP/1.1", "Host: x", *headers, "", ""]).encode()
    answer = parsed(await exchange(port, head + body))
    assert (answer.status, answer.document["code"]) == (413, "body_too_large")
    assert answer.headers["connection"] == "close"


async def test_a_body_that_drips_is_408_and_ends_the_connection_T09() -> None:
    async with serving(limits=chassis.web.Limits(body_deadline_s=0.05)) as site:
        answer = parsed(
            await exchange(site.port, b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nx")
        )
    assert (answer.status, answer.document["code"]) == (408, "request_timeout")


async def test_a_head_that_drips_is_408_and_ends_the_connection_T09() -> None:
    async with serving(limits=chassis.web.Limits(head_deadline_s=0.05)) as site:
        answer = parsed(await exchange(site.port, b"GET /refuse HTTP/1.1\r\nHost: x\r\nX-Slow: "))
    assert (answer.status, answer.headers["connection"]) == (408, "close")


async def test_a_second_head_that_drips_is_ended_too_T09() -> None:
    request = b"POST /echo HTTP/1.1\r\nHost: x\r\n\r\n"
    async with serving(limits=chassis.web.Limits(head_deadline_s=0.05)) as site, asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(request)
        assert b" 200 " in await reader.readline()
        await reader.readuntil(b"}")
        writer.write(request[:20])
        assert b" 408 " in await reader.read()
        writer.close()


async def test_a_connection_without_a_word_is_closed_T09() -> None:
    async with serving(limits=chassis.web.Limits(head_deadline_s=0.05)) as site:
        assert await exchange(site.port, b"") == b""


async def test_a_slow_body_is_not_taken_for_a_slow_head_T09() -> None:
    limits = chassis.web.Limits(head_deadline_s=0.05, body_deadline_s=0.3)
    async with serving(limits=limits) as site:
        answer = parsed(
            await exchange(site.port, b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nx")
        )
    assert answer.document["code"] == "request_timeout"


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 9000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: " % n + b"x" * 4000 + b"\r\n" for n in range(20)),
    ],
    ids=["line", "field", "whole"],
)
async def test_a_head_beyond_its_bounds_is_431_T09(port: int, head: bytes) -> None:
    assert parsed(await exchange(port, head)).status == 431


@pytest.mark.parametrize(
    "data",
    [
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length : 3\r\n\r\nabc",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03Jane\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
    ],
    ids=["two-framings", "two-lengths", "bad-chunk", "minus", "blank", "bad-gzip", "tls", "version", "nul"],
)
async def test_what_is_not_one_clear_request_is_400_and_ends_the_connection_T09(
    port: int, data: bytes
) -> None:
    answer = parsed(await exchange(port, data))
    assert (answer.status, answer.document["code"]) == (400, "malformed_request")
    assert answer.headers["connection"] == "close"
    assert answer.document["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["server"] == "sallyport"
    assert b"Jane" not in answer.body


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300)
    | st.builds(
        lambda tail: b"POST /echo HTTP/1.1\r\nHost: x\r\n" + tail + b"\r\n\r\n", st.binary(max_size=60)
    ),
)
async def test_no_bytes_make_a_5xx_T10(port: int, data: bytes) -> None:
    answer = await exchange(port, data + b"\r\n\r\n\x00\r\n\r\n")
    assert answer == b"" or parsed(answer).status < 500


async def test_a_client_that_does_not_take_its_answer_loses_the_connection_R25() -> None:
    released = asyncio.Event()

    async def pour(_request: web.Request) -> web.Response:
        released.set()
        return web.Response(body=bytes(50_000_000))

    route = chassis.web.Route("GET", "/", pour, "test.page.read")
    async with (
        serving([route], chassis.web.Limits(answer_deadline_s=0.05)) as site,
        asyncio.timeout(PATIENCE_S),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await released.wait()
        await site.stop(grace_s=PATIENCE_S)
        # Nothing is in flight any more, and of the answer only what fitted into buffers on the way.
        assert len(await rest_of(reader)) < 50_000_000
        writer.close()
