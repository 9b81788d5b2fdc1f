"""What auth's storage promises about consents' life and sellers' leaving, on the fake and on Postgres."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from fakes.auth_store import FakeStore
from fakes.clock import START
from services.auth.model import reminders
from services.auth.model.consent_refusals import ConsentNotFound, SellerOffboarded
from services.auth.model.consents import AccountKind, Consent, Ending, Region
from services.auth.model.devices import Revocation
from services.auth.model.offboarding import Offboarding
from services.auth.model.refusals import (
    DeviceRevoked,
    InvalidGrant,
    InvalidState,
    InvitationInvalid,
    SellerNotFound,
    SessionInvalid,
)
from services.auth.model.reminders import ENDED, MARKS_DAYS
from services.auth.model.tokens import Enrolment
from services.auth.store import Store
from tests.conftest import PoolFor
from tests.contract.auth_rows import (
    APPLICATION,
    AnyStore,
    access,
    code,
    connected,
    consent,
    device,
    digest,
    enrolled,
    new_id,
    seller,
    session_for,
    state,
    user,
)

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
YEAR = timedelta(days=365)


@pytest.fixture
def store(auth_store: AnyStore) -> AnyStore:
    return auth_store


# Beginnings


async def test_a_state_and_a_consent_keep_the_kind_of_account(store: AnyStore) -> None:
    owner = await seller(store)
    begun = replace(state(owner.seller_id), account_kind=AccountKind.VENDOR, selling_partner_digest=digest())
    await store.begin_consent(begun)
    assert await store.use_state(begun.state_digest, START) == begun
    kept = replace(consent(owner.seller_id), account_kind=AccountKind.VENDOR)
    await store.record_consent(kept, digest())
    assert await store.find_consent(owner.seller_id, Region.EU) == kept


async def test_a_session_finds_what_it_began_last_and_has_not_used(store: AnyStore) -> None:
    first = state((await seller(store)).seller_id)
    last = replace(first, state_digest=digest(), expires_at=first.expires_at + SECOND)
    foreign = replace(last, state_digest=digest(), session_id=new_id(), expires_at=START + 9 * DAY)
    for begun in (first, last, foreign):
        await store.begin_consent(begun)
    assert await store.find_begun(first.session_id, START) == last
    await store.use_state(last.state_digest, START)
    assert await store.find_begun(first.session_id, START) == first
    assert await store.find_begun(first.session_id, first.expires_at) is None
    assert await store.find_begun(new_id(), START) is None


async def test_a_consent_is_found_by_its_own_seller_only_T07(store: AnyStore) -> None:
    kept, stranger = await connected(store), await seller(store)
    assert await store.find_own_consent(kept.seller_id, kept.consent_id) == kept
    await store.end_consent(kept.consent_id, Ending.DISCONNECTED, START)
    assert (await store.find_own_consent(kept.seller_id, kept.consent_id)).ended_at == START
    for seller_id, consent_id in ((stranger.seller_id, kept.consent_id), (kept.seller_id, new_id())):
        with pytest.raises(ConsentNotFound):
            await store.find_own_consent(seller_id, consent_id)


# Reminders


async def test_a_reminder_is_kept_and_told_once(store: AnyStore) -> None:
    kept = await connected(store)
    first = reminders.reminder(kept, 30, START + YEAR - 29 * DAY)
    second = reminders.reminder(kept, 30, START + YEAR - 28 * DAY)
    await asyncio.gather(*(store.keep_reminder(first) for _ in range(4)))
    await store.keep_reminder(second)
    assert await store.list_untold(10) == [first]
    assert not await store.settle_reminder(first, START)
    assert await store.list_untold(10) == []
    assert (await store.find_own_consent(kept.seller_id, kept.consent_id)).ended_at is None


async def test_what_reached_a_mark_is_listed_soonest_first_until_it_is_reminded(store: AnyStore) -> None:
    owners = [await seller(store) for _ in range(3)]
    kept = [consent(owner.seller_id, granted_at=START + n * DAY) for n, owner in enumerate(owners)]
    for one in reversed(kept):
        await store.record_consent(one, digest())

    async def reached(mark_days: int, rows_max: int = 10) -> list[Consent]:
        return list(await store.list_reached(mark_days, START + YEAR + DAY, rows_max))

    assert await reached(7) == kept[:2]
    assert await reached(7, 1) == kept[:1]
    await store.keep_reminder(reminders.reminder(kept[0], 7, START + YEAR))
    assert await reached(7) == await reached(14) == kept[1:2]
    assert await reached(1) == kept[:2]
    await store.end_consent(kept[1].consent_id, Ending.DISCONNECTED, START)
    assert await reached(1) == kept[:1]


async def test_the_end_told_is_the_end(store: AnyStore) -> None:
    owner, _ = await user(store, (await seller(store)).seller_id)
    await enrolled(store, owner)
    kept = consent(owner.seller_id)
    await store.record_consent(kept, digest())
    over = reminders.reminder(kept, ENDED, START + YEAR)
    await store.keep_reminder(over)
    assert (await store.find_own_consent(kept.seller_id, kept.consent_id)).ended_at is None
    assert await store.settle_reminder(over, START + YEAR)
    assert not await store.settle_reminder(over, START + YEAR + DAY)
    ended = await store.find_own_consent(kept.seller_id, kept.consent_id)
    assert (ended.ended_at, ended.ending, ended.refresh_token_sealed) == (
        START + YEAR,
        Ending.EXPIRED,
        None,
    )
    assert await store.find_access(kept.consent_id) is None


async def test_active_consents_that_end_soon_are_counted(store: AnyStore) -> None:
    first, second = await connected(store), await connected(store)
    now = START + YEAR - 10 * DAY
    assert await store.count_ending(now) == {1: 0, 7: 0, 14: 2, 30: 2}
    await store.end_consent(first.consent_id, Ending.DISCONNECTED, now)
    assert await store.count_ending(now + 10 * DAY) == dict.fromkeys(MARKS_DAYS, 1)
    await store.end_consent(second.consent_id, Ending.DISCONNECTED, now)
    assert set((await store.count_ending(now)).values()) == {0}


# Leaving


async def test_closing_ends_all_that_lets_somebody_in_T18(store: AnyStore) -> None:
    owner, invitation = await user(store, (await seller(store)).seller_id)
    opening = session_for(owner)
    await store.redeem_invitation(invitation.invitation_digest, opening, START)
    _, unused = await user(store, owner.seller_id)
    made, refresh_digest = await enrolled(store, owner)
    issued = access()
    await store.issue_access(made.device_id, issued)
    waiting, begun, kept, partner = code(owner), state(owner.seller_id), consent(owner.seller_id), digest()
    await store.keep_code(waiting)
    await store.begin_consent(begun)
    await store.record_consent(kept, partner)

    assert await store.close_seller(owner.seller_id, START) == Offboarding(
        seller_id=owner.seller_id, closed_at=START
    )
    again = await store.close_seller(owner.seller_id, START + DAY)
    assert again.closed_at == START

    with pytest.raises(SessionInvalid):
        await store.find_session(opening.token_digest)
    with pytest.raises(InvitationInvalid):
        await store.find_invited(unused.invitation_digest)
    with pytest.raises(InvalidGrant):
        await store.find_code(waiting.code_digest)
    with pytest.raises(InvalidState):
        await store.use_state(begun.state_digest, START)
    with pytest.raises(DeviceRevoked):
        (await store.find_access_token(issued.token_digest)).check(START)
    assert (await store.find_refresh_token(refresh_digest)).device.revoked_at == START
    ended = await store.find_own_consent(owner.seller_id, kept.consent_id)
    assert (ended.ending, ended.refresh_token_sealed) == (Ending.OFFBOARDED, None)
    assert await store.find_access(kept.consent_id) is None
    await store.check_selling_partner(partner, (await seller(store)).seller_id)
    people = {one.member.user.user_id for one in await store.list_access("", 100)}
    assert owner.user_id not in people


async def test_nothing_new_is_kept_for_a_seller_who_has_left_T18(store: AnyStore) -> None:
    owner, _ = await user(store, (await seller(store)).seller_id)
    await store.close_seller(owner.seller_id, START)
    for call in (
        store.record_consent(consent(owner.seller_id), digest()),
        store.enrol(Enrolment(device=device(owner), refresh_digest=digest())),
        user(store, owner.seller_id),
    ):
        with pytest.raises(SellerOffboarded):
            await call


async def test_whoever_comes_in_while_the_seller_leaves_is_out_or_was_never_in_T18(store: AnyStore) -> None:
    owner, _ = await user(store, (await seller(store)).seller_id)
    enrolments = [Enrolment(device=device(owner), refresh_digest=digest()) for _ in range(6)]
    await asyncio.gather(
        *(store.enrol(one) for one in enrolments[:3]),
        store.close_seller(owner.seller_id, START),
        *(store.enrol(one) for one in enrolments[3:]),
        return_exceptions=True,
    )
    assert (await store.find_known_seller(owner.seller_id)).active_devices == 0


async def test_a_closed_sellers_devices_are_told_to_watchers_T01_T18(fake_auth_store: FakeStore) -> None:
    """On Postgres, tests/integration/auth hears it."""
    store = fake_auth_store
    owner, _ = await user(store, (await seller(store)).seller_id)
    made, _ = await enrolled(store, owner)
    heard: list[Revocation] = []
    store.listeners.append(heard.append)
    await store.close_seller(owner.seller_id, START)
    assert heard == [Revocation(device_id=made.device_id, seller_id=owner.seller_id)]


async def test_only_who_is_there_can_leave(store: AnyStore) -> None:
    with pytest.raises(SellerNotFound):
        await store.close_seller(new_id(), START)
    with pytest.raises(SellerNotFound):
        await store.find_known_seller(new_id())
    with pytest.raises(SellerNotFound):
        await store.keep_offboarding(Offboarding(seller_id=new_id(), closed_at=START))


async def test_each_step_is_kept_as_whoever_came_first_noted_it_R12(store: AnyStore) -> None:
    owner = await seller(store)
    closed = await store.close_seller(owner.seller_id, START)
    assert await store.list_offboardings(10) == [closed]
    destroyed = await store.keep_offboarding(replace(closed, key_destroyed_at=START + SECOND))
    erased = await store.keep_offboarding(
        replace(destroyed, erased_at=START + 2 * SECOND, receipt_id="first")
    )
    # One who was slower, and knows less.
    assert await store.keep_offboarding(replace(closed, key_destroyed_at=START + DAY)) == erased
    late = replace(destroyed, erased_at=START + DAY, finished_at=START + DAY, receipt_id="second")
    finished = await store.keep_offboarding(late)
    assert finished == replace(erased, finished_at=START + DAY, receipt_id="second")
    assert (await store.keep_offboarding(replace(late, receipt_id="third"))).receipt_id == "second"
    assert await store.list_offboardings(10) == [finished]
    told = await store.keep_offboarding(replace(finished, told_at=START + 2 * DAY))
    assert await store.list_offboardings(10) == []
    assert (await store.find_known_seller(owner.seller_id)).offboarding == told


async def test_sellers_are_listed_by_their_ids_with_what_they_have(store: AnyStore) -> None:
    made = [await seller(store) for _ in range(3)]
    owner, _ = await user(store, made[1].seller_id)
    await enrolled(store, owner)
    await store.record_consent(consent(owner.seller_id), digest())
    await store.close_seller(made[2].seller_id, START)
    listed = await store.list_known_sellers("", 10)
    assert [one.seller for one in listed] == made
    assert [(one.active_consents, one.active_devices) for one in listed] == [(0, 0), (1, 1), (0, 0)]
    assert [one.offboarding is not None for one in listed] == [False, False, True]
    assert [one.seller for one in await store.list_known_sellers(made[0].seller_id, 1)] == made[1:2]


async def test_no_tie_of_a_seller_who_stays_can_be_removed(pool_for: PoolFor) -> None:
    pool = await pool_for("auth")
    store = Store(pool)
    await store.register_application(APPLICATION, START)
    stays, leaves = await connected(store), await connected(store)
    await store.close_seller(leaves.seller_id, START)
    async with pool.acquire() as connection:
        await connection.execute("DELETE FROM auth.selling_partners")
        left = await connection.fetch("SELECT seller_id FROM auth.selling_partners")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE auth.selling_partners SET seller_id = $1", leaves.seller_id)
    assert [str(row["seller_id"]) for row in left] == [stays.seller_id]
