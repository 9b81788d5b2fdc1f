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
_LENGTH, _CODING, _ENCODING = "content-length", "transfer-encoding", "content-encoding"
# What tells how a body is to be read; whoever says one of them twice may be read in two ways.
_SAID_ONCE = frozenset({_LENGTH, _CODING, _ENCODING})


class AnswerReader:
    """Reads what one connection says; also the callbacks of its parser.

    Attributes:
        is_kept: whether the connection may serve again: the answer said so, and nothing came after it.
    """

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._is_expected = False
        self._answer: UpstreamAnswer | None = None
        self.is_kept = False

    def expect(self) -> None:
        """Begin a new answer; before it, and after it, nothing may be said."""
        self._is_expected = True
        self.is_kept = False
        self._answer = None
        self._wire_bytes = 0
        self._interim = 0
        self._begin_head()

    def feed(self, data: bytes) -> UpstreamAnswer | None:
        """Take bytes from the wire; return the answer once it is whole.

        Raises:
            UpstreamInvalid: not an answer that is taken.
        """
        self._wire_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if self._answer is None:
                raise UpstreamInvalid from error
            self.is_kept = False
        bytes_max = WIRE_BYTES_MAX if self._is_head_whole else HEAD_BYTES_MAX
        if self._answer is None and self._wire_bytes > bytes_max:
            raise UpstreamInvalid
        return self._answer

    def on_message_begin(self) -> None:
        """Refuse what nobody asked for."""
        if not self._is_expected:
            raise UpstreamInvalid

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field of the head, or of a trailer, which nobody reads."""
        self._field_bytes += len(name) + len(value)
        self._fields.append((name, value))
        if len(self._fields) > FIELDS_MAX or self._field_bytes > HEAD_BYTES_MAX:
            raise UpstreamInvalid

    def on_headers_complete(self) -> None:
        """Judge the head before any of the body is taken."""
        self._status = status = self._parser.get_status_code()
        if status < 200:
            self._interim += 1
            if status == _SWITCH or self._interim > INTERIM_MAX:
                raise UpstreamInvalid
            return
        if not (200 <= status < 300 or 400 <= status < 600) or self._parser.get_http_version() != "1.1":
            raise UpstreamInvalid
        self._headers = [
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in self._fields
        ]
        self._body = self._framed()
        self._is_head_whole = True
        # Only here does the parser know.
        self.is_kept = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        """Take a part of the body."""
        self._body.add(data)

    def on_message_complete(self) -> None:
        """Put the answer together, unless it was an interim one."""
        if not self._is_head_whole:
            self._begin_head()
            return
        self._answer = UpstreamAnswer(self._status, self._headers, self._body.whole())
        self._is_expected = False

    def _begin_head(self) -> None:
        self._is_head_whole = False
        self._field_bytes = 0
        self._fields: list[tuple[bytes, bytes]] = []

    def _framed(self) -> bodies.Body:
        """Return the body as the head announces it: with exactly one way of telling where it ends."""
        said: dict[str, str] = {}
        for name, value in self._headers:
            if name in _SAID_ONCE:
                if name in said:
                    raise UpstreamInvalid
                said[name] = value.strip().lower()
        length, coding = said.get(_LENGTH, ""), said.get(_CODING, "")
        is_framed = coding == "chunked" if coding else length.isdecimal() or self._status == _NO_CONTENT
        is_single = not (coding and length)
        if not is_framed or not is_single or (length and int(length) > bodies.BODY_BYTES_MAX):
            raise UpstreamInvalid
        return bodies.begin(said.get(_ENCODING, ""))
