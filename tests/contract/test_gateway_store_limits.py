"""How long anybody waits for the gateway's storage, which is locked here for longer than that."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

import chassis.db
from chassis.db.pool import COMMAND_S_MAX
from services.gateway.model.calls import Region
from services.gateway.store import Store, buckets, documents, homes, revisions
from tests.conftest import PoolFor
from tests.contract.test_gateway_buckets import SLOW, ask

# Half of what the database itself gives a statement.
PATIENCE_S = COMMAND_S_MAX / 2
Asking = Callable[[Store], Awaitable[object]]

ASKED: dict[str, tuple[str, Asking]] = {
    "exchange": ("buckets", lambda store: store.exchange({SLOW: ask(people=1)})),
    "learn": ("document_types", lambda store: store.learn("seller-1", {"d1": "A"})),
    "find": ("document_types", lambda store: store.find("seller-1", "d1")),
    "forget_documents": ("document_types", lambda store: store.forget_documents(1)),
    "homes": ("id_homes", lambda store: store.homes("seller-1", b"a")),
    "settle": ("id_homes", lambda store: store.settle("seller-1", [b"a"], Region.EU)),
    "forget_homes": ("id_homes", lambda store: store.forget_homes(1)),
    "revision": ("revisions", lambda store: store.revision("seller-1", "feeds")),
    "revise": ("revisions", lambda store: store.revise("seller-1", "feeds")),
    "forget_revisions": ("revisions", lambda store: store.forget_revisions(1)),
}


@pytest.fixture
async def store(pool_for: PoolFor, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(buckets, "EXCHANGE_S_MAX", 0.05)
    monkeypatch.setattr(documents, "TYPE_S_MAX", 0.05)
    monkeypatch.setattr(homes, "HOME_S_MAX", 0.05)
    monkeypatch.setattr(revisions, "REVISION_S_MAX", 0.05)
    opened = Store(await pool_for("gateway"))
    await opened.ping()
    return opened


@pytest.mark.parametrize(("table", "asking"), ASKED.values(), ids=ASKED.keys())
async def test_nobody_waits_longer_than_may_be_for_storage_that_is_busy_R05(
    store: Store, owner: chassis.db.Connection, table: str, asking: Asking
) -> None:
    async with owner.transaction(), asyncio.timeout(PATIENCE_S):
        await owner.execute(f"LOCK TABLE gateway.{table} IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(chassis.db.StoreUnavailable):
            await asking(store)
