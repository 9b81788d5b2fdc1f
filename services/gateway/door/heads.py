"""What stands before a body: bytes become a head and a framing, or a refusal.

llhttp in its strict mode judges the grammar. It is given one whole head at a time, never a body, so no
state of it outlives a request. What it lets pass and we do not (T-09):

- a target that is no path: absolute (`http://…`), an authority, `*`, or with a fragment; HTTP/0.9, which has
  no version; other protocols' names for versions; more than one space; empty lines in front;
- no Host or several, in HTTP/1.1 (RFC 9112, 3.2);
- a coding besides `chunked`, or any at all in HTTP/1.0 (RFC 9112, 6.1): one framing only;
- an upgrade, and expectations that nobody can meet.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import httptools

from chassis.recent import Recent
from services.gateway.door import limits
from services.gateway.door.faults import (
    ExpectationFailed,
    HeadTooLarge,
    MalformedRequest,
    MethodNotImplemented,
    UpgradeNotServed,
    VersionNotServed,
)
from services.gateway.door.request import Head
from services.gateway.model.fields import Fields

END = b"\r\n\r\n"
_LINE_END = "\r\n"

# Source: RFC 9112, 3.2.1: the origin form; RFC 3986 leaves a fragment out of it.
_START = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (/[!-\"$-~]*) HTTP/1\.([01])\r\n")
_OTHER_VERSION = re.compile(r"[!-~]+ [!-~]+ HTTP/(?!1\.[01]\r)[0-9](?:\.[0-9])?\r\n")
_BARE_LINE_END = re.compile(rb"(?<!\r)\n|\r(?!\n)")
# Source: RFC 3986, 3.2.2 and 3.2.3: what a host with a port is made of.
_HOST = re.compile(r"[A-Za-z0-9._~%!$&'()*+,;=:\[\]-]*", re.ASCII)
# Below 2**53, whatever reads it.
_LENGTH = re.compile(r"[0-9]{1,15}", re.ASCII)
_TUNNEL = "CONNECT"
# A proof is taken once, so a head that carries one never comes again.
_PROOF = "dpop"
_FRAMING = frozenset({"content-length", "transfer-encoding"})
_MEANT_FOR_US = _FRAMING | {"connection", "expect", "upgrade"}

_NO_BODY = 0
CHUNKED = -1


class Framing(NamedTuple):
    """Where a request ends, and whether another may follow.

    Attributes:
        length: the body's bytes; 0 for none, CHUNKED for chunks.
        is_kept: whether the client wants to go on using the connection.
        is_old: whether it speaks HTTP/1.0, which knows no chunks.
        expects_continue: whether it waits for our word before it sends the body.
    """

    length: int
    is_kept: bool
    is_old: bool
    expects_continue: bool


# Of a head that says nothing about it.
_BODILESS = Framing(_NO_BODY, is_kept=True, is_old=False, expects_continue=False)
_BODILESS_OLD = Framing(_NO_BODY, is_kept=False, is_old=True, expects_continue=False)


class _Judge:
    """Hears nothing from llhttp but its verdict."""

    __slots__ = ()


class HeadReader:
    """Reads whole heads; what it has read lately but for the target, it knows again.

    Clients send the same method and fields with call after call. What llhttp and we said of those does not
    depend on the target, of which we take no character that llhttp would refuse.
    """

    def __init__(self) -> None:
        self._known: Recent[tuple[str, str, str], tuple[Fields, Framing]] = Recent(limits.HEADS_KNOWN_MAX)

    def read(self, data: bytes) -> tuple[Head, Framing]:
        """Return what one whole head says.

        Args:
            data: from the first byte of the request line to the empty line's end.

        Raises:
            MalformedRequest, HeadTooLarge, MethodNotImplemented, VersionNotServed, UpgradeNotServed,
            ExpectationFailed: see each.
        """
        if len(data) > limits.HEAD_BYTES_MAX:
            raise HeadTooLarge
        text = data.decode("latin-1")
        start = _read_start(text)
        method, target, minor = start.groups()
        rest = text[start.end() :]
        key = method, minor, rest
        known = self._known.peek(key)
        if known is None:
            _judge(data, method)
            known = _read_rest(rest, is_old=minor == "0")
            if len(rest) <= limits.HEAD_KNOWN_BYTES_MAX and _PROOF not in known[0].first:
                self._known.put(key, known)
        fields, framing = known
        return Head(method, target, fields), framing

    def forget(self) -> None:
        """Forget what was read: it holds clients' tokens."""
        self._known.clear()


def _judge(data: bytes, method: str) -> None:
    try:
        httptools.HttpRequestParser(_Judge()).feed_data(data)
    except httptools.HttpParserInvalidMethodError:
        raise MethodNotImplemented from None
    except httptools.HttpParserUpgrade:
        raise (MethodNotImplemented if method == _TUNNEL else UpgradeNotServed) from None
    except httptools.HttpParserError:
        raise MalformedRequest from None


def _read_rest(text: str, *, is_old: bool) -> tuple[Fields, Framing]:
    """Return what follows the request line of a head that was judged, to the empty line's end."""
    fields = _fields(text[: -len(END)])
    if not _is_host(fields.values("host"), is_old=is_old):
        raise MalformedRequest
    if _MEANT_FOR_US.isdisjoint(fields.first):
        return fields, _BODILESS_OLD if is_old else _BODILESS
    return fields, _framing(fields, is_old=is_old)


def _fields(text: str) -> Fields:
    """Return the fields of a head that was judged: each is one line, with a colon behind its name."""
    lines = text.split(_LINE_END) if text else []
    if len(lines) > limits.HEAD_FIELDS_MAX:
        raise HeadTooLarge
    if len(text) > limits.HEAD_LINE_BYTES_MAX and max(map(len, lines)) > limits.HEAD_LINE_BYTES_MAX:
        raise HeadTooLarge
    parted = [line.partition(":") for line in lines]
    return Fields([(name.lower(), value.strip(" \t")) for name, _, value in parted])


def check_beginning(data: bytes | bytearray, line_at: int) -> int:
    """Refuse early what cannot become a head any more; return where its last, unfinished line begins.

    Args:
        data: a head of which the end has not arrived.
        line_at: what the last call for the same head returned; 0 at first.

    Raises:
        MalformedRequest, VersionNotServed: as `read` would.
        HeadTooLarge: a line, or all of it.
    """
    last_at = data.rfind(b"\n", line_at) + 1 or line_at
    if _BARE_LINE_END.search(data, line_at, last_at):
        raise MalformedRequest
    if line_at == 0 and last_at:
        _read_start(data.decode("latin-1"))
    # The line's own "\r" may have come already.
    if len(data) - last_at > limits.HEAD_LINE_BYTES_MAX + 1 or len(data) > limits.HEAD_BYTES_MAX:
        raise HeadTooLarge
    return last_at


def _read_start(text: str) -> re.Match[str]:
    """Return the request line at the beginning of a head: method, target and minor version."""
    start = _START.match(text)
    if start is None:
        raise VersionNotServed if _OTHER_VERSION.match(text) else MalformedRequest
    if start.end() - len(_LINE_END) > limits.HEAD_LINE_BYTES_MAX:
        raise HeadTooLarge
    return start


def _framing(fields: Fields, *, is_old: bool) -> Framing:
    ours = _MEANT_FOR_US.intersection(fields.first)
    if "upgrade" in ours:
        raise UpgradeNotServed
    if "expect" in ours and [value.lower() for value in fields.values("expect")] != ["100-continue"]:
        raise ExpectationFailed
    length = _length(fields, is_old=is_old) if _FRAMING & ours else _NO_BODY
    return Framing(
        length=length,
        is_kept=not is_old and not ("connection" in ours and _is_closing(fields)),
        is_old=is_old,
        expects_continue="expect" in ours and length != _NO_BODY and not is_old,
    )


def _is_host(hosts: Sequence[str], *, is_old: bool) -> bool:
    return is_old if not hosts else len(hosts) == 1 and _HOST.fullmatch(hosts[0]) is not None


def _is_closing(fields: Fields) -> bool:
    options = ",".join(fields.values("connection")).lower().split(",")
    return "close" in [option.strip() for option in options]


def _length(fields: Fields, *, is_old: bool) -> int:
    """Return the length of the body that follows, or CHUNKED; one framing, said once."""
    codings, lengths = fields.values("transfer-encoding"), fields.values("content-length")
    if codings:
        if is_old or lengths or len(codings) != 1 or codings[0].lower() != "chunked":
            raise MalformedRequest
        return CHUNKED
    if len(lengths) != 1 or not _LENGTH.fullmatch(lengths[0]):
        raise MalformedRequest
    return int(lengths[0])
