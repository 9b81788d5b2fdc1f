"""One request at the door, and the ways to answer it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from services.gateway.model.calls import Answer
from services.gateway.model.fields import Fields


@dataclass(slots=True)
class Head:
    """What stands before a request's body.

    Attributes:
        method: upper case.
        target: raw path and query, percent-encoding untouched.
    """

    method: str
    target: str = field(repr=False)
    fields: Fields = field(repr=False)


class Request(Protocol):
    """A request whose head has arrived; its body is read, and it is answered, exactly once.

    An answer is either `answer`, or `begin`, any number of `write` and one `end`. A face that raises before
    it has begun to answer has its error rendered for it; one that raises later has the connection broken
    off, so that no half an answer looks whole.
    """

    @property
    def head(self) -> Head:
        """What stood before the body."""
        ...

    @property
    def request_id(self) -> str:
        """Given or made at the door; it is on the answer whatever the face says."""
        ...

    @property
    def came_from(self) -> str:
        """The network address at the connection's other end; empty when it was gone at once."""
        ...

    @property
    def is_body_whole(self) -> bool:
        """Whether the body is here, or there is none; a larger one is read at its sender's pace."""
        ...

    async def receive(self, bytes_max: int) -> bytes:
        """Return the whole body, decoded from its Content-Encoding.

        Raises:
            BodyTooLarge: more than `bytes_max`, after decoding.
            RequestTimeout: it did not arrive in time.
            MalformedRequest: it broke off, or cannot be decoded.
            EncodingNotServed: it is encoded with something else.
        """
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives, not decoded; nothing more is read before the next is asked for.

        Raises:
            RequestTimeout: the client was silent for too long.
            MalformedRequest: it broke off.
        """
        ...

    def add_header(self, name: str, value: str) -> None:
        """Put a header on the answer, whatever it will be; a refusal too."""
        ...

    def answer(self, answer: Answer) -> None:
        """Send a whole answer."""
        ...

    async def begin(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """Send the head of an answer whose body follows; without a content-length it is sent chunked."""
        ...

    async def write(self, chunk: bytes) -> None:
        """Send a part of the body; returns when the client has taken enough of what was sent before.

        Raises:
            ClientGone: the client has gone, or was too slow.
        """
        ...

    async def end(self) -> None:
        """Finish an answer that was begun."""
        ...


class Face(Protocol):
    """What answers requests."""

    async def handle(self, request: Request) -> None:
        """Answer one request."""
        ...
