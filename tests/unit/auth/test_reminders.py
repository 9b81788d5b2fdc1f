"""Consents' ends are told in time, once for each mark, and what is over ends."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.auth_house import DE, US, Crash, Fuse, House
from services.auth.model import reminders
from services.auth.model.audit import Kind, Phase
from services.auth.model.consents import Ending
from services.auth.model.refusals import AuditUnavailable, ConsentExpired
from services.auth.model.reminders import MARKS_DAYS

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
YEAR = timedelta(days=365)


def told(house: House) -> list[str]:
    return [details["days_left"] for details in house.audit.details(Kind.CONSENT_REMINDED)]


def test_the_marks_are_as_promised() -> None:
    assert MARKS_DAYS == (1, 7, 14, 30)


async def test_each_mark_is_told_once_and_then_the_end() -> None:
    house = House()
    connected = await house.connect(await house.person())
    for _ in range(366 * 2):
        await house.use.reminding.remind()
        house.pass_(DAY / 2)
    assert told(house) == ["30", "14", "7", "1"]
    facts = {"consent_id": connected.consent.consent_id, "region": "na"}
    assert house.audit.details(Kind.CONSENT_REMINDED)[0] == {**facts, "days_left": "30"}
    assert house.audit.details(Kind.CONSENT_EXPIRED) == [facts]
    assert set(house.audit.told(Kind.CONSENT_REMINDED)) == {(Phase.FACT, "")}


async def test_a_reminder_is_due_to_the_second() -> None:
    house = House()
    await house.connect(await house.person())
    house.pass_(YEAR - 30 * DAY - SECOND)
    await house.use.reminding.remind()
    assert told(house) == []
    house.pass_(SECOND)
    await house.use.reminding.remind()
    assert told(house) == ["30"]


async def test_whoever_comes_late_sends_the_tightest_reminder_only() -> None:
    house = House()
    await house.connect(await house.person())
    house.pass_(YEAR - 5 * DAY + SECOND)
    for _ in range(3):
        await house.use.reminding.remind()
    assert told(house) == ["5"]
    house.pass_(4 * DAY)
    await house.use.reminding.remind()
    assert told(house) == ["5", "1"]


async def test_a_clock_that_goes_back_brings_no_looser_reminder_R14() -> None:
    house = House()
    await house.connect(await house.person())
    house.pass_(YEAR - 6 * DAY)
    await house.use.reminding.remind()
    house.pass_(-5 * DAY)
    await house.use.reminding.remind()
    assert told(house) == ["6"]


async def test_a_consent_that_ended_or_was_renewed_is_not_reminded_of() -> None:
    house = House()
    person = await house.person()
    older = await house.connect(person, US, "A1")
    house.pass_(YEAR - 40 * DAY)
    person = await house.colleague(person.seller_id)
    await house.connect(person, US, "A1")
    house.pass_(39 * DAY)
    await house.use.reminding.remind()
    assert told(house) == []
    assert house.tables.consents[older.consent.consent_id].ending is Ending.REPLACED


async def test_what_is_over_ends_and_its_token_is_destroyed() -> None:
    house = House()
    person = await house.person()
    connected = await house.connect(person)
    desktop = await house.bound(person)
    heard: list[str] = []
    watcher = house.use.news.watch()
    house.pass_(YEAR)
    await house.use.reminding.remind()
    heard.append((await watcher.next()).device_id)
    kept = house.tables.consents[connected.consent.consent_id]
    assert (kept.ending, kept.refresh_token_sealed) == (Ending.EXPIRED, None)
    assert kept.status(house.clock.now()) == "expired"
    assert house.signals.counts["ended", "consent", "expired"] == 1
    assert heard == [desktop.device_id]
    with pytest.raises(ConsentExpired):
        await house.lend(desktop.device_id)


async def test_nothing_ends_untold_R02() -> None:
    house = House()
    connected = await house.connect(await house.person())
    house.pass_(YEAR)
    house.audit.is_down = True
    with pytest.raises(AuditUnavailable):
        await house.use.reminding.remind()
    assert house.tables.consents[connected.consent.consent_id].refresh_token_sealed is not None
    house.audit.is_down = False
    await house.use.reminding.remind()
    assert len(house.audit.details(Kind.CONSENT_EXPIRED)) == 1


async def test_replicas_and_restarts_tell_one_record_R04_R12() -> None:
    """Killed at any step, and gone on with by two others: each reminder is one record."""
    step, survived = 1, False
    while not survived:
        house = House()
        person = await house.person()
        await house.connect(person, US)
        house.pass_(YEAR - 20 * DAY)
        await house.connect(await house.colleague(person.seller_id), DE)
        house.pass_(20 * DAY)
        try:
            await house.replica(Fuse(step)).reminding.remind()
            survived = True
        except Crash:
            pass
        for use in (house.replica(), house.replica()):
            house.pass_(SECOND)
            await use.reminding.remind()
        assert len(house.audit.details(Kind.CONSENT_EXPIRED)) == 1, step
        assert told(house) == []
        step += 1
    assert step > 10


async def test_how_many_end_soon_is_shown() -> None:
    house = House()
    person = await house.person()
    await house.connect(person, US)
    house.pass_(YEAR - 20 * DAY)
    await house.connect(await house.colleague(person.seller_id), DE)
    await house.use.reminding.remind()
    shown = {days: house.signals.counts["ending_soon", str(days)] for days in MARKS_DAYS}
    assert shown == {1: 0, 7: 0, 14: 0, 30: 1}


@settings(max_examples=25)
@given(passed_s=st.integers(min_value=0, max_value=366 * 86_400), mark_days=st.sampled_from(MARKS_DAYS))
async def test_a_reminder_never_promises_more_days_than_its_mark(passed_s: int, mark_days: int) -> None:
    house = House()
    connected = await house.connect(await house.person())
    house.clock.pass_(passed_s)
    made = reminders.reminder(connected.consent, mark_days, house.clock.now())
    assert 0 <= made.days_left <= mark_days
