"""The body of an answer: unpacked within bounds, never more at a time than a step."""

import zlib

from services.gateway.model.faults import UpstreamInvalid

# Amazon's largest answers (labels, 100 orders) are well below. After decompression.
BODY_BYTES_MAX = 16 * 1_048_576
GZIP_WINDOW_BITS = 16 + zlib.MAX_WBITS
# Unpacked at a time, so that a bomb is noticed before it has cost anything.
STEP_BYTES = 262_144
# JSON packs 5 to 30 times; a bomb 1,000 times. Judged once a body is larger than this.
RATIO_MAX = 100
RATIO_JUDGED_BYTES = 1_048_576

IDENTITY = b"identity"
GZIP = b"gzip"


class Unpacker:
    """Unpacks a body in gzip that is arriving."""

    def __init__(self) -> None:
        self._unpacker = zlib.decompressobj(GZIP_WINDOW_BITS)
        self._packed_bytes = self._unpacked_bytes = 0

    def unpack(self, data: bytes) -> bytes:
        """Return what the next bytes hold.

        Raises:
            UpstreamInvalid: the body is too large, or not what it was said to be.
        """
        steps = []
        try:
            while data:
                step = self._unpacker.decompress(data, STEP_BYTES)
                self._packed_bytes += len(data) - len(self._unpacker.unconsumed_tail)
                self._count(step)
                steps.append(step)
                data = self._unpacker.unconsumed_tail
        except zlib.error as error:
            raise UpstreamInvalid from error
        if self._unpacker.unused_data:
            raise UpstreamInvalid
        return b"".join(steps)

    def end(self) -> None:
        """Let the body end here.

        Raises:
            UpstreamInvalid: it ends before its end.
        """
        if self._packed_bytes and not self._unpacker.eof:
            raise UpstreamInvalid

    def _count(self, step: bytes) -> None:
        self._unpacked_bytes += len(step)
        size = self._unpacked_bytes
        is_bomb = size > RATIO_JUDGED_BYTES and size > RATIO_MAX * self._packed_bytes
        if size > BODY_BYTES_MAX or is_bomb:
            raise UpstreamInvalid


def unpacker(encoding: bytes) -> Unpacker | None:
    """Return what unpacks a content-encoding; None when there is nothing to unpack.

    Raises:
        UpstreamInvalid: it is packed in a way that was not asked for.
    """
    if encoding == IDENTITY:
        return None
    if encoding == GZIP:
        return Unpacker()
    raise UpstreamInvalid
