"""What the store of documents' types promises the gateway, on the fake and on Postgres."""

import asyncpg
import pytest

import chassis.db
import chassis.env
from fakes.gateway_document_types import FakeDocumentTypes
from services.gateway.forward.document_links import DocumentTypes
from services.gateway.store import Store
from tests.conftest import PoolFor


@pytest.fixture
async def real_types(pool_for: PoolFor) -> Store:
    return Store(await pool_for("gateway"))


@pytest.fixture
def fake_types() -> FakeDocumentTypes:
    return FakeDocumentTypes()


@pytest.fixture(params=["fake_types", "real_types"])
def types(request: pytest.FixtureRequest) -> DocumentTypes:
    made: DocumentTypes = request.getfixturevalue(request.param)
    return made


async def test_what_was_told_is_found_for_its_seller_only_T07(types: DocumentTypes) -> None:
    await types.learn("seller-1", {"d1": "A", "d2": "B"})
    assert [await types.find("seller-1", each) for each in ("d1", "d2", "d3")] == ["A", "B", ""]
    assert await types.find("seller-2", "d1") == ""


async def test_what_was_told_first_stays(types: DocumentTypes) -> None:
    await types.learn("seller-1", {"d1": "A"})
    await types.learn("seller-1", {"d1": "B", "d2": "B"})
    assert [await types.find("seller-1", each) for each in ("d1", "d2")] == ["A", "B"]


async def test_types_of_documents_that_amazon_has_forgotten_are_forgotten_some_at_a_time(
    real_types: Store, owner: chassis.db.Connection
) -> None:
    await real_types.learn("seller-1", {"d1": "A", "d2": "A", "d3": "A"})
    assert await real_types.forget_documents(10) == 0
    await owner.execute(
        "UPDATE gateway.document_types SET told_at = told_at - interval '91 days' WHERE document_id <> 'd3'"
    )
    assert [await real_types.forget_documents(1) for _ in range(3)] == [1, 1, 0]
    assert await real_types.find("seller-1", "d3") == "A"


async def test_the_gateways_role_cannot_change_what_was_told(pool_for: PoolFor) -> None:
    pool = await pool_for("gateway")
    for statement in ("UPDATE gateway.document_types SET type = 'x'", "TRUNCATE gateway.document_types"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(statement)
