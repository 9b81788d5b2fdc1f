"""Reading answers from a connection, one after another: strict HTTP/1.1, and nothing without a bound (T-29).

Refused: a redirect, a protocol switch, other versions, no framing or two, any transfer coding but chunked, a
head of more than HEAD_BYTES_MAX or FIELDS_MAX, a body beyond its cap. Of the head, only what somebody here
reads is kept; trailers are read and dropped. llhttp refuses what is not HTTP: folded fields, bare line feeds,
strange lengths.
"""

import httptools

from services.gateway.amazon import bodies
from services.gateway.amazon.large_answers import SMALL_BYTES_MAX
from services.gateway.model import exchange
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
_LENGTH, _CODING, _ENCODING = b"content-length", b"transfer-encoding", b"content-encoding"
# What tells how a body is to be read; whoever says one of them twice may be read in two ways.
_FRAMING = frozenset({_LENGTH, _CODING, _ENCODING})
_READ = {name.encode(): name for name in exchange.HEADERS_READ}


class AnswerReader:
    """Reads what one connection says; also the callbacks of its parser. Keeps nothing of a whole answer.

    Attributes:
        is_kept: whether the connection may serve again: the answer said so, and nothing came after it.
    """

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._is_expected = False
        self._body_bytes = 0
        self._answer: UpstreamAnswer | None = None
        self._parts: list[bytes] = []
        self.is_kept = False

    @property
    def is_large(self) -> bool:
        """Whether more has come of the present or last body than a small one has."""
        return self._body_bytes > SMALL_BYTES_MAX

    def expect(self) -> None:
        """Begin a new answer; before it, and after it, nothing may be said."""
        self._is_expected = True
        self.is_kept = False
        self._wire_bytes = self._body_bytes = self._interim = 0
        self._begin_head()

    def feed(self, data: bytes) -> UpstreamAnswer | None:
        """Take bytes from the wire; return the answer once it is whole.

        Raises:
            UpstreamInvalid: not an answer that is taken.
        """
        self._wire_bytes += len(data)
        over = self._wire_bytes - HEAD_BYTES_MAX
        if over > 0 and not self._is_head_whole:
            self._end_head(data[:-over])
            data = data[-over:]
        self._parse(data)
        answer, self._answer = self._answer, None
        if answer is None and self._wire_bytes > WIRE_BYTES_MAX:
            raise UpstreamInvalid
        return answer

    def on_message_begin(self) -> None:
        """Refuse what nobody asked for."""
        if not self._is_expected:
            raise UpstreamInvalid

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of the head, or of a trailer, which nobody reads."""
        self._fields += 1
        if self._fields > FIELDS_MAX:
            raise UpstreamInvalid
        if self._is_head_whole:
            return
        name = name.lower()
        if name in _READ:
            self._headers.append((_READ[name], value.decode("latin-1")))
        elif name in _FRAMING:
            if name in self._framing:
                raise UpstreamInvalid
            self._framing[name] = value.strip().lower()

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
        self._check_framing()
        encoding = self._framing.get(_ENCODING)
        self._unpacker = bodies.unpacker(encoding) if encoding else None
        self._is_head_whole = True
        # Only here does the parser know.
        self.is_kept = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        """Take a part of the body."""
        if self._unpacker is not None:
            data = self._unpacker.unpack(data)
        self._body_bytes += len(data)
        if self._body_bytes > bodies.BODY_BYTES_MAX:
            raise UpstreamInvalid
        self._parts.append(data)

    def on_message_complete(self) -> None:
        """Put the answer together, unless it was an interim one."""
        if not self._is_head_whole:
            self._begin_head()
            return
        if self._unpacker is not None:
            self._unpacker.end()
            self._unpacker = None
        self._answer = UpstreamAnswer(self._status, self._headers, b"".join(self._parts))
        self._parts = []
        self._is_expected = False

    def _end_head(self, data: bytes) -> None:
        """Take the last bytes that a head may have."""
        self._parse(data)
        if not self._is_head_whole:
            raise UpstreamInvalid

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if self._answer is None:
                raise UpstreamInvalid from error
            self.is_kept = False

    def _begin_head(self) -> None:
        self._is_head_whole = False
        self._fields = 0
        self._headers: list[tuple[str, str]] = []
        self._framing: dict[bytes, bytes] = {}

    def _check_framing(self) -> None:
        """Let a head pass that tells in exactly one way where its body ends, and soon enough."""
        length, coding = self._framing.get(_LENGTH, b""), self._framing.get(_CODING, b"")
        is_framed = coding == b"chunked" if coding else length.isdigit() or self._status == _NO_CONTENT
        is_single = not (coding and length)
        if not is_framed or not is_single or (length and int(length) > bodies.BODY_BYTES_MAX):
            raise UpstreamInvalid
