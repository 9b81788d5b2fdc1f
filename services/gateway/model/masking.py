"""Hides customers' personal data in Amazon's answers, member by member.

A mask is compiled once from the catalogue's JSONPaths (`$.a[*].b`). What is masked keeps its type, so that
libraries can still read the document: texts become "***", numbers 0, truths false; null stays. What is
dropped is not there any more: a member is removed, and so is an entry of a list. Where an answer has another
shape than the model says, all that stands there is masked: rather too much than one address too little.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import orjson

HIDDEN_TEXT = "***"

# An answer that nests deeper has not come from Amazon's models (T-29); they nest below 20.
DEPTH_MAX = 64

# Where more names than these are masked, going through an object is faster than looking for each of them.
NAMES_LOOKED_FOR_MAX = 4


class Unmaskable(Exception):
    """The document cannot be understood, so what it holds cannot be hidden."""


class Mask:
    """Paths as a tree that is walked together with a document."""

    def __init__(self, masked: Iterable[str], dropped: Iterable[str] = ()) -> None:
        """Compile paths.

        Args:
            masked: whose values are replaced; each "$" followed by ".<member>" and "[*]" steps.
            dropped: what is removed, of the same form; a path in both is dropped.

        Raises:
            ValueError: a path is not of that form.
        """
        self._root = _Node()
        for path in masked:
            *way, last = _steps(path)
            self._root.at(way).masked.add(last)
        for path in dropped:
            *way, last = _steps(path)
            self._root.at(way).dropped.add(last)
        self._root.settle()

    def apply(self, body: bytes) -> bytes:
        """Return the document less what is hidden; an empty body stays empty.

        Raises:
            Unmaskable: it is not JSON, nested deeper than DEPTH_MAX where it must be looked into, or anywhere
                deeper than `written` writes.
        """
        if not body:
            return body
        try:
            return self.render(orjson.loads(body))
        except orjson.JSONDecodeError as error:
            raise Unmaskable from error

    def render(self, document: Any) -> bytes:
        """Return a parsed document as JSON, less what is hidden; the document itself is used up.

        Raises:
            Unmaskable: as `apply`.
        """
        return written(_seen(self._root, document))

    def hide_in(self, objects: Sequence[dict[str, Any]], way: Sequence[str]) -> None:
        """Hide, in place, what the mask hides of objects that stand at one place of a document.

        Args:
            objects: some of those that stand there.
            way: the members that lead there; the last one holds a list of such objects, or one.

        Raises:
            KeyError: the mask hides nothing there.
            Unmaskable: one is nested deeper than DEPTH_MAX where something is hidden.
        """
        node = self._root
        for step in way:
            node = node.below[step]
        _hide_members(node.below[_EACH] if node.is_list else node, objects)


def written(document: Any) -> bytes:
    """Return a parsed document as JSON.

    Raises:
        Unmaskable: it is nested deeper than 254 levels, which orjson reads and does not write.
    """
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError as error:
        raise Unmaskable from error


_EACH = "[*]"


class _Node:
    """One place on the way: which members below it are masked, dropped or lead further.

    Attributes:
        onward: members that lead further, and where to; none that is itself masked or dropped.
        is_list: whether the models have a list here, whose entries the step `[*]` names.
    """

    __slots__ = ("below", "dropped", "is_list", "masked", "onward")

    def __init__(self) -> None:
        self.masked: set[str] = set()
        self.dropped: set[str] = set()
        self.below: dict[str, _Node] = {}
        self.onward: tuple[tuple[str, _Node], ...] = ()
        self.is_list = False

    def at(self, way: Iterable[str]) -> "_Node":
        """Return the place at the end of a way, made when it is new."""
        node = self
        for step in way:
            node = node.below.setdefault(step, _Node())
        return node

    def settle(self) -> None:
        """Prepare for walking; no path is added any more."""
        self.masked -= self.dropped
        hidden_here = self.masked | self.dropped
        self.onward = tuple((name, node) for name, node in self.below.items() if name not in hidden_here)
        self.is_list = _EACH in self.below or _EACH in hidden_here
        for _, node in self.onward:
            node.settle()


def _steps(path: str) -> list[str]:
    spelled = path.replace(_EACH, f".{_EACH}")
    root, *steps = spelled.split(".")
    if root != "$" or not steps or not all(steps):
        raise ValueError(f"not a path of members: {path!r}")
    return steps


def _seen(node: _Node, value: Any) -> Any:
    """Return what is to be seen of a value; containers are changed in place."""
    if type(value) is dict and not node.is_list:
        _hide_members(node, [value])
        return value
    if type(value) is list and node.is_list:
        return [] if _EACH in node.dropped else _seen_entries(node, value)
    return hidden(value)


def _seen_entries(node: _Node, entries: list[Any]) -> list[Any]:
    """Return what is to be seen of a list's entries, none of which is dropped."""
    if _EACH in node.masked:
        return [hidden(entry) for entry in entries]
    each = node.below[_EACH]
    if each.is_list:
        return [_seen(each, entry) for entry in entries]
    _hide_members(each, [entry for entry in entries if type(entry) is dict])
    return [entry if type(entry) is dict else hidden(entry) for entry in entries]


def _hide_members(node: _Node, objects: Sequence[dict[str, Any]]) -> None:
    """Hide what a node names among the members of all objects at its place.

    All of them at once, so that a page takes one call for each place, not one for each order in it.
    """
    mask = _mask_among if len(node.masked) > NAMES_LOOKED_FOR_MAX else _mask_each
    mask(node.masked, objects)
    for name in node.dropped:
        for members in objects:
            members.pop(name, None)
    for name, below in node.onward:
        _hide_below(below, name, objects)


# The hottest lines of the gateway. Nearly every masked member is a text, and needs no call.


def _mask_each(names: AbstractSet[str], objects: Sequence[dict[str, Any]]) -> None:
    """Mask members by looking for each name."""
    for name in names:
        for members in objects:
            if name in members:
                member = members[name]
                members[name] = HIDDEN_TEXT if type(member) is str else hidden(member)


def _mask_among(names: AbstractSet[str], objects: Sequence[dict[str, Any]]) -> None:
    """Mask members by going through all that there are."""
    for members in objects:
        for name, member in members.items():
            if name in names:
                members[name] = HIDDEN_TEXT if type(member) is str else hidden(member)


def _hide_below(below: _Node, name: str, objects: Sequence[dict[str, Any]]) -> None:
    """Hide what a node names in the member of one name, wherever an object has it."""
    inner = []
    for members in objects:
        if name in members:
            member = members[name]
            if type(member) is dict and not below.is_list:
                inner.append(member)
            else:
                members[name] = _seen(below, member)
    if inner:
        _hide_members(below, inner)


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
