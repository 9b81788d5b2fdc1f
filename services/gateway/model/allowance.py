"""How many refusals are told one by one: nobody grows the audit log at will (T-06, R-23).

Each source may have TOLD_MAX facts at once and one more every REFILL_S. What goes untold is counted, and the
number is told with the source's next fact, or by whoever sums up.
"""

from collections import Counter

from chassis.recent import Recent
from services.gateway.model.room import Room

TOLD_MAX = 10
REFILL_S = 30.0
# Forgotten ones begin anew; about 200 bytes each.
SOURCES_MAX = 10_000
# Whose are counted together when there are more.
OTHERS = ""


class Allowance:
    """Whose refusals were told lately, and how many were not."""

    def __init__(self) -> None:
        self._sources: Recent[str, Room] = Recent(SOURCES_MAX)
        self._untold: Counter[str] = Counter()

    def ask(self, source: str, now_s: float) -> int | None:
        """Return how many of a source's refusals went untold before this one, which may be told.

        Returns:
            None if this one is only counted.
        """
        room = self._sources.get(source) or Room(TOLD_MAX, 1 / REFILL_S, now_s)
        self._sources.put(source, room)
        if room.wait_s(now_s):
            has_place = source in self._untold or len(self._untold) < SOURCES_MAX
            self._untold[source if has_place else OTHERS] += 1
            return None
        room.take()
        return self._untold.pop(source, 0)

    def sum_up(self) -> int:
        """Return how many refusals are untold altogether, and begin anew."""
        total = self._untold.total()
        self._untold.clear()
        return total


def untold_details(count: int) -> dict[str, str]:
    """Return what an event tells of refusals that went untold before it."""
    return {"untold": str(count)} if count else {}
