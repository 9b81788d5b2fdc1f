"""A server that answers every request with the same 1 KB of JSON, and names a limit that nobody reaches.

Run as `python -m bench.upstream FOLDER PORT`; FOLDER holds server.pem and server.key.
"""

import asyncio
import ssl
import sys
from pathlib import Path
from typing import cast

import uvloop

LOOPBACK = "127.0.0.1"
BODY_BYTES = 1_024
FILLING = b'{"payload":"'
BODY = FILLING + b"x" * (BODY_BYTES - len(FILLING) - 2) + b'"}'
HEAD_END = b"\r\n\r\n"
HEAD_BYTES_MAX = 65_536
# The highest rate that the gateway takes for one.
LIMIT_PER_S = 10_000
ANSWER = (
    f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n"
    f"x-amzn-RateLimit-Limit: {LIMIT_PER_S}\r\n\r\n"
).encode() + BODY


class Answering(asyncio.Protocol):
    """One connection; requests have no body."""

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers are written to."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        *whole, self._received = (self._received + data).split(HEAD_END)
        self._transport.write(ANSWER * len(whole))
        if len(self._received) > HEAD_BYTES_MAX:
            self._transport.abort()


def server_tls(folder: Path) -> ssl.SSLContext:
    """Return a server's side of TLS 1.3."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    tls.load_cert_chain(folder / "server.pem", folder / "server.key")
    return tls


async def _serve(folder: Path, port: int) -> None:
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(Answering, LOOPBACK, port, ssl=server_tls(folder))
    await listener.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
