"""Starting over when somebody else was faster."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from services.retention.model.errors import KeyRetired, OrderContended

T = TypeVar("T")

ATTEMPTS_MAX = 4


async def repeat(step: Callable[[], Awaitable[T]]) -> T:
    """Return what a step gives; it reads, decides and writes anew when what it read was changed meanwhile.

    Raises:
        OrderContended: others were faster ATTEMPTS_MAX times.
        KeyRetired: the keys changed as often.
    """
    for _ in range(ATTEMPTS_MAX - 1):
        with contextlib.suppress(OrderContended, KeyRetired):
            return await step()
    return await step()
