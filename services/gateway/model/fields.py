"""The header fields of a request, and what was found out about them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


class Fields:
    """Header fields as they arrived: names in lower case, values as ISO 8859-1 texts; never changed.

    A client sends the same fields with call after call, so whoever reads them may keep what it found here.

    Attributes:
        first: each name with the first of its values.
    """

    __slots__ = ("_has_repeated", "_known", "_pairs", "first")

    def __init__(self, pairs: Sequence[tuple[str, str]] = ()) -> None:
        self._pairs = pairs
        self._known: dict[Callable[[Fields], Any], Any] = {}
        self.first: Mapping[str, str] = dict(reversed(pairs))
        self._has_repeated = len(self.first) < len(pairs)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Go through names and values in order of arrival."""
        return iter(self._pairs)

    def value(self, name: str) -> str:
        """Return the first value of a field, or an empty text."""
        return self.first.get(name, "")

    def values(self, name: str) -> list[str]:
        """Return every value of a field, in order of arrival."""
        if name not in self.first:
            return []
        if self._has_repeated:
            return [value for known, value in self._pairs if known == name]
        return [self.first[name]]

    def once(self, find: Callable[["Fields"], T]) -> T:
        """Return what `find` tells of these fields, asked once; what it raises is not kept.

        Args:
            find: depends on nothing but the fields, and is one of few, e.g. a function of a module.
        """
        try:
            known: T = self._known[find]
        except KeyError:
            known = self._known[find] = find(self)
        return known
