"""One at a time for each key: the locks of a process, as many as are in use."""

import asyncio
from collections.abc import Hashable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

K = TypeVar("K", bound=Hashable)


class Gates(Generic[K]):
    """One lock per key, for as long as somebody holds or awaits it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[K, asyncio.Lock] = WeakValueDictionary()

    def of(self, key: K) -> asyncio.Lock:
        """Return the lock of a key; keep it while it is used."""
        return self._locks.setdefault(key, asyncio.Lock())
