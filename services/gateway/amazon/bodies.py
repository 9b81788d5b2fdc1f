"""The body of an answer: put together and unpacked within bounds, never more at a time than a step."""

import zlib
from typing import Protocol

from services.gateway.model.faults import UpstreamInvalid

# Amazon's largest answers (labels, 100 orders) are well below. After decompression.
BODY_BYTES_MAX = 16 * 1_048_576
GZIP_WINDOW_BITS = 16 + zlib.MAX_WBITS
# Unpacked at a time, so that a bomb is noticed before it has cost anything.
STEP_BYTES = 262_144
# JSON packs 5 to 30 times; a bomb 1,000 times. Judged once a body is larger than this.
RATIO_MAX = 100
RATIO_JUDGED_BYTES = 1_048_576

IDENTITY = "identity"
GZIP = "gzip"


class Body(Protocol):
    """A body that is arriving."""

    def add(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            UpstreamInvalid: the body is too large, or not what it was said to be.
        """
        ...

    def whole(self) -> bytes:
        """Return all of it, unpacked.

        Raises:
            UpstreamInvalid: it ends before its end.
        """
        ...


def begin(encoding: str) -> Body:
    """Return an empty body of a content-encoding.

    Raises:
        UpstreamInvalid: it is packed in a way that was not asked for.
    """
    if encoding in {"", IDENTITY}:
        return _Plain()
    if encoding == GZIP:
        return _Packed()
    raise UpstreamInvalid


class _Plain:
    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._bytes = 0

    def add(self, data: bytes) -> None:
        self._bytes += len(data)
        if self._bytes > BODY_BYTES_MAX:
            raise UpstreamInvalid
        self._parts.append(data)

    def whole(self) -> bytes:
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)


class _Packed:
    def __init__(self) -> None:
        self._unpacker = zlib.decompressobj(GZIP_WINDOW_BITS)
        self._packed_bytes = 0
        self._unpacked = bytearray()

    def add(self, data: bytes) -> None:
        try:
            while data:
                step = self._unpacker.decompress(data, STEP_BYTES)
                self._packed_bytes += len(data) - len(self._unpacker.unconsumed_tail)
                self._take(step)
                data = self._unpacker.unconsumed_tail
        except zlib.error as error:
            raise UpstreamInvalid from error
        if self._unpacker.unused_data:
            raise UpstreamInvalid

    def whole(self) -> bytes:
        if self._packed_bytes and not self._unpacker.eof:
            raise UpstreamInvalid
        return bytes(self._unpacked)

    def _take(self, step: bytes) -> None:
        self._unpacked += step
        size = len(self._unpacked)
        is_bomb = size > RATIO_JUDGED_BYTES and size > RATIO_MAX * self._packed_bytes
        if size > BODY_BYTES_MAX or is_bomb:
            raise UpstreamInvalid
