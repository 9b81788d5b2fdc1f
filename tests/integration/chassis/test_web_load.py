"""The HTTP edge over real sockets: its bounds under load, and its end."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

import chassis.env
import chassis.errors
import chassis.web
from tests.integration.chassis.web_stage import PATIENCE_S, ROUTES, ask, exchange, serving


@pytest.fixture(scope="module")
async def port() -> AsyncIterator[int]:
    async with serving() as site:
        yield site.port


class Gate:
    """A handler that waits until it is let go, and tells when it has been reached."""

    def __init__(self) -> None:
        self.is_reached = asyncio.Event()
        self.may_pass = asyncio.Event()

    async def wait(self, _request: web.Request) -> web.Response:
        self.is_reached.set()
        await self.may_pass.wait()
        return web.Response(text="done")

    @property
    def routes(self) -> list[chassis.web.Route]:
        return [chassis.web.Route("GET", "/", self.wait, "test.page.read")]


async def test_more_requests_than_served_at_a_time_are_503_at_once_R23() -> None:
    gate = Gate()
    async with serving(gate.routes, chassis.web.Limits(requests_max=1)) as site:
        first = asyncio.create_task(ask(site.port, "GET /"))
        await gate.is_reached.wait()
        second = await ask(site.port, "GET /")
        assert (second.status, second.document["code"]) == (503, "overloaded")
        assert second.headers["retry-after"] == "1"
        gate.may_pass.set()
        assert (await first).status == 200


async def unfinished(port: int, *lines: str) -> asyncio.StreamWriter:
    """Begin a request whose body never comes whole, and return once the server waits for the rest."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = ["POST /wait HTTP/1.1", "Host: x", "Expect: 100-continue", *lines, "", ""]
    writer.write("\r\n".join(head).encode())
    async with asyncio.timeout(PATIENCE_S):
        assert b"100 Continue" in await reader.readuntil(b"\r\n\r\n")
    writer.write(b"1")
    return writer


async def test_clients_that_are_slow_with_their_bodies_keep_nobody_out_R25() -> None:
    gate = Gate()
    gate.may_pass.set()
    routes = [*gate.routes, chassis.web.Route("POST", "/wait", gate.wait, "test.page.written")]
    async with serving(routes, chassis.web.Limits(requests_max=2)) as site:
        slow = [await unfinished(site.port, "Content-Length: 10") for _ in range(3)]
        assert (await ask(site.port, "GET /")).status == 200
        for writer in slow:
            writer.close()


@pytest.mark.parametrize(
    "size", ["Content-Length: 70000", "Transfer-Encoding: chunked"], ids=["said", "unsaid"]
)
async def test_more_large_bodies_than_held_at_a_time_are_503_and_small_ones_pass_R23(size: str) -> None:
    gate = Gate()
    gate.may_pass.set()
    routes = [chassis.web.Route("POST", "/wait", gate.wait, "test.page.written")]
    limits = chassis.web.Limits(large_bodies_max=1)
    async with serving(routes, limits, body_bytes_max=100_000) as site:
        large = await unfinished(site.port, size)
        refused = await ask(site.port, "POST /wait", body=b"1" * 70_000)
        assert (refused.status, refused.document["code"]) == (503, "overloaded")
        assert (await ask(site.port, "POST /wait", body=b"small")).status == 200
        large.close()


async def test_more_connections_than_held_at_a_time_are_closed_R23() -> None:
    gate = Gate()
    async with serving(gate.routes, chassis.web.Limits(connections_max=1)) as site:
        first = asyncio.create_task(ask(site.port, "GET /"))
        await gate.is_reached.wait()
        assert await exchange(site.port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") == b""
        gate.may_pass.set()
        assert (await first).status == 200


async def test_a_request_in_flight_is_finished_while_stopping_R16() -> None:
    gate = Gate()
    async with serving(gate.routes) as site:
        port = site.port
        request = asyncio.create_task(ask(port, "GET /", is_kept=True))
        await gate.is_reached.wait()
        stopping = asyncio.create_task(site.stop(grace_s=PATIENCE_S))
        gate.may_pass.set()
        answer = await request
        await stopping
        assert (answer.body, answer.headers["connection"]) == (b"done", "close")
        with pytest.raises(ConnectionError):
            await asyncio.open_connection("127.0.0.1", port)


async def test_a_request_that_outlasts_the_grace_is_cut_off_R16() -> None:
    gate = Gate()
    async with serving(gate.routes) as site:
        request = asyncio.create_task(exchange(site.port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
        await gate.is_reached.wait()
        await site.stop(grace_s=0.01)
        assert await request == b""


async def test_an_address_in_use_refuses_the_start(port: int) -> None:
    site = chassis.web.Site(listen=chassis.env.Address("127.0.0.1", port), routes=ROUTES, body_bytes_max=1)
    with pytest.raises(chassis.errors.StartRefused) as caught:
        await site.start()
    assert caught.value.code == "address_unavailable"
