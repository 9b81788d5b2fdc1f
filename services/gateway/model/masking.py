"""Hides customers' personal data in Amazon's answers, member by member.

A mask is compiled once from the catalogue's JSONPaths (`$.a[*].b`). It keeps every value's type, so
that libraries can still read the document: texts become "***", numbers 0, truths false; null stays.
Where an answer has another shape than the model says, all that stands there is hidden: rather too
much than one address too little.
"""

from collections.abc import Iterable
from typing import Any

import orjson

HIDDEN_TEXT = "***"

# An answer that nests deeper has not come from Amazon's models (T-29); they nest below 20.
DEPTH_MAX = 64


class Unmaskable(Exception):
    """The document cannot be understood, so what it holds cannot be hidden."""


class Mask:
    """One operation's paths as a tree that is walked together with a document."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Compile paths.

        Args:
            paths: each "$" followed by ".<member>" and "[*]" steps.

        Raises:
            ValueError: a path is not of that form.
        """
        self._root = _Node()
        for path in paths:
            node = self._root
            for step in _steps(path):
                node = node.children.setdefault(step, _Node())
            node.is_hidden = True

    def apply(self, body: bytes) -> bytes:
        """Return the document with every path's values hidden; an empty body stays empty.

        Raises:
            Unmaskable: it is not JSON, or nested deeper than DEPTH_MAX where it must be looked into.
        """
        if not body:
            return body
        try:
            return orjson.dumps(_masked(self._root, orjson.loads(body)))
        except (orjson.JSONDecodeError, orjson.JSONEncodeError) as error:
            raise Unmaskable from error


class _Node:
    """One step of the tree: what is below it, and whether a path ends here."""

    __slots__ = ("children", "is_hidden")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.is_hidden = False


_EACH = "[*]"


def _steps(path: str) -> list[str]:
    spelled = path.replace(_EACH, f".{_EACH}")
    root, *steps = spelled.split(".")
    if root != "$" or not steps or not all(steps):
        raise ValueError(f"not a path of members: {path!r}")
    return steps


def _masked(node: _Node, value: Any) -> Any:
    """Return the value with what the tree names hidden; containers are changed in place."""
    if node.is_hidden:
        return hidden(value)
    each = node.children.get(_EACH)
    if isinstance(value, list) and each is not None:
        for at, entry in enumerate(value):
            value[at] = _masked(each, entry)
        return value
    if isinstance(value, dict) and each is None:
        for name, child in node.children.items():
            if name in value:
                member = value[name]
                # Nearly every hidden member is a text; a call for each would be most of the cost.
                is_text = child.is_hidden and type(member) is str
                value[name] = HIDDEN_TEXT if is_text else _masked(child, member)
        return value
    return hidden(value)


def hidden(value: Any, depth: int = 0) -> Any:
    """Return a value of the same shape that says nothing: names and lengths stay, contents do not.

    Raises:
        Unmaskable: it is nested deeper than DEPTH_MAX.
    """
    if depth > DEPTH_MAX:
        raise Unmaskable
    if isinstance(value, dict):
        return {name: hidden(member, depth + 1) for name, member in value.items()}
    if isinstance(value, list):
        return [hidden(entry, depth + 1) for entry in value]
    if isinstance(value, str):
        return HIDDEN_TEXT
    if isinstance(value, bool):
        return False
    return value if value is None else 0
