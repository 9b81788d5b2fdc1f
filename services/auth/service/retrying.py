"""Asking Amazon a second time, after a short and spread pause, when it gave no answer (R-07, R-28).

All that auth asks may be asked twice: a refresh changes nothing, and a code that was taken is refused.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from chassis.clock import Clock
from chassis.entropy import Entropy
from services.auth.model.refusals import AuthorizationUnavailable

# With a call's time-out this must fit into what is left of a lease: see lending.LEASE_S.
ATTEMPTS_MAX = 2
PAUSE_S_MIN = 0.2
PAUSE_S_MAX = 0.6

T = TypeVar("T")


async def retried(call: Callable[[], Awaitable[T]], clock: Clock, entropy: Entropy) -> T:
    """Return what a call to Amazon's token endpoints returns, at the latest by its last attempt.

    Raises:
        AuthorizationUnavailable: no attempt got an answer, or Amazon said to come back later than after the
            pause. Any other error ends the attempts at once.
    """
    for _ in range(ATTEMPTS_MAX - 1):
        try:
            return await call()
        except AuthorizationUnavailable as error:
            pause_s = entropy.uniform(PAUSE_S_MIN, PAUSE_S_MAX)
            if error.retry_after_s is not None and error.retry_after_s > pause_s:
                raise
            await clock.sleep(pause_s)
    return await call()
