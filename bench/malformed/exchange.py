"""One client's connection: sends attempts, reads whatever comes back, and says how each ended."""

import asyncio
import contextlib
import re
import ssl
from dataclasses import dataclass, field

from bench.malformed.attempts import HIDDEN_MARK, HOST, ID_HEADER, OPEN_MARK, Attempt, Ids, Manner, whole
from sallyport.layout import LOOPBACK

PATIENCE_S = 1.0
"""How long an answer is waited for where there need not be one."""
ANSWER_S_MAX = 30.0
"""How long where there must be one; a call may wait for its permit."""
CONNECT_S_MAX = 20.0
HEAD_BYTES_MAX = 65_536
BODY_BYTES_MAX = 4 * 1_048_576

HEAD_END = b"\r\n\r\n"
STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r]")
LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]{1,9}) *\r", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
CLOSING = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
OWN_ID = re.compile(rb"\r\n" + ID_HEADER.encode() + rb": *([^\r]{1,64})\r", re.IGNORECASE)

NO_ANSWER = "no answer, and we hung up"
LEFT = "left without an answer"
CUT = "cut off by us"
UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Answer:
    """One answer; `ident` is the request id on it."""

    status: int
    ident: str
    body: bytes = field(repr=False)
    is_last: bool


@dataclass(frozen=True)
class Ending:
    """How one attempt ended.

    Attributes:
        outcome: a status, or why there is none.
        is_missing: there had to be an answer, and there was none.
        is_anothers: an answer belonged to another request.
    """

    attempt: Attempt
    outcome: str
    answer: Answer | None = None
    is_missing: bool = False
    is_anothers: bool = False


class Client:
    """One client with at most one connection."""

    def __init__(self, *, port: int, tls: ssl.SSLContext, ids: Ids) -> None:
        self._port = port
        self._tls = tls
        self._ids = ids
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, attempt: Attempt) -> Ending:
        """Return how an attempt ended.

        One over a connection that had served before and is found closed is made once more over a new one, as
        every client does (RFC 9112, 9.3.1 and 9.5).
        """
        was_used = self._streams is not None
        ending = await self._send_once(attempt)
        return await self._send_once(attempt) if was_used and ending.outcome == LEFT else ending

    async def _send_once(self, attempt: Attempt) -> Ending:
        try:
            return await self._try(attempt)
        except TimeoutError:
            self.hang_up()
            must = attempt.manner is Manner.WHOLE
            return Ending(attempt, NO_ANSWER, is_missing=must)
        except ValueError:
            self.hang_up()
            return Ending(attempt, UNREADABLE, is_missing=True)
        except (OSError, asyncio.IncompleteReadError):
            self.hang_up()
            return Ending(attempt, LEFT, is_missing=attempt.manner is Manner.WHOLE)

    def hang_up(self) -> None:
        """Leave the connection, if there is one."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    async def _try(self, attempt: Attempt) -> Ending:
        reader, writer = await self._connected(is_plain=attempt.is_plain)
        writer.write(attempt.sent)
        if attempt.manner is Manner.CUT:
            with contextlib.suppress(OSError):
                await writer.drain()
            self.hang_up()
            return Ending(attempt, CUT)
        patience_s = ANSWER_S_MAX if attempt.manner is Manner.WHOLE else PATIENCE_S
        async with asyncio.timeout(patience_s):
            answer = await _read(reader, attempt.sent.startswith(b"HEAD "))
        is_anothers = not _is_of(answer, attempt.sent)
        if attempt.manner is Manner.AMBIGUOUS and not answer.is_last:
            is_anothers = is_anothers or await self._next_is_anothers(reader, writer)
        if attempt.manner is not Manner.WHOLE or answer.is_last:
            self.hang_up()
        return Ending(attempt, str(answer.status), answer, is_anothers=is_anothers)

    async def _next_is_anothers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Send a plain request, and return whether it gets an answer that is not its own."""
        ident = self._ids.next()
        plain = whole("GET", "/.well-known/openid-configuration", {}, ident=ident)
        writer.write(plain)
        try:
            async with asyncio.timeout(PATIENCE_S):
                return (await _read(reader, is_bodiless=False)).ident != ident
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            # It was taken for the rest of a body, or the connection had ended: nobody got anybody's answer.
            return False

    async def _connected(self, *, is_plain: bool) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if is_plain:
            self.hang_up()
        if self._streams is not None and self._streams[0].at_eof():
            self.hang_up()
        if self._streams is None:
            tls, name = (None, None) if is_plain else (self._tls, HOST)
            async with asyncio.timeout(CONNECT_S_MAX):
                self._streams = await asyncio.open_connection(
                    LOOPBACK, self._port, limit=HEAD_BYTES_MAX, ssl=tls, server_hostname=name
                )
        return self._streams


async def _read(reader: asyncio.StreamReader, is_bodiless: bool) -> Answer:
    """Return the next answer that is not provisional.

    Raises:
        ValueError: it is not HTTP, or beyond the bounds.
        IncompleteReadError, OSError: the connection ended before it was whole.
    """
    while True:
        try:
            head = await reader.readuntil(HEAD_END)
        except asyncio.LimitOverrunError as error:
            raise ValueError("a head without end") from error
        found = STATUS.match(head)
        if found is None:
            raise ValueError("no HTTP")
        if (status := int(found[1])) >= 200:
            break
    ident = OWN_ID.search(head)
    named = ident[1].decode("latin-1") if ident else ""
    body = b"" if is_bodiless or status in {204, 304} else await _read_body(reader, head)
    return Answer(status, named, body, is_last=CLOSING.search(head) is not None)


async def _read_body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    if CHUNKED.search(head):
        return await _read_chunks(reader)
    length = LENGTH.search(head)
    if length is None:
        return await reader.read(BODY_BYTES_MAX)
    if int(length[1]) > BODY_BYTES_MAX:
        raise ValueError("a body beyond bounds")
    return await reader.readexactly(int(length[1]))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while (size := int(await reader.readuntil(b"\r\n"), 16)) > 0:
        body += (await reader.readexactly(size + 2))[:-2]
        if len(body) > BODY_BYTES_MAX:
            raise ValueError("a body beyond bounds")
    await reader.readexactly(2)
    return body


def _is_of(answer: Answer, sent: bytes) -> bool:
    """Return whether an answer can be one to these bytes: never to a hidden request, nor to another's."""
    if answer.ident.startswith(HIDDEN_MARK):
        return False
    return not answer.ident.startswith(OPEN_MARK) or answer.ident.encode() in sent
