"""Safes on real engines."""

import pytest

import chassis.env
from tests.conftest import PoolFor, VaultFor
from tests.integration.retention.real_house import RealHouse


@pytest.fixture
async def house(database: chassis.env.DatabaseConfig, pool_for: PoolFor, vault_for: VaultFor) -> RealHouse:
    """A safe with nothing in it."""
    return RealHouse(
        database=database.name,
        pool=await pool_for("retention"),
        vault=await vault_for("retention"),
        verifier_vault=await vault_for("verifier"),
    )


@pytest.fixture
async def sealed_house(house: RealHouse) -> RealHouse:
    """A safe with one record."""
    await house.observe()
    await house.seal()
    return house
