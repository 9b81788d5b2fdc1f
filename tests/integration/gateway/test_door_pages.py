"""Pages behind the door: the same answers as from a site of their own, on the connections of calls."""

import asyncio
import contextlib
import gc
import gzip
import logging
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

import chassis.env
import chassis.errors
import chassis.trace
import chassis.web
from services.gateway.door import Door, Pages, Way, Ways
from services.gateway.door.limits import Limits
from services.gateway.door.ways import ANY_METHOD, ANY_PATH
from tests.integration.gateway.door import (
    EVENT,
    LIMITS,
    NOTHING,
    PATIENCE_S,
    TLS,
    Cover,
    MakeLoop,
    Recorder,
    calling,
    dial,
    exchange,
    heard,
    on,
    on_every_loop,
    one_answer,
    read_all,
    request,
    rest_of,
    serving,
    under_every_cover,
)
from tests.unit.gateway.packing import PACKERS, bomb, zeros_mib, zstd_frame

BODY_BYTES_MAX = 1_000_000
POURED_BYTES = 20_000_000


def digest(body: bytes) -> str:
    return f"{len(body)}-{zlib.crc32(body):08x}"


async def echo(asked: web.Request) -> web.Response:
    told = f"{asked.method} {asked.path_qs} {digest(await asked.read())} {chassis.trace.request_id()}"
    return web.Response(text=told, headers={"Set-Cookie": "a=b; Secure"})


async def show(asked: web.Request) -> web.Response:
    return web.Response(text=f"{asked.match_info['name']} {asked.secure}")


async def fail(_asked: web.Request) -> web.Response:
    raise ValueError("Jane Doe")


async def pour(asked: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(asked)
    for _ in range(200):
        await response.write(bytes(POURED_BYTES // 200))
    return response


async def break_off(asked: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(asked)
    await response.write(b"half an answer")
    raise ValueError("Jane Doe")


ROUTES = (
    chassis.web.Route("POST", "/echo", echo, "test.echo.sent"),
    chassis.web.Route("GET", "/echo", echo, "test.echo.read"),
    chassis.web.Route("GET", "/show/{name}", show, "test.page.read"),
    chassis.web.Route("GET", "/fail", fail, "test.fail.read"),
    chassis.web.Route("GET", "/pour", pour, "test.much.read"),
    chassis.web.Route("GET", "/half", break_off, "test.half.read"),
)


@contextlib.contextmanager
def nothing_uncaught() -> Iterator[None]:
    """Fail if the event loop is told of an exception that nobody caught."""
    loop, told = asyncio.get_running_loop(), list[dict[str, Any]]()
    loop.set_exception_handler(lambda _, context: told.append(context))
    yield
    # Tasks are told of when they are collected.
    gc.collect()
    loop.set_exception_handler(None)
    assert told == []


@asynccontextmanager
async def house(
    face: Recorder,
    limits: Limits = LIMITS,
    page_limits: chassis.web.Limits | None = None,
    cover: Cover = NOTHING,
    *,
    is_strict_transport: bool = True,
) -> AsyncIterator[Door]:
    """Open a door with pages and calls behind it, where every exception must be caught."""
    site = chassis.web.SocketlessSite(
        routes=ROUTES,
        body_bytes_max=BODY_BYTES_MAX,
        is_strict_transport=is_strict_transport,
        limits=page_limits or chassis.web.Limits(),
    )
    ways = Ways([*Pages(site).ways(), Way(ANY_METHOD, ANY_PATH, face, EVENT)])
    with nothing_uncaught():
        await site.start()
        async with serving(ways, limits, tls=cover.contexts, is_strict_transport=is_strict_transport) as door:
            yield door
        await site.stop()


@asynccontextmanager
async def site_of_their_own() -> AsyncIterator[chassis.web.Site]:
    site = chassis.web.Site(
        listen=chassis.env.Address("127.0.0.1", 0),
        routes=ROUTES,
        body_bytes_max=BODY_BYTES_MAX,
    )
    await site.start()
    yield site
    await site.stop(grace_s=0)


ID = "X-Request-Id: request-0001"
PACKED = gzip.compress(bytes(1000))
ASKED = {
    "a page": request("GET /show/orders", ID, is_last=True),
    "a form": request("POST /echo?a=%2F", ID, body=b"a=b", is_last=True),
    "chunks": request("POST /echo", ID, "Transfer-Encoding: chunked", is_last=True)
    + b"3\r\na=b\r\n0\r\n\r\n",
    "an encoded body": request("POST /echo", ID, "Content-Encoding: gzip", body=PACKED, is_last=True),
    "a large body": request("POST /echo", ID, body=bytes(range(250)) * 4000, is_last=True),
    "a body beyond its bound": request("POST /echo", ID, body=bytes(BODY_BYTES_MAX + 1)),
    "a mistake": request("GET /fail", ID, is_last=True),
    "HTTP/1.0": b"GET /echo HTTP/1.0\r\nX-Request-Id: request-0001\r\n\r\n",
    "much": request("GET /pour", ID, is_last=True),
}


@pytest.mark.parametrize("data", ASKED.values(), ids=ASKED.keys())
async def test_a_page_is_answered_as_by_a_site_of_its_own(data: bytes) -> None:
    face = Recorder()
    async with site_of_their_own() as site:
        (expected,) = heard(await exchange(site.port, data))
    async with house(face) as door:
        (answer,) = heard(await exchange(door.port, data))
    # Only TLS's own header differs: a site of its own speaks none.
    assert answer.headers.pop("strict-transport-security") == "max-age=31536000"
    del answer.headers["date"], expected.headers["date"]
    assert answer == expected
    assert not face.seen


@pytest.mark.parametrize(
    "data", [ASKED["a page"], request("GET /call", is_last=True), b"GET no target\r\n\r\n"]
)
@pytest.mark.parametrize("is_strict_transport", [False, True])
async def test_browsers_are_held_to_tls_by_every_answer_or_by_none(
    data: bytes, *, is_strict_transport: bool
) -> None:
    async with house(Recorder(), is_strict_transport=is_strict_transport) as door:
        (answer,) = heard(await exchange(door.port, data))
    assert ("strict-transport-security" in answer.headers) is is_strict_transport


@pytest.mark.parametrize("name", sorted(PACKERS))
@pytest.mark.parametrize("is_chunked", [False, True])
async def test_an_encoded_body_reaches_a_page_opened(name: str, *, is_chunked: bool) -> None:
    encoding, pack = PACKERS[name]
    lines, body = [ID, f"Content-Encoding: {encoding}"], pack(bytes(70_000))
    asked = request("POST /echo", *lines, body=body)
    if is_chunked:
        asked = request("POST /echo", *lines, "Transfer-Encoding: chunked")
        asked += b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    async with house(Recorder()) as door:
        first, second = heard(await exchange(door.port, asked + request("GET /show/next", is_last=True)))
    assert first.body.decode() == f"POST /echo {digest(bytes(70_000))} request-0001"
    assert second.body.startswith(b"next")


UNOPENED = {
    "a lie": ("gzip", b"no gzip", 400),
    "half a body": ("deflate", PACKERS["deflate"][1](bytes(1000))[:-2], 400),
    "more than a body": ("zstd", PACKERS["zstd"][1](bytes(1000)) * 2, 400),
    "a huge window": ("zstd", zstd_frame(zeros_mib(1), window_log=27), 400),
    "another coding": ("compress", b"x", 415),
    "a bomb": ("gzip", bomb("gzip", 10), 413),
    "a bomb in br": ("br", bomb("br", 10), 413),
    "a bomb in zstd": ("zstd", bomb("zstd", 10), 413),
}


@pytest.mark.parametrize(("encoding", "body", "status"), UNOPENED.values(), ids=UNOPENED.keys())
async def test_a_body_that_cannot_be_opened_reaches_no_page_T09(
    encoding: str, body: bytes, status: int
) -> None:
    async with house(Recorder()) as door:
        data = request("POST /echo", f"Content-Encoding: {encoding}", body=body)
        (answer,) = heard(await exchange(door.port, data + request("GET /show/smuggled")))
    assert (answer.status, answer.headers["connection"]) == (status, "close")


@under_every_cover
async def test_a_connection_may_mix_pages_and_calls(cover: Cover) -> None:
    face = Recorder()
    asked = [
        request("GET /orders/v0/orders"),
        request("GET /show/one"),
        request("POST /echo", "Transfer-Encoding: chunked") + b"3\r\na=b\r\n0\r\n\r\n",
        request("POST /feeds", body=b"call"),
        request("POST /echo", body=b"page"),
        request("DELETE /echo"),
        request("GET /show/two/deeper"),
        request("GET /show/last", is_last=True),
    ]
    async with house(face, cover=cover) as door:
        together = heard(await exchange(door.port, b"".join(asked), cover.trust))
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await dial(door.port, cover.trust)
            one_by_one = []
            for each in asked:
                writer.write(each)
                one_by_one.append(await one_answer(reader))
            writer.close()
    assert [answer.status for answer in together] == [200] * len(asked)
    assert [answer.body.split(b" ")[0] for answer in together if b"{" not in answer.body] == [
        b"one",
        b"POST",
        b"POST",
        b"last",
    ]
    assert [answer.status for answer in one_by_one] == [200] * len(asked)
    calls = ["/orders/v0/orders", "/feeds", "/echo", "/show/two/deeper"]
    assert [target for _, target, _ in face.seen] == calls * 2


async def test_a_page_leaves_its_own_log_line_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async with house(Recorder()) as door:
        with caplog.at_level(logging.INFO):
            await exchange(door.port, request("GET /show/a") + request("GET /call", is_last=True))
    told = [vars(record)["sallyport_fields"] for record in caplog.records if "door" in record.name]
    told += [vars(record)["sallyport_fields"] for record in caplog.records if "web" in record.name]
    assert [(line["kind"], line["status"]) for line in told] == [(EVENT, 200), ("test.page.read", 200)]


async def test_a_slow_body_of_a_page_is_408_in_its_own_shape_T09() -> None:
    limits = chassis.web.Limits(body_deadline_s=0.05)
    async with house(Recorder(), page_limits=limits) as door:
        data = request("POST /echo", "Content-Length: 70000")
        (answer,) = heard(await exchange(door.port, data + b"x"))
    assert (answer.status, answer.headers["content-type"]) == (408, "application/problem+json")


async def test_a_page_without_a_place_for_a_body_says_that_it_ends_the_connection_R23() -> None:
    page_limits = chassis.web.Limits(large_bodies_max=1)
    async with house(Recorder(), page_limits=page_limits) as door, asyncio.timeout(PATIENCE_S):
        slow, writing = await dial(door.port)
        writing.write(request("POST /echo", "Content-Length: 70000", "Expect: 100-continue"))
        assert (await one_answer(slow)).status == 100
        (answer,) = heard(await exchange(door.port, request("POST /echo", "Content-Length: 70000")))
        writing.close()
    assert (answer.status, answer.headers["connection"]) == (503, "close")


async def test_a_page_without_a_place_for_a_request_keeps_the_connection_R23() -> None:
    async with house(Recorder(), page_limits=chassis.web.Limits(requests_max=0)) as door:
        whole = request("POST /echo", body=b"a=b")
        first, second = heard(await exchange(door.port, whole + request("GET /call", is_last=True)))
    assert (first.status, "connection" in first.headers, second.status) == (503, False, 200)


@pytest.mark.parametrize("broken", [b"3\r\na=b\n0\r\n\r\n", b"3\r\na=b\r\nno size\r\n\r\n"])
async def test_chunks_that_are_none_reach_no_page_T09(
    broken: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        async with house(Recorder()) as door, asyncio.timeout(PATIENCE_S):
            reader, writer = await dial(door.port)
            writer.write(request("POST /echo", "Transfer-Encoding: chunked") + b"3\r\na=b\r\n")
            while not door._requests:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0)
            writer.write(broken + request("GET /show/smuggled"))
            (answer,) = heard(await rest_of(reader))
            writer.close()
    assert (answer.status, answer.headers["connection"]) == (400, "close")
    assert "request_served" not in caplog.messages


@under_every_cover
async def test_half_a_page_is_broken_off(cover: Cover) -> None:
    async with house(Recorder(), cover=cover) as door:
        data = await exchange(door.port, request("GET /half"), cover.trust)
    assert b"half an answer" in data
    assert not data.endswith(b"0\r\n\r\n")


@on_every_loop
async def test_half_a_page_that_would_end_with_its_connection_does_not_look_whole(loop: MakeLoop) -> None:
    def call(port: int) -> bytes:
        came = bytearray()
        with calling(port) as secured:
            secured.sendall(b"GET /half HTTP/1.0\r\n\r\n")
            with pytest.raises(ssl.SSLEOFError):
                read_all(secured, came)
        return bytes(came)

    async def work() -> None:
        async with house(Recorder(), cover=TLS) as door:
            assert (await asyncio.to_thread(call, door.port)).endswith(b"\r\n\r\nhalf an answer")

    await on(loop, work)


@under_every_cover
async def test_a_page_goes_out_no_faster_than_it_is_taken_R23(cover: Cover) -> None:
    async with house(Recorder(), cover=cover) as door, asyncio.timeout(PATIENCE_S):
        reader, writer = await dial(door.port, cover.trust, limit=1024)
        writer.write(request("GET /pour", is_last=True))
        await reader.readexactly(1)
        for _ in range(1000):
            await asyncio.sleep(0)
        (connection,) = door._connections
        assert connection.transport.get_write_buffer_size() < POURED_BYTES / 10
        assert len(await rest_of(reader)) > POURED_BYTES
        writer.close()


async def test_pages_leave_nothing_running_behind_them_R23() -> None:
    async with house(Recorder()) as door, asyncio.timeout(PATIENCE_S):
        reader, writer = await dial(door.port)
        before = len(asyncio.all_tasks())
        for _ in range(10):
            writer.write(request("GET /show/page"))
            assert (await one_answer(reader)).status == 200
        while len(asyncio.all_tasks()) > before:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)
        writer.close()


@under_every_cover
async def test_a_client_that_does_not_take_a_page_loses_the_connection_R25(cover: Cover) -> None:
    limits = chassis.web.Limits(answer_deadline_s=0.05)
    async with house(Recorder(), page_limits=limits, cover=cover) as door, asyncio.timeout(PATIENCE_S):
        reader, writer = await dial(door.port, cover.trust, limit=1024)
        writer.write(request("GET /pour"))
        await door.stop(grace_s=PATIENCE_S)
        assert len(await rest_of(reader)) < POURED_BYTES
        writer.close()


@under_every_cover
async def test_a_client_that_goes_leaves_no_page_behind(cover: Cover) -> None:
    async with house(Recorder(), cover=cover) as door, asyncio.timeout(PATIENCE_S):
        reader, writer = await dial(door.port, cover.trust, limit=1024)
        writer.write(request("GET /pour"))
        await reader.readexactly(1000)
        writer.transport.abort()
        await door.stop(grace_s=PATIENCE_S)
        assert not door._requests


LEFT_EARLY = {
    "nothing of its body": request("POST /echo", "Content-Length: 70000"),
    "some of its body": request("POST /echo", "Content-Length: 70000") + b"a=b",
    "some of its encoded body": request("POST /echo", "Content-Encoding: gzip", "Content-Length: 70000")
    + b"x",
    "chunks": request("POST /echo", "Transfer-Encoding: chunked") + b"3\r\na=b\r\n",
    "an expectation": request("POST /echo", "Content-Length: 70000", "Expect: 100-continue"),
    "all of it": request("POST /echo", body=b"a=b"),
}


@pytest.mark.parametrize("sent", LEFT_EARLY.values(), ids=LEFT_EARLY.keys())
@pytest.mark.parametrize("is_abrupt", [False, True], ids=["goodbye", "reset"])
@under_every_cover
async def test_a_client_that_leaves_at_once_is_no_mistake_of_ours(
    sent: bytes, cover: Cover, caplog: pytest.LogCaptureFixture, *, is_abrupt: bool
) -> None:
    async with house(Recorder(), cover=cover) as door, asyncio.timeout(PATIENCE_S):
        _, writer = await dial(door.port, cover.trust)
        while not door._connections:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)
        writer.write(sent)
        writer.transport.abort() if is_abrupt else writer.close()
        while door._connections or door._requests:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)
    assert [each.msg for each in caplog.records if each.levelno >= logging.ERROR] == []


@on_every_loop
async def test_a_client_whose_tls_breaks_in_the_middle_of_a_body_is_no_mistake_of_ours_T09(
    loop: MakeLoop, caplog: pytest.LogCaptureFixture
) -> None:
    def call(port: int, is_reached: Callable[[], None]) -> None:
        with calling(port) as secured:
            secured.sendall(LEFT_EARLY["some of its body"])
            is_reached()
            with socket.socket(fileno=secured.detach()) as below:
                below.settimeout(PATIENCE_S)
                below.sendall(b"no record of TLS")
                with contextlib.suppress(ConnectionError):
                    read_all(below, bytearray())

    async def reach(door: Door) -> None:
        while not door._requests:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)

    async def work() -> None:
        inside = asyncio.get_running_loop()
        async with house(Recorder(), cover=TLS) as door:

            def is_reached() -> None:
                asyncio.run_coroutine_threadsafe(reach(door), inside).result(PATIENCE_S)

            await asyncio.to_thread(call, door.port, is_reached)
            while door._connections or door._requests:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0)

    await on(loop, work)
    assert [each.msg for each in caplog.records if each.levelno >= logging.ERROR] == []


@under_every_cover
async def test_an_expectation_is_met_once_for_a_page(cover: Cover) -> None:
    async with house(Recorder(), cover=cover) as door, asyncio.timeout(PATIENCE_S):
        reader, writer = await dial(door.port, cover.trust)
        writer.write(request("POST /echo", "Content-Length: 3", "Expect: 100-continue"))
        assert (await one_answer(reader)).status == 100
        writer.write(b"a=b")
        assert (await one_answer(reader)).status == 200
        writer.close()


async def test_a_client_that_asks_is_not_told_to_go_on_with_what_no_page_may_have_T09() -> None:
    too_much = f"Content-Length: {BODY_BYTES_MAX + 1}"
    async with house(Recorder()) as door:
        (answer,) = heard(await exchange(door.port, request("POST /echo", too_much, "Expect: 100-continue")))
    assert answer.status == 413


def test_a_site_that_has_not_been_started_takes_nothing() -> None:
    site = chassis.web.SocketlessSite(routes=ROUTES, body_bytes_max=1, is_strict_transport=True)
    with pytest.raises(RuntimeError):
        site.open(None)  # type: ignore[arg-type]
