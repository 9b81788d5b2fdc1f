"""Which face answers which request: by method and path, never by the Host header."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from chassis.errors import SallyportError
from services.gateway.door.exchange import Exchange
from services.gateway.model import faults
from services.gateway.model.calls import Answer

ANY_METHOD = "*"
ANY_PATH = "/{path:.*}"

# A part of a pattern that takes anything: within one segment, or where it says so.
_PARAMETER = re.compile(r"\{[a-z_]+(?::(?P<form>[^{}]+))?\}")
_SEGMENT = r"[^/]+"


class Answering(Protocol):
    """A face, or whoever else answers requests of a connection."""

    async def handle(self, request: Exchange) -> None:
        """Answer one request."""
        ...


@dataclass(frozen=True, slots=True)
class Way:
    """One way in.

    Attributes:
        method: an HTTP method; "*" takes any.
        path: a pattern as chassis.web's routes have them; "/{path:.*}" takes every path.
        face: answers.
        event: event kind, "gateway.<noun>.<verb-past>"; empty where the face tells of its requests by itself.
        render: makes the answer to what the face raises, with the request's id.
    """

    method: str
    path: str
    face: Answering
    event: str = ""
    render: Callable[[SallyportError, str], Answer] = faults.render


class Ways:
    """Every way in, tried in order."""

    def __init__(self, ways: Sequence[Way]) -> None:
        """Prepare; the last way must take every request."""
        assert (ways[-1].method, ways[-1].path) == (ANY_METHOD, ANY_PATH)
        self._last = ways[-1]
        self._by_segment: dict[str, list[tuple[Way, re.Pattern[str]]]] = {}
        for way in ways[:-1]:
            self._by_segment.setdefault(_first_segment(way.path), []).append((way, _form(way.path)))

    def find(self, method: str, target: str) -> Way:
        """Return the way that a request takes; its query does not count."""
        path = target.partition("?")[0]
        for way, form in self._by_segment.get(_first_segment(path), ()):
            if way.method in {method, ANY_METHOD} and form.fullmatch(path):
                return way
        return self._last


def _first_segment(path: str) -> str:
    return path.split("/", 2)[1]


def _form(path: str) -> re.Pattern[str]:
    """Return a pattern's regular expression."""
    parts, end = [], 0
    for parameter in _PARAMETER.finditer(path):
        parts += [re.escape(path[end : parameter.start()]), parameter["form"] or _SEGMENT]
        end = parameter.end()
    return re.compile("".join([*parts, re.escape(path[end:])]))
