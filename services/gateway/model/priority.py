"""Who goes first: a person who waits in front of a screen, or a job that works through a list.

A developer who knows says so in a header. Otherwise a device's calls are a person's while it makes few of
them: none of its other calls of the same operation is under way, it follows no next-page token, and it stays
within an allowance of a person's clicks. Everything else is bulk.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from services.gateway.model.fields import Fields

PRIORITY_HEADER = "x-sallyport-priority"

# As many clicks as a person makes at once, and how often one more comes.
CLICKS_MAX = 5
CLICK_S = 5.0
# Of an operation that Amazon lets be called seldom, a person calls less often than this many of its refills.
CLICK_REFILLS = 10.0

# How Amazon's operations spell the parameter that asks for the next page of a list.
PAGE_PARAMETERS = frozenset({"NextToken", "nextToken", "pageToken", "paginationToken", "nextPageToken"})


class Priority(StrEnum):
    """Who comes first."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


_PRIORITIES: Mapping[str, Priority] = MappingProxyType({each.value: each for each in Priority})


@dataclass(slots=True)
class Clicks:
    """What a device has left of a person's allowance, for one operation.

    Attributes:
        left: clicks at `counted_at_s`.
        counted_at_s: the monotonic clock.
    """

    left: float
    counted_at_s: float

    def spend(self, now_s: float, *, rate_per_s: float) -> bool:
        """Take one more click from the allowance; return whether there was one left.

        Args:
            now_s: the monotonic clock.
            rate_per_s: of the operation's usage plan.
        """
        click_s = max(CLICK_S, CLICK_REFILLS / rate_per_s)
        left = min(CLICKS_MAX, self.left + (now_s - self.counted_at_s) / click_s)
        if left < 1:
            return False
        self.left, self.counted_at_s = left - 1, now_s
        return True


def stated(fields: Fields, query_names: Iterable[str]) -> Priority | None:
    """Return the priority that a call states, by its header or by asking for a next page; None for neither.

    Args:
        fields: of the call.
        query_names: of those of the call's query parameters that the operation knows.
    """
    told = fields.once(_told)
    if told is not None or PAGE_PARAMETERS.isdisjoint(query_names):
        return told
    return Priority.BULK


def _told(fields: Fields) -> Priority | None:
    return _PRIORITIES.get(fields.value(PRIORITY_HEADER).strip().lower())
