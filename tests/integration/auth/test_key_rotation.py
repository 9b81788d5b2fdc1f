"""Key rotation in the process that operators run: everything sealed anew while it serves, over kill -9."""

import asyncio
import signal
from collections.abc import Sequence
from datetime import timedelta

import pytest

import chassis.clock
import chassis.db
import chassis.entropy
from chassis.errors import SallyportError, Unavailable
from fakes.auth_vault import key_version
from services.auth.model.rewrapping import (
    LEASE_S,
    SETTLING_S,
    KeyKind,
    KeyOwner,
    SealedValue,
)
from services.auth.store import Store
from services.auth.store.sealed import SEALED_COLUMNS
from services.auth.vault import AuthVault
from tests.conftest import PoolFor, VaultFor
from tests.integration.auth.conftest import CallerFor, ProcessFor
from tests.integration.auth.process import AuthProcess, Caller
from tests.integration.auth.story import Story
from tests.integration.auth.test_secrecy import tell_everything
from tests.integration.auth.traces import leave_traces
from tests.integration.service import until
from wire.auth.v1 import auth_pb2, keys_pb2, keys_pb2_grpc

PATIENCE_S = 60.0
ROTATIONS = 2
EVERYTHING = 1_000_000_000
LATER = timedelta(seconds=SETTLING_S + LEASE_S)


@pytest.fixture
async def vault(vault_for: VaultFor) -> AuthVault:
    return AuthVault(await vault_for("auth"), chassis.clock.SystemClock(), chassis.entropy.SystemEntropy())


@pytest.fixture
async def store(pool_for: PoolFor) -> Store:
    return Store(await pool_for("auth"))


@pytest.fixture
async def console(caller_for: CallerFor, process: AuthProcess) -> Caller:
    return await caller_for("console", process)


@pytest.fixture
def keys(console: Caller) -> "keys_pb2_grpc.KeyAdminAsyncStub":
    stub: keys_pb2_grpc.KeyAdminAsyncStub = console.channel.stub(keys_pb2_grpc.KeyAdminStub)
    return stub


async def owners(owner: chassis.db.Connection) -> list[KeyOwner]:
    rows = await owner.fetch("SELECT kind, owner_id FROM auth.sealing_keys")
    return [KeyOwner(kind=KeyKind(row["kind"]), owner_id=row["owner_id"]) for row in rows]


async def all_values(store: Store, known: Sequence[KeyOwner]) -> list[tuple[KeyOwner, SealedValue]]:
    return [(one, value) for one in known for value in await store.list_older(one, EVERYTHING, "")]


async def let_settle(owner: chassis.db.Connection) -> None:
    """Let the time pass that keys settle, and that a killed holder's lease lasts."""
    await owner.execute(
        """
        UPDATE auth.rewrappings
        SET rewrapped_at = rewrapped_at - $1::interval, held_until = held_until - $1
        WHERE closed_at IS NULL
        """,
        LATER,
    )


async def finish(owner: chassis.db.Connection) -> None:
    """Return once every key that is under way has been closed."""

    async def is_done() -> bool:
        await let_settle(owner)
        open_rows: int = await owner.fetchval("SELECT count(*) FROM auth.rewrappings WHERE closed_at IS NULL")
        return open_rows == 0

    await until(is_done, limit_s=PATIENCE_S)


async def test_every_value_of_every_column_is_sealed_anew_and_opens_at_its_place_T16(
    story: Story,
    console: Caller,
    vault: AuthVault,
    store: Store,
    owner: chassis.db.Connection,
) -> None:
    session_token = await tell_everything(story)
    known = await owners(owner)
    dump = await all_values(store, known)
    await leave_traces(story, console, session_token=session_token, vault=vault, owner=owner)
    await finish(owner)
    values = await all_values(store, await owners(owner))
    assert {value.column for _, value in values} == {one.name for one in SEALED_COLUMNS}
    for one, value in values:
        assert (await vault.open(value.place, value.sealed)).reveal()
        # The staff came, and the application got its token, after the keys were rotated.
        assert key_version(value.sealed) == 2 or one.kind is not KeyKind.SELLER
    assert len(dump) > 10
    for _, stolen in dump:
        with pytest.raises(Unavailable) as refusal:
            await vault.open(stolen.place, stolen.sealed)
        assert refusal.value.code == "integrity_failure"


async def test_a_rotation_under_traffic_and_kills_loses_nothing_and_refuses_nobody_R12(
    story: Story,
    process: AuthProcess,
    process_for: ProcessFor,
    caller_for: CallerFor,
    keys: "keys_pb2_grpc.KeyAdminAsyncStub",
    owner: chassis.db.Connection,
) -> None:
    session_token, access_token, device = await story.begin()
    other = await caller_for("gateway", await process_for("other"))
    seller = keys_pb2.RotateKeysRequest(seller_id=device.seller_id)
    rotations, refused = 0, []

    async def use() -> None:
        while rotations < ROTATIONS:
            for call in (
                other.service.FindSession(auth_pb2.FindSessionRequest(session_token=session_token)),
                other.service.Introspect(auth_pb2.IntrospectRequest(access_token=access_token)),
                other.service.LendAmazonToken(
                    auth_pb2.LendAmazonTokenRequest(device_id=device.device_id, region=auth_pb2.REGION_NA)
                ),
            ):
                try:
                    await call
                except SallyportError as error:
                    refused.append(error.code)

    traffic = asyncio.create_task(use())
    while rotations < ROTATIONS:
        await keys.RotateKeys(seller)
        await process.stop(signal.SIGKILL)
        await finish(owner)
        await process.start()
        rotations += 1
    await traffic
    assert refused == []
    version = await owner.fetchval("SELECT max(version) FROM auth.rewrappings")
    assert version in range(1 + ROTATIONS, 2 + 2 * ROTATIONS)
    found = await other.service.FindSession(auth_pb2.FindSessionRequest(session_token=session_token))
    assert found.seller_id == device.seller_id


async def test_progress_is_told_until_the_older_versions_are_closed(
    story: Story, keys: "keys_pb2_grpc.KeyAdminAsyncStub", owner: chassis.db.Connection
) -> None:
    await story.begin()
    begun = await keys.RotateKeys(keys_pb2.RotateKeysRequest(all=True))
    closing = asyncio.create_task(finish(owner))
    told = [
        progress
        async for progress in keys.WatchRotation(keys_pb2.WatchRotationRequest(round_id=begun.round_id))
    ]
    await closing
    assert told[-1].keys == told[-1].keys_closed == begun.keys
    assert told[-1].values_done >= told[-1].values > 0
    described = await keys.DescribeKeys(keys_pb2.DescribeKeysRequest())
    assert (described.keys, described.under_way, described.aged) == (begun.keys, 0, 0)
