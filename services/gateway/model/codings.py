"""Content codings: what was packed is opened piece by piece, in bounded memory (T-09).

A piece is small, so whoever takes pieces counts them and stops in time. What a coding keeps beside a piece is
its window: 32 KiB of gzip's and deflate's, 8 MiB of zstd's and 16 MiB of br's at most. Nobody here knows any
dictionary, so what needs one cannot be opened.

Source: RFC 9110, 8.4.1 (gzip, deflate); RFC 7932 (br); RFC 8878 and RFC 9659 (zstd).
"""

import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

import brotli

from chassis.errors import InvalidInput

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# The most that is asked of a coding at a time. Brotli's binding rounds it up to a block of its own.
# Source: google/brotli, issue 1396.
PIECE_BYTES = 65_536
PIECE_BYTES_MAX = 98_304

# Source: RFC 9659, 3: no frame of a content coding needs a larger window than 8 MiB.
ZSTD_WINDOW_LOG_MAX = 23
# Source: zlib's inflateInit2: how to be told of gzip's wrapper, and of none.
_GZIP_BITS = 16 + zlib.MAX_WBITS
_RAW_BITS = -zlib.MAX_WBITS
# Source: RFC 1950, 2.2: the compression method in a zlib header's first byte.
_METHOD_BITS, _DEFLATE_METHOD = 0x0F, 8

IDENTITY = "identity"
GZIP = "gzip"
DEFLATE = "deflate"
BROTLI = "br"
ZSTD = "zstd"

_NAMES: Mapping[str, str] = MappingProxyType({"": IDENTITY, "x-gzip": GZIP})


class EncodingNotServed(InvalidInput):
    """What was sent has a Content-Encoding that is not taken."""

    code = "encoding_not_served"
    text = "A body may be encoded with gzip, deflate, br or zstd, or not at all."
    http_status = 415


class EncodingBroken(InvalidInput):
    """What was sent is not encoded as its Content-Encoding says, or not within the coding's bounds."""

    code = "encoding_broken"
    text = "What was sent is not encoded as its Content-Encoding says."


class Opener(Protocol):
    """Opens one stream of a coding; gzip and zstd may have several behind each other, each with its own."""

    @property
    def is_whole(self) -> bool:
        """Whether the end of the stream has been opened."""
        ...

    @property
    def rest(self) -> bytes:
        """What was given beyond the stream's end."""
        ...

    def open(self, packed: bytes) -> Iterator[bytes]:
        """Yield what the next bytes hold, in pieces of PIECE_BYTES_MAX at most; all are to be taken.

        Args:
            packed: not empty, and not after the stream's end.

        Raises:
            EncodingBroken: they are not the coding's.
        """
        ...


def coding(encodings: Sequence[str]) -> str:
    """Return the coding that the Content-Encoding headers of a request name, IDENTITY among them.

    Raises:
        EncodingNotServed: it is none of ours, or they name several.
    """
    named = ",".join(encodings).lower().strip()
    found = _NAMES.get(named, named)
    if found != IDENTITY and found not in _OPENERS:
        raise EncodingNotServed
    return found


def opener(name: str) -> Opener:
    """Return what opens a stream of a coding, which is not IDENTITY."""
    return _OPENERS[name]()


class _Inflater:
    """Opens gzip's and zlib's streams."""

    def __init__(self, bits: int) -> None:
        self._inflater = zlib.decompressobj(bits)

    @property
    def is_whole(self) -> bool:
        return self._inflater.eof

    @property
    def rest(self) -> bytes:
        return self._inflater.unused_data

    def open(self, packed: bytes) -> Iterator[bytes]:
        try:
            while True:
                piece = self._inflater.decompress(packed, PIECE_BYTES)
                packed = self._inflater.unconsumed_tail
                yield piece
                if self._inflater.eof or (not packed and len(piece) < PIECE_BYTES):
                    return
        except zlib.error as error:
            raise EncodingBroken from error


class _Deflated(_Inflater):
    """Opens what is called deflate: zlib's streams, and those of clients that leave zlib's wrapper out.

    Source: RFC 9110, 8.4.1.2.
    """

    def __init__(self) -> None:
        super().__init__(zlib.MAX_WBITS)
        self._is_begun = False

    def open(self, packed: bytes) -> Iterator[bytes]:
        if not self._is_begun:
            self._is_begun = True
            if packed[0] & _METHOD_BITS != _DEFLATE_METHOD:
                self._inflater = zlib.decompressobj(_RAW_BITS)
        return super().open(packed)


class _Brotli:
    """Opens brotli's streams, behind which nothing may follow: its binding takes that for a fault."""

    rest = b""

    def __init__(self) -> None:
        self._opener = brotli.Decompressor()
        self.is_whole = False

    def open(self, packed: bytes) -> Iterator[bytes]:
        try:
            while True:
                piece = self._opener.process(packed, output_buffer_limit=PIECE_BYTES)
                packed, self.is_whole = b"", self._opener.is_finished()
                yield piece
                # It says that it takes more input while it still holds output; only an empty piece is sure.
                if self.is_whole or not piece:
                    return
        except brotli.error as error:
            raise EncodingBroken from error


class _Zstd:
    """Opens zstd's frames."""

    def __init__(self) -> None:
        self._opener = zstd.ZstdDecompressor(
            options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG_MAX}
        )

    @property
    def is_whole(self) -> bool:
        return self._opener.eof

    @property
    def rest(self) -> bytes:
        return self._opener.unused_data

    def open(self, packed: bytes) -> Iterator[bytes]:
        try:
            while True:
                piece = self._opener.decompress(packed, PIECE_BYTES)
                packed = b""
                yield piece
                if self._opener.eof or self._opener.needs_input:
                    return
        except zstd.ZstdError as error:
            raise EncodingBroken from error


_OPENERS: Mapping[str, Callable[[], Opener]] = MappingProxyType(
    {GZIP: lambda: _Inflater(_GZIP_BITS), DEFLATE: _Deflated, BROTLI: _Brotli, ZSTD: _Zstd}
)
