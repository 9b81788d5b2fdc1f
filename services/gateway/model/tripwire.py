"""The trip-wire for Amazon's own secrets in what desktops and browsers send (T-06).

A desktop never holds such a secret in a right installation, so one that arrives was pasted or
fetched by mistake: the request is refused, the fact is audited, the value goes nowhere.
"""

from collections.abc import Iterable, Sequence

from chassis.errors import InvalidInput

# How Amazon's client secrets, refresh tokens, access tokens and restricted data tokens begin.
# Source: SP-API, "Connect to the SP-API" and "Tokens API" (shapes of LWA credentials and tokens).
MARKS = (b"amzn1.oa2-cs.", b"Atzr|", b"Atza|", b"Atz.sprdt|")

# A value may have been percent-encoded by each layer it went through.
DECODING_ROUNDS_MAX = 3

_JSON_PREFIX, _PERCENT_PREFIX = b"\\u00", b"%"


def _escapes(prefix: bytes) -> Sequence[tuple[bytes, bytes]]:
    """Return how the characters of MARKS, and those that begin an escape, are written escaped."""
    plain = sorted({*b"".join(MARKS), *b"\\%"})
    codes = [(f"{char:02x}", bytes([char])) for char in plain]
    return [(prefix + code.encode(), char) for low, char in codes for code in {low, low.upper()}]


_ESCAPES = ((_JSON_PREFIX, _escapes(_JSON_PREFIX)), (_PERCENT_PREFIX, _escapes(_PERCENT_PREFIX)))


class CredentialsNotAccepted(InvalidInput):
    """The request holds something shaped like one of Amazon's secrets."""

    code = "credentials_not_accepted"
    text = "Amazon credentials are not accepted here. Remove them and connect through the portal."
    http_status = 422


def holds_credential(document: bytes) -> bool:
    """Return whether a JSON document, Amazon's for one, tells any of MARKS, plainly or escaped (T-31)."""
    return _holds_mark(document) or (_JSON_PREFIX in document and finds_credential(document))


def finds_credential(data: bytes) -> bool:
    """Return whether bytes hold something shaped like Amazon's secrets, also when encoded.

    Percent-encoding (up to DECODING_ROUNDS_MAX layers) and JSON escapes are seen through.
    """
    if b"%" not in data and b"\\" not in data:
        return _holds_mark(data)
    for _ in range(DECODING_ROUNDS_MAX):
        if _holds_mark(data):
            return True
        plainer = _decoded_once(data)
        if plainer == data:
            return False
        data = plainer
    return _holds_mark(data)


def check(parts: Iterable[bytes]) -> None:
    """Let parts of a request pass.

    Raises:
        CredentialsNotAccepted: one of them holds a credential; nothing of it is in the error.
    """
    if any(finds_credential(part) for part in parts):
        raise CredentialsNotAccepted


def _holds_mark(data: bytes) -> bool:
    for mark in MARKS:  # noqa: SIM110 - asked of every part of every call, where a generator costs most
        if mark in data:
            return True
    return False


def _decoded_once(data: bytes) -> bytes:
    """Return bytes with the escapes replaced that could hide a mark; as fast as it is for any bytes."""
    # JSON in a text of JSON.
    data = data.replace(rb"\\", b"\\")
    for prefix, escapes in _ESCAPES:
        if prefix in data:
            for escape, plain in escapes:
                data = data.replace(escape, plain)
    return data
