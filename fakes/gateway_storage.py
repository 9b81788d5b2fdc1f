"""Amazon's storage of documents in memory, and a desktop that takes documents."""

from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from chassis.secrecy import Secret
from services.gateway.model.documents import DocumentMissing
from services.gateway.model.faults import UpstreamLost

CHUNK_BYTES = 1_024


@dataclass
class FakeFetched:
    """A document: its bytes by chunks, and after them perhaps a fault."""

    body: bytes
    content_type: str = "text/plain; charset=Cp1252"
    content_encoding: str = ""
    length_bytes: int | None = None
    fault: Exception | None = None
    each: Callable[[], None] | None = None

    async def chunks(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self.body), CHUNK_BYTES):
            if self.each is not None:
                self.each()
            yield self.body[at : at + CHUNK_BYTES]
        if self.fault is not None:
            raise self.fault


@dataclass
class FakeStorage:
    """Objects by link. `faults` come first, one for each request."""

    objects: dict[str, FakeFetched] = field(default_factory=dict)
    stored: dict[str, tuple[bytes, list[tuple[str, str]]]] = field(default_factory=dict)
    faults: deque[Exception] = field(default_factory=deque)
    fetches: int = 0
    open: int = 0

    @asynccontextmanager
    async def fetch(self, url: Secret[str]) -> AsyncIterator[FakeFetched]:
        self.fetches += 1
        if self.faults:
            raise self.faults.popleft()
        if url.reveal() not in self.objects:
            raise DocumentMissing
        self.open += 1
        try:
            yield self.objects[url.reveal()]
        finally:
            self.open -= 1

    async def store(
        self,
        url: Secret[str],
        headers: Sequence[tuple[str, str]],
        chunks: AsyncIterator[bytes],
        *,
        length_bytes: int,
    ) -> None:
        self.stored[url.reveal()] = (await self._taken(chunks, length_bytes), list(headers))

    async def submit(
        self, url: Secret[str], content_type: str, chunks: AsyncIterator[bytes], *, length_bytes: int
    ) -> None:
        body = await self._taken(chunks, length_bytes)
        self.stored[url.reveal()] = (body, [("content-type", content_type)])

    async def _taken(self, chunks: AsyncIterator[bytes], length_bytes: int) -> bytes:
        if self.faults:
            raise self.faults.popleft()
        body = b"".join([chunk async for chunk in chunks])
        if len(body) != length_bytes:
            raise UpstreamLost
        return body


@dataclass
class FakeReceiver:
    """A desktop that takes a document. After `leaves_after` bytes it has gone."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    is_ended: bool = False
    leaves_after: int | None = None

    async def begin(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        self.status, self.headers = status, dict(headers)

    async def write(self, chunk: bytes) -> None:
        self.body += chunk
        if self.leaves_after is not None and len(self.body) > self.leaves_after:
            raise ConnectionError

    async def end(self) -> None:
        self.is_ended = True
