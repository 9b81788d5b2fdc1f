"""Token families on Postgres, against the same model as on fakes; see `tests/unit/auth/families`."""

import asyncio
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

import chassis.db
from fakes.auth_house import House
from fakes.auth_store import FakeStore
from fakes.entropy import FakeEntropy
from services.auth.service.ports import Ports
from services.auth.store import Store
from tests.conftest import PoolFor
from tests.unit.auth.families import Families

SETTINGS = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
# A step takes milliseconds; a machine under load may take longer.
GRACE_S = 4.0
# What ages by storage's own clock.
AGEING = (
    "UPDATE auth.refresh_tokens SET rotated_at = rotated_at - make_interval(secs => $1)",
    """
    UPDATE auth.device_grants
    SET redeemed_at = redeemed_at - make_interval(secs => $1),
        polled_at = polled_at - make_interval(secs => $1)
    """,
)


_seeds = count(1_000)


class RealHouse(House):
    """A house on Postgres; the key service, the audit log and the clock are fakes."""

    def __init__(self, pool: chassis.db.Pool) -> None:
        self._real = Store(pool)
        super().__init__()
        # Ids and tokens of houses on one database differ.
        self.entropy = FakeEntropy(next(_seeds))
        self.use = self.replica()

    def ports(self, store: FakeStore) -> Ports:
        return replace(super().ports(store), store=self._real)


Opened = tuple[chassis.db.Pool, asyncio.AbstractEventLoop]


@pytest.fixture
async def opened(pool_for: PoolFor) -> Opened:
    """A pool, and the loop on which alone it may be used."""
    return await pool_for("auth"), asyncio.get_running_loop()


def test_families_on_postgres_do_what_the_model_says_T03_T04(opened: Opened) -> None:
    pool, loop = opened

    async def elapse(span_s: float) -> None:
        async with chassis.db.transaction(pool) as connection:
            for statement in AGEING:
                await connection.execute(statement, span_s)

    def machine() -> Families:
        return Families(RealHouse(pool), loop, elapse=elapse, grace_s=GRACE_S)

    run_state_machine_as_test(machine, settings=SETTINGS)  # type: ignore[arg-type] # a factory does as well
