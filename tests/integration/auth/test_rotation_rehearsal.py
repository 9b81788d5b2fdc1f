"""Half a year of a vendor's life on real parts: the client secret renews itself, and no seller notices."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

import sallyport.engines.openbao
import simulator.events
from chassis.secrecy import Secret
from fakes.auth_house import APPLICATION, Crash, Fuse
from services.auth.model.credentials import Origin
from services.auth.model.rotation import RotationPlan
from services.auth.service.applications import Pasted
from simulator.app import Running
from tests.conftest import PoolFor, VaultFor
from tests.integration.auth.rehearsal import FIRST_SECRET, Rehearsal, rehearsed, simulated_amazon

ID = APPLICATION.application_id
ROTATE = "rotateApplicationClientSecret"


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with simulated_amazon(tmp_path) as amazon:
        yield amazon


@pytest.fixture
async def _nothing_kept(openbao: sallyport.engines.openbao.OpenBao) -> None:
    """See to it that no earlier test's secrets are the application's."""
    await openbao.call("DELETE", f"kv/metadata/auth/applications/{ID}")


@pytest.fixture
async def rehearsal(
    running: Running, pool_for: PoolFor, vault_for: VaultFor, _nothing_kept: None
) -> AsyncIterator[Rehearsal]:
    async with rehearsed(running, await pool_for("auth"), await vault_for("auth")) as opened:
        yield opened


async def test_a_secret_rotates_through_the_queue_and_every_refresh_succeeds_R12(
    rehearsal: Rehearsal, vault_for: VaultFor
) -> None:
    await rehearsal.open_shop()
    await rehearsal.days(144)
    assert rehearsal.calls(ROTATE) == []
    async with rehearsal.hearing():
        await rehearsal.days(6)
        await rehearsal.arrived()
        assert (await rehearsal.pair()).newest.origin is Origin.QUEUE
        await rehearsal.days(36)
    pair = await rehearsal.pair()
    assert (rehearsal.calls(ROTATE), len(pair.held)) == ([204], 1)
    assert pair.newest.secret.reveal() != FIRST_SECRET
    assert set(rehearsal.calls("lwa.token")) == {200}
    assert rehearsal.controls.queue() | {"path": ""} == {"path": "", "visible": 0, "in_flight": 0, "dead": 0}
    path = f"auth/applications/{ID}"
    assert await (await vault_for("auth")).kv_forget_older(path) == 0
    marks = [details["mark"] for details in rehearsal.audit.details("auth.client_secret.expiring")]
    assert marks == ["90", "60", "30"]
    for secret in (FIRST_SECRET, pair.newest.secret.reveal()):
        assert secret not in str(rehearsal.audit.events) + str(rehearsal.signals.counts)


@pytest.mark.usefixtures("_nothing_kept")
async def test_without_a_queue_a_pasted_secret_does_the_same(
    running: Running, pool_for: PoolFor, vault_for: VaultFor
) -> None:
    vault, plan = await vault_for("auth"), RotationPlan()
    async with rehearsed(running, await pool_for("auth"), vault, rotation=plan) as rehearsal:
        await rehearsal.open_shop()
        await rehearsal.days(174)
        marks = [details["mark"] for details in rehearsal.audit.details("auth.client_secret.expiring")]
        assert marks == ["90", "60", "30", "15", "7"]
        by_hand = rehearsal.controls.rotate_secret(ID, {})["client_secret"]
        await rehearsal.serve()
        assert await rehearsal.use.applications.paste(Pasted(application_id="", secret=Secret(by_hand)))
        await rehearsal.days(12)
        assert [one.secret.reveal() for one in (await rehearsal.pair()).held] == [by_hand]
        assert rehearsal.calls(ROTATE) == []
        assert set(rehearsal.calls("lwa.token")) == {200}


async def test_whatever_step_auth_is_killed_at_the_next_one_goes_on_R12(rehearsal: Rehearsal) -> None:
    await rehearsal.open_shop()
    deaths = 0
    for step in (*range(1, 12), *range(13, 40, 3)):
        fuse = Fuse(step)
        dying = rehearsal.replica(fuse)
        try:
            await dying.applications.rotate(ID, is_forced=True)
            await rehearsal.notices(dying, fuse).hear()
        except Crash:
            deaths += 1
        rehearsal.use = rehearsal.replica()
        # What the dead one took from the queue comes again, and its leases end.
        rehearsal.pass_(timedelta(hours=2))
        await rehearsal.end_leases()
        await rehearsal.serve()
        if rehearsal.controls.queue()["visible"]:
            await rehearsal.notices(rehearsal.use).hear()
        await rehearsal.use.rotation.tend()
    assert deaths > 10
    newest = (await rehearsal.pair()).newest
    assert newest.accepted_at is not None
    assert rehearsal.running.core.ledger.secrets(rehearsal.running.core.applications.all[0])[
        -1
    ].digest == simulator.events.digest(newest.secret.reveal())
    assert set(rehearsal.calls("lwa.token")) == {200}
