"""Turns at Login with Amazon (LWA): how often the application asks, over all replicas (R-10).

Storage gives the turns, by its own clock, from one row per application. The rule is the generic cell rate
algorithm: turns come one each 1/rate seconds, and `burst` of them may come at once after a quiet time.
Whoever gets a turn waits for it; one that is not used is lost and hurts nobody.

- What LWA says to everybody holds everybody: after a 429, or when it names a time, nobody asks before it.
- While LWA refuses the application itself (an episode), one turn each PROBE_S finds out whether it still
  does.
"""

from dataclasses import dataclass

# Patience: how long a turn may be away. Renewing ahead gives way, so that it never fills the time that a
# caller can wait.
CALLER_WAIT_S_MAX = 8.0
RENEWAL_WAIT_S_MAX = 4.0
# A turn that is used later than this might meet the next ones; it is given up.
LATE_S_MAX = 1.0
# How often one call takes a turn anew because it was late or everybody was held back meanwhile.
TAKES_MAX = 4
# Callers who wait for their turns at once share one question to storage.
TURNS_AT_ONCE_MAX = 16
# Amazon publishes neither a rate nor, with its 429, always a time: then everybody holds back for so long.
THROTTLED_HOLD_S = 1.0
# While Amazon refuses the application, it is asked once in so long.
PROBE_S = 60.0

RATE_PER_S_MIN, RATE_PER_S_MAX = 0.01, 10_000.0
BURST_MAX = 10_000


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often LWA is asked at most: `rate_per_s` in the long run, `burst` at once after a quiet time."""

    rate_per_s: float
    burst: int

    @property
    def interval_s(self) -> float:
        """From one turn to the next."""
        return 1.0 / self.rate_per_s

    @property
    def tolerance_s(self) -> float:
        """How much of the past counts as saved up."""
        return (self.burst - 1) * self.interval_s

    @property
    def ahead_s_max(self) -> float:
        """How far ahead the next turn can be, behind the last one that somebody waits for."""
        return CALLER_WAIT_S_MAX + self.interval_s


@dataclass(frozen=True, kw_only=True)
class Turns:
    """What storage answers to somebody who wants turns.

    Attributes:
        wait_s: until the first of them, below zero by what is saved up for the next; when none was given,
            until it makes sense to ask again.
        is_given: whether there are any; the others follow at the pace's interval.
        is_refused: Amazon refuses the application; one turn given now is to find out whether it still does.
    """

    wait_s: float
    is_given: bool
    is_refused: bool = False


@dataclass(frozen=True, kw_only=True)
class Hold:
    """For how long nobody may ask LWA; while `is_refused`, because it refuses the application itself."""

    hold_s: float
    is_refused: bool
