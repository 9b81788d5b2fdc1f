"""The gateway's doors, open for one test."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.gateway.doors import House, Person, open_house


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """Open doors with fakes behind them."""
    async with open_house() as opened:
        yield opened


@pytest.fixture
async def person(house: House) -> Person:
    """Somebody who has signed in."""
    return await Person(house).come_in()
