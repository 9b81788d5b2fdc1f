"""A seller leaves: watchers are told, a real key is destroyed, the safe is asked; a kill changes nothing."""

import asyncio
import signal
from contextlib import aclosing

import pytest

import chassis.db
from chassis.errors import Unauthenticated
from tests.conftest import VaultFor
from tests.integration.auth.conftest import CallerFor
from tests.integration.auth.process import AuthProcess, Safe, Telemetry
from tests.integration.auth.story import SELLER_NAME, Story
from tests.integration.service import until
from wire.auth.v1 import auth_pb2, sellers_pb2

PATIENCE_S = 30.0
TEXTS_LEFT = "SELECT count(*) FROM auth.consents WHERE refresh_token_sealed IS NOT NULL"


async def test_a_seller_who_leaves_is_out_at_once_and_destroyed_after_a_kill_R12_T18(
    story: Story,
    process: AuthProcess,
    safe: Safe,
    telemetry: Telemetry,
    caller_for: CallerFor,
    vault_for: VaultFor,
    owner: chassis.db.Connection,
) -> None:
    session_token, access_token, device = await story.begin()
    safe.is_down = True
    watcher = await caller_for("gateway", process)
    stream = watcher.service.WatchRevocations(auth_pb2.WatchRevocationsRequest())
    async with asyncio.timeout(PATIENCE_S), aclosing(stream):  # type: ignore[type-var]
        told = aiter(stream)
        assert await anext(told) == auth_pb2.Revocation()
        left = await story.leave(device.seller_id)
        assert (await anext(told)).device_id == device.device_id
    assert left.name in {SELLER_NAME, ""}
    with pytest.raises(Unauthenticated) as refusal:
        await story.introspect(access_token)
    assert refusal.value.code == "device_revoked"
    with pytest.raises(Unauthenticated):
        await story.gateway.FindSession(auth_pb2.FindSessionRequest(session_token=session_token))
    assert await owner.fetchval(TEXTS_LEFT) == 0

    await process.stop(signal.SIGKILL)
    safe.is_down = False
    await process.start()
    await until(lambda: _is_destroyed(story, device.seller_id), limit_s=PATIENCE_S)
    vault = await vault_for("auth")
    assert not await vault.transit_exists(f"auth-seller-{device.seller_id}")
    assert safe.erased == [device.seller_id]
    assert telemetry.told("auth.seller.offboarded") == [(1, ""), (2, "done")]
    assert "sallyport_auth_unfinished_offboardings 1.0" in await process.metrics()


async def _is_destroyed(story: Story, seller_id: str) -> bool:
    found = await story.sellers.FindSeller(sellers_pb2.FindSellerRequest(seller_id=seller_id))
    return found.offboarding.HasField("erased_at")
