"""A mapping that remembers a bounded number of entries, and forgets the ones longest unused."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """At most `entries_max` entries; both asking and putting count as use."""

    def __init__(self, entries_max: int) -> None:
        self._entries_max = entries_max
        self._entries: OrderedDict[K, V] = OrderedDict()
        # The entry of a key, if it is remembered; asking so is no use.
        self.peek: Callable[[K], V | None] = self._entries.get

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """Return the entry of a key, if it is remembered."""
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        """Remember an entry, at the price of the one longest unused."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._entries_max:
            self._entries.popitem(last=False)

    def values(self) -> list[V]:
        """Return what is remembered, the longest unused first; asking so is no use."""
        return list(self._entries.values())

    def drop(self, key: K) -> None:
        """Forget an entry; harmless when it is not remembered."""
        self._entries.pop(key, None)

    def drop_where(self, is_meant: Callable[[K, V], bool]) -> list[V]:
        """Forget every entry that is meant, and return their values."""
        meant = [key for key, value in self._entries.items() if is_meant(key, value)]
        return [self._entries.pop(key) for key in meant]

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
