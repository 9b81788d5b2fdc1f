"""What auth's storage promises about consents and the leases on their tokens, on the fake and on Postgres."""

import asyncio
from dataclasses import replace

import pytest

from fakes.clock import START
from services.auth.model.consents import Ending, Region
from services.auth.model.refusals import ConsentMissing, ConsentRevoked, InvalidState, SellingPartnerTaken
from tests.contract.auth_rows import (
    DAY,
    SECOND,
    AnyStore,
    connected,
    consent,
    digest,
    new_id,
    refreshed,
    seller,
    state,
)


@pytest.fixture
def store(auth_store: AnyStore) -> AnyStore:
    return auth_store


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


async def test_a_consent_that_was_used_since_is_not_ended_as_idle_T18(store: AnyStore) -> None:
    kept = await connected(store)
    consent_id, since = kept.consent_id, kept.used_at
    assert not await store.end_consent(consent_id, Ending.IDLE, START + DAY, used_before=since)
    assert await store.find_consent(kept.seller_id, Region.EU) == kept
    assert await store.end_consent(consent_id, Ending.IDLE, START + DAY, used_before=since + SECOND)


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
