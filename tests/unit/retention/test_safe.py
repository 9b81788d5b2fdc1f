"""Sealing and opening, and every reason to refuse."""

import logging
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

import chassis.errors
import chassis.vault.errors
from chassis.secrecy import Secret
from fakes.retention_house import (
    CONSOLE,
    DAY,
    GATEWAY,
    NAME,
    PLAINTEXT,
    SELLER,
    House,
    seen,
    tear_data_keys,
)
from services.retention.model.audit import Kind
from services.retention.model.erasures import Probe, Subject
from services.retention.model.errors import (
    AuditUnavailable,
    Expired,
    KeyRetired,
    NameInvalid,
    NothingKept,
    OrderNotObserved,
    RecordTooLarge,
    RecordUnsound,
    SubjectClosed,
)
from services.retention.model.orders import OrderState, Term, begins_at, erase_day
from services.retention.model.records import PLAINTEXT_BYTES_MAX, DataKey, Record, RecordName

MONTH = timedelta(days=30)
OTHER = replace(NAME, field_set="ordersV0.getOrderBuyerInfo")


async def test_what_was_sealed_is_opened_again() -> None:
    house = House()
    await house.observe()
    fetched_at = house.now
    assert await house.seal() == fetched_at + MONTH
    opened = await house.use.safe.open(NAME, age_max=None, origin=GATEWAY)
    assert (opened.plaintext, opened.fetched_at, opened.expires_at) == (
        PLAINTEXT,
        fetched_at,
        fetched_at + MONTH,
    )


@pytest.mark.parametrize("ago", [timedelta(hours=3), -timedelta(hours=3)], ids=["earlier", "to come"])
async def test_a_copy_is_as_old_as_its_fetch_and_one_to_come_counts_as_now(ago: timedelta) -> None:
    house = House()
    await house.observe()
    await house.use.safe.seal(NAME, PLAINTEXT, fetched_at=house.now - ago, origin=GATEWAY)
    opened = await house.use.safe.open(NAME, age_max=None, origin=GATEWAY)
    assert opened.fetched_at == house.now - max(ago, timedelta(0))


async def test_what_is_sealed_opened_and_refused_is_counted() -> None:
    house = House()
    await house.observe()
    await house.seal()
    await house.open()
    with pytest.raises(NothingKept):
        await house.open(OTHER)
    assert house.signals.counts == {"sealed": 1, "opened": 1, "refused nothing_kept": 1}


async def test_only_sealed_bytes_are_stored_T15() -> None:
    house = House()
    await house.observe()
    await house.seal()
    assert PLAINTEXT not in repr(house.tables).encode()
    assert all(PLAINTEXT not in record.sealed for record in house.tables.records)


async def test_a_second_seal_replaces_the_first() -> None:
    house = House()
    await house.observe()
    await house.seal()
    house.pass_(3 * DAY)
    await house.observe()
    await house.seal(plaintext=b"newer")
    assert await house.open() == b"newer"
    assert len(house.tables.records) == 1


async def test_another_field_set_is_another_record() -> None:
    house = House()
    await house.observe()
    await house.seal()
    await house.seal(OTHER, b"buyer info")
    assert await house.open() == PLAINTEXT
    assert await house.open(OTHER) == b"buyer info"


async def test_an_order_nobody_observed_is_not_kept() -> None:
    house = House()
    with pytest.raises(OrderNotObserved):
        await house.seal()


async def test_too_much_is_not_kept() -> None:
    house = House()
    await house.observe()
    with pytest.raises(RecordTooLarge):
        await house.seal(plaintext=bytes(PLAINTEXT_BYTES_MAX + 1))
    await house.seal(plaintext=bytes(PLAINTEXT_BYTES_MAX))


@pytest.mark.parametrize(
    ("seller_id", "order_id", "field_set"),
    [
        ("../day-2026-12-22", "1", "a"),
        ("", "1", "a"),
        ("s" * 65, "1", "a"),
        ("s", "", "a"),
        ("s", "1 2", "a"),
        ("s", "1\n", "a"),
        ("s", "1", "a/b"),
        ("s\n", "1", "a"),
    ],
)
def test_names_out_of_form_are_refused_T10(seller_id: str, order_id: str, field_set: str) -> None:
    with pytest.raises(NameInvalid):
        RecordName(seller_id, order_id, field_set)


async def test_a_seal_past_the_orders_clock_is_refused_R18() -> None:
    house = House()
    await house.observe(OrderState.SHIPPED, shipped_at=house.now - 31 * DAY)
    with pytest.raises(Expired) as refusal:
        await house.seal()
    assert refusal.value.code == "expired"
    assert refusal.value.http_status == 410
    assert house.tables.records == []


async def test_a_seal_that_would_lie_under_a_day_that_has_begun_is_refused() -> None:
    house = House()
    await house.observe(OrderState.SHIPPED, shipped_at=house.now - MONTH + timedelta(hours=1))
    with pytest.raises(Expired):
        await house.seal()


async def test_a_fetch_after_shipment_does_not_extend_R18() -> None:
    house = House()
    await house.observe()
    first = await house.seal()
    house.pass_(DAY)
    await house.observe(OrderState.SHIPPED, shipped_at=house.now)
    house.pass_(5 * DAY)
    assert await house.seal() == first


async def test_nothing_kept_and_anothers_answer_the_same_T07() -> None:
    house = House()
    await house.observe()
    await house.seal()
    answers = []
    for name in (replace(NAME, seller_id="seller-2"), replace(NAME, order_id="absent"), OTHER):
        with pytest.raises(NothingKept) as refusal:
            await house.open(name)
        answers.append((refusal.value.code, refusal.value.text))
    assert len(set(answers)) == 1


async def test_reads_are_refused_from_the_days_beginning_even_if_nothing_was_erased_R19() -> None:
    house = House()
    await house.observe()
    expires_at = await house.seal()
    day_begins = begins_at(erase_day(expires_at))
    house.clock.set_now(day_begins - timedelta(seconds=1))
    assert await house.open() == PLAINTEXT
    house.clock.set_now(day_begins)
    with pytest.raises(Expired):
        await house.open()
    assert len(house.tables.records) == 1


async def test_a_copys_own_clock_ends_it_though_its_orders_was_renewed_R18() -> None:
    house = House()
    await house.observe()
    expires_at = await house.seal()
    house.pass_(10 * DAY)
    await house.observe()
    house.clock.set_now(begins_at(erase_day(expires_at)))
    unwraps = house.keys.unwraps
    with pytest.raises(Expired):
        await house.open()
    assert house.keys.unwraps == unwraps
    assert house.audit.of(Kind.RECORD_OPENED) == []


async def test_a_day_that_begins_while_the_key_service_is_asked_gives_nothing_R19() -> None:
    house = House()
    await house.observe()
    day_begins = begins_at(erase_day(await house.seal()))
    house.clock.set_now(day_begins - timedelta(seconds=1))
    house.restart()
    unwrap = house.keys.unwrap

    async def unwrap_slowly(subject: Subject, wrapped: str, associated: bytes) -> Secret[bytes]:
        house.clock.set_now(day_begins)
        return await unwrap(subject, wrapped, associated)

    house.keys.unwrap = unwrap_slowly  # type: ignore[method-assign]
    with pytest.raises(Expired):
        await house.open()


async def test_a_record_whose_key_is_gone_has_expired_though_its_row_is_left_R18() -> None:
    house = House()
    await house.observe()
    await house.seal()
    house.restart()
    del house.keys.living[Subject.of_seller(SELLER)]
    with pytest.raises(Expired):
        await house.open()


async def test_reads_are_refused_by_name_after_everything_is_gone_R19() -> None:
    house = House()
    await house.observe()
    await house.seal()
    house.pass_(31 * DAY)
    await house.use.erasing.erase_due(CONSOLE)
    assert house.tables.records == []
    with pytest.raises(Expired):
        await house.open()


async def test_overdue_keys_die_before_the_first_decryption_R19() -> None:
    house = House()
    await house.observe()
    await house.seal()
    house.pass_(20 * DAY)
    later = replace(NAME, order_id="222")
    await house.use.clocks.observe(
        SELLER,
        [replace(seen(house.now, OrderState.UNSHIPPED), order_id=later.order_id)],
        origin=GATEWAY,
    )
    await house.seal(later)
    house.pass_(11 * DAY)
    dead = Subject.of_day(house.tables.records[0].erase_day)
    house.restart()
    assert dead in house.keys.living
    await house.open(later)
    assert dead not in house.keys.living


async def test_while_overdue_keys_cannot_be_destroyed_nothing_is_opened_R19() -> None:
    house = House()
    await house.observe()
    await house.seal()
    house.pass_(20 * DAY)
    await house.observe()
    await house.seal(OTHER)
    house.pass_(11 * DAY)
    house.restart()
    house.audit.is_down = True
    with pytest.raises(AuditUnavailable):
        await house.open(OTHER)
    assert house.keys.unwraps == 2 * 2


async def test_an_old_copy_of_an_order_that_has_not_left_counts_as_not_kept() -> None:
    house = House()
    await house.observe()
    await house.seal()
    house.pass_(timedelta(minutes=10))
    assert await house.open(age_max=timedelta(minutes=10)) == PLAINTEXT
    with pytest.raises(NothingKept):
        await house.open(age_max=timedelta(minutes=9))
    await house.observe(OrderState.SHIPPED, shipped_at=house.now)
    assert await house.open(age_max=timedelta(minutes=9)) == PLAINTEXT


@pytest.mark.parametrize(
    "change",
    [
        {"name": replace(NAME, order_id="other")},
        {"name": replace(NAME, field_set="other")},
        {"fetched_at": None},
        {"expires_at": None},
        {"sealed": b""},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_record_changed_or_moved_does_not_open_and_is_set_aside_T16(
    change: dict[str, object],
) -> None:
    house = House()
    await house.observe()
    await house.seal()
    rows = next(iter(house.tables.partitions.values()))
    given = {key: _later(rows[0], key) if value is None else value for key, value in change.items()}
    rows[0] = replace(rows[0], **given)  # type: ignore[arg-type]
    name = rows[0].name
    clock = house.tables.clocks[SELLER, NAME.order_id]
    house.tables.clocks[SELLER, name.order_id] = replace(clock, order_id=name.order_id)
    with pytest.raises(RecordUnsound) as refusal:
        await house.open(name)
    assert (refusal.value.code, refusal.value.http_status) == ("integrity_failure", 503)
    unwraps = house.keys.unwraps
    with pytest.raises(RecordUnsound):
        await house.open(name)
    assert house.keys.unwraps == unwraps
    assert house.signals.counts["unsound"] == 1


def test_the_places_are_what_stored_values_were_sealed_for_T16() -> None:
    data_key = DataKey(key_id="k", seller_id=SELLER, erase_day=date(2026, 12, 22), wrapped="w")
    moment = datetime(2026, 12, 22, 10, 30, tzinfo=UTC)
    record = Record(
        name=NAME, erase_day=data_key.erase_day, key_id="k", fetched_at=moment - MONTH, expires_at=moment
    )
    assert data_key.place == {"table": "data_keys", "seller": SELLER, "erase_day": "2026-12-22", "key": "k"}
    assert record.place == {
        "table": "records",
        "seller": SELLER,
        "order": NAME.order_id,
        "field_set": NAME.field_set,
        "erase_day": "2026-12-22",
        "key": "k",
        "fetched_at": "2026-11-22T10:30:00.000000+00:00",
        "expires_at": "2026-12-22T10:30:00.000000+00:00",
    }
    assert Probe.place(Subject.of_seller(SELLER)) == {"table": "probes", "subject": f"seller:{SELLER}"}


async def test_another_sellers_ciphertext_does_not_open_T16() -> None:
    house = House()
    await house.observe()
    await house.seal()
    rows = next(iter(house.tables.partitions.values()))
    stolen = replace(NAME, seller_id="seller-2")
    rows[0] = replace(rows[0], name=stolen)
    house.tables.clocks["seller-2", NAME.order_id] = house.tables.clocks[SELLER, NAME.order_id]
    data_key = house.tables.data_keys[rows[0].key_id]
    house.tables.data_keys[rows[0].key_id] = replace(data_key, seller_id="seller-2")
    house.restart()
    with pytest.raises((RecordUnsound, Expired)):
        await house.open(stolen)


async def test_a_fresh_seal_heals_a_record_that_was_set_aside() -> None:
    house = House()
    await house.observe()
    await house.seal()
    rows = next(iter(house.tables.partitions.values()))
    rows[0] = replace(rows[0], sealed=b"torn")
    with pytest.raises(RecordUnsound):
        await house.open()
    await house.seal()
    assert await house.open() == PLAINTEXT


async def test_nothing_is_sealed_under_a_data_key_that_was_changed_T16() -> None:
    house = House()
    await house.observe()
    tear_data_keys(house, erase_day(await house.seal()))
    with pytest.raises(RecordUnsound):
        await house.seal(OTHER)
    assert [record.name for record in house.tables.records] == [NAME]
    assert house.signals.counts["unsound"] == 1


async def test_a_sealed_vault_stops_everything_R06() -> None:
    house = House()
    await house.observe()
    await house.seal()
    house.restart()
    house.keys.error = _sealed_vault()
    for call in (house.open, house.seal):
        with pytest.raises(chassis.errors.Unavailable) as refusal:
            await call()
        assert refusal.value.code == "key_service_unavailable"


async def test_a_key_that_the_key_service_lost_is_no_end_of_the_orders_clock_R20() -> None:
    house = House()
    await house.observe()
    await house.seal()
    house.pass_(2 * DAY)
    await house.observe()
    del house.keys.living[Subject.of_seller(SELLER)]
    with pytest.raises(KeyRetired):
        await house.seal()


async def test_an_unwrapped_key_is_used_for_at_most_a_minute_R06() -> None:
    house = House()
    await house.observe()
    await house.seal()
    house.keys.error = _sealed_vault()
    house.pass_(timedelta(seconds=49))
    assert await house.open() == PLAINTEXT
    house.pass_(timedelta(seconds=1))
    with pytest.raises(chassis.errors.Unavailable):
        await house.open()


@pytest.mark.parametrize("later", [timedelta(0), 2 * DAY], ids=["same day", "another day"])
async def test_nothing_new_is_kept_for_a_seller_who_is_being_erased_T18(later: timedelta) -> None:
    house = House()
    await house.observe()
    await house.seal()
    house.audit.is_down = True
    with pytest.raises(AuditUnavailable):
        await house.use.erasing.erase_seller(SELLER, CONSOLE)
    house.audit.is_down = False
    house.pass_(later)
    await house.observe()
    house.restart()
    with pytest.raises((SubjectClosed, KeyRetired)):
        await house.seal()


async def test_a_key_made_while_its_seller_was_being_erased_does_not_stay_behind_T18() -> None:
    house = House()
    await house.observe()
    create = house.keys.create

    async def create_too_late(subject: Subject) -> None:
        await create(subject)
        if subject == Subject.of_seller(SELLER):
            house.audit.is_down = True
            with pytest.raises(AuditUnavailable):
                await house.use.erasing.erase_seller(SELLER, CONSOLE)
            house.audit.is_down = False

    house.keys.create = create_too_late  # type: ignore[method-assign]
    with pytest.raises(SubjectClosed):
        await house.seal()
    assert Subject.of_seller(SELLER) not in house.keys.living


async def test_a_shorter_term_ends_sooner_and_a_snapshot_sooner_still_R18() -> None:
    house = House(term=Term(days=20, key_snapshot_days=5))
    await house.observe()
    assert await house.seal() == house.now + timedelta(days=15)


async def test_nothing_personal_is_logged_or_shown_T15(caplog: pytest.LogCaptureFixture) -> None:
    house = House()
    with caplog.at_level(logging.DEBUG):
        await house.observe()
        await house.seal()
        opened = await house.use.safe.open(NAME, age_max=None, origin=GATEWAY)
    shown = caplog.text + repr(opened) + repr(house.tables) + repr(house.audit.events)
    assert "Canary" not in shown


def _later(record: object, field: str) -> object:
    return getattr(record, field) + timedelta(hours=1)


def _sealed_vault() -> chassis.errors.SallyportError:
    return chassis.vault.errors.KeyServiceUnavailable()
