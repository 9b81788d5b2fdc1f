"""The door on a loopback socket, faces to stand behind it, and a client that sends what it likes."""

import asyncio
import functools
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvloop

import chassis.crypto.tls
import chassis.env
from services.gateway.door import Door, Way, Ways
from services.gateway.door.limits import Limits
from services.gateway.door.request import Face, Request
from services.gateway.door.ways import ANY_METHOD, ANY_PATH
from services.gateway.model.calls import Answer
from tests.unit.gateway.doors import tls

LOOPBACK = chassis.env.Address("127.0.0.1", 0)
EVENT = "gateway.call.answered"
# Long enough for any answer on a busy machine, short beside the test's own time-out.
PATIENCE_S = 30.0
# Deadlines that nobody here waits for, but for the one that a test makes short.
LIMITS = Limits(linger_s_max=0.01, look_s=0.01)

LOOPS = {"the production's loop": uvloop.new_event_loop, "Python's loop": asyncio.new_event_loop}
on_every_loop = pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS.keys())
MakeLoop = Callable[[], asyncio.AbstractEventLoop]


async def on(loop: MakeLoop, work: Callable[[], Awaitable[Any]]) -> Any:
    """Return what comes of work on an event loop of its own."""

    async def within_patience() -> Any:
        async with asyncio.timeout(PATIENCE_S):
            return await work()

    def run() -> Any:
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(within_patience())

    return await asyncio.to_thread(run)


@dataclass(frozen=True)
class Cover:
    """What lies over the bytes between a client and the door.

    Attributes:
        contexts: the door's; None when nothing does.
        trust: the client's.
    """

    contexts: Callable[[], ssl.SSLContext] | None
    trust: ssl.SSLContext | None


def _tls() -> Cover:
    certificate, trust = tls()
    context = chassis.crypto.tls.public_context(certificate)
    return Cover(lambda: context, trust)


NOTHING, TLS = Cover(None, None), _tls()
COVERS = {"bare": NOTHING, "as in production": TLS}
Test = Callable[..., Awaitable[None]]


def under_every_cover(test: Test) -> Test:
    """Run a test without TLS on the tests' own loop, and with it on the production's."""

    @functools.wraps(test)
    async def run(cover: Cover, **given: Any) -> None:
        if cover is NOTHING:
            await test(cover=cover, **given)
        else:
            await on(uvloop.new_event_loop, functools.partial(test, cover=cover, **given))

    mark = pytest.mark.parametrize("cover", COVERS.values(), ids=COVERS.keys())
    covered: Test = mark(run)
    return covered


@dataclass
class Recorder:
    """A face that reads whole bodies and answers with what it saw."""

    body_bytes_max: int = 1000
    seen: list[tuple[str, str, bytes]] = field(default_factory=list)

    async def handle(self, request: Request) -> None:
        body = await request.receive(self.body_bytes_max)
        self.seen.append((request.head.method, request.head.target, body))
        told = {"method": request.head.method, "target": request.head.target, "size": len(body)}
        request.answer(Answer(200, [("content-type", "application/json")], json.dumps(told).encode()))


@dataclass
class Script:
    """A face that does what a test says."""

    act: Callable[[Request], Any]

    async def handle(self, request: Request) -> None:
        await self.act(request)


@dataclass
class FakeSignals:
    """Keeps the codes of what was refused."""

    refusals: list[str] = field(default_factory=list)

    def refused(self, code: str) -> None:
        self.refusals.append(code)


class Gate:
    """A face that waits until it is let go, and tells when it has been reached."""

    def __init__(self) -> None:
        self.is_reached = asyncio.Event()
        self.may_pass = asyncio.Event()

    async def handle(self, request: Request) -> None:
        self.is_reached.set()
        await self.may_pass.wait()
        request.answer(Answer(200, [], b"done"))


def everything(face: Face) -> Ways:
    """Return ways that all lead to one face."""
    return Ways([Way(ANY_METHOD, ANY_PATH, face, EVENT)])


@asynccontextmanager
async def serving(
    face: Face | Ways,
    limits: Limits = LIMITS,
    tls: Callable[[], ssl.SSLContext] | None = None,
    signals: FakeSignals | None = None,
    *,
    is_strict_transport: bool = True,
) -> AsyncIterator[Door]:
    """Open a door."""
    ways = face if isinstance(face, Ways) else everything(face)
    door = Door(
        listen=LOOPBACK,
        tls=tls,
        ways=ways,
        signals=signals or FakeSignals(),
        is_strict_transport=is_strict_transport,
        limits=limits,
    )
    await door.start()
    try:
        yield door
    finally:
        await door.stop(grace_s=0)


@dataclass
class Heard:
    """One answer, headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The stable code of a refusal in Amazon's shape."""
        details: str = json.loads(self.body)["errors"][0]["details"]
        return details.partition(":")[0]


def heard(data: bytes, methods: Sequence[str] = ()) -> list[Heard]:
    """Return the answers in what came, in order; `methods` are those asked with, GET if not said."""
    answers, asked = [], iter(methods)
    while data:
        head, separator, data = data.partition(b"\r\n\r\n")
        assert separator, f"an answer broke off: {head!r}"
        status_line, *lines = head.decode("latin-1").split("\r\n")
        status = int(status_line.split(" ")[1])
        headers = dict(line.lower().split(": ", 1) for line in lines)
        body = b""
        if status >= 200 and next(asked, "GET") != "HEAD":
            body, data = _body(headers, data)
        answers.append(Heard(status, headers, body))
    return answers


def _body(headers: dict[str, str], data: bytes) -> tuple[bytes, bytes]:
    if headers.get("transfer-encoding") == "chunked":
        parts = []
        while True:
            line, _, data = data.partition(b"\r\n")
            size = int(line, 16)
            parts.append(data[:size])
            assert data[size : size + 2] == b"\r\n"
            data = data[size + 2 :]
            if not size:
                return b"".join(parts), data
    if "content-length" not in headers:
        return data, b""
    length = int(headers["content-length"])
    assert len(data) >= length, "an answer broke off"
    return data[:length], data[length:]


async def exchange(port: int, data: bytes, tls: ssl.SSLContext | None = None) -> bytes:
    """Send bytes and return everything that comes until the other side closes."""
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await dial(port, tls)
        try:
            writer.write(data)
            return await rest_of(reader)
        finally:
            writer.close()


async def dial(
    port: int, tls: ssl.SSLContext | None = None, limit: int = 1 << 16
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection to the door; its reader takes twice `limit` bytes before somebody reads them."""
    name = "localhost" if tls else None
    return await asyncio.open_connection("127.0.0.1", port, limit=limit, ssl=tls, server_hostname=name)


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """Read to the end, however abrupt it is."""
    parts = []
    try:
        while part := await reader.read(1 << 20):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


async def one_answer(reader: asyncio.StreamReader) -> Heard:
    """Read one answer with a content-length, or without a body."""
    async with asyncio.timeout(PATIENCE_S):
        head = await reader.readuntil(b"\r\n\r\n")
        answer = heard(head, ["HEAD"])[0]
        if length := int(answer.headers.get("content-length", "0")):
            answer.body = await reader.readexactly(length)
        return answer


@contextmanager
def calling(port: int) -> Iterator[ssl.SSLSocket]:
    """Call from a thread of one's own; nothing is read before somebody asks for it."""
    _, trust = tls()
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as raw,
        trust.wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False) as secured,
    ):
        yield secured


def read_all(source: socket.socket, into: bytearray) -> None:
    while part := source.recv(1 << 16):
        into += part


def request(start: str, *lines: str, body: bytes = b"", is_last: bool = False) -> bytes:
    """Return one well-formed request."""
    head = [f"{start} HTTP/1.1", "Host: x", *lines]
    head += [f"Content-Length: {len(body)}"] if body else []
    head += ["Connection: close"] if is_last else []
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body
