"""What every client does when something is down for a moment: it tries again, for a while."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp

import chassis.errors

T = TypeVar("T")

PATIENCE_S = 60.0
RETRY_AFTER_S = 0.5


class PatienceLost(Exception):
    """It is still down after PATIENCE_S; the text holds the last complaint."""


async def patiently(attempt: Callable[[], Awaitable[T]]) -> T:
    """Return what `attempt` returns; while something is down, try again for PATIENCE_S.

    Raises:
        PatienceLost: it stayed down.
    """
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + PATIENCE_S
    while True:
        try:
            return await attempt()
        except (chassis.errors.Unavailable, aiohttp.ClientError, OSError, TimeoutError) as error:
            if loop.time() > deadline_s:
                raise PatienceLost(f"still failing after {PATIENCE_S:.0f} s: {error!r}") from error
            await asyncio.sleep(RETRY_AFTER_S)


def expect_up(status: int) -> None:
    """Return unless an HTTP status says that something is down.

    Raises:
        Unavailable: it does.
    """
    if status >= 500:
        raise chassis.errors.Unavailable(f"answered {status}")
