"""The bytes in front of an answer's body.

Every answer carries the headers that chassis.web gives pages, unless its face says otherwise; a length or
`chunked`, never both; and the request's id.
"""

import functools
import operator
import time
from collections.abc import Sequence
from email.utils import formatdate
from http import HTTPStatus

import chassis.web
from services.gateway.door.heads import CHUNKED

_REASONS = {status.value: status.phrase for status in HTTPStatus}
# Neither a face nor Amazon may end a line early: all control characters but the tab.
_CONTROL = bytes(sorted({*range(0x20), 0x7F} - {0x09}))

_NAME = operator.itemgetter(0)
_LINE_END = b"\r\n"
_LAST = "connection: close\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


def head(
    status: int,
    headers: Sequence[tuple[str, str]],
    *,
    length: int | None,
    request_id: str,
    is_last: bool,
    is_strict_transport: bool,
) -> bytes:
    """Return status line and headers, down to the empty line.

    Args:
        status: three digits.
        headers: the face's; none of them frames.
        length: of the body: bytes, CHUNKED, or None when the end of the connection says it.
        request_id: of the request.
        is_last: whether the connection ends with this answer.
        is_strict_transport: see `chassis.web.security_headers`.

    Raises:
        ValueError: a header cannot be sent.
    """
    lines = "\r\n".join([*map(": ".join, headers), ""]).encode("latin-1")
    if len(lines) - len(lines.translate(None, _CONTROL)) != len(_LINE_END) * len(headers):
        raise ValueError("a header holds a control character")
    added = _added(tuple(map(_NAME, headers)), is_strict_transport)
    ours = (
        f"{_framing(status, length)}{added}"
        f"{_signature(int(time.time()))}x-request-id: {request_id}\r\n{_LAST if is_last else ''}\r\n"
    )
    return b"%b%b%b" % (_status_line(status), lines, ours.encode("ascii"))


def has_body(method: str, status: int) -> bool:
    """Return whether bytes follow the head of an answer (RFC 9110, 6.4.1)."""
    return method != "HEAD" and status >= 200 and status not in {204, 304}


def _framing(status: int, length: int | None) -> str:
    """Return the header line that says where a body ends, or an empty text."""
    if length is None or status in {204, 304}:
        return ""
    return "transfer-encoding: chunked\r\n" if length == CHUNKED else f"content-length: {length}\r\n"


def chunk(data: bytes) -> bytes:
    """Return one chunk, framed; `data` is not empty."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@functools.lru_cache(maxsize=64)
def _added(names: tuple[str, ...], is_strict_transport: bool) -> str:
    """Return the lines of what every answer has, but for the headers that its face decided."""
    decided = {name.lower() for name in names}
    defaults = chassis.web.security_headers(is_strict_transport=is_strict_transport)
    given = {name.lower(): value for name, value in defaults.items()}
    return "".join(f"{name}: {value}\r\n" for name, value in given.items() if name not in decided)


@functools.lru_cache(maxsize=len(_REASONS))
def _status_line(status: int) -> bytes:
    return f"HTTP/1.1 {status} {_REASONS.get(status, '')}\r\n".encode("ascii")


@functools.lru_cache(maxsize=2)
def _signature(now_s: int) -> str:
    """Return the lines that say who answers, and when."""
    return f"server: {chassis.web.SERVER_NAME}\r\ndate: {formatdate(now_s, usegmt=True)}\r\n"
