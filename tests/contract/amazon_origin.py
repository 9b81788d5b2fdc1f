"""An origin of Amazon's on loopback, over TLS: it plays what a test wrote for each request."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import chassis.crypto.tls
from chassis.secrecy import Secret
from fakes.certificates import Authority
from services.gateway import amazon
from services.gateway.model.calls import Region, UpstreamAnswer, UpstreamRequest

PATIENCE_S = 10.0
TOKEN = "Atza|lent"

Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def wire(status: str, body: bytes = b"{}", **headers: str) -> bytes:
    """Return an answer as bytes; underscores in header names stand for hyphens, empty values for none."""
    named = {"content_type": "application/json", "content_length": str(len(body)), **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in named.items() if value]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


def saying(*parts: bytes) -> Play:
    """Send bytes."""

    async def play(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return play


OK = saying(wire("200 OK", b'{"a":1}', x_amzn_RequestId="r-1"))


def request(path: str, *, body: bytes = b"", query: str = "") -> UpstreamRequest:
    return UpstreamRequest(
        region=Region.NA,
        method="POST" if body else "GET",
        path=path,
        query=query,
        headers=[("accept", "application/json"), ("user-agent", "Sallyport/test")],
        body=body,
        token=Secret(TOKEN),
    )


@dataclass
class Origin:
    """What the origin does and saw.

    Attributes:
        plays: by path; every other path is OK.
        heard: the head of each request, in order of arrival.
        connections: one number per request: the connection it came over, counted from 1.
        is_closing: end each connection after its first answer, without a word in the answer's head.
    """

    plays: dict[str, Play]
    heard: list[bytes] = field(default_factory=list)
    connections: list[int] = field(default_factory=list)
    is_closing: bool = False
    opened: int = 0
    ended: int = 0
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        number = self.opened
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while await self._answer(reader, writer, number):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            self.ended += 1
            writer.close()
            self._serving.discard(task)

    async def close(self) -> None:
        """End what is still being played."""
        tasks = list(self._serving)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heard.append(head)
        self.connections.append(number)
        target = head.split(b" ")[1].decode().partition("?")[0]
        await self.plays.get(target, OK)(reader, writer)
        return not self.is_closing


@dataclass
class Real:
    """The real adapter, and the origin at its other end."""

    upstream: amazon.Amazon
    origin: Origin

    async def send(
        self, part: str, timeout_s: float = PATIENCE_S, *, region: Region = Region.NA
    ) -> UpstreamAnswer:
        return await self.upstream.send(replace(request(part), region=region), timeout_s=timeout_s)


@asynccontextmanager
async def open_origin(
    folder: Path, origin: Origin, *, names: tuple[str, ...] = ("localhost",)
) -> AsyncIterator[Real]:
    """Give the adapter with its origin; region EU leads to where nobody listens."""
    authority = Authority()
    tls = chassis.crypto.tls.public_context(authority.issue(*names))
    context = chassis.crypto.tls.outward_context(authority.write_ca(folder))
    async with AsyncExitStack() as stack:
        server = await asyncio.start_server(origin.serve, "127.0.0.1", 0, ssl=tls)
        stack.callback(server.close)
        stack.push_async_callback(origin.close)
        port = server.sockets[0].getsockname()[1]
        base_urls = {Region.NA: f"https://localhost:{port}", Region.EU: "https://localhost:1/"}
        connecting = amazon.Amazon.connect(base_urls=base_urls, tls=context)
        yield Real(await stack.enter_async_context(connecting), origin)
