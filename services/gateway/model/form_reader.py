"""A client's form on its way in: some fields, one file, and nothing more (RFC 7578, RFC 2046).

- What stands before the file is bounded, and nothing of it goes anywhere but a content type.
- The file's bytes are given out as they arrive; those that could be the beginning of the end are kept back.
- A form is right only when its end was seen: exactly one closing boundary behind the file, and at most one
  line end behind that. Whoever passes the file on may end it then, and not before.

The parsing is the library's, in its strict mode.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any

import multipart

from services.gateway.model import uploads
from services.gateway.model.documents import DocumentFormInvalid
from services.gateway.model.forms import FIELDS_MAX, FILE, FORM_HEAD_BYTES_MAX, LINE_END, closing

FORM_TYPE = "multipart/form-data"
PART_HEADERS_MAX = 8
PART_HEADER_BYTES_MAX = 2_048

# Source: RFC 2046, 5.1.1.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
# What stands between the headers of a part and its content.
_BLANK_LINE = LINE_END + LINE_END


def boundary_of(content_type: str) -> str:
    """Return what stands between the parts of a form, by the type of its request.

    Raises:
        DocumentFormInvalid: it is the type of something else.
    """
    type_, parameters = multipart.parse_options_header(content_type)
    boundary = parameters.get("boundary", "")
    if type_ != FORM_TYPE or not _BOUNDARY.fullmatch(boundary):
        raise DocumentFormInvalid
    return str(boundary)


class FormReader:
    """Reads one form.

    Attributes:
        is_at_file: whether the file has begun; what follows is known from then on.
        content_type: of the client's own field; empty when it sent none, or no media type.
        file_type: of the part that holds the file; empty likewise.
        rest_bytes: from the first byte of the file to the last one of the form.
    """

    def __init__(self, boundary: str, *, names: Collection[str], length_bytes: int) -> None:
        """Prepare.

        Args:
            boundary: see `boundary_of`.
            names: what fields there may be, in lower case.
            length_bytes: of the whole form, as its client says; the door sees to it that this is true.
        """
        self.is_at_file = False
        self.content_type = self.file_type = ""
        self.rest_bytes = 0
        self._names = names
        self._seen: set[str] = set()
        self._closing_bytes = len(closing(boundary))
        self._head = bytearray()
        self._head_bytes = 0
        self._to_come_bytes = length_bytes
        self._last = b""
        self._part: multipart.MultipartSegment | None = None
        self._parser = multipart.PushMultipartParser(
            boundary,
            max_header_size=PART_HEADER_BYTES_MAX,
            max_header_count=PART_HEADERS_MAX,
            max_segment_count=FIELDS_MAX + 1,
            strict=True,
        )

    def take(self, chunk: bytes) -> bytes:
        """Return what the next bytes of the form hold of the file.

        Raises:
            DocumentFormInvalid: this does not become a form, or not one that may be passed on.
        """
        self._to_come_bytes -= len(chunk)
        if not self.is_at_file:
            chunk = self._begin(chunk)
        return self._file_in(self._but_the_last(chunk))

    def end(self) -> bytes:
        """Return what stands behind the closing boundary: a line end, or nothing.

        Raises:
            DocumentFormInvalid: the form has not ended, or not as it must.
        """
        epilogue = self._last if self._last == LINE_END else b""
        if not epilogue:
            self._file_in(self._last)
        file = self._part
        if not self.is_at_file or file is None or not file.complete:
            raise DocumentFormInvalid
        if file.size + self._closing_bytes + len(epilogue) != self.rest_bytes:
            raise DocumentFormInvalid
        return epilogue

    def _begin(self, chunk: bytes) -> bytes:
        """Read as much of the head as is there; return what is there of the rest.

        A part's headers end with a blank line, so between two of them at most one part begins.
        """
        # What was there before held no blank line; half of one at most.
        searched = max(0, len(self._head) - len(_BLANK_LINE) + 1)
        self._head += chunk
        while not self.is_at_file and (end := self._head.find(_BLANK_LINE, searched)) >= 0:
            piece = bytes(self._head[: end + len(_BLANK_LINE)])
            del self._head[: len(piece)]
            searched = 0
            self._head_bytes += len(piece)
            self._check_head(self._head_bytes)
            for event in self._events(piece):
                self._meet(event)
        if not self.is_at_file:
            self._check_head(self._head_bytes + len(self._head))
            return b""
        rest = bytes(self._head)
        self._head.clear()
        self.rest_bytes = len(rest) + self._to_come_bytes
        return rest

    def _check_head(self, size_bytes: int) -> None:
        if size_bytes > FORM_HEAD_BYTES_MAX:
            raise DocumentFormInvalid

    def _meet(self, event: object) -> None:
        """Take in a part that begins, a piece of a field's value, or a part's end."""
        if isinstance(event, multipart.MultipartSegment):
            self._enter(event)
        elif isinstance(event, bytes) and self._is_content_type():
            self.content_type += event.decode("latin-1")
        elif event is None and self._is_content_type():
            self.content_type = uploads.media_type(self.content_type)

    def _enter(self, part: multipart.MultipartSegment) -> None:
        name = part.name.lower()
        self._part = part
        self.is_at_file = name == FILE
        if self.is_at_file:
            self.file_type = uploads.media_type(part.header("Content-Type", ""))
        elif name not in self._names or name in self._seen:
            raise DocumentFormInvalid
        self._seen.add(name)

    def _is_content_type(self) -> bool:
        return self._part is not None and self._part.name.lower() == uploads.CONTENT_TYPE

    def _but_the_last(self, chunk: bytes) -> bytes:
        """Return a chunk less those of its bytes that are the form's last two, which may be a line end."""
        kept = max(0, len(LINE_END) - self._to_come_bytes)
        cut = max(0, len(chunk) - kept)
        self._last += chunk[cut:]
        return chunk[:cut]

    def _file_in(self, chunk: bytes) -> bytes:
        """Return what a chunk holds of the file; a part after it is one too many."""
        pieces = [event for event in self._events(chunk) if event is not None]
        if any(isinstance(piece, multipart.MultipartSegment) for piece in pieces):
            raise DocumentFormInvalid
        return b"".join(pieces)

    def _events(self, data: bytes) -> Iterator[Any]:
        """Yield what the parser makes of some bytes: a part that begins, bytes of it, None for its end."""
        try:
            # It takes no bytes for the end.
            yield from self._parser.parse(data) if data else ()
        except multipart.MultipartError as error:
            raise DocumentFormInvalid from error
