"""Amazon's storage on a loopback port: documents of any size made and taken chunk by chunk, and mischief.

It also answers the two calls of Amazon's API that bring links, so that a gateway can be led here.
"""

import asyncio
import hashlib
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

CHUNK = bytes(range(256)) * 256
# What S3 says of a link that has ended: it names bucket, key and more.
EXPIRED_XML = (
    b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message>"
    b"<BucketName>secret-bucket</BucketName><Key>secret-key</Key></Error>"
)

Play = Callable[["Seen", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Seen:
    """A request as it came, and what became of its body."""

    method: str
    target: str
    headers: Mapping[str, str]
    body_bytes: int = 0
    digest: str = ""
    is_whole: bool = False
    is_over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class StorageServer:
    """Plays by path, else what `otherwise` knows; what neither does is missing."""

    plays: dict[str, Play] = field(default_factory=dict)
    otherwise: Callable[[str], Play | None] = lambda _path: None
    seen: list[Seen] = field(default_factory=list)
    writers: set[asyncio.StreamWriter] = field(default_factory=set)
    port: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self, tls: ssl.SSLContext) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        self._server.close()
        for writer in list(self.writers):
            writer.transport.abort()
        await self._server.wait_closed()

    def url(self, path: str) -> str:
        return f"https://localhost:{self.port}{path}?X-Amz-Expires=300&X-Amz-Signature=5e"

    async def arrival(self, path: str) -> Seen:
        """Return the latest request for a path, when there is one."""
        while True:
            for each in reversed(self.seen):
                if each.target.startswith(path):
                    return each
            self.news.clear()
            await self.news.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        seen = Seen("", "", {})
        try:
            seen = await _head(reader)
            self.seen.append(seen)
            self.news.set()
            path = seen.target.partition("?")[0]
            play = self.plays.get(path) or self.otherwise(path) or missing
            await play(seen, reader, writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()
            seen.is_over.set()


async def _head(reader: asyncio.StreamReader) -> Seen:
    request, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = request.split(" ")
    pairs = (line.partition(":") for line in lines if line)
    return Seen(method, target, {name.lower(): value.strip() for name, _, value in pairs})


def saying(status: str, body: bytes = b"", **headers: str) -> Play:
    """Return a play that answers like this, whatever is asked, and takes nothing."""

    async def play(_seen: Seen, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        named = {"content-length": str(len(body)), **{k.replace("_", "-"): v for k, v in headers.items()}}
        lines = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value)
        writer.write(f"HTTP/1.1 {status}\r\nconnection: close\r\n{lines}\r\n".encode() + body)

    return play


def giving(chunks: int, *, cut_after: int | None = None) -> Play:
    """Return a play that gives a document of so many CHUNKs, no faster than it is taken; perhaps cut off."""

    async def play(seen: Seen, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = chunks * len(CHUNK)
        head = f"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n\r\n"
        writer.write(head.encode())
        for at in range(chunks):
            if at == cut_after:
                writer.transport.abort()
                return
            writer.write(CHUNK)
            await writer.drain()
            seen.body_bytes += len(CHUNK)
        seen.is_whole = True

    return play


async def taking(seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take a document whole and digest it."""
    digest, left = hashlib.sha256(), int(seen.headers["content-length"])
    while left:
        chunk = await reader.read(min(left, 65_536))
        if not chunk:
            return
        digest.update(chunk)
        left -= len(chunk)
        seen.body_bytes += len(chunk)
    seen.digest, seen.is_whole = digest.hexdigest(), True
    writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 0\r\netag: "x"\r\n\r\n')


missing = saying("404 Not Found", b"<Error><Code>NoSuchKey</Code></Error>", content_type="application/xml")
ended = saying("403 Forbidden", EXPIRED_XML, content_type="application/xml")


def digest_of(chunks: int) -> str:
    """Return the digest of so many CHUNKs."""
    digest = hashlib.sha256()
    for _ in range(chunks):
        digest.update(CHUNK)
    return digest.hexdigest()
