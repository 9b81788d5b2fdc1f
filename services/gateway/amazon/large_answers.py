"""How many answers may be large at a time, over all connections: memory is bounded (R-23).

An answer may have 16 MiB, and each of some hundred connections may bring one. What is not small any more
needs a place; without one its connection is not read, so that the rest waits at Amazon's end until a place is
free, or until its caller's time is up, which is not Amazon's fault. Nothing is refused, and small answers
never wait.
"""

from typing import Protocol

# Pages of orders, of reports and of catalogue items are well below.
SMALL_BYTES_MAX = 1_048_576
LARGE_ANSWERS_MAX = 16


class Reading(Protocol):
    """A connection that reads an answer."""

    def pause(self) -> None:
        """Read no further."""
        ...

    def resume(self) -> None:
        """Read on."""
        ...


class LargeAnswers:
    """Whose answers may grow large, and who waits for that, in the order in which they came to it."""

    def __init__(self, places: int = LARGE_ANSWERS_MAX) -> None:
        self._free = places
        self._growing: set[Reading] = set()
        self._waiting: dict[Reading, None] = {}

    def enter(self, connection: Reading) -> None:
        """Give a connection a place, or pause it until there is one; harmless when it has asked before."""
        if connection in self._growing or connection in self._waiting:
            return
        if self._free:
            self._take(connection)
        else:
            self._waiting[connection] = None
            connection.pause()

    def leave(self, connection: Reading) -> None:
        """Forget a connection whose answer is whole, or will never be; its place is the next one's."""
        self._waiting.pop(connection, None)
        if connection not in self._growing:
            return
        self._growing.remove(connection)
        self._free += 1
        if self._waiting:
            following = next(iter(self._waiting))
            del self._waiting[following]
            self._take(following)
            following.resume()

    def _take(self, connection: Reading) -> None:
        self._free -= 1
        self._growing.add(connection)
