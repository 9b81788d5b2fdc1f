"""A seller leaves for good: nobody gets in at once, and everything left behind is destroyed (T-18)."""

from datetime import timedelta

import pytest

from chassis.errors import Gone, SallyportError, Unavailable
from fakes.auth_house import DE, US, Crash, Desktop, Fuse, House, Person, redemption
from services.auth.model.audit import Kind, Phase
from services.auth.model.consent_refusals import SellerOffboarded
from services.auth.model.consents import Ending
from services.auth.model.offboarding import CALLS_END_WITHIN, DESTROYED_WITHIN, SELLERS_LISTED_MAX
from services.auth.model.people import seller_name_place
from services.auth.model.refusals import (
    AuditUnavailable,
    DeviceRevoked,
    InvalidGrant,
    InvalidName,
    InvitationInvalid,
    SellerNotFound,
    SessionInvalid,
)

REASON = "Contract 17 ended"
NOBODY = "0190b2f0-0000-7000-8000-000000000000"


async def settled(house: House) -> tuple[Person, Desktop]:
    """Return a person of a seller with consents in two regions, and their desktop."""
    person = await house.person()
    await house.connect(person, US, "A1")
    await house.connect(person, DE, "A1")
    house.safe.held.add(person.seller_id)
    return person, await house.bound(person)


async def destroyed(house: House) -> None:
    """Let the job do its work until nothing is left to do."""
    await house.use.offboarding.pursue()
    house.pass_(CALLS_END_WITHIN)
    while await house.use.offboarding.pursue():
        pass


def test_the_times_are_as_promised() -> None:
    assert timedelta(hours=24) == DESTROYED_WITHIN
    assert timedelta(minutes=1) < CALLS_END_WITHIN < timedelta(hours=1)


async def test_nobody_of_an_offboarded_seller_gets_in_from_that_moment_T18() -> None:
    house = House()
    person, desktop = await settled(house)
    invitation = (await house.invite(person.seller_id)).invitation
    code = await house.authorize(person)
    state = await house.begin(person)
    device_id, compat_token = await house.compat(person)
    await house.use.offboarding.offboard(person.seller_id, reason=REASON)

    with pytest.raises(SessionInvalid):
        await house.use.sessions.find(person.session_token)
    with pytest.raises(InvitationInvalid):
        await house.use.sessions.redeem_invitation(invitation)
    with pytest.raises(SessionInvalid):
        await house.use.consents.complete(person.session_token, house.callback(state))
    with pytest.raises(InvalidGrant):
        await house.use.enrolment.exchange(redemption(code, key="second"))
    with pytest.raises(DeviceRevoked):
        await house.use.tokens.introspect(desktop.tokens.access_token)
    with pytest.raises(DeviceRevoked):
        await house.refresh(desktop)
    with pytest.raises(DeviceRevoked):
        await house.use.tokens.refresh_compat(device_id, compat_token)
    with pytest.raises(DeviceRevoked):
        await house.lend(desktop.device_id)
    with pytest.raises(SellerOffboarded):
        await house.invite(person.seller_id)


async def test_refresh_tokens_texts_are_gone_at_once_even_those_kept_for_an_inquiry_T18() -> None:
    house = House()
    person, _ = await settled(house)
    kept = [one for one in house.tables.consents.values() if one.seller_id == person.seller_id]
    await house.replica().upkeep.purge()
    store = house.ports(house.store_type(house.clock, house.tables)).store
    await store.end_consent(kept[0].consent_id, Ending.QUARANTINED, house.clock.now())
    await house.use.offboarding.offboard(person.seller_id, reason=REASON)
    ended = [house.tables.consents[one.consent_id] for one in kept]
    assert [one.refresh_token_sealed for one in ended] == [None, None]
    assert [one.ending for one in ended] == [Ending.QUARANTINED, Ending.OFFBOARDED]


async def test_gateways_hear_of_every_device_at_once_T01_T18() -> None:
    house = House()
    person, desktop = await settled(house)
    device_id, _ = await house.compat(person)
    watcher = house.use.news.watch()
    await house.use.offboarding.offboard(person.seller_id, reason=REASON)
    assert {(await watcher.next()).device_id for _ in range(2)} == {desktop.device_id, device_id}


async def test_other_sellers_notice_nothing_T07() -> None:
    house = House()
    leaver, _ = await settled(house)
    other = await house.person("Other")
    connected, desktop = await house.connect(other, US, "A2"), await house.bound(other, key="second")
    await house.use.offboarding.offboard(leaver.seller_id, reason=REASON)
    await destroyed(house)
    await house.lend(desktop.device_id)
    assert (await house.use.sessions.find(other.session_token)).seller_name == "Other"
    assert house.tables.consents[connected.consent.consent_id].ended_at is None


async def test_after_the_job_nothing_sealed_opens_and_the_safe_is_empty_T18() -> None:
    house = House()
    person, _ = await settled(house)
    sealed = house.tables.sellers[person.seller_id].name_sealed
    left = await house.use.offboarding.offboard(person.seller_id, reason=REASON)
    assert left.name == "Blue Kettle Ltd"
    await house.use.offboarding.pursue()
    with pytest.raises(Gone):
        await house.vault.open(seller_name_place(person.seller_id), sealed)
    assert person.seller_id not in house.safe.held
    assert (await house.use.offboarding.find(person.seller_id)).name == ""


async def test_what_a_call_under_way_still_put_into_the_safe_is_erased_too_T18() -> None:
    house = House()
    person, _ = await settled(house)
    await house.use.offboarding.offboard(person.seller_id, reason=REASON)
    await house.use.offboarding.pursue()
    first = (await house.use.offboarding.find(person.seller_id)).known.offboarding
    assert first is not None
    assert (first.erased_at is not None, first.finished_at) == (True, None)
    house.safe.held.add(person.seller_id)
    await destroyed(house)
    last = (await house.use.offboarding.find(person.seller_id)).known.offboarding
    assert last is not None
    assert last.finished_at is not None
    assert person.seller_id not in house.safe.held
    assert last.receipt_id == house.safe.receipts[-1][1] != first.receipt_id


async def test_intent_outcome_and_the_proof_are_told_once_R01() -> None:
    house = House()
    person, _ = await settled(house)
    for _ in range(2):
        await house.use.offboarding.offboard(person.seller_id, reason=REASON)
        await destroyed(house)
    assert house.audit.told(Kind.SELLER_OFFBOARDED) == [(Phase.INTENT, ""), (Phase.OUTCOME, "done")]
    assert house.audit.details(Kind.SELLER_OFFBOARDED)[0] == {"reason": REASON}
    assert house.audit.told(Kind.SELLER_ERASED) == [(Phase.FACT, "")]
    assert house.audit.details(Kind.SELLER_ERASED) == [{"receipt_id": house.safe.receipts[-1][1]}]


async def test_without_the_audit_log_nobody_is_offboarded_R02() -> None:
    house = House()
    person, _ = await settled(house)
    house.audit.is_down = True
    with pytest.raises(AuditUnavailable):
        await house.use.offboarding.offboard(person.seller_id, reason=REASON)
    await house.use.sessions.find(person.session_token)


async def test_an_account_at_amazon_is_free_again_when_its_seller_has_left() -> None:
    house = House()
    leaver, _ = await settled(house)
    await house.use.offboarding.offboard(leaver.seller_id, reason=REASON)
    heir = await house.person("Heir")
    assert (await house.connect(heir, US, "A1")).status == "active"


async def test_while_the_safe_is_away_the_rest_is_done_and_it_is_tried_again_R06_R11() -> None:
    house = House()
    person, _ = await settled(house)
    await house.use.offboarding.offboard(person.seller_id, reason=REASON)
    house.safe.is_down = True
    with pytest.raises(Unavailable):
        await house.use.offboarding.pursue()
    assert person.seller_id not in house.vault.keys
    house.safe.is_down = False
    await destroyed(house)
    assert person.seller_id not in house.safe.held


async def test_one_that_cannot_be_finished_keeps_no_other_from_it() -> None:
    house = House()
    first, _ = await settled(house)
    second = await house.person("Second")
    for person in (first, second):
        await house.use.offboarding.offboard(person.seller_id, reason=REASON)
    stuck = house.tables.offboardings[first.seller_id]
    erase = house.safe.erase_seller

    async def refuse_one(seller_id: str) -> str:
        if seller_id == stuck.seller_id:
            raise Unavailable
        return await erase(seller_id)

    house.safe.erase_seller = refuse_one  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await house.use.offboarding.pursue()
    assert house.tables.offboardings[second.seller_id].erased_at is not None


async def test_a_day_later_an_unfinished_one_raises_the_alarm_T18() -> None:
    house = House()
    person, _ = await settled(house)
    await house.use.offboarding.offboard(person.seller_id, reason=REASON)
    house.safe.is_down = True
    for passed, overdue in [(timedelta(hours=23), 0), (timedelta(hours=1), 1)]:
        house.pass_(passed)
        with pytest.raises(Unavailable):
            await house.use.offboarding.pursue()
        assert house.signals.counts["offboardings", "overdue"] == overdue
    house.safe.is_down = False
    await destroyed(house)
    await house.use.offboarding.pursue()
    assert house.signals.counts["offboardings", "under_way"] == 0
    assert house.signals.counts["offboardings", "overdue"] == 0


async def test_a_kill_at_any_step_of_the_closing_is_mended_by_asking_again_R12_T18() -> None:
    step, survived = 1, False
    while not survived:
        house = House()
        person, desktop = await settled(house)
        try:
            await house.replica(Fuse(step)).offboarding.offboard(person.seller_id, reason=REASON)
            survived = True
        except Crash:
            house.use = house.replica()
        await house.use.offboarding.offboard(person.seller_id, reason=REASON)
        with pytest.raises(DeviceRevoked):
            await house.use.tokens.introspect(desktop.tokens.access_token)
        intents = [phase for phase, _ in house.audit.told(Kind.SELLER_OFFBOARDED) if phase is Phase.INTENT]
        assert intents, "no effect without an intent"
        step += 1
    assert step > 5


async def test_a_kill_at_any_step_of_the_job_is_mended_by_the_next_run_R12_T18() -> None:
    step, survived = 1, False
    while not survived:
        house = House()
        person, _ = await settled(house)
        await house.use.offboarding.offboard(person.seller_id, reason=REASON)
        house.pass_(CALLS_END_WITHIN)
        try:
            await house.replica(Fuse(step)).offboarding.pursue()
            survived = True
        except Crash:
            house.use = house.replica()
            await destroyed(house)
        assert person.seller_id not in house.vault.keys | house.safe.held
        assert house.audit.told(Kind.SELLER_ERASED) == [(Phase.FACT, "")]
        assert await house.use.offboarding.pursue() == 0
        step += 1
    assert step > 10


async def test_two_replicas_finish_one_seller_once_R12() -> None:
    house = House()
    person, _ = await settled(house)
    await house.use.offboarding.offboard(person.seller_id, reason=REASON)
    house.pass_(CALLS_END_WITHIN)
    under_way = await house.ports(house.store_type(house.clock, house.tables)).store.list_offboardings(9)
    for use in (house.replica(), house.replica()):
        await use.offboarding._destroy(under_way[0])
        house.pass_(timedelta(seconds=1))
    assert house.audit.told(Kind.SELLER_ERASED) == [(Phase.FACT, "")]


@pytest.mark.parametrize("seller_id", ["", "x", NOBODY, "\x00"])
async def test_a_seller_that_is_none_cannot_leave(seller_id: str) -> None:
    house = House()
    for call in (
        house.use.offboarding.offboard(seller_id, reason=REASON),
        house.use.offboarding.find(seller_id),
    ):
        with pytest.raises(SellerNotFound):
            await call
    assert house.audit.told(Kind.SELLER_OFFBOARDED) == []


async def test_leaving_needs_a_reason() -> None:
    house = House()
    person, _ = await settled(house)
    with pytest.raises(InvalidName):
        await house.use.offboarding.offboard(person.seller_id, reason=" ")
    await house.use.sessions.find(person.session_token)


async def test_sellers_are_listed_page_by_page_with_what_they_have() -> None:
    house = House()
    person, _ = await settled(house)
    for number in range(SELLERS_LISTED_MAX):
        await house.use.admin.create_seller(f"Seller {number}")
    first, has_more = await house.use.offboarding.list_all()
    assert (len(first), has_more) == (SELLERS_LISTED_MAX, True)
    rest, has_more = await house.use.offboarding.list_all(first[-1].known.seller.seller_id)
    assert (len(rest), has_more) == (1, False)
    (mine,) = [one for one in first + rest if one.known.seller.seller_id == person.seller_id]
    assert (mine.name, mine.known.active_consents, mine.known.active_devices) == ("Blue Kettle Ltd", 2, 1)
    with pytest.raises(SallyportError):
        await house.use.offboarding.list_all("x")
