"""Forms as Amazon's storage wants them: the link that Amazon gives, what clients send, what it reads."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

BOUNDARY = "----client7MA4YWxkTrZu0gW"
KEY = "sc/46ffb9d4-d0e1-455a-a630-05aa0b699f48.png"
CREDENTIAL = "AKIAIOSFODNN7EXAMPLE/20201116/us-east-1/s3/aws4_request"
SIGNATURE = "c5c8efd95d883b6787a2b1a93c7c066f01cb4e8d7be3ece4360aa800332e0cf9"


def policy(*conditions: Any) -> str:
    """Return a policy as its field holds it."""
    named = [{"bucket": "aplus-media"}, {"key": KEY}, *conditions, ["content-length-range", 1, 3_145_728]]
    document = {"conditions": named, "expiration": "2030-11-16T21:46:23.868Z"}
    return base64.b64encode(json.dumps(document).encode()).decode()


def fields(*conditions: Any, **more: str) -> dict[str, str]:
    """Return Amazon's fields; names as Amazon spells them.

    Source: the example of SP-API's A+ Content API Use Case Guide.
    """
    return {
        "x-amz-date": "20201116T184623Z",
        "x-amz-signature": SIGNATURE,
        "x-amz-meta-owner": "A2CZ04NGKYDXDV",
        "acl": "private",
        "key": KEY,
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "policy": policy(*conditions),
        "x-amz-credential": CREDENTIAL,
        **more,
    }


def link(told: Mapping[str, str], base: str = "https://aplus-media.s3.amazonaws.com/") -> str:
    """Return Amazon's link, which spells most of its values as they are."""
    return base + "?" + "&".join(f"{name}={quote(value, safe='/=+')}" for name, value in told.items())


def form(
    told: Sequence[tuple[str, str]], file: bytes, *, head: str = "", end: bytes = b"\r\n", name: str = "file"
) -> bytes:
    """Return a client's form.

    Args:
        told: its fields.
        file: what the last part holds.
        head: of that part, after its name.
        end: what follows the closing boundary.
        name: of the last part.
    """
    parts = [_part(field) + b"\r\n\r\n" + value.encode() + b"\r\n" for field, value in told]
    opened = _part(name) + head.encode() + b"\r\n\r\n" + file
    return b"".join([*parts, opened, b"\r\n--", BOUNDARY.encode(), b"--", end])


def _part(name: str) -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'.encode()


def read(content_type: str, body: bytes) -> list[tuple[str, bytes]]:
    """Return a form's parts, heads and contents, taken apart in the plainest way.

    Raises:
        ValueError: it is no form.
    """
    boundary = content_type.removeprefix("multipart/form-data; boundary=").encode()
    nothing, *parts, end = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if nothing or end not in {b"--", b"--\r\n"}:
        raise ValueError(body[:200])
    heads = (part.partition(b"\r\n\r\n") for part in parts)
    return [(head.decode().removeprefix("\r\n"), content) for head, _, content in heads]
