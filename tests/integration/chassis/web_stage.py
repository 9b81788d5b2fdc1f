"""A site over real sockets, routes behind it, and a client that sends what it likes."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

import chassis.env
import chassis.errors
import chassis.trace
import chassis.web

LOOPBACK = chassis.env.Address("127.0.0.1", 0)
BODY_BYTES_MAX = 1000
# Long enough for any answer on a busy machine, short beside the test's own time-out.
PATIENCE_S = 30.0


class TooPoor(chassis.errors.LimitExceeded):
    code = "too_poor"
    text = "The budget is used up."


@dataclass
class Answer:
    """What came back over a raw connection, headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


def parsed(data: bytes) -> Answer:
    head, _, body = data.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return Answer(int(status_line.split(" ")[1]), headers, body)


async def exchange(port: int, data: bytes) -> bytes:
    """Send bytes and return everything that comes until the other side closes."""
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(data)
            await writer.drain()
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """Read to the end, however abrupt it is."""
    parts = []
    try:
        while part := await reader.read(1 << 20):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


async def ask(port: int, start: str, *lines: str, body: bytes = b"", is_kept: bool = False) -> Answer:
    """Send one well-formed request; unless kept, ask for the connection to end."""
    head = [f"{start} HTTP/1.1", "Host: x", *lines]
    if not is_kept:
        head.append("Connection: close")
    if body:
        head.append(f"Content-Length: {len(body)}")
    return parsed(await exchange(port, "\r\n".join([*head, "", ""]).encode() + body))


async def echo(request: web.Request) -> web.Response:
    body = await request.read()
    return web.json_response({"method": request.method, "size": len(body), "id": chassis.trace.request_id()})


async def fail(_request: web.Request) -> web.Response:
    raise ValueError("Jane Doe, Atzr|abc")


async def refuse(_request: web.Request) -> web.Response:
    raise TooPoor(retry_after_s=2.2)


async def redirect(_request: web.Request) -> web.Response:
    raise web.HTTPSeeOther("/elsewhere")


async def break_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"half an answer")
    raise ValueError("Jane Doe")


def in_own_shape(_request: web.Request, error: chassis.errors.SallyportError) -> web.Response:
    return web.json_response({"errors": [{"code": error.code}]}, status=error.http_status)


ROUTES = (
    chassis.web.Route("POST", "/echo", echo, "test.echo.sent"),
    chassis.web.Route("GET", "/fail", fail, "test.fail.read"),
    chassis.web.Route("GET", "/refuse", refuse, "test.refuse.read"),
    chassis.web.Route("GET", "/redirect", redirect, "test.redirect.read"),
    chassis.web.Route("GET", "/half", break_off, "test.half.read"),
)
CATCH_ALL = chassis.web.Route("*", "/{path:.*}", echo, "test.any.sent", render_error=in_own_shape)


@asynccontextmanager
async def serving(
    routes: Sequence[chassis.web.Route] = ROUTES,
    limits: chassis.web.Limits | None = None,
    *,
    body_bytes_max: int = BODY_BYTES_MAX,
) -> AsyncIterator[chassis.web.Site]:
    site = chassis.web.Site(
        listen=LOOPBACK,
        routes=routes,
        body_bytes_max=body_bytes_max,
        limits=limits or chassis.web.Limits(),
    )
    await site.start()
    try:
        yield site
    finally:
        await site.stop(grace_s=0)
