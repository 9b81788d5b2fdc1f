"""Clients of the door: the kinds of slow ones, and one that is not."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"
SMALL = "/small"
LARGE = "/large"
# A slow client says something this often.
DRIP_S = 5.0
# Who was cut or refused comes again, but is slow and no flood.
COME_AGAIN_S = 10.0
DIALS_AT_ONCE = 50
# A slow reader's own buffer.
READ_BYTES = 1_024
ASK = f"GET {SMALL} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


@dataclass(frozen=True)
class Slowness:
    """One way to be slow.

    Attributes:
        first: what is sent at once.
        drip: what is sent every DRIP_S; nothing when empty.
        is_tls: whether the handshake is made.
    """

    name: str
    first: bytes
    drip: bytes = b""
    is_tls: bool = True


KINDS = (
    Slowness("connects and says nothing", b"", is_tls=False),
    Slowness("drips its handshake", b"\x16\x03\x01\x02\x00", b"\x01", is_tls=False),
    Slowness("drips its head", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"a"),
    Slowness("drips its body", b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n", b"a"),
    Slowness(
        "drips a large body", b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n", b"a"
    ),
    Slowness("does not take its answer", f"GET {LARGE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()),
)


@dataclass(frozen=True)
class Target:
    """The door, and how it is dialled."""

    port: int
    trust: ssl.SSLContext
    dialling: asyncio.Semaphore

    async def dial(self, *, is_tls: bool = True) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a connection."""
        trust, name = (self.trust, "localhost") if is_tls else (None, None)
        async with self.dialling:
            return await asyncio.open_connection(
                LOOPBACK, self.port, ssl=trust, server_hostname=name, limit=READ_BYTES
            )


async def be_slow(target: Target, kind: Slowness, arrived: asyncio.Event) -> None:
    """Be slow for ever; tells when it has arrived."""
    while True:
        # uvloop does not call a connection that was reset closing, but refuses to write to it.
        with contextlib.suppress(OSError, RuntimeError):
            await _be_slow_once(target, kind, arrived)
        await asyncio.sleep(COME_AGAIN_S)


async def _be_slow_once(target: Target, kind: Slowness, arrived: asyncio.Event) -> None:
    _reader, writer = await target.dial(is_tls=kind.is_tls)
    arrived.set()
    try:
        writer.write(kind.first)
        while not writer.is_closing():
            await asyncio.sleep(DRIP_S)
            writer.write(kind.drip)
    finally:
        writer.transport.abort()


class Swift:
    """A client that takes its answers, over one connection that it keeps."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def call(self, is_over: asyncio.Event, *, pause_s: float) -> list[float]:
        """Return how long each call took, until it is over; one at least.

        Raises:
            RuntimeError: one was refused.
        """
        waits_s: list[float] = []
        while not waits_s or not is_over.is_set():
            waits_s.append(await _timed(lambda: self._writer.write(ASK), self._reader))
            await asyncio.sleep(pause_s)
        return waits_s

    def leave(self) -> None:
        """End the connection."""
        self._writer.close()


async def _timed(ask: Callable[[], None], reader: asyncio.StreamReader) -> float:
    began_s = time.perf_counter()
    ask()
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"a swift client heard {head[:20]!r}")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
    await reader.readexactly(length)
    return time.perf_counter() - began_s
