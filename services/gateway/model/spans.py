"""How long a thing is good, counted from when it was asked for by both clocks of this process (R-14).

Who gives the thing says for how many seconds it is good, so no two hosts' clocks are compared. The time of
day counts as well as the monotonic clock: in development it is shifted, and a jump forward is believed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Span:
    """A while that ends when either clock says so."""

    until: datetime
    until_s: float

    def is_open(self, now: datetime, now_s: float) -> bool:
        """Return whether it has not ended yet."""
        return now < self.until and now_s < self.until_s


def span(now: datetime, now_s: float, life_s: float) -> Span:
    """Return the while of `life_s` seconds that begins now."""
    return Span(now + timedelta(seconds=life_s), now_s + life_s)
