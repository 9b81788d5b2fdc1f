"""What auth's storage promises, on the fake and on Postgres."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

import pytest

from fakes.auth_store import FakeStore
from fakes.clock import START, FakeClock
from services.auth.model.consents import Application, Consent, Ending, Region, State
from services.auth.model.devices import Code, Device, Profile, Revocation
from services.auth.model.lending import Refreshed, SealedAccess
from services.auth.model.people import Invitation, NewSession, Seller, User
from services.auth.model.refusals import (
    ApplicationMissing,
    ConsentMissing,
    ConsentRevoked,
    DeviceNotFound,
    InvalidGrant,
    InvalidState,
    InvitationInvalid,
    SellerNotFound,
    SellingPartnerTaken,
    SessionInvalid,
    TokenInvalid,
)
from services.auth.model.restricted import Restriction
from services.auth.model.roles import Role
from services.auth.model.tokens import ACCESS_TOKENS_MAX, Enrolment, NewAccess, Rotation
from services.auth.store import Store
from tests.conftest import PoolFor

AnyStore = FakeStore | Store

_numbers = count(1)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
APPLICATION = Application(application_id="amzn1.sellerapps.app.1", client_id="client", is_draft=True)


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


async def seller(store: AnyStore) -> Seller:
    made = Seller(seller_id=new_id(), name_sealed="sealed name", created_at=START)
    await store.create_seller(made)
    return made


async def user(store: AnyStore, seller_id: str) -> tuple[User, Invitation]:
    made = User(
        user_id=new_id(),
        seller_id=seller_id,
        role=Role.OWNER,
        name_sealed="sealed user",
        created_at=START,
    )
    invitation = Invitation(invitation_digest=digest(), user_id=made.user_id, expires_at=START + DAY)
    await store.invite_user(made, invitation)
    return made, invitation


def session_for(owner: User) -> NewSession:
    return NewSession(
        session_id=new_id(),
        token_digest=digest(),
        user_id=owner.user_id,
        opened_at=START,
        expires_at=START + DAY,
    )


def state(seller_id: str) -> State:
    return State(
        state_digest=digest(),
        session_id=new_id(),
        seller_id=seller_id,
        marketplace_id="A1",
        region=Region.EU,
        application_id=APPLICATION.application_id,
        expires_at=START + DAY,
    )


def consent(seller_id: str, region: Region = Region.EU, granted_at: datetime = START) -> Consent:
    return Consent(
        consent_id=new_id(),
        seller_id=seller_id,
        region=region,
        marketplace_id=f"marketplace {region}",
        application_id=APPLICATION.application_id,
        selling_partner_sealed="sealed partner",
        refresh_token_sealed="sealed refresh token",
        granted_at=granted_at,
        expires_at=granted_at + timedelta(days=365),
        used_at=granted_at,
    )


async def connected(store: AnyStore, region: Region = Region.EU) -> Consent:
    made = consent((await seller(store)).seller_id, region)
    await store.record_consent(made, digest())
    return made


def device(owner: User, enrolled_at: datetime = START, profile: Profile = Profile.BOUND) -> Device:
    return Device(
        device_id=new_id(),
        seller_id=owner.seller_id,
        user_id=owner.user_id,
        profile=profile,
        scopes=("orders",),
        client_id="desktop",
        key_thumbprint="k" * 43 if profile is Profile.BOUND else "",
        name_sealed="sealed device",
        enrolled_at=enrolled_at,
        used_at=enrolled_at,
    )


async def enrolled(
    store: AnyStore, owner: User | None = None, enrolled_at: datetime = START
) -> tuple[Device, bytes]:
    owner = owner or (await user(store, (await seller(store)).seller_id))[0]
    made, refresh_digest = device(owner, enrolled_at), digest()
    await store.enrol(Enrolment(device=made, refresh_digest=refresh_digest))
    return made, refresh_digest


def access(issued_at: datetime = START, *restrictions: Restriction) -> NewAccess:
    return NewAccess(token_digest=digest(), issued_at=issued_at, restrictions=restrictions)


def code(owner: User) -> Code:
    return Code(
        code_digest=digest(),
        device_id=new_id(),
        seller_id=owner.seller_id,
        user_id=owner.user_id,
        client_id="desktop",
        redirect_uri="http://127.0.0.1:1/",
        code_challenge="c" * 43,
        name_sealed="sealed device",
        expires_at=START + SECOND,
    )


def refreshed(held: Consent, fence: int, refresh_token_sealed: str | None = None) -> Refreshed:
    shared = SealedAccess(
        consent_id=held.consent_id,
        seller_id=held.seller_id,
        token_sealed=f"sealed access token {fence}",
        expires_at=START + timedelta(hours=1),
        fence=fence,
    )
    return Refreshed(
        access=shared,
        renew_at=START + timedelta(minutes=50),
        refresh_token_sealed=refresh_token_sealed,
        refresh_version=held.refresh_version + (refresh_token_sealed is not None),
        refreshed_at=START + SECOND,
    )


# People


async def test_the_application_registered_last_is_the_present_one(store: AnyStore) -> None:
    other = replace(APPLICATION, application_id="amzn1.sellerapps.app.2")
    await store.register_application(other, START + SECOND)
    assert await store.find_application() == other
    assert await store.find_application(APPLICATION.application_id) == APPLICATION
    renewed = replace(APPLICATION, is_draft=False)
    await store.register_application(renewed, START + 2 * SECOND)
    assert await store.find_application() == renewed
    with pytest.raises(ApplicationMissing):
        await store.find_application("amzn1.sellerapps.app.3")


async def test_a_seller_is_found_as_it_was_kept(store: AnyStore) -> None:
    made = await seller(store)
    assert await store.find_seller(made.seller_id) == made
    with pytest.raises(SellerNotFound):
        await store.find_seller(new_id())


async def test_an_invitation_opens_one_session(store: AnyStore) -> None:
    owner, invitation = await user(store, (await seller(store)).seller_id)
    opening = session_for(owner)
    assert await store.find_invited(invitation.invitation_digest) == owner
    session = await store.redeem_invitation(invitation.invitation_digest, opening, START)
    assert await store.find_invited(invitation.invitation_digest) == owner
    assert (session.session_id, session.user_id, session.seller_id) == (
        opening.session_id,
        owner.user_id,
        owner.seller_id,
    )
    assert (session.user_name_sealed, session.seller_name_sealed) == ("sealed user", "sealed name")
    assert await store.find_session(opening.token_digest) == session
    again = session_for(owner)
    with pytest.raises(InvitationInvalid):
        await store.redeem_invitation(invitation.invitation_digest, again, START)
    with pytest.raises(SessionInvalid):
        await store.find_session(again.token_digest)


async def test_two_at_once_cannot_both_redeem_an_invitation(store: AnyStore) -> None:
    owner, invitation = await user(store, (await seller(store)).seller_id)
    openings = [session_for(owner) for _ in range(4)]
    answers = await asyncio.gather(
        *(store.redeem_invitation(invitation.invitation_digest, opening, START) for opening in openings),
        return_exceptions=True,
    )
    assert sum(not isinstance(answer, Exception) for answer in answers) == 1


async def test_a_late_or_unknown_invitation_opens_nothing(store: AnyStore) -> None:
    owner, invitation = await user(store, (await seller(store)).seller_id)
    opening = session_for(owner)
    with pytest.raises(InvitationInvalid):
        await store.redeem_invitation(invitation.invitation_digest, opening, invitation.expires_at)
    with pytest.raises(InvitationInvalid):
        await store.redeem_invitation(digest(), opening, START)
    with pytest.raises(InvitationInvalid):
        await store.find_invited(digest())


async def test_an_ended_session_is_forgotten(store: AnyStore) -> None:
    owner, invitation = await user(store, (await seller(store)).seller_id)
    opening = session_for(owner)
    await store.redeem_invitation(invitation.invitation_digest, opening, START)
    await store.end_session(opening.session_id)
    await store.end_session(opening.session_id)
    with pytest.raises(SessionInvalid):
        await store.find_session(opening.token_digest)


# Consents


async def test_a_state_tells_whether_it_was_used_before(store: AnyStore) -> None:
    kept = state((await seller(store)).seller_id)
    await store.begin_consent(kept)
    assert await store.use_state(kept.state_digest, START) == kept
    assert (await store.use_state(kept.state_digest, START + SECOND)).used_at == START
    assert (await store.use_state(kept.state_digest, START + DAY)).used_at == START
    with pytest.raises(InvalidState):
        await store.use_state(digest(), START)


async def test_a_state_is_unused_for_one_only(store: AnyStore) -> None:
    kept = state((await seller(store)).seller_id)
    await store.begin_consent(kept)
    looks = await asyncio.gather(*(store.use_state(kept.state_digest, START) for _ in range(4)))
    assert sum(look.used_at is None for look in looks) == 1


async def test_a_consent_is_found_as_it_was_kept(store: AnyStore) -> None:
    kept = await connected(store)
    assert await store.find_consent(kept.seller_id, Region.EU) == kept
    assert await store.list_consents(kept.seller_id) == [kept]
    with pytest.raises(ConsentMissing):
        await store.find_consent(kept.seller_id, Region.FE)
    with pytest.raises(ConsentMissing):
        await store.find_consent(new_id(), Region.EU)


async def test_an_account_belongs_to_one_seller(store: AnyStore) -> None:
    owner, stranger, partner = await seller(store), await seller(store), digest()
    await store.check_selling_partner(partner, owner.seller_id)
    await store.record_consent(consent(owner.seller_id), partner)
    await store.record_consent(consent(owner.seller_id, Region.NA), partner)
    await store.check_selling_partner(partner, owner.seller_id)
    with pytest.raises(SellingPartnerTaken):
        await store.check_selling_partner(partner, stranger.seller_id)
    with pytest.raises(SellingPartnerTaken):
        await store.record_consent(consent(stranger.seller_id), partner)
    assert await store.list_consents(stranger.seller_id) == []


async def test_a_new_consent_ends_the_older_one_of_its_region(store: AnyStore) -> None:
    owner, partner = await seller(store), digest()
    older, europe = consent(owner.seller_id, Region.NA), consent(owner.seller_id, Region.EU)
    newer = consent(owner.seller_id, Region.NA, START + SECOND)
    for made in (older, europe, newer):
        await store.record_consent(made, partner)
    assert await store.find_consent(owner.seller_id, Region.NA) == newer
    assert await store.list_consents(owner.seller_id) == [newer, europe]
    assert await store.find_access(older.consent_id) is None
    with pytest.raises(ConsentRevoked):
        await store.acquire(older.consent_id, 60.0)
    assert not await store.end_consent(older.consent_id, Ending.IDLE, START)


async def test_two_consents_at_once_leave_one_active(store: AnyStore) -> None:
    owner, partner = await seller(store), digest()
    made = [consent(owner.seller_id, Region.NA, START + number * SECOND) for number in range(4)]
    await asyncio.gather(*(store.record_consent(one, partner) for one in made))
    ended = [await store.end_consent(one.consent_id, Ending.IDLE, START + DAY) for one in made]
    assert sum(ended) == 1


@pytest.mark.parametrize("ending", [Ending.REFUSED, Ending.IDLE])
async def test_an_ended_consent_holds_no_token(store: AnyStore, ending: Ending) -> None:
    kept = await connected(store)
    assert await store.end_consent(kept.consent_id, ending, START + DAY)
    assert not await store.end_consent(kept.consent_id, ending, START + DAY)
    ended = await store.find_consent(kept.seller_id, Region.EU)
    assert ended == replace(kept, ended_at=START + DAY, ending=ending, refresh_token_sealed=None)
    assert await store.list_consents(kept.seller_id) == [ended]
    assert not await store.end_consent(new_id(), ending, START)


async def test_a_quarantined_consent_keeps_what_is_to_be_looked_at_T16(store: AnyStore) -> None:
    kept = await connected(store)
    await store.end_consent(kept.consent_id, Ending.QUARANTINED, START + DAY)
    ended = await store.find_consent(kept.seller_id, Region.EU)
    assert ended.refresh_token_sealed == kept.refresh_token_sealed


async def test_idle_consents_are_listed_oldest_first(store: AnyStore) -> None:
    made = [consent((await seller(store)).seller_id, granted_at=START + n * DAY) for n in (3, 1, 2)]
    for one in made:
        await store.record_consent(one, digest())
    await store.end_consent(made[2].consent_id, Ending.IDLE, START)
    assert await store.list_idle(START + 3 * DAY, 10) == [made[1]]
    assert await store.list_idle(START + 4 * DAY, 10) == [made[1], made[0]]
    assert await store.list_idle(START + 4 * DAY, 1) == [made[1]]


async def test_reach_is_where_consents_are_active_and_young(store: AnyStore) -> None:
    owner, partner = await seller(store), digest()
    first = consent(owner.seller_id, Region.NA)
    second = consent(owner.seller_id, Region.EU, START + DAY)
    for made in (first, second):
        await store.record_consent(made, partner)
    reach = await store.find_reach(owner.seller_id, START + DAY)
    assert reach.regions == (Region.EU, Region.NA)
    assert reach.default_marketplace_id == second.marketplace_id
    assert (await store.find_reach(owner.seller_id, first.expires_at)).regions == (Region.EU,)
    await store.end_consent(second.consent_id, Ending.REFUSED, START)
    assert (await store.find_reach(owner.seller_id, START)).regions == (Region.NA,)
    assert (await store.find_reach(new_id(), START)).default_marketplace_id == ""


# Leases


async def test_a_lease_is_held_by_one_and_its_fence_grows_R09(store: AnyStore) -> None:
    kept = await connected(store)
    leases = await asyncio.gather(*(store.acquire(kept.consent_id, 60.0) for _ in range(4)))
    held = [lease for lease in leases if lease is not None]
    assert len(held) == 1
    assert held[0].consent == kept
    assert held[0].access is None
    await store.release(kept.consent_id, held[0].fence)
    second = await store.acquire(kept.consent_id, 60.0)
    assert second is not None
    assert second.fence > held[0].fence


async def test_a_lease_ends_by_itself_and_its_holder_cannot_write_any_more_R09(store: AnyStore) -> None:
    kept = await connected(store)
    dead = await store.acquire(kept.consent_id, 0.0)
    heir = await store.acquire(kept.consent_id, 60.0)
    assert dead is not None
    assert heir is not None
    assert not await store.settle(kept.consent_id, dead.fence, refreshed(kept, dead.fence, "stolen"))
    await store.note_refusal(kept.consent_id, dead.fence, START)
    await store.release(kept.consent_id, dead.fence)
    assert await store.acquire(kept.consent_id, 60.0) is None
    assert await store.find_access(kept.consent_id) is None
    assert await store.find_consent(kept.seller_id, Region.EU) == kept


async def test_what_a_refresh_brought_is_kept_in_one_step_R09(store: AnyStore) -> None:
    kept = await connected(store)
    lease = await store.acquire(kept.consent_id, 60.0)
    assert lease is not None
    await store.note_refusal(kept.consent_id, lease.fence, START)
    brought = refreshed(kept, lease.fence, "sealed next token")
    assert await store.settle(kept.consent_id, lease.fence, brought)
    assert await store.find_access(kept.consent_id) == brought.access
    now = await store.find_consent(kept.seller_id, Region.EU)
    assert now == replace(
        kept,
        refresh_token_sealed="sealed next token",
        refresh_version=2,
        used_at=brought.refreshed_at,
    )
    again = await store.acquire(kept.consent_id, 60.0)
    assert again is not None
    assert (again.consent, again.access) == (now, brought.access)


async def test_a_refresh_token_that_stays_keeps_its_version(store: AnyStore) -> None:
    kept = await connected(store)
    lease = await store.acquire(kept.consent_id, 60.0)
    assert lease is not None
    await store.settle(kept.consent_id, lease.fence, refreshed(kept, lease.fence))
    now = await store.find_consent(kept.seller_id, Region.EU)
    assert (now.refresh_token_sealed, now.refresh_version) == (kept.refresh_token_sealed, 1)


async def test_a_refusal_is_remembered_from_its_first_time_R08(store: AnyStore) -> None:
    kept = await connected(store)
    lease = await store.acquire(kept.consent_id, 60.0)
    assert lease is not None
    await store.note_refusal(kept.consent_id, lease.fence, START)
    await store.note_refusal(kept.consent_id, lease.fence, START + DAY)
    assert (await store.find_consent(kept.seller_id, Region.EU)).refused_at == START
    assert await store.list_doubtful(START, 10) == []
    assert [one.consent_id for one in await store.list_doubtful(START + SECOND, 10)] == [kept.consent_id]
    await store.end_consent(kept.consent_id, Ending.REFUSED, START)
    assert await store.list_doubtful(START + SECOND, 10) == []


async def test_nothing_is_settled_for_a_consent_that_ended_meanwhile(store: AnyStore) -> None:
    kept = await connected(store)
    lease = await store.acquire(kept.consent_id, 60.0)
    assert lease is not None
    await store.end_consent(kept.consent_id, Ending.REFUSED, START)
    assert not await store.settle(kept.consent_id, lease.fence, refreshed(kept, lease.fence, "late"))
    assert (await store.find_consent(kept.seller_id, Region.EU)).refresh_token_sealed is None


# Devices


async def test_a_code_enrols_one_device(store: AnyStore) -> None:
    owner, _ = await user(store, (await seller(store)).seller_id)
    kept = code(owner)
    await store.keep_code(kept)
    assert await store.find_code(kept.code_digest) == kept
    enrolments = [Enrolment(device=device(owner), refresh_digest=digest(), access=access()) for _ in range(4)]
    answers = await asyncio.gather(
        *(store.enrol_by_code(kept.code_digest, one, START) for one in enrolments), return_exceptions=True
    )
    assert sum(answer is None for answer in answers) == 1
    assert sum(isinstance(answer, InvalidGrant) for answer in answers) == 3
    assert (await store.find_code(kept.code_digest)).used_at == START
    assert await store.count_active(owner.seller_id) == 1
    with pytest.raises(InvalidGrant):
        await store.find_code(digest())


async def test_a_burnt_code_enrols_nothing(store: AnyStore) -> None:
    owner, _ = await user(store, (await seller(store)).seller_id)
    kept = code(owner)
    await store.keep_code(kept)
    await store.burn_code(kept.code_digest, START)
    await store.burn_code(kept.code_digest, START + SECOND)
    assert (await store.find_code(kept.code_digest)).used_at == START
    with pytest.raises(InvalidGrant):
        await store.enrol_by_code(
            kept.code_digest, Enrolment(device=device(owner), refresh_digest=digest()), START
        )
    assert await store.count_active(owner.seller_id) == 0


async def test_devices_are_listed_active_ones_first_then_newest_first(store: AnyStore) -> None:
    owner, _ = await user(store, (await seller(store)).seller_id)
    made = [(await enrolled(store, owner, START + n * SECOND))[0] for n in range(3)]
    await enrolled(store)
    assert await store.revoke_device(made[2].device_id, START + DAY)
    assert not await store.revoke_device(made[2].device_id, START + DAY)
    assert not await store.revoke_device(new_id(), START)
    revoked = replace(made[2], revoked_at=START + DAY)
    assert await store.list_devices(owner.seller_id) == [made[1], made[0], revoked]
    assert await store.count_active(owner.seller_id) == 2
    assert await store.find_device(made[2].device_id) == revoked
    with pytest.raises(DeviceNotFound):
        await store.find_device(new_id())


async def test_scopes_are_replaced(store: AnyStore) -> None:
    made, _ = await enrolled(store)
    await store.set_scopes(made.device_id, ("orders", "pii"))
    assert (await store.find_device(made.device_id)).scopes == ("orders", "pii")
    with pytest.raises(DeviceNotFound):
        await store.set_scopes(new_id(), ("orders",))


async def test_idle_devices_are_listed_oldest_use_first(store: AnyStore) -> None:
    made = [(await enrolled(store, enrolled_at=START + n * DAY))[0] for n in (3, 1, 2)]
    await store.revoke_device(made[2].device_id, START)
    assert await store.list_idle_devices(START + 3 * DAY, 10) == [made[1]]
    await store.issue_access(made[1].device_id, access(START + 5 * DAY))
    assert await store.list_idle_devices(START + 4 * DAY, 10) == [made[0]]
    assert await store.list_idle_devices(START + 9 * DAY, 1) == [made[0]]


# Tokens


async def test_a_refresh_token_rotates_once_and_says_how_long_ago(store: AnyStore) -> None:
    made, refresh_digest = await enrolled(store)
    current = await store.find_refresh_token(refresh_digest)
    assert (current.device, current.rotated_ago_s, current.nonce) == (made, None, None)
    rotations = [
        Rotation(
            token_digest=refresh_digest,
            nonce=bytes([number]) * 16,
            successor_digest=digest(),
            access=access(START + DAY),
        )
        for number in range(4)
    ]
    nonces = set(await asyncio.gather(*(store.rotate(rotation) for rotation in rotations)))
    assert len(nonces) == 1
    winner = next(rotation for rotation in rotations if rotation.nonce in nonces)
    rotated = await store.find_refresh_token(refresh_digest)
    assert rotated.nonce == winner.nonce
    assert rotated.rotated_ago_s is not None
    assert rotated.rotated_ago_s >= 0
    assert rotated.device.used_at == START + DAY
    assert (await store.find_refresh_token(winner.successor_digest)).rotated_ago_s is None
    assert (await store.find_access_token(winner.access.token_digest)).device.device_id == made.device_id
    for loser in rotations:
        if loser is not winner:
            with pytest.raises(InvalidGrant):
                await store.find_refresh_token(loser.successor_digest)
            with pytest.raises(TokenInvalid):
                await store.find_access_token(loser.access.token_digest)


async def test_an_unknown_token_is_neither_found_nor_rotated(store: AnyStore) -> None:
    with pytest.raises(InvalidGrant):
        await store.find_refresh_token(digest())
    with pytest.raises(TokenInvalid):
        await store.find_access_token(digest())
    with pytest.raises(InvalidGrant):
        await store.rotate(
            Rotation(token_digest=digest(), nonce=b"n" * 16, successor_digest=digest(), access=access())
        )


async def test_an_access_token_is_found_with_device_and_restrictions(store: AnyStore) -> None:
    made, _ = await enrolled(store)
    restrictions = (
        Restriction(method="GET", path="/orders/v0/orders", data_elements=("buyerInfo", "shippingAddress")),
        Restriction(method="GET", path="/orders/v0/orders/{orderId}/address"),
    )
    issued = access(START, *restrictions)
    await store.issue_access(made.device_id, issued)
    found = await store.find_access_token(issued.token_digest)
    assert (found.device, found.restrictions) == (made, restrictions)
    assert found.expires_at == START + timedelta(hours=1)
    await store.revoke_device(made.device_id, START)
    assert (await store.find_access_token(issued.token_digest)).device.revoked_at == START


async def test_a_device_keeps_its_newest_access_tokens_only_R23(store: AnyStore) -> None:
    made, _ = await enrolled(store)
    issued = [access(START + number * SECOND) for number in range(ACCESS_TOKENS_MAX + 2)]
    for one in issued:
        await store.issue_access(made.device_id, one)
    for dropped in issued[:2]:
        with pytest.raises(TokenInvalid):
            await store.find_access_token(dropped.token_digest)
    await store.find_access_token(issued[2].token_digest)


# Sweeps


async def test_a_sweep_takes_what_is_over_and_no_more_than_it_may(store: AnyStore) -> None:
    owner, _ = await user(store, (await seller(store)).seller_id)
    states = [state(owner.seller_id) for _ in range(3)]
    for one in states:
        await store.begin_consent(one)
    kept = code(owner)
    await store.keep_code(kept)
    made, _ = await enrolled(store, owner)
    issued = access()
    await store.issue_access(made.device_id, issued)
    assert await store.purge(START, 10) == 0
    # The invitation and two of three states; code and token are remembered for a day after their end.
    assert await store.purge(START + DAY + SECOND, 2) == 3
    assert await store.purge(START + DAY + SECOND, 2) == 1
    assert await store.purge(START + DAY + SECOND, 2) == 0
    await store.find_access_token(issued.token_digest)
    assert await store.purge(START + 2 * DAY, 10) == 2
    with pytest.raises(TokenInvalid):
        await store.find_access_token(issued.token_digest)
    assert await store.find_device(made.device_id) == made


# News


class Ear:
    """Hears a store's news, be it the fake's or Postgres'."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Revocation] = asyncio.Queue()
        self.is_open = asyncio.Event()

    async def listen(self, store: AnyStore) -> asyncio.Task[None] | None:
        if isinstance(store, FakeStore):
            store.listeners.append(self.heard.put_nowait)
            return None
        listening = asyncio.create_task(
            store.listen(FakeClock(), opened=self.is_open.set, tell=self.heard.put_nowait)
        )
        await self.is_open.wait()
        return listening

    async def next(self) -> Revocation:
        async with asyncio.timeout(10):
            return await self.heard.get()


async def test_every_change_of_a_device_is_told_in_order_T01(store: AnyStore) -> None:
    ear = Ear()
    listening = await ear.listen(store)
    owner, _ = await user(store, (await seller(store)).seller_id)
    first, second = (await enrolled(store, owner))[0], (await enrolled(store, owner))[0]
    await store.set_scopes(first.device_id, ("orders",))
    await store.revoke_device(second.device_id, START)
    await store.revoke_device(second.device_id, START)
    made = consent(owner.seller_id)
    await store.record_consent(made, digest())
    await store.end_consent(made.consent_id, Ending.REFUSED, START)
    told = [await ear.next() for _ in range(4)]
    assert [one.device_id for one in told] == [
        first.device_id,
        second.device_id,
        first.device_id,
        first.device_id,
    ]
    assert {one.seller_id for one in told} == {owner.seller_id}
    assert ear.heard.empty()
    if listening is not None:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
