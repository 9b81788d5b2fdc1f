"""Short statements, without which the gateway goes on: nobody waits long for them, nor for their table."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

import chassis.db


@asynccontextmanager
async def short_statement(pool: chassis.db.Pool, limit_s: float) -> AsyncIterator[chassis.db.Connection]:
    """Give a connection for one statement; a schema without its table cannot say either (R-26).

    Raises:
        StoreUnavailable: not within `limit_s`; it may or may not have been done.
    """
    try:
        async with asyncio.timeout(limit_s), chassis.db.statement(pool) as connection:
            yield connection
    except (TimeoutError, asyncpg.UndefinedTableError) as error:
        raise chassis.db.StoreUnavailable from error
