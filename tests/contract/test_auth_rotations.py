"""What auth's storage promises about looking after client secrets, on the fake and on Postgres."""

from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest

from fakes.auth_store import FakeStore
from fakes.clock import START, FakeClock
from services.auth.model.consents import Application
from services.auth.model.rotation import RotationState
from services.auth.store import Store
from tests.conftest import PoolFor

AnyStore = FakeStore | Store
S = TypeVar("S", FakeStore, Store)

LEASE_S = 600.0
HOUR = timedelta(hours=1)
APPLICATION = Application(application_id="amzn1.sellerapps.app.1", client_id="client", is_draft=True)
OTHER = replace(APPLICATION, application_id="amzn1.sellerapps.app.2")


@pytest.fixture
async def fake_store() -> FakeStore:
    return await _with_applications(FakeStore(FakeClock()))


@pytest.fixture
async def real_store(pool_for: PoolFor) -> Store:
    return await _with_applications(Store(await pool_for("auth")))


@pytest.fixture(params=["fake_store", "real_store"])
def store(request: pytest.FixtureRequest) -> AnyStore:
    store: AnyStore = request.getfixturevalue(request.param)
    return store


async def _with_applications(store: S) -> S:
    await store.register_application(APPLICATION, START)
    await store.register_application(OTHER, START + HOUR)
    return store


async def test_applications_are_listed_the_present_one_first(store: AnyStore) -> None:
    assert await store.list_applications() == [OTHER, APPLICATION]


async def test_one_at_a_time_looks_after_an_application(store: AnyStore) -> None:
    lease = await store.hold_rotation(APPLICATION.application_id, LEASE_S)
    assert lease is not None
    assert lease.state == RotationState()
    assert await store.hold_rotation(APPLICATION.application_id, LEASE_S) is None
    assert await store.hold_rotation(OTHER.application_id, LEASE_S) is not None
    await store.release_rotation(lease)
    again = await store.hold_rotation(APPLICATION.application_id, LEASE_S)
    assert again is not None
    assert again.fence > lease.fence


async def test_a_lease_ends_by_itself_and_its_holder_can_write_no_more_R12(store: AnyStore) -> None:
    late = await store.hold_rotation(APPLICATION.application_id, 0.0)
    lease = await store.hold_rotation(APPLICATION.application_id, LEASE_S)
    assert late is not None
    assert lease is not None
    assert not await store.note_asked(late, START)
    await store.note_rotation_refused(late, "rotation_refused", START)
    await store.note_told(late, "secret", 30)
    await store.release_rotation(late)
    assert await store.find_rotation(APPLICATION.application_id) == RotationState()
    assert await store.hold_rotation(APPLICATION.application_id, LEASE_S) is None


async def test_a_lease_further_ahead_than_any_is_given_holds_nobody_up_R14(store: AnyStore) -> None:
    """As when storage's clock was set back after whoever held it had died."""
    assert await store.hold_rotation(APPLICATION.application_id, 10 * LEASE_S) is not None
    assert await store.hold_rotation(APPLICATION.application_id, LEASE_S) is not None
    assert await store.hold_rotation(APPLICATION.application_id, LEASE_S) is None


async def test_what_was_done_is_remembered(store: AnyStore) -> None:
    lease = await store.hold_rotation(APPLICATION.application_id, LEASE_S)
    assert lease is not None
    assert await store.note_asked(lease, START)
    await store.note_told(lease, "secret", 30)
    kept = RotationState(asked_at=START, told_secret_id="secret", told_days=30)
    assert await store.find_rotation(APPLICATION.application_id) == kept
    assert await store.find_rotation(OTHER.application_id) == RotationState()
    await store.release_rotation(lease)
    again = await store.hold_rotation(APPLICATION.application_id, LEASE_S)
    assert again is not None
    assert again.state == kept


async def test_a_refusal_leaves_what_was_asked_before_it(store: AnyStore) -> None:
    first = await store.hold_rotation(APPLICATION.application_id, 0.0)
    assert first is not None
    await store.note_asked(first, START)
    second = await store.hold_rotation(APPLICATION.application_id, LEASE_S)
    assert second is not None
    await store.note_asked(second, START + HOUR)
    await store.note_rotation_refused(second, "rotation_not_enrolled", START + HOUR)
    state = await store.find_rotation(APPLICATION.application_id)
    expected = RotationState(asked_at=START, refused_at=START + HOUR, refusal="rotation_not_enrolled")
    assert state == expected
