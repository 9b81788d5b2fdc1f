"""What auth's storage promises about lending: leases and shared tokens, turns, the application's own tokens.

The database's clock cannot be moved, so what it decides is looked at with spans of zero or of hours.
"""

import asyncio
from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest

from fakes.auth_store import FakeStore
from fakes.clock import START, FakeClock
from services.auth.model.consents import Application, Consent, Ending, Region
from services.auth.model.devices import Device, Profile
from services.auth.model.grantless import Scope, SealedGrantless
from services.auth.model.lending import Lease, Refreshed, SealedAccess
from services.auth.model.people import Invitation, Seller, User
from services.auth.model.refusals import ConsentRevoked, DeviceNotFound
from services.auth.model.roles import Role
from services.auth.model.tokens import Enrolment
from services.auth.model.turns import PROBE_S, Hold, Pace
from services.auth.store import Store
from tests.conftest import PoolFor

AnyStore = FakeStore | Store

_numbers = count(1)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
LONG_S = 3_600.0
APPLICATION = Application(application_id="amzn1.sellerapps.app.1", client_id="client", is_draft=True)
APPLICATION_ID = APPLICATION.application_id
# One turn an hour: the clock does not matter while a test runs.
SLOW = Pace(rate_per_s=1 / LONG_S, burst=3)


@pytest.fixture
async def fake_store() -> FakeStore:
    store = FakeStore(FakeClock())
    await store.register_application(APPLICATION, START)
    return store


@pytest.fixture
async def real_store(pool_for: PoolFor) -> Store:
    store = Store(await pool_for("auth"))
    await store.register_application(APPLICATION, START)
    return store


@pytest.fixture(params=["fake_store", "real_store"])
def store(request: pytest.FixtureRequest) -> AnyStore:
    store: AnyStore = request.getfixturevalue(request.param)
    return store


def new_id() -> str:
    return str(UUID(int=next(_numbers)))


def digest() -> bytes:
    return next(_numbers).to_bytes(32, "big")


async def connected(store: AnyStore, seller_id: str | None = None, region: Region = Region.EU) -> Consent:
    """Return a fresh consent, of a new seller unless one is named."""
    if seller_id is None:
        seller_id = new_id()
        await store.create_seller(Seller(seller_id=seller_id, name_sealed="sealed name", created_at=START))
    made = Consent(
        consent_id=new_id(),
        seller_id=seller_id,
        region=region,
        marketplace_id=f"marketplace {region}",
        application_id=APPLICATION_ID,
        selling_partner_sealed="sealed partner",
        refresh_token_sealed="sealed refresh token",
        granted_at=START,
        expires_at=START + timedelta(days=365),
        used_at=START,
    )
    await store.record_consent(made, digest())
    return made


def refreshed(lease: Lease, minutes: int = 50, refresh_token_sealed: str | None = None) -> Refreshed:
    """Return what a refresh under a lease leaves behind, due for renewal so many minutes after START."""
    consent = lease.consent
    return Refreshed(
        access=SealedAccess(
            consent_id=consent.consent_id,
            seller_id=consent.seller_id,
            token_sealed=f"sealed access token {lease.fence}",
            expires_at=START + HOUR,
            fence=lease.fence,
        ),
        renew_at=START + minutes * MINUTE,
        refresh_token_sealed=refresh_token_sealed,
        refresh_version=consent.refresh_version + (refresh_token_sealed is not None),
        refreshed_at=START + MINUTE,
    )


async def shared(store: AnyStore, consent: Consent, minutes: int = 50) -> Refreshed:
    """Return what was refreshed and lent at START."""
    lease = await store.acquire(consent.consent_id, LONG_S)
    assert lease is not None
    fresh = refreshed(lease, minutes)
    assert await store.settle(consent.consent_id, lease.fence, fresh)
    await store.note_lent(consent.consent_id, START)
    return fresh


async def due(store: AnyStore, now_minutes: int = 50) -> Lease | None:
    now = START + now_minutes * MINUTE
    return await store.take_due(now, now - HOUR, LONG_S)


# Who may be lent what


async def test_a_standing_tells_device_consent_and_what_is_shared(store: AnyStore) -> None:
    consent = await connected(store)
    owner = User(
        user_id=new_id(),
        seller_id=consent.seller_id,
        role=Role.OWNER,
        name_sealed="sealed user",
        created_at=START,
    )
    invitation = Invitation(invitation_digest=digest(), user_id=owner.user_id, expires_at=START + HOUR)
    await store.invite_user(owner, invitation)
    device = Device(
        device_id=new_id(),
        seller_id=consent.seller_id,
        user_id=owner.user_id,
        profile=Profile.BOUND,
        scopes=("orders",),
        client_id="desktop",
        key_thumbprint="k" * 43,
        name_sealed="sealed device",
        enrolled_at=START,
        used_at=START,
    )
    await store.enrol(Enrolment(device=device, refresh_digest=digest()))
    fresh = await store.find_standing(device.device_id, Region.EU)
    assert (fresh.device, fresh.consent, fresh.access, fresh.lent_at) == (device, consent, None, None)
    told = await shared(store, consent)
    standing = await store.find_standing(device.device_id, Region.EU)
    assert (standing.access, standing.lent_at) == (told.access, START)
    none = await store.find_standing(device.device_id, Region.FE)
    assert (none.device, none.consent, none.access) == (device, None, None)
    await store.end_consent(consent.consent_id, Ending.IDLE, START)
    ended = await store.find_standing(device.device_id, Region.EU)
    assert ended.consent is not None
    assert (ended.consent.ending, ended.access) == (Ending.IDLE, None)
    with pytest.raises(DeviceNotFound):
        await store.find_standing(new_id(), Region.EU)


# Renewal ahead


async def test_a_shared_token_is_due_from_its_time_on_and_taken_once_R10(store: AnyStore) -> None:
    consent = await connected(store)
    fresh = await shared(store, consent)
    assert await due(store, 49) is None
    lease = await due(store, 50)
    assert lease is not None
    assert (lease.consent.consent_id, lease.fence, lease.access) == (
        consent.consent_id,
        fresh.access.fence + 1,
        fresh.access,
    )
    assert await due(store, 50) is None
    assert await store.acquire(consent.consent_id, LONG_S) is None
    assert await store.settle(consent.consent_id, lease.fence, refreshed(lease, 100))
    assert await due(store, 99) is None
    await store.note_lent(consent.consent_id, START + 60 * MINUTE)
    assert await due(store, 100) is not None


async def test_the_one_that_waited_longest_is_taken_first(store: AnyStore) -> None:
    made = [await connected(store) for _ in range(3)]
    for consent, minutes in zip(made, (48, 46, 47), strict=True):
        await shared(store, consent, minutes)
    taken = [await due(store) for _ in range(4)]
    assert [lease.consent.consent_id for lease in taken if lease] == [
        made[1].consent_id,
        made[2].consent_id,
        made[0].consent_id,
    ]
    assert taken[3] is None


async def test_many_at_once_take_each_due_token_once_R09_R10(store: AnyStore) -> None:
    made = [await connected(store) for _ in range(5)]
    for consent in made:
        await shared(store, consent)
    taken = await asyncio.gather(*(due(store) for _ in range(9)))
    ids = [lease.consent.consent_id for lease in taken if lease is not None]
    rest = [lease.consent.consent_id for lease in [await due(store) for _ in range(5)] if lease is not None]
    assert sorted(ids + rest) == sorted(consent.consent_id for consent in made)


async def test_what_nobody_was_lent_lately_is_not_renewed(store: AnyStore) -> None:
    consent = await connected(store)
    await shared(store, consent)
    now = START + 50 * MINUTE
    assert await store.take_due(now, START, LONG_S) is None
    await store.note_lent(consent.consent_id, START + MINUTE)
    await store.note_lent(consent.consent_id, START)
    assert await store.take_due(now, START, LONG_S) is not None


async def test_a_dead_holders_token_is_due_again_R09(store: AnyStore) -> None:
    consent = await connected(store)
    await shared(store, consent)
    now = START + 50 * MINUTE
    first = await store.take_due(now, START - MINUTE, 0.0)
    second = await store.take_due(now, START - MINUTE, LONG_S)
    assert first is not None
    assert second is not None
    assert second.fence == first.fence + 1
    assert not await store.settle(consent.consent_id, first.fence, refreshed(first))


async def test_a_renewal_is_put_off_by_its_holder_only(store: AnyStore) -> None:
    consent = await connected(store)
    await shared(store, consent)
    lease = await due(store)
    assert lease is not None
    await store.put_off(consent.consent_id, lease.fence - 1, START)
    await store.put_off(consent.consent_id, lease.fence, START + 52 * MINUTE)
    await store.release(consent.consent_id, lease.fence)
    assert await due(store, 51) is None
    assert await due(store, 52) is not None


async def test_an_ended_consent_is_never_due(store: AnyStore) -> None:
    consent = await connected(store)
    await shared(store, consent)
    await store.end_consent(consent.consent_id, Ending.IDLE, START)
    assert await due(store) is None
    await store.put_off(consent.consent_id, 1, START)
    await store.note_lent(consent.consent_id, START)


async def test_a_lease_further_ahead_than_any_is_given_holds_nobody_up_R14(store: AnyStore) -> None:
    """As when storage's clock was set back after whoever held it had died."""
    consent = await connected(store)
    fresh = await shared(store, consent)
    assert await store.acquire(consent.consent_id, 10 * LONG_S) is not None
    renewing = await due(store)
    assert renewing is not None
    assert renewing.fence == fresh.access.fence + 2
    assert await store.acquire(consent.consent_id, 10 * LONG_S) is None
    assert await store.acquire(consent.consent_id, LONG_S / 2) is not None
    assert not await store.settle(consent.consent_id, renewing.fence, refreshed(renewing, 100))


async def test_writing_an_outcome_again_changes_nothing_more_R04(store: AnyStore) -> None:
    consent = await connected(store)
    lease = await store.acquire(consent.consent_id, LONG_S)
    assert lease is not None
    fresh = refreshed(lease, refresh_token_sealed="sealed anew")
    assert await store.settle(consent.consent_id, lease.fence, fresh)
    assert await store.settle(consent.consent_id, lease.fence, fresh)
    kept = await store.find_consent(consent.seller_id, Region.EU)
    assert (kept.refresh_version, kept.refresh_token_sealed) == (2, "sealed anew")


# Forgetting


async def test_a_token_is_forgotten_once_if_it_is_old_enough(store: AnyStore) -> None:
    consent = await connected(store)
    fresh = await shared(store, consent)
    fence = fresh.access.fence
    assert not await store.forget_access(consent.consent_id, fence, LONG_S)
    assert not await store.forget_access(consent.consent_id, fence + 1, 0.0)
    assert await store.find_access(consent.consent_id) == fresh.access
    assert await store.forget_access(consent.consent_id, fence, 0.0)
    assert await store.find_access(consent.consent_id) is None
    assert not await store.forget_access(consent.consent_id, fence, 0.0)
    assert await due(store) is None
    await shared(store, consent)
    assert await due(store) is not None


async def test_only_one_of_many_forgets_a_token(store: AnyStore) -> None:
    consent = await connected(store)
    fence = (await shared(store, consent)).access.fence
    said = await asyncio.gather(*(store.forget_access(consent.consent_id, fence, 0.0) for _ in range(6)))
    assert sorted(said) == [False] * 5 + [True]


# Turns at Login with Amazon


async def test_a_burst_comes_at_once_and_then_one_turn_each_interval_R10(store: AnyStore) -> None:
    waits_s = []
    for _ in range(5):
        given = await store.take_turns(APPLICATION_ID, SLOW, count=1, patience_s=10 * LONG_S)
        assert (given.is_given, given.is_refused) == (True, False)
        waits_s.append(given.wait_s)
    assert [max(0, round(wait_s / LONG_S)) for wait_s in waits_s] == [0, 0, 0, 1, 2]


async def test_turns_that_are_too_far_away_are_not_given_R10(store: AnyStore) -> None:
    assert (await store.take_turns(APPLICATION_ID, SLOW, count=3, patience_s=0.0)).is_given
    refused = await store.take_turns(APPLICATION_ID, SLOW, count=1, patience_s=LONG_S / 2)
    assert (refused.is_given, round(refused.wait_s / LONG_S)) == (False, 1)
    given = await store.take_turns(APPLICATION_ID, SLOW, count=1, patience_s=LONG_S * 2)
    assert (given.is_given, round(given.wait_s / LONG_S)) == (True, 1)


async def test_turns_are_given_all_or_none_R10(store: AnyStore) -> None:
    refused = await store.take_turns(APPLICATION_ID, SLOW, count=5, patience_s=LONG_S / 2)
    assert not refused.is_given
    given = await store.take_turns(APPLICATION_ID, SLOW, count=3, patience_s=0.0)
    assert given.is_given
    assert round(given.wait_s / LONG_S) == -2


async def test_turns_further_ahead_than_anybody_waits_are_not_waited_for_R14(store: AnyStore) -> None:
    """As when the database's clock was set back, or another host with an earlier one took it over."""
    assert (await store.take_turns(APPLICATION_ID, SLOW, count=10, patience_s=10 * LONG_S)).is_given
    given = await store.take_turns(APPLICATION_ID, SLOW, count=1, patience_s=0.0)
    assert (given.is_given, round(given.wait_s / LONG_S)) == (True, 0)
    refused = await store.take_turns(APPLICATION_ID, SLOW, count=1, patience_s=0.0)
    assert (refused.is_given, round(refused.wait_s / LONG_S)) == (False, 1)


async def test_many_at_once_never_get_more_than_the_burst_R10(store: AnyStore) -> None:
    taking = [store.take_turns(APPLICATION_ID, SLOW, count=1, patience_s=1.0) for _ in range(12)]
    given = await asyncio.gather(*taking)
    assert sum(turns.is_given for turns in given) == SLOW.burst


async def test_a_hold_is_for_everybody_and_a_longer_one_stays_R10(store: AnyStore) -> None:
    assert await store.find_hold(APPLICATION_ID) == Hold(hold_s=0.0, is_refused=False)
    await store.hold_turns(APPLICATION_ID, LONG_S)
    await store.hold_turns(APPLICATION_ID, 1.0)
    hold = await store.find_hold(APPLICATION_ID)
    assert (round(hold.hold_s / LONG_S), hold.is_refused) == (1, False)
    refused = await store.take_turns(APPLICATION_ID, SLOW, count=1, patience_s=LONG_S / 2)
    assert (refused.is_given, round(refused.wait_s / LONG_S)) == (False, 1)
    given = await store.take_turns(APPLICATION_ID, SLOW, count=1, patience_s=LONG_S * 2)
    assert (given.is_given, round(given.wait_s / LONG_S)) == (True, 1)


async def test_a_refusal_begins_and_ends_once(store: AnyStore) -> None:
    assert not await store.end_refusal(APPLICATION_ID)
    assert (await store.take_turns(APPLICATION_ID, SLOW, count=1, patience_s=0.0)).is_given
    assert await store.begin_refusal(APPLICATION_ID)
    assert not await store.begin_refusal(APPLICATION_ID)
    hold = await store.find_hold(APPLICATION_ID)
    assert hold.is_refused
    assert PROBE_S - 10 < hold.hold_s <= PROBE_S
    refused = await store.take_turns(APPLICATION_ID, SLOW, count=1, patience_s=LONG_S)
    assert (refused.is_given, refused.is_refused) == (False, True)
    assert await store.end_refusal(APPLICATION_ID)
    assert not await store.end_refusal(APPLICATION_ID)
    given = await store.take_turns(APPLICATION_ID, SLOW, count=1, patience_s=0.0)
    assert (given.is_given, given.is_refused) == (True, False)


# The application's own tokens


def grantless(fence: int, scope: Scope = Scope.NOTIFICATIONS) -> SealedGrantless:
    return SealedGrantless(
        application_id=APPLICATION_ID,
        scope=scope,
        token_sealed=f"sealed {scope} {fence}",
        expires_at=START + HOUR,
        fence=fence,
    )


async def test_a_grantless_token_is_shared_by_scope(store: AnyStore) -> None:
    assert await store.find_grantless(APPLICATION_ID, Scope.NOTIFICATIONS) is None
    for scope in Scope:
        lease = await store.acquire_grantless(APPLICATION_ID, scope, LONG_S)
        assert lease is not None
        assert (lease.fence, lease.token) == (1, None)
        assert await store.settle_grantless(grantless(1, scope))
    for scope in Scope:
        assert await store.find_grantless(APPLICATION_ID, scope) == grantless(1, scope)


async def test_a_grantless_token_is_forgotten_by_its_fence_and_when_it_is_old_enough(store: AnyStore) -> None:
    async def is_forgotten(scope: Scope, fence: int, age_s_min: float) -> bool:
        return await store.forget_grantless(APPLICATION_ID, scope, fence=fence, age_s_min=age_s_min)

    for scope in Scope:
        assert await store.acquire_grantless(APPLICATION_ID, scope, LONG_S) is not None
    assert await store.settle_grantless(grantless(1))
    assert not await is_forgotten(Scope.NOTIFICATIONS, 1, LONG_S)
    assert not await is_forgotten(Scope.NOTIFICATIONS, 2, 0.0)
    assert not await is_forgotten(Scope.ROTATION, 1, 0.0)
    found = await store.find_grantless(APPLICATION_ID, Scope.NOTIFICATIONS)
    assert found == grantless(1)
    assert 0.0 <= found.age_s < LONG_S
    assert await is_forgotten(Scope.NOTIFICATIONS, 1, 0.0)
    assert await store.find_grantless(APPLICATION_ID, Scope.NOTIFICATIONS) is None
    assert await store.acquire_grantless(APPLICATION_ID, Scope.NOTIFICATIONS, LONG_S) is not None


async def test_a_grantless_lease_further_ahead_than_any_is_given_holds_nobody_up_R14(store: AnyStore) -> None:
    assert await store.acquire_grantless(APPLICATION_ID, Scope.ROTATION, 10 * LONG_S) is not None
    assert await store.acquire_grantless(APPLICATION_ID, Scope.ROTATION, LONG_S) is not None
    assert await store.acquire_grantless(APPLICATION_ID, Scope.ROTATION, LONG_S) is None


async def test_one_at_a_time_fetches_a_grantless_token_R09(store: AnyStore) -> None:
    asking = [store.acquire_grantless(APPLICATION_ID, Scope.ROTATION, LONG_S) for _ in range(6)]
    leases = [lease for lease in await asyncio.gather(*asking) if lease is not None]
    assert [lease.fence for lease in leases] == [1]
    await store.release_grantless(APPLICATION_ID, Scope.ROTATION, 1)
    again = await store.acquire_grantless(APPLICATION_ID, Scope.ROTATION, 0.0)
    taken_over = await store.acquire_grantless(APPLICATION_ID, Scope.ROTATION, LONG_S)
    assert again is not None
    assert taken_over is not None
    assert (again.fence, taken_over.fence) == (2, 3)
    assert not await store.settle_grantless(grantless(2, Scope.ROTATION))
    assert await store.settle_grantless(grantless(3, Scope.ROTATION))
    assert await store.find_grantless(APPLICATION_ID, Scope.ROTATION) == grantless(3, Scope.ROTATION)


async def test_nobody_refreshes_for_an_ended_consent(store: AnyStore) -> None:
    consent = await connected(store)
    await store.end_consent(consent.consent_id, Ending.IDLE, START)
    with pytest.raises(ConsentRevoked):
        await store.acquire(consent.consent_id, LONG_S)
