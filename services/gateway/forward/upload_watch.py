"""The trip-wire for Amazon's credentials in documents that desktops send, packed ones too (T-06).

- A chunk is looked at before it is passed on, as it is and, where its document is packed, as what it holds.
  Packed is what names a Content-Encoding, and a file that begins as gzip's do. The bytes stay untouched.
- Opening costs bounded memory: one piece, and the coding's window. Few documents with a large window are
  opened at once.
- It costs bounded work. A document that opens to more than may pass in the clear, or by a ratio that none but
  a bomb has, is too large; one that its coding cannot open is refused, because nobody else could read it. One
  that breaks off goes on: all that anybody could open of it has been looked at.
- Between two pieces others have their turn.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from services.gateway.model import codings, uploads
from services.gateway.model.documents import DocumentsBusy, DocumentTooLarge

# Longer than a credential's mark, written with three layers of percent-encoding.
OVERLAP_BYTES = 512
# Given to a coding at a time; what follows a stream's end is copied for each of the streams behind it.
STEP_BYTES = 16_384
# As much as a document may have in the clear.
OPENED_BYTES_MAX = 2 * 1_073_741_824
# A flat file with 300 empty columns packs 56 times in gzip and 179 times in zstd; a bomb 1,000 times or more.
# Judged once more than this has been opened.
RATIO_MAX = 250
RATIO_JUDGED_BYTES = 16 * 1_048_576
# Twice as many as the largest document has from programs that begin a stream every 64 KiB, as bgzip does.
STREAMS_MAX = 65_536

# How a file begins that is gzip's, whatever is said of it. Source: RFC 1952, 2.3.1.
GZIP_MARK = b"\x1f\x8b\x08"
# gzip and zstd read streams behind each other as one. Source: RFC 1952, 2.2; RFC 8878, 3.1.
REPEATED = frozenset({codings.GZIP, codings.ZSTD})
# Codings with windows of megabytes, and how many documents in them are opened at once: 256 MiB at most.
WIDE = frozenset({codings.BROTLI, codings.ZSTD})
WIDE_MAX = 16


class UploadWatches:
    """Gives each document on its way to Amazon its watch."""

    def __init__(self) -> None:
        self._wide = 0

    @contextmanager
    def watching(self, encoding: str) -> Iterator["UploadWatch"]:
        """Give a watch.

        Args:
            encoding: that a document goes to Amazon with, as Content-Encoding spells it; empty for none.

        Raises:
            EncodingNotServed: none of `model.codings`, or several.
            DocumentsBusy: as many documents with a large window as may be are being opened.
        """
        coding = codings.coding([encoding])
        is_wide = coding in WIDE
        if is_wide and self._wide >= WIDE_MAX:
            raise DocumentsBusy
        self._wide += is_wide
        try:
            yield UploadWatch(coding)
        finally:
            self._wide -= is_wide


class UploadWatch:
    """Looks at one document, chunk by chunk."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._clear = _Look()
        self._opening: _Opening | None = None
        self._is_begun = False

    async def look(self, chunk: bytes) -> None:
        """Let a chunk pass.

        Raises:
            CredentialsNotAccepted: it holds one of Amazon's credentials, or the end of one.
            EncodingBroken: its coding cannot open it.
            DocumentTooLarge: it opens to more than passes here.
        """
        self._clear.check(chunk)
        if not self._is_begun:
            self._is_begun = True
            self._opening = _opening(self._coding, chunk)
        if self._opening is not None:
            await self._opening.look(chunk)


class _Look:
    """Looks for credentials in bytes that follow each other."""

    def __init__(self) -> None:
        self._tail = b""

    def check(self, data: bytes) -> None:
        """Let bytes pass; a credential may have begun in those before."""
        whole = self._tail + data
        uploads.check_credentials(whole)
        self._tail = whole[-OVERLAP_BYTES:]


class _Opening:
    """Opens a packed document as it passes, and looks at what it holds."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._opener = codings.opener(coding)
        self._streams = 1
        self._look = _Look()
        self._packed_bytes = self._opened_bytes = 0

    async def look(self, chunk: bytes) -> None:
        """Look at what a chunk holds."""
        for begin in range(0, len(chunk), STEP_BYTES):
            await self._look_into(chunk[begin : begin + STEP_BYTES])

    async def _look_into(self, packed: bytes) -> None:
        self._packed_bytes += len(packed)
        while packed:
            if self._opener.is_whole:
                self._begin_another()
            for piece in self._opener.open(packed):
                self._count(piece)
                self._look.check(piece)
                await asyncio.sleep(0)
            packed = self._opener.rest

    def _begin_another(self) -> None:
        self._streams += 1
        if self._coding not in REPEATED or self._streams > STREAMS_MAX:
            raise codings.EncodingBroken
        self._opener = codings.opener(self._coding)

    def _count(self, piece: bytes) -> None:
        self._opened_bytes += len(piece)
        size = self._opened_bytes
        is_bomb = size > RATIO_JUDGED_BYTES and size > RATIO_MAX * self._packed_bytes
        if size > OPENED_BYTES_MAX or is_bomb:
            raise DocumentTooLarge


def _opening(coding: str, beginning: bytes) -> _Opening | None:
    """Return what opens a document; None where nothing is to be opened."""
    if coding == codings.IDENTITY and beginning.startswith(GZIP_MARK):
        coding = codings.GZIP
    return None if coding == codings.IDENTITY else _Opening(coding)
