"""The load: a few keep-alive TLS connections, each sending its next request when it has its answer."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

HOST = "localhost"
ADDRESS = "127.0.0.1"
CONNECTIONS = 16
LOAD_S_MAX = 120.0
HEAD_END = b"\r\n\r\n"
LENGTH_FORM = re.compile(rb"\r\ncontent-length: *([0-9]{1,9})\r", re.IGNORECASE)
SUCCESS = b"HTTP/1.1 200"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class LoadFailed(Exception):
    """An answer was no success, so that its cost would mean nothing."""


def get(target: str, **headers: str) -> bytes:
    """Return a GET request; underscores in header names become dashes."""
    lines = [f"GET {target} HTTP/1.1", f"Host: {HOST}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines)).encode() + HEAD_END


@asynccontextmanager
async def connected(port: int, tls: ssl.SSLContext) -> AsyncIterator[list[Streams]]:
    """Give CONNECTIONS connections, so that handshakes are no part of what is measured."""
    dialled = [
        await asyncio.open_connection(ADDRESS, port, ssl=tls, server_hostname=HOST)
        for _ in range(CONNECTIONS)
    ]
    try:
        yield dialled
    finally:
        for _, writer in dialled:
            writer.close()


async def drive(connections: list[Streams], requests: Iterator[bytes]) -> None:
    """Send every request over whichever connection is free.

    Raises:
        LoadFailed: an answer was no success.
        TimeoutError: it took longer than LOAD_S_MAX.
    """
    async with asyncio.timeout(LOAD_S_MAX):
        await asyncio.gather(*(_converse(streams, requests) for streams in connections))


async def _converse(streams: Streams, requests: Iterator[bytes]) -> None:
    reader, writer = streams
    for request in requests:
        writer.write(request)
        head = await reader.readuntil(HEAD_END)
        found = LENGTH_FORM.search(head)
        body = await reader.readexactly(int(found[1])) if found else b""
        if found is None or not head.startswith(SUCCESS):
            raise LoadFailed((head.partition(b"\r")[0] + b": " + body[:200]).decode(errors="replace"))
