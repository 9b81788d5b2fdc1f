"""Erasing by day and by seller: keys die, proof stays."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

import chassis.crypto.seal
import chassis.crypto.sign
import chassis.vault.errors
from fakes.retention_house import CONSOLE, DAY, GATEWAY, NAME, PLAINTEXT, SELLER, House, seen
from services.retention.model.audit import Kind, Phase, Result
from services.retention.model.erasures import CLOCK_KEPT_FOR, REVIVAL_DAYS, Receipt, Subject
from services.retention.model.errors import (
    AuditUnavailable,
    ErasureUnproven,
    Expired,
    NameInvalid,
    NothingKept,
    SubjectClosed,
)
from services.retention.model.orders import OrderState, begins_at

SECOND = "seller-2"


async def sealed_house() -> House:
    """Return a house with one record of each of two sellers, under the same day."""
    house = House()
    await house.observe()
    await house.seal()
    await house.use.clocks.observe(SECOND, [seen(house.now, OrderState.UNSHIPPED)], origin=GATEWAY)
    await house.seal(replace(NAME, seller_id=SECOND), b"other")
    return house


def only_day(house: House) -> date:
    (day,) = house.tables.partitions
    return day


def told(receipt: Receipt) -> dict[str, object]:
    document: dict[str, object] = json.loads(receipt.statement)
    return document


async def test_nothing_is_erased_before_its_day() -> None:
    house = await sealed_house()
    house.clock.set_now(begins_at(only_day(house)) - timedelta(seconds=1))
    assert await house.use.erasing.erase_due(CONSOLE) == []
    assert len(house.tables.records) == 2


async def test_a_days_key_records_and_data_keys_are_gone_when_it_begins_R18() -> None:
    house = await sealed_house()
    day = only_day(house)
    house.clock.set_now(begins_at(day))
    (receipt,) = await house.use.erasing.erase_due(CONSOLE)
    assert receipt.subject == Subject.of_day(day)
    assert Subject.of_day(day) not in house.keys.living
    assert (house.tables.partitions, house.tables.data_keys) == ({}, {})
    assert (house.signals.counts["erased day"], house.signals.counts["records erased"]) == (1, 2)


async def test_a_receipt_says_what_was_erased_and_when_R19() -> None:
    house = await sealed_house()
    day, clock = only_day(house), house.tables.records[0].expires_at
    house.clock.set_now(begins_at(day))
    (receipt,) = await house.use.erasing.erase_due(CONSOLE)
    statement = told(receipt)
    assert statement["subject"] == f"day:{day}"
    assert statement["counts"] == {"data_keys": 2, "records": 2}
    assert statement["oldest_expires_at"] == clock.isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert statement["closed_at"] == statement["verified_at"] == f"{day}T00:00:00.000000Z"
    findings = statement["findings"]
    assert isinstance(findings, list)
    assert [finding["path"] for finding in findings] == ["key", "partition", "record", "cache"]
    assert all(finding["is_unreachable"] for finding in findings)


async def test_a_receipt_is_canonical_json_under_the_verifiers_signature() -> None:
    house = await sealed_house()
    house.pass_(31 * DAY)
    (receipt,) = await house.use.erasing.erase_due(CONSOLE)
    canonical = json.dumps(json.loads(receipt.statement), sort_keys=True, separators=(",", ":"))
    assert receipt.statement == canonical.encode()
    assert chassis.crypto.sign.verify(receipt.public_key_pem, receipt.statement, receipt.signature)
    changed = receipt.statement.replace(b"true", b"null")
    assert not chassis.crypto.sign.verify(receipt.public_key_pem, changed, receipt.signature)


async def test_a_day_is_erased_once() -> None:
    house = await sealed_house()
    house.pass_(31 * DAY)
    assert len(await house.use.erasing.erase_due(CONSOLE)) == 1
    assert await house.use.erasing.erase_due(CONSOLE) == []
    assert len(house.tables.receipts) == 1


async def test_days_missed_in_an_outage_are_erased_oldest_first_R19() -> None:
    house = House()
    for _ in range(3):
        await house.observe()
        await house.seal(replace(NAME, field_set=f"set-{house.now:%d}"))
        house.pass_(2 * DAY)
    house.pass_(40 * DAY)
    house.restart()
    receipts = await house.use.erasing.erase_due(CONSOLE)
    subjects = [str(receipt.subject) for receipt in receipts]
    assert len(subjects) == 3
    assert subjects == sorted(subjects)


async def test_a_day_leaves_the_other_days_alone() -> None:
    house = House()
    await house.observe()
    await house.seal()
    house.pass_(10 * DAY)
    await house.observe()
    later = replace(NAME, field_set="later")
    await house.seal(later)
    house.pass_(21 * DAY)
    assert len(await house.use.erasing.erase_due(CONSOLE)) == 1
    assert await house.open(later) == PLAINTEXT


async def test_a_dead_day_takes_nothing_new_even_by_a_clock_that_was_set_back_R14() -> None:
    house = await sealed_house()
    day = only_day(house)
    house.pass_(31 * DAY)
    await house.use.erasing.erase_due(CONSOLE)
    house.clock = type(house.clock)(begins_at(day) - 25 * DAY)
    house.restart()
    noon_shipment = begins_at(day) + DAY / 2 - 30 * DAY
    await house.observe(OrderState.SHIPPED, shipped_at=noon_shipment)
    with pytest.raises(SubjectClosed):
        await house.seal()
    assert Subject.of_day(day) not in house.keys.living


async def test_a_sellers_key_and_rows_are_gone_and_others_stay_T18_R19() -> None:
    house = await sealed_house()
    receipt = await house.use.erasing.erase_seller(SELLER, CONSOLE)
    assert receipt.subject == Subject.of_seller(SELLER)
    assert Subject.of_seller(SELLER) not in house.keys.living
    assert {record.name.seller_id for record in house.tables.records} == {SECOND}
    assert {seller_id for seller_id, _ in house.tables.clocks} == {SECOND}
    assert told(receipt)["counts"] == {"data_keys": 1, "records": 1}
    with pytest.raises(NothingKept):
        await house.open()
    assert await house.open(replace(NAME, seller_id=SECOND)) == b"other"


async def test_a_seller_who_comes_back_gets_a_new_key() -> None:
    house = await sealed_house()
    await house.use.erasing.erase_seller(SELLER, CONSOLE)
    await house.observe()
    await house.seal(plaintext=b"new")
    assert await house.open() == b"new"
    await house.use.erasing.erase_seller(SELLER, CONSOLE)
    assert len(house.tables.receipts) == 2


async def test_erasing_a_seller_of_whom_nothing_was_kept_is_proven_too() -> None:
    house = House()
    receipt = await house.use.erasing.erase_seller("seller-9", CONSOLE)
    assert told(receipt)["counts"] == {"data_keys": 0, "records": 0}


async def test_a_seller_id_out_of_form_is_refused_T10() -> None:
    with pytest.raises(NameInvalid):
        await House().use.erasing.erase_seller("a/b", CONSOLE)


async def test_the_log_holds_intent_and_outcome_of_each_erasure_R01() -> None:
    house = await sealed_house()
    house.pass_(31 * DAY)
    house.audit.events.clear()
    (day,) = await house.use.erasing.erase_due(CONSOLE)
    await house.use.erasing.erase_seller(SELLER, CONSOLE)
    assert house.audit.told() == [
        (Kind.DAY_ERASED, Phase.INTENT, ""),
        (Kind.DAY_ERASED, Phase.OUTCOME, Result.DONE),
        (Kind.SELLER_ERASED, Phase.INTENT, ""),
        (Kind.SELLER_ERASED, Phase.OUTCOME, Result.DONE),
    ]
    intent, outcome = house.audit.of(Kind.DAY_ERASED)
    assert intent.details == {"subject": str(day.subject), "records": "2", "data_keys": "2"}
    assert outcome.details == {"subject": str(day.subject), "receipt_id": day.receipt_id}
    assert intent.origin == outcome.origin == CONSOLE
    assert {event.seller_id for event in (intent, outcome)} == {""}
    assert {event.seller_id for event in house.audit.of(Kind.SELLER_ERASED)} == {SELLER}


async def test_without_the_audit_log_no_key_is_destroyed_R02() -> None:
    house = await sealed_house()
    day = Subject.of_day(only_day(house))
    house.pass_(31 * DAY)
    house.audit.is_down = True
    with pytest.raises(AuditUnavailable):
        await house.use.erasing.erase_due(CONSOLE)
    assert day in house.keys.living
    assert len(house.tables.records) == 2
    with pytest.raises(Expired):
        await house.open()


async def test_while_vault_is_sealed_nothing_is_proven_R06() -> None:
    house = await sealed_house()
    house.pass_(31 * DAY)
    house.keys.error = chassis.vault.errors.KeyServiceUnavailable()
    with pytest.raises(chassis.vault.errors.KeyServiceUnavailable):
        await house.use.erasing.erase_due(CONSOLE)
    assert house.tables.receipts == {}
    assert house.signals.counts["erasure failed day key_service_unavailable"] == 1
    house.keys.error = None
    assert len(await house.use.erasing.erase_due(CONSOLE)) == 1


async def test_one_failing_erasure_does_not_hold_up_the_others() -> None:
    house = House()
    for _ in range(2):
        await house.observe()
        await house.seal(replace(NAME, field_set=f"set-{house.now:%d}"))
        house.pass_(DAY)
    first, second = sorted(house.tables.partitions)
    house.pass_(31 * DAY)
    destroy = house.keys.destroy

    async def destroy_but_first(subject: Subject) -> None:
        if subject.day != first:
            await destroy(subject)

    house.keys.destroy = destroy_but_first  # type: ignore[method-assign]
    with pytest.raises(ErasureUnproven):
        await house.use.erasing.erase_due(CONSOLE)
    assert [receipt.subject.day for receipt in house.tables.receipts.values()] == [second]
    house.keys.destroy = destroy  # type: ignore[method-assign]
    (receipt,) = await house.use.erasing.erase_due(CONSOLE)
    assert receipt.subject.day == first


async def test_a_restored_database_gives_nothing_back_R18_R20() -> None:
    house = await sealed_house()
    dump = house.tables.copy()
    house.pass_(31 * DAY)
    await house.use.erasing.erase_due(CONSOLE)
    house.tables = dump
    house.restart()
    with pytest.raises(Expired):
        await house.open()
    record = house.tables.records[0]
    data_key = house.tables.data_keys[record.key_id]
    place = chassis.crypto.seal.associated(**data_key.place)
    with pytest.raises(chassis.vault.errors.KeyGone):
        await house.keys.unwrap(Subject.of_day(record.erase_day), data_key.wrapped, place)
    (receipt,) = await house.use.erasing.erase_due(CONSOLE)
    assert told(receipt)["counts"] == {"data_keys": 2, "records": 2}
    assert house.tables.partitions == {}


async def test_a_key_that_a_restored_key_service_brings_back_is_destroyed_again_R20() -> None:
    house = await sealed_house()
    day = Subject.of_day(only_day(house))
    snapshot = dict(house.keys.living)
    house.pass_(31 * DAY)
    await house.use.erasing.erase_due(CONSOLE)
    house.keys.living = snapshot
    house.restart()
    await house.use.erasing.settle()
    assert day not in house.keys.living
    assert house.signals.counts["revived day"] == 1
    told = [(event.phase, event.details) for event in house.audit.of(Kind.KEY_REVIVED)]
    assert told == [(phase, {"subject": str(day)}) for phase in (Phase.INTENT, Phase.OUTCOME)]


async def test_the_gate_asks_once_a_day() -> None:
    house = await sealed_house()
    house.pass_(31 * DAY)
    house.restart()
    await house.use.erasing.settle()
    house.keys.error = chassis.vault.errors.KeyServiceUnavailable()
    await house.use.erasing.settle()
    house.pass_(DAY)
    with pytest.raises(chassis.vault.errors.KeyServiceUnavailable):
        await house.use.erasing.settle()


@pytest.mark.parametrize("missed", [timedelta(0), REVIVAL_DAYS * DAY], ids=["a day", "months"])
async def test_the_gate_destroys_overdue_keys_and_leaves_the_rest_to_the_job_R19(missed: timedelta) -> None:
    house = await sealed_house()
    day = Subject.of_day(only_day(house))
    house.pass_(31 * DAY + missed)
    house.restart()
    await house.use.erasing.settle()
    assert day not in house.keys.living
    assert [event.phase for event in house.audit.of(Kind.DAY_ERASED)] == [Phase.INTENT]
    assert house.audit.of(Kind.KEY_REVIVED) == []
    assert house.tables.receipts == {}
    assert len(await house.use.erasing.erase_due(CONSOLE)) == 1


async def test_receipts_are_listed_newest_first() -> None:
    house = await sealed_house()
    first = await house.use.erasing.erase_seller(SELLER, CONSOLE)
    house.pass_(DAY)
    second = await house.use.erasing.erase_seller(SECOND, CONSOLE)
    assert await house.use.erasing.list_receipts() == [second, first]


async def test_upkeep_shows_age_and_lag() -> None:
    house = await sealed_house()
    await house.use.upkeep.measure()
    assert (house.signals.oldest_age_s, house.signals.erasure_lag_s) == (0.0, 0.0)
    day = only_day(house)
    house.clock.set_now(begins_at(day) + timedelta(minutes=5))
    await house.use.upkeep.measure()
    assert house.signals.erasure_lag_s == 300.0
    assert house.signals.oldest_age_s == (house.now - house.tables.records[0].fetched_at).total_seconds()
    await house.use.erasing.erase_due(CONSOLE)
    await house.use.upkeep.measure()
    assert (house.signals.oldest_age_s, house.signals.erasure_lag_s) == (0.0, 0.0)


async def test_clocks_are_forgotten_before_18_months_R22() -> None:
    house = await sealed_house()
    assert (CLOCK_KEPT_FOR + 30 * DAY).days < 547
    house.pass_(CLOCK_KEPT_FOR + 29 * DAY)
    await house.use.upkeep.measure()
    assert len(house.tables.clocks) == 2
    house.pass_(2 * DAY)
    await house.use.upkeep.measure()
    assert house.tables.clocks == {}


async def test_the_safe_is_not_well_while_vault_is_sealed_or_overdue_keys_live_R16() -> None:
    house = await sealed_house()
    await house.use.upkeep.check()
    house.keys.error = chassis.vault.errors.KeyServiceUnavailable()
    with pytest.raises(chassis.vault.errors.KeyServiceUnavailable):
        await house.use.upkeep.check()
    house.keys.error = None
    house.pass_(31 * DAY)
    house.audit.is_down = True
    with pytest.raises(AuditUnavailable):
        await house.use.upkeep.check()
