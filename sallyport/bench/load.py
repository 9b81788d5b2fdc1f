"""The load: keep-alive TLS connections, each sending its next request when it has its answer.

It must cost less than what it measures, so it reads of an answer only the status and the length, on bare
protocols. How much of its processor it needed is for whoever measures to show: near all of it, a proxy's own
pace was not seen, and only what the proxy's processor spent for each request means something.
"""

import asyncio
import re
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import cast

import aiofastnet

# As many of one device's calls as may wait for a permit at once, and a few less.
CONNECTIONS = 48
CONNECT_S_MAX = 10.0
ROUND_S_MAX = 120.0
HEAD_END = b"\r\n\r\n"
LENGTH_FORM = re.compile(rb"\r\ncontent-length: *([0-9]{1,9})\r", re.IGNORECASE)
SUCCESS = b"HTTP/1.1 200"
SAID_BYTES_MAX = 200


class LoadFailed(Exception):
    """An answer was no success, so that its cost would mean nothing; the text holds its beginning."""


def get(target: str, *, host: str = "localhost", **headers: str) -> bytes:
    """Return a GET request; underscores in header names become dashes."""
    lines = [f"GET {target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines)).encode() + HEAD_END


class Round:
    """What a round of requests shares: the requests left, how long it goes on, and what came back."""

    def __init__(self, requests: Iterator[bytes], until_s: float) -> None:
        self.latencies_s: list[float] = []
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._until_s = until_s
        self._under_way = 0

    def take(self) -> bytes | None:
        """Return the next request; None when this connection's round is over."""
        request = next(self._requests, None) if time.perf_counter() < self._until_s else None
        self._under_way += request is not None
        if request is None and not self._under_way and not self.over.done():
            self.over.set_result(None)
        return request

    def came(self, elapsed_s: float) -> None:
        """Note one answer."""
        self._under_way -= 1
        self.latencies_s.append(elapsed_s)

    def failed(self, reason: Exception) -> None:
        """End the round for all its connections."""
        if not self.over.done():
            self.over.set_exception(reason)


class Talk(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._round: Round | None = None
        self._head = b""
        self._missing_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what requests are written to."""
        self._transport = cast("asyncio.Transport", transport)

    def begin(self, shared: Round) -> None:
        """Send this connection's first request of a round."""
        self._round = shared
        self._send(shared)

    def data_received(self, data: bytes) -> None:
        """Send the next request when the answer is whole."""
        shared = self._round
        if shared is None:
            return
        if self._missing_bytes:
            self._missing_bytes -= len(data)
        else:
            self._head += data
            end = self._head.find(HEAD_END)
            if end < 0:
                return
            found = LENGTH_FORM.search(self._head, 0, end + 2)
            if found is None or not self._head.startswith(SUCCESS):
                status, body = self._head.partition(b"\r")[0], self._head[end + len(HEAD_END) :]
                shared.failed(LoadFailed((status + b" " + body[:SAID_BYTES_MAX]).decode(errors="replace")))
                return
            self._missing_bytes = int(found[1]) - (len(self._head) - end - len(HEAD_END))
            self._head = b""
        if not self._missing_bytes:
            shared.came(time.perf_counter() - self._sent_s)
            self._send(shared)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the round: nobody closes a connection in the middle of one."""
        if self._round is not None:
            self._round.failed(exc or LoadFailed("the connection was closed"))

    def close(self) -> None:
        """End the connection."""
        self._round = None
        self._transport.abort()

    def _send(self, shared: Round) -> None:
        request = shared.take()
        if request is not None:
            self._sent_s = time.perf_counter()
            self._transport.write(request)


class Load:
    """Open connections to one server."""

    def __init__(self, talks: Sequence[Talk]) -> None:
        self._talks = talks

    async def drive(self, requests: Iterator[bytes], *, seconds: float) -> list[float]:
        """Send requests, each over whichever connection is free; return the latencies in seconds.

        Args:
            requests: ends the round early when it ends.
            seconds: how long new ones are sent.

        Raises:
            LoadFailed: an answer was no success, or a connection ended.
            TimeoutError: an answer did not come within ROUND_S_MAX.
        """
        shared = Round(requests, time.perf_counter() + seconds)
        for talk in self._talks:
            talk.begin(shared)
        async with asyncio.timeout(seconds + ROUND_S_MAX):
            await shared.over
        return shared.latencies_s


@asynccontextmanager
async def connected(
    address: tuple[str, int], tls: ssl.SSLContext, *, connections: int = CONNECTIONS, name: str = "localhost"
) -> AsyncIterator[Load]:
    """Give connections, so that handshakes are no part of what is measured.

    Args:
        address: host and port.
        tls: the client's side.
        connections: how many.
        name: what the certificate must name.
    """
    loop, talks = asyncio.get_running_loop(), list[Talk]()
    try:
        for _ in range(connections):
            async with asyncio.timeout(CONNECT_S_MAX):
                _, talk = await aiofastnet.create_connection(
                    loop, Talk, *address, ssl=tls, server_hostname=name
                )
            talks.append(talk)
        yield Load(talks)
    finally:
        for talk in talks:
            talk.close()
