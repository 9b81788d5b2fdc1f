"""One round of periodic work: bounded in time, and told by a code when it fails.

What a round stumbles over, a letter or a row, would be there again after a new start. So a mistake of ours in
one is logged whole and ends no process whose other work goes well.
"""

import asyncio
from collections.abc import Awaitable, Callable

import chassis.errors
import chassis.log
import chassis.trace

OVERDUE = "round_overdue"

_log = chassis.log.get("rounds")


async def fault_of(round_: Callable[[], Awaitable[object]], limit_s: float) -> str | None:
    """Return the code of what went wrong in one round; None when nothing did.

    Args:
        round_: does the work; nothing that it does belongs to a request.
        limit_s: how long it may take; OVERDUE when it took longer.
    """
    try:
        with chassis.trace.bind_request_id(None):
            async with asyncio.timeout(limit_s):
                await round_()
    except chassis.errors.SallyportError as fault:
        return fault.code
    except TimeoutError:
        return OVERDUE
    except Exception as error:  # noqa: BLE001 - logged whole, and told as what it is
        _log.error("round_crashed", error=error)
        return chassis.errors.Internal.code
    return None
