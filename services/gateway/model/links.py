"""Links in Amazon's answers: where they stand, which may be followed, and another one in their place.

- A link is put in place of another by its bytes alone: every other byte of the answer stays as it came.
- Every occurrence of a member counts, also where an object holds its name twice or spells it with escapes,
  because libraries differ in which one they read.
- What is followed is https, on a host of the list, on its port; nothing in it may be read in two ways.
- An answer that still shows a presigned link where none is expected does not leave (T-29).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, zip_longest

import orjson

from services.gateway.model import bounded_json
from services.gateway.model.faults import UpstreamInvalid
from services.gateway.model.masking import HIDDEN_TEXT

# A page of Amazon's largest orders has a tenth of this; looking for links holds everybody else up.
ANSWER_BYTES_MAX = 4 * 1_048_576
# Amazon's presigned links have 500 to 2,500 characters, most of them a session token's.
URL_CHARS_MAX = 4_096
HTTPS_PORT = 443
# Source: RFC 1035, 2.3.4, as it is spelled.
HOST_CHARS_MAX = 253

_SHOPS = (
    *("ae", "ca", "co.jp", "co.uk", "co.za", "com", "com.au", "com.be", "com.br", "com.mx", "com.tr", "de"),
    *("eg", "es", "fr", "ie", "in", "it", "nl", "pl", "sa", "se", "sg"),
)
# Where Amazon keeps documents: buckets by name, in the global, regional and older regional spellings; the
# storage of its sandbox; its shops, whose pages hold the papers of a return; and where it keeps what buyers
# handed in for customized products, one host for all regions.
# Source: links quoted in issues of amzn/selling-partner-api-models (1593, 3005, 1293) and in its models'
# examples (the last two: ordersV0, CustomizedURL of orders in pounds and yen; orders_2026-01-01,
# customizedUrl); Amazon S3 User Guide, "Virtual hosting of buckets".
AMAZON_HOSTS = (
    "s3.amazonaws.com",
    "*.s3.amazonaws.com",
    "s3.*.amazonaws.com",
    "*.s3.*.amazonaws.com",
    "s3-*.amazonaws.com",
    "*.s3-*.amazonaws.com",
    "d34o8swod1owfl.cloudfront.net",
    *(f"www.amazon.{country}" for country in _SHOPS),
    "zme-caps.amazon.com",
    "amazon.com",
)

# RFC 3986 with the characters that Amazon's own examples have besides; no user, fragment or backslash.
_URL = re.compile(
    r"https://(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<target>[/?][!\"$-\[\]-~]*)?",
    re.IGNORECASE,
)
_PATTERN = re.compile(r"(?P<host>[a-z0-9.*-]+)(?::(?P<port>[1-9][0-9]{0,4}))?")
_LABEL = "[a-z0-9-]+"
# What only a presigned link holds. Source: Amazon S3, "Authenticating Requests: Using Query Parameters".
_PRESIGNED = re.compile(rb"X-Amz-Signature=|[?&]Signature=|AWSAccessKeyId=", re.IGNORECASE)
# A text, with the colon that makes it a member's name, or the beginning or end of a container; numbers and
# the like need no look.
_TOKEN = re.compile(rb"(%b)\s*(:)?|[{}\[\]]" % bounded_json.TEXT, re.DOTALL)
# How a letter begins that is spelled as an escape.
ESCAPE = b"\\u00"
# A character of those that a presigned link may hold, spelled so.
_ESCAPED = re.compile(re.escape(ESCAPE) + rb"([2-7][0-9A-Fa-f])")
_EACH = "[*]"
_NO_LINK = b'""'


def read_answer(body: bytes) -> object:
    """Return what an answer tells that may hold links, or tell of documents.

    Raises:
        UpstreamInvalid: not JSON, or more than ANSWER_BYTES_MAX.
    """
    try:
        return bounded_json.read(body, bytes_max=ANSWER_BYTES_MAX)
    except bounded_json.Unreadable as error:
        raise UpstreamInvalid from error


def is_presigned(text: bytes) -> bool:
    """Return whether a presigned link stands somewhere in a text, unescaped."""
    return _PRESIGNED.search(text) is not None


def host_of(url: str) -> str:
    """Return the host of a link, with the port where one is told; empty when it cannot be read."""
    parts = _URL.fullmatch(url) if len(url) <= URL_CHARS_MAX else None
    if parts is None or len(parts["host"]) > HOST_CHARS_MAX:
        return ""
    return parts["host"].lower() + (f":{parts['port']}" if parts["port"] else "")


class DocumentHosts:
    """The hosts on which documents may lie."""

    def __init__(self, patterns: Iterable[str]) -> None:
        """Take patterns.

        Args:
            patterns: host names in lower case, each perhaps with a port; "*" stands for a part of one label
                or a whole one, never for a dot.

        Raises:
            ValueError: one is not of that form.
        """
        self._allowed = [_compiled(pattern) for pattern in patterns]

    def check(self, url: str) -> None:
        """Return if a link may be followed.

        Raises:
            UpstreamInvalid: it may not; Amazon would not have written it (T-05, T-29).
        """
        parts = _URL.fullmatch(url) if len(url) <= URL_CHARS_MAX else None
        if parts is None:
            raise UpstreamInvalid
        host, port = parts["host"].lower(), int(parts["port"] or HTTPS_PORT)
        if not any(allowed.fullmatch(host) and port == its_port for allowed, its_port in self._allowed):
            raise UpstreamInvalid


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a link stands in an answer, quotes included."""

    start: int
    end: int


class LinkPaths:
    """One operation's paths to links, as a tree that is walked together with an answer's bytes."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Compile paths.

        Args:
            paths: each "$" followed by ".<member>" and "[*]" steps.
        """
        self._root = _Node()
        self._names: set[bytes] = set()
        for path in paths:
            node, steps = self._root, path.replace(_EACH, f".{_EACH}").split(".")[1:]
            for step in steps:
                node = node.children.setdefault(step, _Node())
            node.is_link = True
            self._names.add(next(step for step in reversed(steps) if step != _EACH).encode())

    def rewrite(self, body: bytes, link_for: Callable[[str], str]) -> bytes:
        """Return an answer with another link in place of each; a hidden, empty or absent one stays.

        Args:
            body: JSON; an empty one stays empty.
            link_for: gives the link that takes another's place; ASCII without quotes and backslashes.

        Raises:
            UpstreamInvalid: not JSON, an object or a list where a link is expected, or a presigned link where
                none is.
            SallyportError: whatever `link_for` raises.
        """
        if not body:
            return body
        read_answer(body)
        kept, links, done = [], [], 0
        for span in _spans(self._root, body) if self._may_hold_links(body) else ():
            link = orjson.loads(body[span.start : span.end])
            if link not in {"", HIDDEN_TEXT}:
                kept.append(body[done : span.start])
                links.append(b'"' + link_for(link).encode("ascii") + b'"')
                done = span.end
        kept.append(body[done:])
        _check_unsigned(_NO_LINK.join(kept))
        return b"".join(chain.from_iterable(zip_longest(kept, links, fillvalue=b"")))

    def _may_hold_links(self, body: bytes) -> bool:
        """Return whether a link's name is in an answer, or might be, spelled with escapes."""
        return ESCAPE in body or any(name in body for name in self._names)


class _Node:
    """One step of the tree: what is below it, and whether a path ends here."""

    __slots__ = ("children", "is_link")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.is_link = False


_NOWHERE = _Node()


class _Place:
    """A container that is being walked: its node, and the node of the value that comes next."""

    __slots__ = ("below", "node")

    def __init__(self, node: _Node) -> None:
        self.node = node
        self.below = node.children.get(_EACH, _NOWHERE)


def _spans(root: _Node, body: bytes) -> Iterator[_Span]:
    """Yield where links stand in valid JSON, in their order.

    Raises:
        UpstreamInvalid: a container stands where a link is expected.
    """
    places: list[_Place] = []
    place = _Place(root)
    place.below = root
    for token in _TOKEN.finditer(body):
        text, colon = token.group(1, 2)
        if colon:
            place.below = place.node.children.get(_name(text), _NOWHERE)
        elif text:
            if place.below.is_link:
                yield _Span(*token.span(1))
        elif body[token.start()] in b"]}":
            place = places.pop()
        elif place.below.is_link:
            raise UpstreamInvalid
        else:
            places.append(place)
            place = _Place(place.below)


def _name(text: bytes) -> str:
    """Return a member's name as it is meant; one that is no text of ours is as good as none."""
    return str(orjson.loads(text)) if b"\\" in text else text[1:-1].decode()


def _check_unsigned(body: bytes) -> None:
    """Let an answer pass in which nothing is left of a presigned link, escaped or not."""
    if is_presigned(_ESCAPED.sub(lambda each: bytes.fromhex(each[1].decode()), body)):
        raise UpstreamInvalid


def _compiled(pattern: str) -> tuple[re.Pattern[str], int]:
    parts = _PATTERN.fullmatch(pattern)
    if parts is None or ".." in pattern or int(parts["port"] or HTTPS_PORT) > 65_535:
        raise ValueError(f"not a host, with a port or without: {pattern!r}")
    labels = (_LABEL.join(map(re.escape, label.split("*"))) for label in parts["host"].split("."))
    return re.compile(r"\.".join(labels)), int(parts["port"] or HTTPS_PORT)
