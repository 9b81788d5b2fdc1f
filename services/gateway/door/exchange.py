"""One request and its answer, as a face sees them: `door.request.Request` on a connection."""

import asyncio
import enum
from collections.abc import AsyncIterator, Sequence

from chassis.errors import SallyportError
from chassis.web.problem import ENDING
from services.gateway.door import answers, bodies, decoding, pace
from services.gateway.door.faults import BodyTooLarge
from services.gateway.door.heads import CHUNKED, Framing
from services.gateway.door.pace import Pace
from services.gateway.door.ports import House, Line
from services.gateway.door.request import Head
from services.gateway.model.calls import Answer

# A body up to this size travels together with its head.
JOINED_BYTES_MAX = 64 * 1024
# Source: RFC 9110, 9.2.1: what changes nothing, of the methods that faces serve.
SAFE_METHODS = frozenset({"GET", "HEAD"})


class _Stage(enum.Enum):
    NEW = enum.auto()
    BEGUN = enum.auto()
    ENDED = enum.auto()


class Exchange:
    """See `door.request.Request`.

    Attributes:
        collected: the body as it came, when it was collected before anybody was called.
        request_id: empty until a face has it.
        status: of the answer; 0 before there is one.
        task: in which it is answered.
        is_abandoned: whether it was given up, because its client has gone.
    """

    __slots__ = (
        "_added",
        "_body",
        "_is_last",
        "_is_stream",
        "_left",
        "_stage",
        "_taking",
        "collected",
        "framing",
        "head",
        "house",
        "is_abandoned",
        "line",
        "request_id",
        "status",
        "task",
    )

    def __init__(self, line: Line, house: House, *, head: Head, framing: Framing) -> None:
        self.line = line
        self.house = house
        self.head = head
        self.framing = framing
        self.request_id = ""
        self.status = 0
        self.task: asyncio.Task[None] | None = None
        self.is_abandoned = False
        self.collected = b""
        self._body = bodies.framed(framing) if framing.length else None
        self._stage = _Stage.NEW
        self._added: list[tuple[str, str]] = []
        self._is_last = not framing.is_kept
        self._is_stream = False
        # What is left of a streamed answer: bytes, CHUNKED, or None until the connection ends.
        self._left: int | None = None
        self._taking: Pace | None = None

    @property
    def came_from(self) -> str:
        """See Request."""
        return self.line.came_from

    @property
    def is_begun(self) -> bool:
        """Whether some of the answer is out."""
        return self._stage is not _Stage.NEW

    @property
    def is_ended(self) -> bool:
        """Whether all of the answer is out."""
        return self._stage is _Stage.ENDED

    @property
    def is_body_whole(self) -> bool:
        """Whether the request has been read to its end."""
        return self._body is None or self._body.is_whole

    # The request's body

    def collect(self, data: bytes) -> None:
        """Take the whole body before anybody is called."""
        self.collected, self._body = data, None

    async def receive(self, bytes_max: int) -> bytes:
        """See Request."""
        if self._body is not None:
            if self.framing.length > bytes_max:
                raise BodyTooLarge
            with self.house.large_bodies.taken():
                self.collect(await self._receive(bytes_max))
        if not self.collected:
            return b""
        return decoding.decoded(self.collected, self.head.fields.values("content-encoding"), bytes_max)

    async def _receive(self, bytes_max: int) -> bytes:
        parts, size = [], 0
        async for part in self.parts(Pace(self.house.limits.body_deadline_s)):
            size += len(part)
            if size > bytes_max:
                raise BodyTooLarge
            parts.append(part)
        return b"".join(parts)

    async def chunks(self) -> AsyncIterator[bytes]:
        """See Request."""
        if self.collected:
            yield self.collected
        if self._body is None:
            return
        self._stream()
        async for part in self.parts(pace.streaming(self.house.limits.stream_deadline_s)):
            yield part

    async def parts(self, patience: Pace) -> AsyncIterator[bytes]:
        """Yield what is left of the body as it comes."""
        if self._body is None:
            return
        self._ask_for_body()
        while part := await self.line.read(self._body, patience):
            patience.move(len(part))
            yield part

    def _ask_for_body(self) -> None:
        if self.framing.expects_continue and not self.line.has_unread and not self.is_begun:
            self.line.write(answers.CONTINUE)

    # The answer

    def add_header(self, name: str, value: str) -> None:
        """See Request."""
        self._added.append((name, value))

    def answer(self, answer: Answer) -> None:
        """See Request."""
        head = self._head(answer.status, answer.headers, length=len(answer.body))
        body = answer.body if answers.has_body(self.head.method, answer.status) else b""
        if len(body) <= JOINED_BYTES_MAX:
            self.line.write(head + body)
        else:
            self.line.write(head)
            self.line.write(body)
        self._finish()

    async def begin(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """See Request."""
        given = [value for name, value in headers if name.lower() == "content-length"]
        others = [(name, value) for name, value in headers if name.lower() != "content-length"]
        length = int(given[0]) if given else None if self.framing.is_old else CHUNKED
        self._stream()
        self.line.write(self._head(status, others, length=length))
        self._left = length if answers.has_body(self.head.method, status) else 0
        self._taking = pace.streaming(self.house.limits.stream_deadline_s)

    async def write(self, chunk: bytes) -> None:
        """See Request."""
        taking = self._begun()
        if not chunk or self.head.method == "HEAD":
            return
        if self._left == CHUNKED:
            self.line.write(answers.chunk(chunk))
        else:
            if self._left is not None:
                self._left -= len(chunk)
                if self._left < 0:
                    raise ValueError("the answer is longer than its head said")
            self.line.write(chunk)
        taking.move(len(chunk))
        await self.line.drain(taking)

    async def end(self) -> None:
        """See Request."""
        self._begun()
        if self._left == CHUNKED:
            self.line.write(answers.LAST_CHUNK)
        elif self._left:
            raise ValueError("the answer is shorter than its head said")
        self._finish()

    def _begun(self) -> Pace:
        """Return the pace of an answer that has begun and not ended; after that the line is another's."""
        if self._stage is not _Stage.BEGUN or self._taking is None:
            raise RuntimeError("an answer is written between its beginning and its end")
        return self._taking

    # What the server does

    def abandon(self) -> None:
        """Give up what nobody waits for any more, if it changes nothing and nothing of its answer is out.

        An effect goes on, because the audit log wants to know what became of it. A face that has begun to
        answer hears `ClientGone` when it goes on.
        """
        if self.task is None or not self.request_id or self.is_begun:
            return
        if self.head.method in SAFE_METHODS:
            self.is_abandoned = True
            self.task.cancel()

    def refuse(self, error: SallyportError, answer: Answer) -> None:
        """Answer that an error was raised; after some nobody knows where the next request would begin."""
        self._is_last = self._is_last or isinstance(error, ENDING)
        self.answer(answer)

    def hand_over(self, *, is_last: bool) -> None:
        """Note that somebody else has sent the whole answer."""
        self._is_last = is_last or not self.is_body_whole
        self._finish()

    def leave(self) -> None:
        """Give back what the exchange held; an answer that was not finished is broken off."""
        if self._is_stream:
            self.house.streams.leave()
            self._is_stream = False
        if self._stage is not _Stage.ENDED:
            self.line.abort()

    def _stream(self) -> None:
        if not self._is_stream:
            self.house.streams.take()
            self._is_stream = True

    def _head(self, status: int, headers: Sequence[tuple[str, str]], *, length: int | None) -> bytes:
        """Return the head of the answer, which begins hereby."""
        if self._stage is not _Stage.NEW:
            raise RuntimeError("a request is answered once")
        self._is_last = self._is_last or self.house.is_draining or not self.is_body_whole
        head = answers.head(
            status,
            [*headers, *self._added] if self._added else headers,
            length=length,
            request_id=self.request_id,
            is_last=self._is_last,
            is_strict_transport=self.house.is_strict_transport,
        )
        self.status, self._stage = status, _Stage.BEGUN
        return head

    def _finish(self) -> None:
        self._stage = _Stage.ENDED
        # A body that was not read to its end makes the answer the last one.
        is_lingering = self._is_last and not self.is_body_whole
        self.line.end_turn(is_last=self._is_last, is_lingering=is_lingering)
