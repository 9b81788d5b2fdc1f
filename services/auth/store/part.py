"""What every part of the store stands on."""

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
