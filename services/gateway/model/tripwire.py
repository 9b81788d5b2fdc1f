"""The trip-wire for Amazon's own secrets in what desktops and browsers send (T-06).

A desktop never holds such a secret in a right installation, so one that arrives was pasted or
fetched by mistake: the request is refused, the fact is audited, the value goes nowhere.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from chassis.errors import InvalidInput

# How Amazon's client secrets, refresh tokens, access tokens and restricted data tokens begin.
# Source: SP-API, "Connect to the SP-API" and "Tokens API" (shapes of LWA credentials and tokens).
MARKS = (b"amzn1.oa2-cs.", b"Atzr|", b"Atza|", b"Atz.sprdt|")
_JSON_ESCAPE = re.compile(rb"\\u00([0-7][0-9A-Fa-f])")

# A value may have been percent-encoded by each layer it went through.
DECODING_ROUNDS_MAX = 3


class CredentialsNotAccepted(InvalidInput):
    """The request holds something shaped like one of Amazon's secrets."""

    code = "credentials_not_accepted"
    text = "Amazon credentials are not accepted here. Remove them and connect through the portal."
    http_status = 422


def holds_mark(data: bytes) -> bool:
    """Return whether bytes hold one of MARKS as it is; for answers, which nobody encodes to hide."""
    return any(mark in data for mark in MARKS)


def finds_credential(data: bytes) -> bool:
    """Return whether bytes hold something shaped like Amazon's secrets, also when encoded.

    Percent-encoding (up to DECODING_ROUNDS_MAX layers) and JSON escapes are seen through.
    """
    for _ in range(DECODING_ROUNDS_MAX):
        if holds_mark(data):
            return True
        plainer = _decoded_once(data)
        if plainer == data:
            return False
        data = plainer
    return holds_mark(data)


def check(parts: Iterable[bytes]) -> None:
    """Let parts of a request pass.

    Raises:
        CredentialsNotAccepted: one of them holds a credential; nothing of it is in the error.
    """
    if any(finds_credential(part) for part in parts):
        raise CredentialsNotAccepted


def _decoded_once(data: bytes) -> bytes:
    if b"\\u00" in data:
        data = _JSON_ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), data)
    return unquote_to_bytes(data) if b"%" in data else data
