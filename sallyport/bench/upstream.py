"""A server that answers from memory and names a limit that nobody reaches: it stands for Amazon.

Run as `python -m sallyport.bench.upstream FOLDER PORT`; FOLDER holds server.pem, server.key, `small`, which
answers every request, and perhaps `page`, which answers those for a list of orders.
"""

import asyncio
import ssl
import sys
from pathlib import Path
from typing import cast

import aiofastnet
import uvloop

LOOPBACK = "127.0.0.1"
SMALL, PAGE = "small", "page"
ORDERS = b"GET /orders/v0/orders?"
HEAD_END = b"\r\n\r\n"
HEAD_BYTES_MAX = 65_536
# The highest rate that the gateway takes for one.
LIMIT_PER_S = 10_000


class Answering(asyncio.Protocol):
    """One connection; requests have no body."""

    def __init__(self, small: bytes, page: bytes) -> None:
        self._small = small
        self._page = page
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers are written to."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        *whole, self._received = (self._received + data).split(HEAD_END)
        for request in whole:
            self._transport.write(self._page if request.startswith(ORDERS) else self._small)
        if len(self._received) > HEAD_BYTES_MAX:
            self._transport.abort()


def server_tls(folder: Path) -> ssl.SSLContext:
    """Return a server's side of TLS 1.3."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    tls.load_cert_chain(folder / "server.pem", folder / "server.key")
    return tls


def _answer(body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"x-amzn-RateLimit-Limit: {LIMIT_PER_S}\r\n\r\n"
    )
    return head.encode() + body


async def _serve(folder: Path, port: int) -> None:
    small, page = folder / SMALL, folder / PAGE
    small_answer = _answer(small.read_bytes())
    page_answer = _answer(page.read_bytes()) if page.exists() else small_answer
    loop = asyncio.get_running_loop()
    listener = await aiofastnet.create_server(
        loop, lambda: Answering(small_answer, page_answer), LOOPBACK, port, ssl=server_tls(folder)
    )
    await listener.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
