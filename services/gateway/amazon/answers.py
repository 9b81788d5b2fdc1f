"""Reading answers from a connection, one after another: strict HTTP/1.1, and nothing without a bound (T-29).

Refused: a redirect, a protocol switch, other versions, no framing or two, any transfer coding but chunked, a
head of more than HEAD_BYTES_MAX or FIELDS_MAX, a body beyond its cap. Trailers are read and dropped. llhttp
refuses what is not HTTP: folded fields, bare line feeds, strange lengths.
"""

import httptools

from services.gateway.amazon import bodies
from services.gateway.model.calls import UpstreamAnswer
from services.gateway.model.faults import UpstreamInvalid

HEAD_BYTES_MAX = 65_536
FIELDS_MAX = 100
# "100 Continue", "103 Early Hints" and the like before an answer.
INTERIM_MAX = 4
# A body in chunks of one byte each is six times as long on the wire; nobody honest sends one.
WIRE_BYTES_MAX = 2 * bodies.BODY_BYTES_MAX

_SWITCH = 101
_NO_CONTENT = 204


class AnswerReader:
    """Reads what one connection says; also the callbacks of its parser."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._is_expected = False
        self._is_kept = False
        self._answer: UpstreamAnswer | None = None

    def expect(self) -> None:
        """Begin a new answer; before it, and after it, nothing may be said."""
        self._is_expected = True
        self._is_kept = False
        self._answer = None
        self._wire_bytes = 0
        self._head_bytes = 0
        self._interim = 0
        self._begin_head()

    def feed(self, data: bytes) -> UpstreamAnswer | None:
        """Take bytes from the wire; return the answer once it is whole.

        Raises:
            UpstreamInvalid: not an answer that is taken.
        """
        self._wire_bytes += len(data)
        if not self._is_head_whole:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if self._answer is None:
                raise UpstreamInvalid from error
            self._is_kept = False
        is_head_long = self._head_bytes > HEAD_BYTES_MAX and not self._is_head_whole
        if self._answer is None and (is_head_long or self._wire_bytes > WIRE_BYTES_MAX):
            raise UpstreamInvalid
        return self._answer

    @property
    def is_kept(self) -> bool:
        """Whether the connection may serve again: the answer said so, and nothing came after it."""
        return self._is_kept

    def on_message_begin(self) -> None:
        """Refuse what nobody asked for."""
        if not self._is_expected:
            raise UpstreamInvalid

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field of the head; one of a trailer only counts."""
        self._fields += 1
        self._field_bytes += len(name) + len(value)
        if self._fields > FIELDS_MAX or self._field_bytes > HEAD_BYTES_MAX:
            raise UpstreamInvalid
        if not self._is_head_whole:
            self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """Judge the head before any of the body is taken."""
        status = self._parser.get_status_code()
        if status < 200:
            self._interim += 1
            if status == _SWITCH or self._interim > INTERIM_MAX:
                raise UpstreamInvalid
            return
        if not (200 <= status < 300 or 400 <= status < 600) or self._parser.get_http_version() != "1.1":
            raise UpstreamInvalid
        self._check_framing(status)
        self._body = bodies.begin(self._joined("content-encoding"))
        self._is_head_whole = True
        # Only here does the parser know.
        self._is_kept = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        """Take a part of the body."""
        self._body.add(data)

    def on_message_complete(self) -> None:
        """Put the answer together, unless it was an interim one."""
        if not self._is_head_whole:
            self._begin_head()
            return
        self._answer = UpstreamAnswer(self._parser.get_status_code(), self._headers, self._body.whole())
        self._is_expected = False

    def _begin_head(self) -> None:
        self._is_head_whole = False
        self._fields = self._field_bytes = 0
        self._headers: list[tuple[str, str]] = []

    def _check_framing(self, status: int) -> None:
        """Let pass exactly one way of telling where the body ends."""
        length, coding = self._joined("content-length"), self._joined("transfer-encoding")
        is_framed = coding == "chunked" if coding else length.isdecimal() or status == _NO_CONTENT
        is_single = not (coding and length)
        if not is_framed or not is_single or (length and int(length) > bodies.BODY_BYTES_MAX):
            raise UpstreamInvalid

    def _joined(self, name: str) -> str:
        """Return a field's values as RFC 9110, 5.3 joins them, in lower case."""
        return ",".join(value.strip().lower() for known, value in self._headers if known == name)
