"""What a call's path and query may look like, and their canonical form (T-05, T-10).

A target comes from a stranger. Its path is taken apart into decoded segments, which are looked up in
the catalogue and put together again from it; nothing of the path's spelling survives. Its query is
cut down to the parameters that the operation knows, their values left byte for byte, because
Amazon's page tokens must go back as they came.

- refused: encoded slashes, dot segments, empty segments, control characters, broken or doubled
  percent-encoding, anything but printable ASCII, other forms of target than origin form (RFC 9112, 3.2.1);
- dropped: query parameters that the operation does not know. Amazon ignores them, and unmodified
  libraries send some of their own; the answer names what was dropped.
"""

import functools
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, unquote_plus

from chassis.errors import InvalidInput
from services.gateway.model.faults import OperationNotAllowed

# Amazon's longest page tokens are about 2 KB; a path is short.
TARGET_CHARS_MAX = 16_384
PATH_SEGMENTS_MAX = 16
QUERY_PAIRS_MAX = 256

# Source: RFC 3986, 2.3 (unreserved), 3.3 (pchar) and 3.4 (query).
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]+")
_SEGMENT = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+")
_QUERY = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?|\[\]-]|%[0-9A-Fa-f]{2})*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f/\\]")
# A decoded segment that another decoder would turn into one of the above.
_ENCODED_AGAIN = re.compile(r"%(?:[01][0-9A-Fa-f]|2[EeFf]|5[Cc]|7[Ff])|%25")
_DOTS = frozenset({".", ".."})
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class QueryInvalid(InvalidInput):
    """The query is not one that a library writes."""

    code = "invalid_query"
    text = "The query of the request is not valid."


@dataclass(frozen=True, slots=True)
class Target:
    """A target in parts.

    Attributes:
        segments: decoded, at least one, none empty.
        query: raw, without the question mark; its characters are checked.
    """

    segments: tuple[str, ...] = field(repr=False)
    query: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Query:
    """A query as it goes to Amazon.

    Attributes:
        text: the known pairs, byte for byte and in their order, joined by "&".
        dropped: what was left out, each once: names of parameters, only such as are plain words, or values.
    """

    text: str = field(repr=False)
    dropped: tuple[str, ...]


def parse(target: str) -> Target:
    """Return a target's parts.

    Raises:
        OperationNotAllowed: the path is none that the catalogue could hold.
        QueryInvalid: the query is too long or has characters that a query cannot have.
    """
    path, _, query = target.partition("?")
    if len(target) > TARGET_CHARS_MAX or not _QUERY.fullmatch(query):
        raise QueryInvalid
    raw = path.split("/")
    if raw[0] or not 1 < len(raw) <= PATH_SEGMENTS_MAX + 1:
        raise OperationNotAllowed
    return Target(tuple(_segment(each) for each in raw[1:]), query)


def canonical(segments: Collection[str]) -> str:
    """Return the one spelling of a path: every character but the unreserved ones encoded."""
    return "".join(
        f"/{segment if _UNRESERVED.fullmatch(segment) else quote(segment, safe='')}" for segment in segments
    )


def known_part(query: str, known: Collection[str]) -> Query:
    """Return the part of a query that an operation knows.

    Args:
        query: raw, as in Target.
        known: names of parameters, exactly as Amazon writes them.

    Raises:
        QueryInvalid: more than QUERY_PAIRS_MAX pairs.
    """
    kept: list[str] = []
    dropped: dict[str, None] = {}
    for pair, name, _ in _pairs(query):
        if name in known:
            kept.append(pair)
        elif _PLAIN_NAME.fullmatch(name):
            dropped[name] = None
    return Query("&".join(kept), tuple(dropped))


def without_values(query: str, name: str, values: Collection[str]) -> Query:
    """Return a query less some values of one parameter, which may be comma-joined or repeated.

    Args:
        query: as `known_part` gives it; what is kept stays byte for byte.
        name: of the parameter.
        values: to be left out, decoded; of a parameter that is left without any, nothing stays.

    Raises:
        QueryInvalid: more than QUERY_PAIRS_MAX pairs.
    """
    kept: list[str] = []
    dropped: dict[str, None] = {}
    for pair, given, joined in _pairs(query):
        listed = joined.split(",")
        gone = [each for each in listed if each in values] if given == name else []
        if not gone:
            kept.append(pair)
            continue
        dropped.update(dict.fromkeys(gone))
        left = ",".join(quote(each, safe="") for each in listed if each not in values)
        kept += [f"{quote(name, safe='')}={left}"] if left else []
    return Query("&".join(kept), tuple(dropped))


def values(query: str, names: Collection[str]) -> Iterator[str]:
    """Yield the decoded values of parameters, comma-joined ones one by one, in their order.

    Raises:
        QueryInvalid: more than QUERY_PAIRS_MAX pairs.
    """
    for _, name, value in _pairs(query):
        if name in names:
            yield from value.split(",")


def names(query: str) -> frozenset[str]:
    """Return the decoded names of a query's parameters.

    Raises:
        QueryInvalid: more than QUERY_PAIRS_MAX pairs.
    """
    return frozenset(name for _, name, _ in _pairs(query))


def _segment(raw: str) -> str:
    if _UNRESERVED.fullmatch(raw) and raw not in _DOTS:
        return raw
    if not _SEGMENT.fullmatch(raw):
        raise OperationNotAllowed
    try:
        plain = unquote(raw, errors="strict")
    except UnicodeDecodeError as error:
        raise OperationNotAllowed from error
    is_dotted = plain.split(";", 1)[0] in _DOTS
    if is_dotted or _CONTROL.search(plain) or _ENCODED_AGAIN.search(plain):
        raise OperationNotAllowed
    return plain


@functools.lru_cache(maxsize=2)
def _pairs(query: str) -> Sequence[tuple[str, str, str]]:
    """Return each pair as it is, and its name and value decoded; one call asks several times in a row."""
    pairs = [pair for pair in query.split("&") if pair]
    if len(pairs) > QUERY_PAIRS_MAX:
        raise QueryInvalid
    parts = [(pair, *pair.partition("=")) for pair in pairs]
    return [(pair, _plain(name), _plain(value)) for pair, name, _, value in parts]


def _plain(text: str) -> str:
    """Return a part of a query decoded; most are not encoded."""
    return unquote_plus(text) if "%" in text or "+" in text else text
