"""What several contract suites stand on."""

from collections.abc import AsyncIterator

import pytest

import chassis.db
import chassis.env
import sallyport.provision
import sallyport.provision.database
import sallyport.provision.ground
from fakes.auth_store import FakeStore
from services.auth.store import Store
from tests.conftest import PoolFor
from tests.contract.auth_rows import AnyStore, fake, real


@pytest.fixture
async def owner(
    ground: sallyport.provision.ground.Ground, database: chassis.env.DatabaseConfig
) -> AsyncIterator[chassis.db.Connection]:
    """Who may do to the gateway's tables what the gateway's role may not."""
    async with sallyport.provision.database.signed_in(
        ground.postgres, ground.openbao, role=sallyport.provision.OWNER, database=database.name
    ) as connection:
        yield connection


@pytest.fixture
async def fake_auth_store() -> FakeStore:
    return await fake()


@pytest.fixture
async def real_auth_store(pool_for: PoolFor) -> Store:
    return await real(await pool_for("auth"))


@pytest.fixture(params=["fake_auth_store", "real_auth_store"])
def auth_store(request: pytest.FixtureRequest) -> AnyStore:
    """Auth's storage with the application registered, the fake and Postgres in turn."""
    store: AnyStore = request.getfixturevalue(request.param)
    return store
