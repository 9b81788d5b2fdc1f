"""What a call's path and query may look like, and their canonical form (T-05, T-10).

A target comes from a stranger. Its path is taken apart into decoded segments, which are looked up in
the catalogue and put together again from it; nothing of the path's spelling survives. Its query is
cut down to the parameters that the operation knows, their values left byte for byte, because
Amazon's page tokens must go back as they came.

- refused: dot segments, empty segments, control characters, broken or doubled percent-encoding, anything but
  printable ASCII, other forms of target than origin form (RFC 9112, 3.2.1);
- refused too: encoded slashes, but in a SKU. Sellers have such SKUs, Amazon takes them encoded, and however a
  slash in one were read, no other operation would be meant;
- dropped: query parameters that the operation does not know. Amazon ignores them, and unmodified
  libraries send some of their own; the answer names what was dropped.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, unquote_plus

from chassis.errors import InvalidInput
from services.gateway.model.faults import OperationNotAllowed

# Amazon's longest page tokens are about 2 KB; a path is short.
TARGET_CHARS_MAX = 16_384
PATH_SEGMENTS_MAX = 16
QUERY_PAIRS_MAX = 256

# Source: RFC 3986, 2.3 (unreserved), 3.3 (pchar) and 3.4 (query).
_SEGMENT = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+")
_QUERY = re.compile(
    r"[A-Za-z0-9._~!$&'()*+,;=:@/?|\[\]-]*(?:%[0-9A-Fa-f]{2}[A-Za-z0-9._~!$&'()*+,;=:@/?|\[\]-]*)*"
)
# What libraries write: a path of unreserved characters in which no segment begins with a dot, so that it is
# its own canonical spelling; and a query as above.
_USUAL = re.compile(rf"((?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+)(?:\?({_QUERY.pattern}))?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
# A decoded segment that another decoder would turn into one of the above.
_ENCODED_AGAIN = re.compile(r"%(?:[01][0-9A-Fa-f]|2[EeFf]|5[Cc]|7[Ff])|%25")
_DOTS = frozenset({".", ".."})
_SLASH = "%2F"
# How the models spell the path parameter whose value may hold a slash.
# Source: amzn/selling-partner-api-docs issue 467 (a SKU's slash goes encoded).
SKU_PARAMETERS = frozenset({"sku", "sellerSku", "SellerSKU"})
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class QueryInvalid(InvalidInput):
    """The query is not one that a library writes."""

    code = "invalid_query"
    text = "The query of the request is not valid."


# One parameter of a query: all of it as it stands there, its name decoded, its value as it stands there.
Pair = tuple[str, str, str]


@dataclass(slots=True)
class Target:
    """A target in parts.

    Attributes:
        segments: decoded, at least one, none empty.
        path: their canonical spelling.
        pairs: the query's parameters, at most QUERY_PAIRS_MAX; their characters are checked.
    """

    segments: Sequence[str] = field(repr=False)
    path: str = field(repr=False)
    pairs: Sequence[Pair] = field(repr=False)


@dataclass(slots=True)
class Query:
    """The part of a query that goes to Amazon.

    Attributes:
        text: the known pairs, byte for byte and in their order, joined by "&".
        names: of the known parameters, decoded.
        dropped: names of the others, each once; only such as are plain words.
    """

    text: str = field(repr=False)
    names: Sequence[str]
    dropped: Sequence[str]


def parse(target: str) -> Target:
    """Return a target's parts.

    Raises:
        OperationNotAllowed: the path is none that the catalogue could hold.
        QueryInvalid: the query is too long or has characters that a query cannot have, or too many pairs.
    """
    if len(target) > TARGET_CHARS_MAX:
        raise QueryInvalid
    usual = _USUAL.fullmatch(target)
    path, query = usual.groups("") if usual else _parts(target)
    raw = path.split("/")
    if raw[0] or not 1 < len(raw) <= PATH_SEGMENTS_MAX + 1:
        raise OperationNotAllowed
    del raw[0]
    if usual:
        return Target(raw, path, split(query))
    segments = [_segment(each) for each in raw]
    return Target(segments, canonical(segments), split(query))


def canonical(segments: Collection[str]) -> str:
    """Return the one spelling of a path: every character but the unreserved ones encoded."""
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)


def check_slashes(path: str, parameters: Mapping[str, str]) -> None:
    """Return unless a parameter holds a slash that is no SKU.

    Args:
        path: canonical.
        parameters: of the path, decoded, by name.

    Raises:
        OperationNotAllowed: whoever reads the slash as one may take the path for another operation's (T-05).
    """
    if _SLASH in path and any("/" in parameters[name] for name in parameters.keys() - SKU_PARAMETERS):
        raise OperationNotAllowed


def known_part(pairs: Sequence[Pair], known: Collection[str]) -> Query:
    """Return the part of a query that an operation knows.

    Args:
        pairs: as in Target.
        known: names of parameters, exactly as Amazon writes them.
    """
    texts: list[str] = []
    names: list[str] = []
    dropped: dict[str, None] = {}
    for text, name, _ in pairs:
        if name in known:
            texts.append(text)
            names.append(name)
        elif _PLAIN_NAME.fullmatch(name):
            dropped[name] = None
    return Query("&".join(texts), names, tuple(dropped))


def without_values(query: str, name: str, values: Collection[str]) -> tuple[str, Sequence[str]]:
    """Return a query less some values of one parameter, and which of them it held, each once.

    Args:
        query: as `known_part` gives it; what is kept stays byte for byte.
        name: of the parameter, which may be repeated, or name several values joined by commas.
        values: to be left out, decoded; of a parameter that is left without any, nothing stays.
    """
    kept: list[str] = []
    dropped: dict[str, None] = {}
    for text, given, joined in split(query):
        listed = _plain(joined).split(",")
        gone = [each for each in listed if each in values] if given == name else []
        if not gone:
            kept.append(text)
            continue
        dropped.update(dict.fromkeys(gone))
        left = ",".join(quote(each, safe="") for each in listed if each not in values)
        kept += [f"{quote(name, safe='')}={left}"] if left else []
    return "&".join(kept), tuple(dropped)


def values(pairs: Iterable[Pair], names: Collection[str]) -> Iterator[str]:
    """Yield the decoded values of parameters, comma-joined ones one by one, in their order."""
    for _, name, value in pairs:
        if name in names:
            yield from _plain(value).split(",")


def split(query: str) -> Sequence[Pair]:
    """Return the parameters of a query, in their order.

    Raises:
        QueryInvalid: more than QUERY_PAIRS_MAX.
    """
    pairs: list[Pair] = []
    is_plain = "%" not in query and "+" not in query
    for text in query.split("&"):
        if text:
            name, _, value = text.partition("=")
            pairs.append((text, name if is_plain else _plain(name), value))
    if len(pairs) > QUERY_PAIRS_MAX:
        raise QueryInvalid
    return pairs


def _parts(target: str) -> tuple[str, str]:
    """Return path and query of a target that is not the usual one."""
    path, _, query = target.partition("?")
    if not _QUERY.fullmatch(query):
        raise QueryInvalid
    return path, query


def _segment(raw: str) -> str:
    if not _SEGMENT.fullmatch(raw):
        raise OperationNotAllowed
    try:
        plain = unquote(raw, errors="strict")
    except UnicodeDecodeError as error:
        raise OperationNotAllowed from error
    is_dotted = any(not part or part.split(";", 1)[0] in _DOTS for part in plain.split("/"))
    if is_dotted or _CONTROL.search(plain) or _ENCODED_AGAIN.search(plain):
        raise OperationNotAllowed
    return plain


def _plain(text: str) -> str:
    """Return a part of a query decoded; most are not encoded."""
    return unquote_plus(text) if "%" in text or "+" in text else text
