"""Looking through what may be large for Amazon's credentials, so that others have their turns meanwhile.

In ten megabytes of escapes it takes the better part of a second.
"""

import asyncio
from collections.abc import Callable

from services.gateway.model import tripwire


async def is_found(data: bytes, finds: Callable[[bytes], bool]) -> bool:
    """Return whether a credential is found.

    Args:
        data: looked through in pieces, between which others have their turn.
        finds: looks through one piece, e.g. `tripwire.finds_credential`.
    """
    for number, piece in enumerate(tripwire.pieces(data)):
        if number:
            await asyncio.sleep(0)
        if finds(piece):
            return True
    return False
