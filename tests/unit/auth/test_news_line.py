"""The line on which a replica hears of changes, where storage lets nobody listen."""

import asyncpg
import pytest

import chassis.db
from chassis.errors import StartRefused
from fakes.clock import FakeClock
from services.auth.store.news import NewsStore


async def test_storage_that_has_become_unsafe_breaks_the_line_and_not_the_process_R03() -> None:
    async def refuse(*_: object, **__: object) -> chassis.db.Connection:
        raise StartRefused("synchronous_commit_required", "synchronous_commit is off")

    def never(_: object = None) -> None:
        raise AssertionError("nobody listens")

    async with asyncpg.create_pool(min_size=0, max_size=1, connect=refuse) as pool:
        with pytest.raises(chassis.db.StoreUnavailable):
            await NewsStore(pool).listen(FakeClock(), opened=never, tell=never)
