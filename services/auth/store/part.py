"""What every part of the store stands on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import chassis.db


class StorePart:
    """Statements that share a pool."""

    def __init__(self, pool: chassis.db.Pool) -> None:
        self._pool = pool

    async def ping(self) -> None:
        """Return if Postgres answers.

        Raises:
            StoreUnavailable: it does not.
        """
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute("SELECT 1")

    @asynccontextmanager
    async def alone(self, errand: str) -> AsyncIterator[None]:
        """Run what is inside while no other replica is inside with the same errand."""
        async with chassis.db.transaction(self._pool) as connection:
            await connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"auth {errand}"
            )
            yield
