"""What the store of revisions promises the gateway, on the fake and on Postgres."""

import pytest

import chassis.db
import chassis.env
from fakes.gateway_revisions import FakeRevisions
from services.gateway.forward.ports import RevisionStore
from services.gateway.model.policy_file import CACHE_LIFE_S_MAX
from services.gateway.store import Store
from services.gateway.store.revisions import IDLE
from tests.conftest import PoolFor


@pytest.fixture
async def real_revisions(pool_for: PoolFor) -> Store:
    return Store(await pool_for("gateway"))


@pytest.fixture
def fake_revisions() -> FakeRevisions:
    return FakeRevisions()


@pytest.fixture(params=["fake_revisions", "real_revisions"])
def revisions(request: pytest.FixtureRequest) -> RevisionStore:
    made: RevisionStore = request.getfixturevalue(request.param)
    return made


async def test_each_write_makes_the_next_revision_of_its_seller_and_api_only_T07(
    revisions: RevisionStore,
) -> None:
    assert await revisions.revision("seller-1", "listings") == 0
    for expected in (1, 2, 3):
        await revisions.revise("seller-1", "listings")
        assert await revisions.revision("seller-1", "listings") == expected
    assert await revisions.revision("seller-1", "feeds") == 0
    assert await revisions.revision("seller-2", "listings") == 0
    assert await revisions.revision("", "listings") == 0


async def test_what_nobody_wrote_to_for_long_is_forgotten_some_at_a_time(
    real_revisions: Store, owner: chassis.db.Connection
) -> None:
    for api in ("a", "b", "c"):
        await real_revisions.revise("seller-1", api)
    assert await real_revisions.forget_revisions(10) == 0
    await owner.execute("UPDATE gateway.revisions SET revised_at = revised_at - interval '25 hours'")
    await real_revisions.revise("seller-1", "c")
    assert [await real_revisions.forget_revisions(1) for _ in range(3)] == [1, 1, 0]
    assert [await real_revisions.revision("seller-1", each) for each in ("a", "c")] == [0, 2]


async def test_a_schema_of_before_is_a_store_that_cannot_say_R26(
    real_revisions: Store, owner: chassis.db.Connection
) -> None:
    await owner.execute("DROP TABLE gateway.revisions")
    for asked in (
        real_revisions.revision("seller-1", "listings"),
        real_revisions.revise("seller-1", "listings"),
        real_revisions.forget_revisions(1),
    ):
        with pytest.raises(chassis.db.StoreUnavailable):
            await asked


def test_no_answer_outlives_the_numbers_of_revisions() -> None:
    assert IDLE.total_seconds() > 2 * CACHE_LIFE_S_MAX
