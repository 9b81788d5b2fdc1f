"""Client secrets look after themselves: asked for in time, proven, counted down, destroyed."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.errors import Unavailable
from chassis.secrecy import Secret
from fakes.auth_house import APPLICATION, US, Crash, Fuse, loan
from fakes.auth_rotation_house import DAY, RotationHouse
from services.auth.model.audit import OPERATOR, Kind, Phase
from services.auth.model.consents import Region
from services.auth.model.credentials import SECRET_LIFE, Origin
from services.auth.model.grantless import Scope
from services.auth.model.refusals import ApplicationMissing, AuditUnavailable, AuthorizationUnavailable
from services.auth.model.rotation import LEASE_S, RotationPlan
from services.auth.model.secret_refusals import (
    InvalidExpiry,
    InvalidSecret,
    RotationTooSoon,
    RotationUnderWay,
    RotationUnenrolled,
    RotationUnheard,
    SecretRefused,
)
from services.auth.service.applications import Pasted
from services.auth.service.rotation import Wish
from services.auth.service.secret_changes import Arrival

ID = APPLICATION.application_id
REQUESTED = "auth.client_secret.requested"
EXPIRING = "auth.client_secret.expiring"
DONE = [(Phase.INTENT, ""), (Phase.OUTCOME, "done")]


@pytest.fixture
async def house() -> RotationHouse:
    """A vendor with a queue whose secret was just made."""
    house = RotationHouse()
    house.amazon.secret_ends[house.amazon.secret] = house.clock.now() + SECRET_LIFE
    await house.register()
    return house


async def paste(house: RotationHouse, secret: str, **options: object) -> bool:
    pasted = Pasted(application_id="", secret=Secret(secret))
    return await house.use.applications.paste(replace(pasted, **options))  # type: ignore[arg-type]


async def test_a_year_passes_and_every_day_a_seller_is_served_R12() -> None:
    house = RotationHouse(copies=2)
    house.amazon.secret_ends[house.amazon.secret] = house.clock.now() + SECRET_LIFE
    person = await house.person()
    await house.connect(person, US)
    device_id = (await house.bound(person)).device_id
    for _ in range(360):
        await house.day()
        await house.use.lending.lend(loan(device_id, Region.NA))
    assert house.amazon.calls["rotate na"] == 2
    assert [phase for phase, _ in house.audit.told(REQUESTED)] == [Phase.INTENT, Phase.OUTCOME] * 2
    assert len(house.audit.told("auth.client_secret.destroyed")) == 4
    assert house.signals.counts["secret_refused", "all"] == 0
    assert len((await house.pair()).held) == 1
    assert house.inbox.rows == []


async def test_amazon_is_asked_30_days_ahead_and_once(house: RotationHouse) -> None:
    await house.use.rotation.tend()
    house.pass_(149 * DAY)
    await house.use.rotation.tend()
    assert house.audit.told(REQUESTED) == []
    house.pass_(DAY)
    for _ in range(3):
        await house.use.rotation.tend()
        await house.replica().rotation.tend()
    assert house.audit.told(REQUESTED) == DONE
    assert house.amazon.calls["rotate na"] == 1
    assert house.signals.counts["rotation", "asked"] == 1


async def test_what_did_not_arrive_is_asked_for_again_the_next_day(house: RotationHouse) -> None:
    house.amazon.rotated = None
    house.pass_(150 * DAY)
    await house.use.rotation.tend()
    house.pass_(0.99 * DAY)
    await house.use.rotation.tend()
    assert house.amazon.calls["rotate na"] == 1
    house.pass_(0.01 * DAY)
    await house.use.rotation.tend()
    assert house.amazon.calls["rotate na"] == 2
    assert house.signals.counts["rotation", "unanswered"] == 1


async def test_nobody_asks_where_the_answer_would_not_be_heard() -> None:
    house = RotationHouse(rotation=RotationPlan())
    await house.register()
    house.pass_(179 * DAY)
    await house.use.rotation.tend()
    assert house.amazon.calls["rotate na"] == 0
    with pytest.raises(RotationUnheard):
        await house.use.applications.rotate("")
    await house.use.applications.rotate("", is_pasted=True)
    assert house.amazon.calls["rotate na"] == 1


async def test_an_operator_asks_once_a_day_unless_they_insist(house: RotationHouse) -> None:
    await house.use.applications.rotate(ID)
    with pytest.raises(RotationTooSoon) as refusal:
        await house.use.applications.rotate(ID)
    assert refusal.value.retry_after_s == DAY.total_seconds()
    await house.use.applications.rotate(ID, is_forced=True)
    assert house.amazon.calls["rotate na"] == 2
    assert [details["forced"] for details in house.audit.details(REQUESTED)[::2]] == ["false", "true"]


async def test_two_replicas_never_ask_at_once(house: RotationHouse) -> None:
    lease = await house.use.rotation._store.hold_rotation(ID, LEASE_S)
    assert lease is not None
    house.pass_(150 * DAY)
    later = await house.replica().rotation._store.hold_rotation(ID, LEASE_S)
    assert later is not None
    with pytest.raises(RotationUnderWay):
        await house.use.applications.rotate(ID)
    await house.use.rotation.tend()
    with pytest.raises(RotationUnderWay):
        await house.use.rotation.ask(lease, Wish(actor=OPERATOR))
    assert house.amazon.calls["rotate na"] == 0
    assert house.audit.told(REQUESTED) == [(Phase.INTENT, ""), (Phase.OUTCOME, "not_done")]


async def test_who_is_not_enrolled_is_told_so_and_asks_once_a_day(house: RotationHouse) -> None:
    house.amazon.is_enrolled = False
    house.pass_(150 * DAY)
    for _ in range(2):
        with pytest.raises(RotationUnenrolled):
            await house.use.applications.rotate(ID)
    await house.use.rotation.tend()
    assert house.audit.told(REQUESTED)[1::2] == [(Phase.OUTCOME, "not_done")] * 2
    view = await house.use.applications.show(ID)
    assert (view.state.asked_at, view.state.refusal) == (None, "rotation_not_enrolled")
    assert house.signals.counts["rotation", "rotation_not_enrolled"] == 2
    house.amazon.is_enrolled = True
    house.pass_(DAY)
    await house.use.rotation.tend()
    assert (await house.use.applications.show(ID)).state.asked_at == house.clock.now()


async def test_a_lost_answer_counts_as_asked_R12(house: RotationHouse) -> None:
    await house.use.rotation.tend()
    await house.use.grantless.token(Scope.ROTATION)
    house.amazon.faults.append(AuthorizationUnavailable())
    with pytest.raises(AuthorizationUnavailable):
        await house.use.applications.rotate(ID)
    with pytest.raises(RotationTooSoon):
        await house.use.applications.rotate(ID)
    assert house.audit.told(REQUESTED)[1] == (Phase.OUTCOME, "unknown")


async def test_without_the_audit_log_nobody_asks_R02(house: RotationHouse) -> None:
    await house.use.rotation.tend()
    await house.use.grantless.token(Scope.ROTATION)
    house.audit.is_down = True
    with pytest.raises(Unavailable):
        await house.use.applications.rotate(ID)
    assert house.amazon.calls["rotate na"] == 0


@pytest.mark.parametrize("step", range(1, 40))
async def test_a_rotation_survives_a_crash_at_any_step_R12(step: int) -> None:
    house = RotationHouse(copies=2)
    house.amazon.secret_ends[house.amazon.secret] = house.clock.now() + SECRET_LIFE
    person = await house.person()
    await house.connect(person, US)
    device_id = (await house.bound(person)).device_id
    house.pass_(150 * DAY)
    try:
        use = house.replica(Fuse(step))
        await use.rotation.tend()
        await house.notices(use).hear()
    except Crash:
        house.pass_(timedelta(minutes=5))
    for _ in range(40):
        await house.day()
        await house.use.lending.lend(loan(device_id, Region.NA))
    pair = await house.pair()
    assert [one.secret.reveal() for one in pair.held] == [house.amazon.secret]
    assert house.amazon.calls["rotate na"] in {1, 2}
    assert house.signals.counts["secret_refused", "all"] == 0


async def test_the_old_secret_is_destroyed_after_seven_days_and_not_before(house: RotationHouse) -> None:
    await house.use.applications.rotate(ID)
    await house.notices().hear()
    house.pass_(6.9 * DAY)
    await house.use.rotation.tend()
    assert len((await house.pair()).held) == 2
    house.pass_(0.1 * DAY)
    await house.use.rotation.tend()
    assert len((await house.pair()).held) == 1
    assert len(house.vault.versions[ID]) == 1
    assert house.audit.told("auth.client_secret.destroyed") == DONE


async def test_the_old_secret_stays_while_the_new_one_is_not_accepted(house: RotationHouse) -> None:
    house.amazon.is_enrolled = False
    await paste(house, "amzn1.oa2-cs.v1.mistyped", is_unverified=True)
    for _ in range(20):
        house.pass_(DAY)
        with suppress(RotationUnenrolled):
            await house.use.rotation.tend()
    pair = await house.pair()
    assert (len(pair.held), pair.relied_on.secret.reveal()) == (2, house.amazon.secret)
    marks = [details["mark"] for details in house.audit.details(EXPIRING)]
    assert marks == ["7", "1"]


async def test_amazon_makes_another_secret_when_the_newest_is_not_accepted(house: RotationHouse) -> None:
    await paste(house, "amzn1.oa2-cs.v1.mistyped", is_unverified=True)
    for _ in range(9):
        await house.day()
    assert house.amazon.calls["rotate na"] == 1
    pair = await house.pair()
    assert [one.secret.reveal() for one in pair.held] == [house.amazon.secret]


async def test_each_mark_is_told_once_by_whichever_replica() -> None:
    house = RotationHouse(rotation=RotationPlan())
    await house.register()
    for _ in range(182):
        house.pass_(DAY)
        await house.use.rotation.tend()
        await house.replica().rotation.tend()
    assert [details["mark"] for details in house.audit.details(EXPIRING)] == [
        "90",
        "60",
        "30",
        "15",
        "7",
        "1",
    ]
    assert [details["days_left"] for details in house.audit.details(EXPIRING)] == [
        "90",
        "60",
        "30",
        "15",
        "7",
        "1",
    ]
    assert house.signals.days_left[ID] == -2


async def test_a_mark_that_the_audit_log_did_not_take_is_told_later(house: RotationHouse) -> None:
    await house.use.rotation.tend()
    house.pass_(90 * DAY)
    house.audit.is_down = True
    with pytest.raises(Unavailable):
        await house.use.rotation.tend()
    assert house.signals.counts["secret_expiring", "90"] == 0
    house.audit.is_down = False
    await house.use.rotation.tend()
    assert house.signals.counts["secret_expiring", "90"] == 1


async def test_readiness_is_lost_only_when_all_are_expired_and_amazon_says_so() -> None:
    house = RotationHouse(rotation=RotationPlan())
    await house.register()
    house.pass_(200 * DAY)
    assert await house.use.rotation.tend()
    house.amazon.secret = "amzn1.oa2-cs.v1.another"
    house.pass_(DAY)
    assert not await house.use.rotation.tend()
    await paste(house, house.amazon.secret)
    assert await house.use.rotation.tend()


async def test_without_an_application_there_is_nothing_to_do() -> None:
    house = RotationHouse()
    assert await house.use.rotation.tend()
    with pytest.raises(ApplicationMissing):
        await house.use.applications.show("")


async def test_a_pasted_secret_is_verified_before_it_is_kept(house: RotationHouse) -> None:
    before = await house.pair()
    with pytest.raises(SecretRefused):
        await paste(house, "amzn1.oa2-cs.v1.mistyped")
    house.amazon.faults.extend([AuthorizationUnavailable()] * 2)
    with pytest.raises(AuthorizationUnavailable):
        await paste(house, house.amazon.secret)
    assert await house.pair() == before
    house.amazon.renew_secret()
    assert await paste(house, house.amazon.secret)
    assert not await paste(house, house.amazon.secret)
    pair = await house.pair()
    assert (pair.newest.accepted_at, len(pair.held)) == (house.clock.now(), 2)


async def test_a_secret_is_tried_in_a_turn_and_after_the_audit_log_was_told_R02_R10(
    house: RotationHouse,
) -> None:
    taken, asked = house.signals.counts["turn_taken",], len(house.amazon.asked_s)
    assert not await paste(house, house.amazon.secret)
    assert house.signals.counts["turn_taken",] == taken + 1
    told = house.audit.details(Kind.AMAZON_TOKEN_REQUESTED)[-1]
    assert told == {"application_id": ID, "purpose": "client_secret"}
    house.audit.is_down = True
    with pytest.raises(AuditUnavailable):
        await paste(house, house.amazon.secret)
    assert len(house.amazon.asked_s) == asked + 1


async def test_what_a_change_cut_short_left_behind_is_destroyed_by_the_next_look_R12(
    house: RotationHouse,
) -> None:
    house.amazon.renew_secret()
    arrival = Arrival(secret=Secret(house.amazon.secret), origin=Origin.QUEUE)
    await house.use.secret_changes.keep(APPLICATION, arrival)
    for step in range(1, 14):
        with suppress(Crash):
            await house.replica(Fuse(step)).secret_changes.accept(ID, arrival.secret)
        if len(house.vault.versions[ID]) == 2:
            break
    else:
        pytest.fail("no step leaves an older version behind")
    await house.use.rotation.tend()
    assert len(house.vault.versions[ID]) == 1


async def test_a_good_secret_can_be_pasted_while_amazon_refuses_the_application(house: RotationHouse) -> None:
    house.amazon.secret = "amzn1.oa2-cs.v1.rotated-by-hand"
    person = await house.person()
    house.vault.secrets.clear()
    await paste(house, "amzn1.oa2-cs.v1.wrong", is_unverified=True)
    assert person.seller_id
    await house.use.rotation.tend()
    assert await paste(house, house.amazon.secret)


async def test_a_stated_end_is_believed_within_reason(house: RotationHouse) -> None:
    await paste(house, house.amazon.secret, expires_at=house.clock.now() + 20 * DAY)
    newest = (await house.pair()).newest
    assert (newest.is_estimated, newest.expires_at) == (False, house.clock.now() + 20 * DAY)
    for expires_at in (house.clock.now(), house.clock.now() + 400 * DAY):
        with pytest.raises(InvalidExpiry):
            await paste(house, house.amazon.secret, expires_at=expires_at)
    with pytest.raises(InvalidSecret):
        await paste(house, "two words")
    await house.use.rotation.tend()
    assert house.amazon.calls["rotate na"] == 1


async def test_a_fault_of_one_application_does_not_keep_the_others_waiting(house: RotationHouse) -> None:
    other = replace(APPLICATION, application_id="amzn1.sellerapps.app.other")
    house.pass_(DAY)
    await house.use.admin.register_application(other, Secret("amzn1.oa2-cs.v1.others"))
    del house.vault.secrets[other.application_id]
    house.pass_(89 * DAY)
    with pytest.raises(ApplicationMissing):
        await house.use.rotation.tend()
    assert house.signals.counts["secret_expiring", "90"] == 1
