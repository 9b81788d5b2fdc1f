"""The trip-wire for Amazon's own secrets in what desktops and browsers send (T-06).

A desktop never holds such a secret in a right installation, so one that arrives was pasted or
fetched by mistake: the request is refused, the fact is audited, the value goes nowhere.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from chassis.errors import InvalidInput

# How Amazon's client secrets, refresh tokens, access tokens and restricted data tokens begin.
# Source: SP-API, "Connect to the SP-API" and "Tokens API" (shapes of LWA credentials and tokens).
_SECRET_MARK = b"amzn1.oa2-cs."
_TOKEN_MARKS = (b"Atzr|", b"Atza|", b"Atz.sprdt|")
MARKS = (_SECRET_MARK, *_TOKEN_MARKS)
# In each of _TOKEN_MARKS and seldom elsewhere; one byte is looked for many times faster than several. It is a
# number, because `in` takes bytes for one first, which costs more than the whole search.
_TOKEN_BYTE = ord("|")

# As much as is looked at before others have their turn: two milliseconds, where all of it is escaped.
PIECE_BYTES = 65_536
# Longer than a mark in a JSON text eight texts deep.
OVERLAP_BYTES = 4_096

# A value may have been percent-encoded by each layer it went through.
DECODING_ROUNDS_MAX = 3

_JSON_PREFIX, _PERCENT = b"\\u00", b"%"
_BACKSLASH_BYTE, _PERCENT_BYTE = ord("\\"), ord("%")


def _escapes(prefix: bytes) -> Mapping[bytes, bytes]:
    """Return how the characters of MARKS, and those that begin an escape, are written escaped."""
    plain = sorted({*b"".join(MARKS), *b"\\%"})
    codes = [(f"{char:02x}", bytes([char])) for char in plain]
    return {prefix + code.encode(): char for low, char in codes for code in (low, low.upper())}


def _any_of(texts: Iterable[bytes]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(map(re.escape, texts)))


# What finds escapes at all, which is several times faster than replacing them, and what they stand for.
_ESCAPES = tuple((_any_of(escapes), escapes) for escapes in map(_escapes, (_JSON_PREFIX, _PERCENT)))


class CredentialsNotAccepted(InvalidInput):
    """The request holds something shaped like one of Amazon's secrets."""

    code = "credentials_not_accepted"
    text = "Amazon credentials are not accepted here. Remove them and connect through the portal."
    http_status = 422


def holds_credential(document: bytes) -> bool:
    """Return whether a JSON document, Amazon's for one, tells any of MARKS, plainly or escaped (T-31)."""
    is_escaped = _BACKSLASH_BYTE in document and _JSON_PREFIX in document
    return _holds_mark(document) or (is_escaped and finds_credential(document))


def finds_credential(data: bytes) -> bool:
    """Return whether bytes hold something shaped like Amazon's secrets, also when encoded.

    Percent-encoding (up to DECODING_ROUNDS_MAX layers) and JSON escapes are seen through.
    """
    if _PERCENT_BYTE not in data and _BACKSLASH_BYTE not in data:
        return _holds_mark(data)
    for _ in range(DECODING_ROUNDS_MAX):
        if _holds_mark(data):
            return True
        plainer = _decoded_once(data)
        if plainer == data:
            return False
        data = plainer
    return _holds_mark(data)


def pieces(data: bytes) -> Iterator[bytes]:
    """Yield bytes in pieces of at most PIECE_BYTES; a mark stands whole in one of them, also when encoded."""
    for begin in range(0, max(1, len(data) - OVERLAP_BYTES), PIECE_BYTES - OVERLAP_BYTES):
        yield data[begin : begin + PIECE_BYTES]


def check(parts: Iterable[bytes]) -> None:
    """Let parts of a request pass.

    Raises:
        CredentialsNotAccepted: one of them holds a credential; nothing of it is in the error.
    """
    for part in parts:
        if part and finds_credential(part):
            raise CredentialsNotAccepted


def _holds_mark(data: bytes) -> bool:
    if data.find(_SECRET_MARK) >= 0:
        return True
    return _TOKEN_BYTE in data and any(mark in data for mark in _TOKEN_MARKS)


def _decoded_once(data: bytes) -> bytes:
    """Return bytes with the escapes replaced that could hide a mark; as fast as it is for any bytes."""
    # JSON in a text of JSON, and of that one in another.
    while rb"\\" in data:
        data = data.replace(rb"\\", b"\\")
    for pattern, escapes in _ESCAPES:
        if pattern.search(data):
            for escape, plain in escapes.items():
                data = data.replace(escape, plain)
    return data
