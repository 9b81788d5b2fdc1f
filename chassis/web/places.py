"""So many at a time, and nobody waits."""

from collections.abc import Iterator
from contextlib import contextmanager

from chassis.web.problem import Overloaded


class Places:
    """A bound on how many may do one thing at once."""

    def __init__(self, places_max: int) -> None:
        self._free = places_max

    def take(self) -> None:
        """Keep a place until `leave`.

        Raises:
            Overloaded: all are taken.
        """
        if not self._free:
            raise Overloaded
        self._free -= 1

    def leave(self) -> None:
        """Give a place back."""
        self._free += 1

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Keep a place while inside.

        Raises:
            Overloaded: all are taken.
        """
        self.take()
        try:
            yield
        finally:
            self.leave()
