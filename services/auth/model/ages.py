"""How long things have left, whichever host's clock is wrong (R-14).

An end is written by the host that made a thing and judged by the host that it is shown to; their clocks may
be ten minutes apart. Storage's clock is one for all hosts, so by its measure nothing outlives its life. In
development, where the time of day is shifted and storage's is not, it only ever allows more.
"""

from datetime import datetime, timedelta

# What is over by one host's clock may be so much later by another's. Source: R-14, 10 minutes either way.
CLOCKS_APART_MAX = timedelta(minutes=20)


def left_s(expires_at: datetime, now: datetime, *, life: timedelta, age_s: float) -> float:
    """Return how many seconds something has left, zero or less when it is over.

    Args:
        expires_at: its end, by the clock of the host that made it.
        now: by the clock of the host that judges it.
        life: how long it may live.
        age_s: for how long it has been kept, by storage's clock.
    """
    return min((expires_at - now).total_seconds(), life.total_seconds() - age_s)
