"""What auth's storage promises about people, on the fake and on Postgres."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from fakes.auth_store import FakeStore
from fakes.clock import START, FakeClock
from services.auth.model.ages import CLOCKS_APART_MAX
from services.auth.model.audit import OPERATOR
from services.auth.model.devices import Revocation
from services.auth.model.people import MEMBERS_MAX, PASSKEY, PASSWORD
from services.auth.model.people_refusals import (
    CeremonyOver,
    LastOwner,
    MemberNotFound,
    MembersFull,
    SignInRefused,
)
from services.auth.model.refusals import InvalidGrant, InvitationInvalid, SellerNotFound, SessionInvalid
from services.auth.model.roles import Role
from services.auth.model.sealing import STAFF
from services.auth.store import Store
from tests.conftest import PoolFor
from tests.contract.auth_rows import Ear
from tests.contract.people_store import (
    DAY,
    SECOND,
    AnyStore,
    arrived,
    digest,
    enrolment_of,
    invitation_of,
    invited,
    new_id,
    owner,
    passkey_of,
    renewal_of,
    seller,
    session_of,
    spent,
    with_passkey,
    with_password,
)


@pytest.fixture
async def real_store(pool_for: PoolFor) -> Store:
    return Store(await pool_for("auth"))


@pytest.fixture(params=["fake", "real"])
def store(request: pytest.FixtureRequest) -> AnyStore:
    if request.param == "fake":
        return FakeStore(FakeClock())
    store: Store = request.getfixturevalue("real_store")
    return store


async def test_people_of_one_seller_are_listed_oldest_first(store: AnyStore) -> None:
    seller_id = await seller(store)
    later, _ = await invited(store, seller_id, Role.MEMBER, START + SECOND)
    first, session = await arrived(store, seller_id, Role.OWNER)
    await invited(store, await seller(store), Role.OWNER)
    await with_passkey(store, first)
    await with_password(store, first)
    members = await store.list_members(seller_id)
    assert [member.user for member in members] == [first, later]
    assert [member.credentials for member in members] == [(PASSKEY, PASSWORD), ()]
    assert [member.signed_in_at for member in members] == [START, None]
    assert await store.find_member(first.user_id) == members[0]
    assert session.role is Role.OWNER


async def test_the_staff_is_of_no_seller(store: AnyStore) -> None:
    user, session = await arrived(store, STAFF, Role.AUDITOR)
    await owner(store, await seller(store))
    assert (session.seller_id, session.seller_name_sealed, session.role) == (STAFF, "", Role.AUDITOR)
    assert await store.find_session_by_id(session.session_id) == session
    listed = {member.user.user_id for member in await store.list_members(STAFF)}
    assert user.user_id in listed
    assert {member.user.seller_id for member in await store.list_members(STAFF)} == {STAFF}


async def test_there_are_so_many_people_at_most(store: AnyStore) -> None:
    seller_id = await seller(store)
    for _ in range(MEMBERS_MAX - 1):
        await invited(store, seller_id, Role.MEMBER)
    answers = await asyncio.gather(
        *(invited(store, seller_id, Role.MEMBER) for _ in range(3)), return_exceptions=True
    )
    assert [type(answer) for answer in answers if isinstance(answer, Exception)] == [MembersFull] * 2
    assert len(await store.list_members(seller_id)) == MEMBERS_MAX


async def test_a_session_is_renewed_once(store: AnyStore) -> None:
    user, session = await arrived(store)
    renewal = renewal_of(session)
    renewed = await store.add_passkey(passkey_of(user), spent(), renewal)
    assert renewed is not None
    assert (renewed.session_id, renewed.needs_credential) == (renewal.session.session_id, False)
    assert await store.find_session(renewal.session.token_digest) == renewed
    with pytest.raises(SessionInvalid):
        await store.find_session_by_id(session.session_id)
    with pytest.raises(SessionInvalid):
        await store.add_passkey(passkey_of(user), spent(), renewal_of(session))
    assert len(await store.list_passkeys(user.user_id)) == 1


async def test_a_ceremony_is_spent_once(store: AnyStore) -> None:
    used = spent()
    answers = await asyncio.gather(*(store.spend(used) for _ in range(4)), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["CeremonyOver"] * 3 + ["NoneType"]
    with pytest.raises(CeremonyOver):
        await store.spend(replace(used, expires_at=START + 2 * DAY))


async def test_what_is_over_is_purged(store: AnyStore) -> None:
    await store.purge(START + 3 * DAY, 1_000)
    used, subject = spent(), digest()
    await store.spend(used)
    await store.count_attempt(subject, 10, START)
    assert await store.purge(START, 1_000) == 0
    assert await store.purge(START + DAY, 1_000) == 1
    assert await store.purge(START + DAY + CLOCKS_APART_MAX + SECOND, 1_000) == 1
    await store.spend(used)


async def test_a_ceremony_stays_spent_for_a_host_whose_clock_is_late_R14(store: AnyStore) -> None:
    used = spent()
    await store.spend(used)
    await store.purge(used.expires_at + CLOCKS_APART_MAX, 1_000)
    with pytest.raises(CeremonyOver):
        await store.spend(used)


async def test_a_role_changes_at_once_in_open_sessions(store: AnyStore) -> None:
    seller_id = await seller(store)
    await owner(store, seller_id)
    user, session = await arrived(store, seller_id, Role.MEMBER)
    await store.change_role(user.user_id, Role.OWNER)
    assert (await store.find_session_by_id(session.session_id)).role is Role.OWNER
    with pytest.raises(MemberNotFound):
        await store.change_role(new_id(), Role.OWNER)


async def test_a_seller_keeps_an_owner_who_can_sign_in(store: AnyStore) -> None:
    seller_id = await seller(store)
    only, _ = await owner(store, seller_id)
    without, _ = await arrived(store, seller_id, Role.OWNER)
    with pytest.raises(LastOwner):
        await store.change_role(only.user_id, Role.MEMBER)
    with pytest.raises(LastOwner):
        await store.remove_user(only.user_id, START, keeps_owner=True)
    await store.change_role(without.user_id, Role.MEMBER)
    await store.change_role(only.user_id, Role.OWNER)


async def test_two_owners_who_leave_at_once_do_not_both_leave(store: AnyStore) -> None:
    seller_id = await seller(store)
    pair = [(await owner(store, seller_id))[0] for _ in range(2)]
    answers = await asyncio.gather(
        store.remove_user(pair[0].user_id, START, keeps_owner=True),
        store.change_role(pair[1].user_id, Role.MEMBER),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, LastOwner) for answer in answers) == 1


async def test_a_leaver_takes_everything_along(store: AnyStore) -> None:
    seller_id = await seller(store)
    await owner(store, seller_id)
    user, passkey = await owner(store, seller_id)
    login = await with_password(store, user)
    kept, ended = enrolment_of((await owner(store, seller_id))[0]), enrolment_of(user)
    for enrolment in (kept, ended):
        await store.enrol(enrolment)
    await store.sign_in_with_password(login, 101, session_of(user))
    ear = Ear()
    listening = await ear.listen(store)
    try:
        removal = await store.remove_user(user.user_id, START + SECOND, keeps_owner=True)
        assert await ear.next() == Revocation(device_id=ended.device.device_id, seller_id=seller_id)
    finally:
        if listening is not None:
            listening.cancel()
    assert (removal.sessions_ended, removal.device_ids) == (1, (ended.device.device_id,))
    assert (await store.find_device(ended.device.device_id)).revoked_at == START + SECOND
    assert (await store.find_device(kept.device.device_id)).revoked_at is None
    with pytest.raises(SignInRefused):
        await store.find_passkey(passkey.credential_id)
    assert await store.find_own_login(user.user_id) is None
    assert await store.list_hashes(user.user_id) == []
    assert user.user_id not in {member.user.user_id for member in await store.list_members(seller_id)}


async def test_a_leaver_does_not_come_back(store: AnyStore) -> None:
    seller_id = await seller(store)
    await owner(store, seller_id)
    user, invitation = await invited(store, seller_id, Role.MEMBER)
    await store.remove_user(user.user_id, START, keeps_owner=True)
    with pytest.raises(InvitationInvalid):
        await store.redeem_invitation(invitation.invitation_digest, session_of(user), START)
    with pytest.raises(InvitationInvalid):
        await store.find_invited(invitation.invitation_digest)
    with pytest.raises(InvalidGrant):
        await store.enrol(enrolment_of(user))
    for work in (
        store.find_member(user.user_id),
        store.invite_again(invitation_of(user)),
        store.change_role(user.user_id, Role.OWNER),
        store.remove_user(user.user_id, START, keeps_owner=False),
    ):
        with pytest.raises(MemberNotFound):
            await work


async def test_whoever_is_invited_again_has_only_the_new_invitation(store: AnyStore) -> None:
    seller_id = await seller(store)
    user, passkey = await owner(store, seller_id)
    login = await with_password(store, user)
    first = invitation_of(user)
    await store.invite_again(first)
    second = invitation_of(user)
    await store.invite_again(second)
    with pytest.raises(SignInRefused):
        await store.find_passkey(passkey.credential_id)
    assert await store.find_login(login.email_digest) is None
    assert len(await store.list_hashes(user.user_id)) == 1
    with pytest.raises(InvitationInvalid):
        await store.redeem_invitation(first.invitation_digest, session_of(user), START)
    await store.redeem_invitation(second.invitation_digest, session_of(user), START)


async def test_an_invitation_opens_its_own_persons_session(store: AnyStore) -> None:
    seller_id = await seller(store)
    _, invitation = await invited(store, seller_id, Role.MEMBER)
    other, _ = await invited(store, seller_id, Role.MEMBER)
    with pytest.raises(InvitationInvalid):
        await store.redeem_invitation(invitation.invitation_digest, session_of(other), START)


async def test_nobody_of_a_seller_who_left_comes_in(store: AnyStore) -> None:
    seller_id = await seller(store)
    user, passkey = await owner(store, seller_id)
    await store.close_seller(seller_id, START)
    with pytest.raises(SignInRefused):
        await store.find_passkey(passkey.credential_id)
    assert await store.list_hashes(user.user_id) == []
    with pytest.raises(SellerNotFound):
        await store.find_summary(seller_id, START)
    assert seller_id not in {one.seller.seller_id for one in await store.list_summaries("", START, 100_000)}


async def test_sellers_are_counted_up(store: AnyStore) -> None:
    seller_id = await seller(store)
    user, _ = await owner(store, seller_id)
    await store.enrol(enrolment_of(user))
    summary = await store.find_summary(seller_id, START)
    assert (summary.active_consents, summary.active_devices, summary.next_consent_ends_at) == (0, 1, None)
    others = [await seller(store) for _ in range(2)]
    listed = await store.list_summaries(seller_id, START, 2)
    assert [one.seller.seller_id for one in listed] == others
    with pytest.raises(SellerNotFound):
        await store.find_summary(new_id(), START)


async def test_access_is_told_person_by_person(store: AnyStore) -> None:
    seller_id = await seller(store)
    first, _ = await owner(store, seller_id)
    second, _ = await arrived(store, STAFF, Role.AUDITOR)
    early, late = enrolment_of(first), enrolment_of(first, START + SECOND)
    for enrolment in (late, early):
        await store.enrol(enrolment)
    revoked = enrolment_of(first)
    await store.enrol(revoked)
    await store.revoke_device(revoked.device.device_id, START)
    before = str(UUID(int=UUID(first.user_id).int - 1))
    told = await store.list_access(before, 2)
    assert [one.member.user for one in told] == [first, second]
    assert [device.device_id for device in told[0].devices] == [
        early.device.device_id,
        late.device.device_id,
    ]
    assert (told[0].seller and told[0].seller.seller_id, told[1].seller) == (seller_id, None)
    assert await store.list_access(second.user_id, 2) == []


async def test_the_last_review_is_remembered(store: AnyStore) -> None:
    await arrived(store)
    assert await store.find_review_due() is not None
    await store.record_review(new_id(), OPERATOR, START + 300 * DAY)
    await store.record_review(new_id(), OPERATOR, START + 299 * DAY)
    assert await store.find_review_due() == START + 300 * DAY
