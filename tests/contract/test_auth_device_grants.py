"""What auth's storage promises about desktops: device grants, what is known of devices, what they give up."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest

from fakes.auth_store import FakeStore
from fakes.clock import START, FakeClock
from services.auth.model.device_facts import DeviceFacts, KeyStorage, Platform
from services.auth.model.device_grants import DEVICE_GRANT_MEMORY, INTERVAL_S, Decision, DeviceGrant, Standing
from services.auth.model.device_refusals import ScopeWithheld, UserCodeInvalid
from services.auth.model.devices import DEVICES_ACTIVE_MAX, Code, Device, Profile, Revocation
from services.auth.model.people import Invitation, Seller, User
from services.auth.model.refusals import DeviceNotFound, DevicesFull, InvalidGrant, InvalidScope, TokenInvalid
from services.auth.model.roles import Role
from services.auth.model.tokens import Enrolment, NewAccess, Rotation
from services.auth.store import Store
from tests.conftest import PoolFor

AnyStore = FakeStore | Store

_numbers = count(1)
LATER = START + timedelta(minutes=10)
FACTS = DeviceFacts(platform=Platform.MACOS, app_version="4.2.0", key_storage=KeyStorage.OS_KEYSTORE)
KEY, OTHER_KEY = "k" * 43, "o" * 43


@pytest.fixture
async def fake_store() -> FakeStore:
    return FakeStore(FakeClock())


@pytest.fixture
async def real_store(pool_for: PoolFor) -> Store:
    return Store(await pool_for("auth"))


@pytest.fixture(params=["fake_store", "real_store"])
def store(request: pytest.FixtureRequest) -> AnyStore:
    store: AnyStore = request.getfixturevalue(request.param)
    return store


def new_id() -> str:
    return str(UUID(int=next(_numbers)))


def digest() -> bytes:
    return next(_numbers).to_bytes(32, "big")


async def person(store: AnyStore) -> User:
    made = Seller(seller_id=new_id(), name_sealed="sealed name", created_at=START)
    await store.create_seller(made)
    user = User(
        user_id=new_id(),
        seller_id=made.seller_id,
        role=Role.OWNER,
        name_sealed="sealed user",
        created_at=START,
    )
    invitation = Invitation(invitation_digest=digest(), user_id=user.user_id, expires_at=LATER)
    await store.invite_user(user, invitation)
    return user


def device(owner: User, **changes: object) -> Device:
    made = Device(
        device_id=new_id(),
        seller_id=owner.seller_id,
        user_id=owner.user_id,
        profile=Profile.BOUND,
        scopes=("orders",),
        client_id="desktop",
        key_thumbprint=KEY,
        name_sealed="sealed device",
        enrolled_at=START,
        used_at=START,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def enrolment(made: Device) -> Enrolment:
    access = NewAccess(token_digest=digest(), issued_at=START)
    return Enrolment(device=made, refresh_digest=digest(), access=access)


async def begun(store: AnyStore, key_thumbprint: str = "") -> DeviceGrant:
    grant = DeviceGrant(
        device_code_digest=digest(),
        user_code_digest=digest(),
        device_id=new_id(),
        client_id="desktop",
        key_thumbprint=key_thumbprint,
        scopes=("orders", "pii"),
        facts=FACTS,
        expires_at=LATER,
    )
    await store.keep_device_grant(grant, START)
    return grant


def approval(owner: User) -> Decision:
    return Decision(
        is_approved=True,
        seller_id=owner.seller_id,
        user_id=owner.user_id,
        name_sealed="sealed device",
        withheld_scopes=("pii",),
    )


async def poll(store: AnyStore, grant: DeviceGrant, key: str = KEY) -> DeviceGrant:
    return (await store.poll_device_grant(grant.device_code_digest, "desktop", key)).grant


async def test_a_device_grant_is_found_as_it_was_kept(store: AnyStore) -> None:
    grant = await begun(store)
    assert await store.find_device_grant(grant.user_code_digest) == grant
    with pytest.raises(UserCodeInvalid):
        await store.find_device_grant(digest())


async def test_a_decision_is_found_as_it_was_made_and_made_once(store: AnyStore) -> None:
    grant, owner = await begun(store), await person(store)
    decision = approval(owner)
    for _ in range(2):
        await store.decide_device_grant(grant.user_code_digest, decision, START)
    denial = Decision(is_approved=False, seller_id=owner.seller_id, user_id=owner.user_id)
    for other in (denial, approval(await person(store))):
        with pytest.raises(UserCodeInvalid):
            await store.decide_device_grant(grant.user_code_digest, other, START)
    assert (await store.find_device_grant(grant.user_code_digest)).decision == decision


async def test_it_is_too_late_to_decide_when_the_grant_is_over(store: AnyStore) -> None:
    grant, owner = await begun(store), await person(store)
    for user_code_digest, now in ((grant.user_code_digest, LATER), (digest(), START)):
        with pytest.raises(UserCodeInvalid):
            await store.decide_device_grant(user_code_digest, approval(owner), now)


async def test_the_first_key_that_asks_is_the_only_one_T02(store: AnyStore) -> None:
    grant = await begun(store)
    assert await poll(store, grant) == grant
    with pytest.raises(InvalidGrant):
        await poll(store, grant, OTHER_KEY)
    assert (await poll(store, grant)).key_thumbprint == KEY


async def test_a_grant_is_for_its_own_client_and_key_alone(store: AnyStore) -> None:
    grant = await begun(store, KEY)
    for attempt in (
        store.poll_device_grant(grant.device_code_digest, "other", KEY),
        store.poll_device_grant(grant.device_code_digest, "desktop", OTHER_KEY),
        store.poll_device_grant(digest(), "desktop", KEY),
    ):
        with pytest.raises(InvalidGrant):
            await attempt


async def test_asking_too_early_makes_the_interval_longer(store: AnyStore) -> None:
    grant = await begun(store)
    polls = [await store.poll_device_grant(grant.device_code_digest, "desktop", KEY) for _ in range(3)]
    assert [polled.is_too_early for polled in polls] == [False, True, True]
    assert [polled.grant.interval_s for polled in polls] == [INTERVAL_S, INTERVAL_S, INTERVAL_S + 5]


async def test_a_grant_makes_one_device_however_often_it_is_redeemed_R12(store: AnyStore) -> None:
    grant, owner = await begun(store), await person(store)
    await store.decide_device_grant(grant.user_code_digest, approval(owner), START)
    await poll(store, grant)
    made = device(owner, device_id=grant.device_id, facts=FACTS, withheld_scopes=("pii",))
    first, second = enrolment(made), enrolment(made)
    nonces = await asyncio.gather(
        store.enrol_by_device_grant(grant.device_code_digest, first, b"one"),
        store.enrol_by_device_grant(grant.device_code_digest, second, b"two"),
    )
    assert len(set(nonces)) == 1
    assert await store.find_device(grant.device_id) == made
    redeemed = await poll(store, grant)
    assert (redeemed.standing, redeemed.nonce) == (Standing.REDEEMED, nonces[0])
    assert redeemed.redeemed_ago_s is not None
    assert 0 <= redeemed.redeemed_ago_s < 60
    with pytest.raises(InvalidGrant):
        await store.enrol_by_device_grant(digest(), enrolment(made), b"one")


@pytest.mark.parametrize("leaver", ["person", "seller"])
async def test_what_somebody_approved_who_left_is_worth_nothing(store: AnyStore, leaver: str) -> None:
    grant, owner = await begun(store), await person(store)
    await store.decide_device_grant(grant.user_code_digest, approval(owner), START)
    if leaver == "person":
        await store.remove_user(owner.user_id, START, keeps_owner=False)
    else:
        await store.close_seller(owner.seller_id, START)
    with pytest.raises(InvalidGrant):
        await poll(store, grant)


async def test_grants_are_remembered_for_a_day(store: AnyStore) -> None:
    grant = await begun(store)
    await store.purge(LATER + DEVICE_GRANT_MEMORY, 1_000)
    assert await store.find_device_grant(grant.user_code_digest) == grant
    await store.purge(LATER + DEVICE_GRANT_MEMORY + timedelta(seconds=1), 1_000)
    with pytest.raises(UserCodeInvalid):
        await store.find_device_grant(grant.user_code_digest)


async def test_a_code_remembers_what_the_desktop_said_and_the_person_withheld(store: AnyStore) -> None:
    owner = await person(store)
    code = Code(
        code_digest=digest(),
        device_id=new_id(),
        seller_id=owner.seller_id,
        user_id=owner.user_id,
        client_id="desktop",
        redirect_uri="http://127.0.0.1:49152/callback",
        code_challenge="c" * 43,
        name_sealed="sealed device",
        expires_at=LATER,
        facts=FACTS,
        key_thumbprint=KEY,
        withheld_scopes=("pii",),
    )
    await store.keep_code(code)
    assert await store.find_code(code.code_digest) == code


async def test_the_version_is_renewed_with_the_tokens(store: AnyStore) -> None:
    made = enrolment(device(await person(store), facts=FACTS))
    await store.enrol(made)
    shown = made.refresh_digest
    for told, known in (("", "4.2.0"), ("4.3.0", "4.3.0")):
        rotation = Rotation(
            token_digest=shown,
            nonce=b"nonce",
            successor_digest=digest(),
            access=NewAccess(token_digest=digest(), issued_at=START),
            app_version=told,
        )
        await store.rotate(rotation)
        shown = rotation.successor_digest
        assert (await store.find_device(made.device.device_id)).facts.app_version == known


async def test_what_is_withheld_nobody_gives(store: AnyStore) -> None:
    made = enrolment(device(await person(store), scopes=("orders", "pii")))
    device_id = made.device.device_id
    await store.enrol(made)
    await store.withhold_scopes(device_id, ("pii",))
    await store.withhold_scopes(device_id, ("pii",))
    found = await store.find_device(device_id)
    assert (found.scopes, found.withheld_scopes) == (("orders",), ("pii",))
    with pytest.raises(ScopeWithheld):
        await store.set_scopes(device_id, ("orders", "pii"))
    with pytest.raises(InvalidScope):
        await store.withhold_scopes(device_id, ("orders",))
    await store.set_scopes(device_id, ("orders",))
    assert await store.find_device(device_id) == found
    for attempt in (store.withhold_scopes(new_id(), ("pii",)), store.set_scopes(new_id(), ("orders",))):
        with pytest.raises(DeviceNotFound):
            await attempt


async def test_enrolments_at_once_never_make_one_device_too_many(store: AnyStore) -> None:
    owner = await person(store)
    for _ in range(DEVICES_ACTIVE_MAX - 2):
        await store.enrol(enrolment(device(owner)))
    attempts = (store.enrol(enrolment(device(owner))) for _ in range(5))
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    assert [type(answer) for answer in answers if answer is not None] == [DevicesFull] * 3
    assert await store.count_active(owner.seller_id) == DEVICES_ACTIVE_MAX


async def test_a_full_seller_leaves_the_code_unused(store: AnyStore) -> None:
    owner = await person(store)
    for _ in range(DEVICES_ACTIVE_MAX):
        await store.enrol(enrolment(device(owner)))
    code = Code(
        code_digest=digest(),
        device_id=new_id(),
        seller_id=owner.seller_id,
        user_id=owner.user_id,
        client_id="desktop",
        redirect_uri="http://127.0.0.1:49152/callback",
        code_challenge="c" * 43,
        name_sealed="sealed device",
        expires_at=LATER,
    )
    await store.keep_code(code)
    with pytest.raises(DevicesFull):
        await store.enrol_by_code(code.code_digest, enrolment(device(owner)), START)
    assert (await store.find_code(code.code_digest)).used_at is None


async def test_an_access_token_that_was_given_up_is_forgotten(store: AnyStore) -> None:
    made = enrolment(device(await person(store)))
    await store.enrol(made)
    assert made.access is not None
    found = await store.find_access_token(made.access.token_digest)
    assert (found.issued_at, found.expires_at) == (START, START + timedelta(hours=1))
    for _ in range(2):
        await store.drop_access_token(made.access.token_digest)
    with pytest.raises(TokenInvalid):
        await store.find_access_token(made.access.token_digest)
    assert (await store.find_refresh_token(made.refresh_digest)).device == made.device


async def test_what_people_and_devices_take_away_is_told_on_the_fake() -> None:
    """On Postgres the whole process is watched; see the integration tests of auth."""
    store, told = FakeStore(FakeClock()), list[Revocation]()
    made = enrolment(device(await person(store), scopes=("orders", "pii")))
    await store.enrol(made)
    assert made.access is not None
    store.listeners.append(told.append)
    await store.withhold_scopes(made.device.device_id, ("pii",))
    await store.drop_access_token(made.access.token_digest)
    await store.drop_access_token(made.access.token_digest)
    assert [news.device_id for news in told] == [made.device.device_id] * 2
