"""What clients have not taken of their answers, over all connections: bounded (R-23).

An answer may have 16 MiB, and a client that takes it slowly has a minute, so a bound for each connection is
none for all of them. Only connections that are behind are counted, each with what it had not taken when its
answer was out. When together they would hold more than may be, whoever has been behind for longest is cut
off: many slow clients cost one another their answers, and never those who take theirs.
"""

from typing import Protocol

import chassis.log

_log = chassis.log.get("door")


class Slow(Protocol):
    """A connection that is behind."""

    def abort(self) -> None:
        """End at once."""
        ...


class Unsent:
    """What slow connections hold, at most `bytes_max` together.

    Attributes:
        bytes: how much that is.
    """

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._slow: dict[Slow, int] = {}
        self.bytes = 0

    def hold(self, connection: Slow, size_bytes: int) -> None:
        """Count what a connection has not taken, at the expense of those behind for longest."""
        self.let_go(connection)
        self._slow[connection] = size_bytes
        self.bytes += size_bytes
        while self.bytes > self._bytes_max:
            slowest, held_bytes = next(iter(self._slow.items()))
            _log.warning("slow_client_cut_off", held_bytes=held_bytes)
            self.let_go(slowest)
            slowest.abort()

    def let_go(self, connection: Slow) -> None:
        """Forget a connection that is behind no more, or gone; harmless when it was not behind."""
        self.bytes -= self._slow.pop(connection, 0)
