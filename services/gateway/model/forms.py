"""Uploads by form: where Amazon's storage takes one, and how it is written.

Some links are not called as they are. Whoever uploads takes the link's query apart, sends each pair as a
field of a multipart/form-data POST to the link without its query, and the file as the last part. The pairs
are a policy of Amazon's, its signature and the name of a credential: they stay sealed, the gateway writes
them itself, and a client gets a link that tells their names only.

Source: Amazon S3 API Reference, "POST Object" and "POST Policy"; SP-API documentation, "A+ Content API Use
Case Guide", task "Upload images".
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlencode

import orjson

from services.gateway.model.faults import UpstreamInvalid
from services.gateway.model.uploads import CONTENT_TYPE, OCTETS

# All of a form but its file. Source: Amazon S3 API Reference, "POST Object".
FORM_HEAD_BYTES_MAX = 20_480
# Amazon's have eight.
FIELDS_MAX = 32
# What a client reads in the place of each value.
SEALED_VALUE = "sealed"
FILE = "file"
LINE_END = b"\r\n"
CLOSE = b"--"

_POLICY = "policy"
# What a link holds whose query is a form, and what one holds that is signed for being called as it is.
_OF_FORMS = frozenset({"key", _POLICY, "x-amz-algorithm", "x-amz-signature"})
_OF_OTHERS = "x-amz-signedheaders"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_VALUE = re.compile(r"[\x20-\x7e]{0,4096}")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a form goes, and what stands in it.

    Attributes:
        url: to which it is sent; without a query.
        fields: Amazon's, in the order of its link.
        takes_content_type: whether the policy speaks of a content type that none of the fields is.
    """

    url: str = field(repr=False)
    fields: tuple[tuple[str, str], ...] = field(repr=False)
    takes_content_type: bool

    @property
    def names(self) -> frozenset[str]:
        """What a client may call its own fields, in lower case; Amazon takes them in any."""
        own = {CONTENT_TYPE} if self.takes_content_type else set()
        return frozenset(own | {name.lower() for name, _ in self.fields})


def is_form(url: str) -> bool:
    """Return whether a link is for a form; one for PUT is signed with headers, and names them."""
    names = {name.lower() for name, _ in _pairs(url)}
    return names >= _OF_FORMS and _OF_OTHERS not in names


def destination(url: str) -> Destination:
    """Return what a link says for which `is_form` holds.

    Raises:
        UpstreamInvalid: more than FIELDS_MAX fields, one of them twice, or not plain.
    """
    fields = tuple(_pairs(url))
    lowered = {name.lower(): value for name, value in fields}
    if len(fields) > FIELDS_MAX or len(lowered) < len(fields):
        raise UpstreamInvalid
    if not all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in fields):
        raise UpstreamInvalid
    return Destination(
        url=url.partition("?")[0],
        fields=fields,
        takes_content_type=CONTENT_TYPE not in lowered and _names_content_type(lowered[_POLICY]),
    )


def sealed_query(url: str) -> str:
    """Return the query of the link that a client gets: it finds the fields there, and nothing in them.

    Raises:
        UpstreamInvalid: as `destination`.
    """
    return urlencode([(name, SEALED_VALUE) for name, _ in destination(url).fields])


def opening(to: Destination, *, content_type: str, file_type: str, boundary: str) -> bytes:
    """Return the form's bytes up to where its file begins.

    Args:
        to: tells the fields.
        content_type: of the object, where the destination takes one; empty for none.
        file_type: of the part that holds the file; empty when the client did not say.
        boundary: stands in none of the fields, and nobody could guess it.
    """
    fields = [*to.fields]
    if content_type and to.takes_content_type:
        fields.append(("Content-Type", content_type))
    parts = [f"{_part(boundary, name)}\r\n\r\n{value}\r\n" for name, value in fields]
    file = f'{_part(boundary, FILE)}; filename="{FILE}"\r\nContent-Type: {file_type or OCTETS}\r\n\r\n'
    return "".join([*parts, file]).encode("ascii")


def closing(boundary: str) -> bytes:
    """Return the form's bytes behind its file; one line end may follow."""
    return LINE_END + CLOSE + boundary.encode("ascii") + CLOSE


def _part(boundary: str, name: str) -> str:
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'


def _pairs(url: str) -> Iterator[tuple[str, str]]:
    """Yield a link's query, decoded; "+" is itself, because Amazon's values are base64 and hold no blanks."""
    for pair in url.partition("?")[2].split("&"):
        name, _, value = pair.partition("=")
        yield unquote(name), unquote(value)


def _names_content_type(policy: str) -> bool:
    """Return whether a condition of a policy is about the content type."""
    try:
        document = orjson.loads(base64.b64decode(policy, validate=True))
    except ValueError:
        return False
    conditions = document.get("conditions") if isinstance(document, dict) else None
    listed = conditions if isinstance(conditions, list) else []
    return any(CONTENT_TYPE in _named(condition) for condition in listed)


def _named(condition: Any) -> set[str]:
    """Return the fields that a condition is about: {"<name>": "<value>"} or ["eq", "$<name>", "<value>"]."""
    if isinstance(condition, dict):
        return {name.lower() for name in condition}
    if isinstance(condition, list):
        return {each.lower().removeprefix("$") for each in condition[1:2] if isinstance(each, str)}
    return set()
