"""Where a body ends: a count of bytes, or chunks read without leniency.

Each takes what has arrived and says how much of it was its own; what follows belongs to the next request.
"""

import re
from enum import Enum
from typing import Protocol

from services.gateway.door.faults import MalformedRequest
from services.gateway.door.heads import CHUNKED, Framing

# A chunk's size with its extensions, which nobody here knows and which are skipped (RFC 9112, 7.1.1).
CHUNK_LINE_BYTES_MAX = 256
TRAILER_BYTES_MAX = 8190
# Nobody cuts a body into crumbs but to keep us busy: beyond so many chunks they must hold so much on average.
CRUMBS_MAX = 1024
CHUNK_BYTES_MEAN_MIN = 16

_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?")
_FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*")
_LINE_END = b"\r\n"

Unread = bytes | bytearray


class Body(Protocol):
    """One body on its way in."""

    @property
    def is_whole(self) -> bool:
        """Whether its last byte has been taken."""
        ...

    def take(self, unread: Unread) -> tuple[bytes, int]:
        """Return the next part of the body among `unread`, and how many bytes of `unread` are used up.

        The part is empty when more must arrive first, or when the body is whole.

        Raises:
            MalformedRequest: this is no body.
        """
        ...


def framed(framing: Framing) -> Body:
    """Return the body that follows a head which announces one."""
    return ChunkedBody() if framing.length == CHUNKED else SizedBody(framing.length)


class SizedBody:
    """So many bytes."""

    __slots__ = ("_left",)

    def __init__(self, length: int) -> None:
        self._left = length

    @property
    def is_whole(self) -> bool:
        """See Body."""
        return not self._left

    def take(self, unread: Unread) -> tuple[bytes, int]:
        """See Body."""
        part = bytes(unread[: self._left])
        self._left -= len(part)
        return part, len(part)


class _Next(Enum):
    """What the next line of a chunked body is."""

    SIZE = 1
    CHUNK_END = 2
    TRAILER = 3


class ChunkedBody:
    """Chunks, each with its size in front; trailers are checked and thrown away."""

    __slots__ = ("_bytes", "_chunks", "_left", "_next", "_trailer_bytes", "is_whole")

    def __init__(self) -> None:
        self._chunks = 0
        self._bytes = 0
        self._left = 0
        self._next = _Next.SIZE
        self._trailer_bytes = 0
        self.is_whole = False

    def take(self, unread: Unread) -> tuple[bytes, int]:
        """See Body; takes all the chunks that have come, because what is left over is moved each time."""
        parts, used = [], 0
        while not self.is_whole:
            if self._left:
                part = bytes(unread[used : used + self._left])
                if not part:
                    break
                parts.append(part)
                self._left -= len(part)
                used += len(part)
                continue
            line_end = unread.find(_LINE_END, used)
            if line_end < 0:
                self._check_unfinished(unread, used)
                break
            self._read(bytes(unread[used:line_end]))
            used = line_end + len(_LINE_END)
        return b"".join(parts), used

    def _read(self, line: bytes) -> None:
        match self._next:
            case _Next.SIZE:
                size = _CHUNK_LINE.fullmatch(line) if len(line) <= CHUNK_LINE_BYTES_MAX else None
                if size is None:
                    raise MalformedRequest
                self._begin(int(size[1], 16))
            case _Next.CHUNK_END:
                if line:
                    raise MalformedRequest
                self._next = _Next.SIZE
            case _Next.TRAILER:
                self._trailer_bytes += len(line)
                if self._trailer_bytes > TRAILER_BYTES_MAX or (line and not _FIELD.fullmatch(line)):
                    raise MalformedRequest
                self.is_whole = not line

    def _begin(self, size: int) -> None:
        if self._chunks > CRUMBS_MAX and self._bytes < CHUNK_BYTES_MEAN_MIN * self._chunks:
            raise MalformedRequest
        self._chunks += 1
        self._bytes += size
        self._left = size
        self._next = _Next.CHUNK_END if size else _Next.TRAILER

    def _check_unfinished(self, unread: Unread, at: int) -> None:
        """Refuse early what cannot become a line any more."""
        bytes_max = {_Next.SIZE: CHUNK_LINE_BYTES_MAX, _Next.CHUNK_END: 0, _Next.TRAILER: TRAILER_BYTES_MAX}
        # The line's own "\r" may have come already.
        if len(unread) - at > bytes_max[self._next] + 1 or unread.find(b"\n", at) >= 0:
            raise MalformedRequest
        if self._next is _Next.CHUNK_END and bytes(unread[at:]) not in {b"", b"\r"}:
            raise MalformedRequest
