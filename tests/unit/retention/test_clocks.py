"""What observations do to clocks and to what lies under them."""

from dataclasses import replace
from datetime import timedelta

import pytest

import chassis.vault.errors
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
from services.retention.model.audit import Kind, Phase, Result
from services.retention.model.erasures import Subject
from services.retention.model.errors import Expired, NameInvalid, NothingKept, RequestInvalid
from services.retention.model.orders import OBSERVATIONS_MAX, OrderState, erase_day
from services.retention.model.records import RecordName

MONTH = timedelta(days=30)
OTHER = replace(NAME, field_set="ordersV0.getOrderBuyerInfo")


async def sealed_house() -> House:
    """Return a house with two records of an order seen unshipped, then five days gone by."""
    house = House()
    await house.observe()
    await house.seal()
    await house.seal(OTHER, b"buyer info")
    house.pass_(5 * DAY)
    return house


async def test_records_move_to_the_earlier_day_their_order_allows_R18() -> None:
    house = await sealed_house()
    before = house.tables.records
    shipped_at = house.now - 6 * DAY
    await house.observe(OrderState.SHIPPED, shipped_at=shipped_at)
    after = house.tables.records
    assert {record.expires_at for record in after} == {shipped_at + MONTH}
    assert {record.erase_day for record in after} == {erase_day(shipped_at + MONTH)}
    assert {record.sealed for record in after}.isdisjoint(record.sealed for record in before)
    assert await house.open() == PLAINTEXT
    assert await house.open(OTHER) == b"buyer info"
    assert house.signals.counts["moved"] == 2


async def test_a_moved_record_keeps_the_time_of_its_fetch() -> None:
    house = await sealed_house()
    fetched_at = house.tables.records[0].fetched_at
    await house.observe(OrderState.SHIPPED, shipped_at=house.now - 6 * DAY)
    assert {record.fetched_at for record in house.tables.records} == {fetched_at}


async def test_a_moved_record_dies_with_its_new_day() -> None:
    house = await sealed_house()
    await house.observe(OrderState.SHIPPED, shipped_at=house.now - 6 * DAY)
    house.pass_(24 * DAY)
    await house.use.erasing.erase_due(CONSOLE)
    assert house.tables.records == []


async def test_a_record_dead_by_its_orders_new_clock_is_removed_at_once() -> None:
    house = await sealed_house()
    await house.observe(OrderState.SHIPPED, shipped_at=house.now - 31 * DAY)
    assert house.tables.records == []
    with pytest.raises(Expired):
        await house.open()


async def test_an_observation_that_changes_nothing_moves_nothing() -> None:
    house = await sealed_house()
    before = house.tables.records
    await house.observe(OrderState.SHIPPED, shipped_at=house.now)
    assert house.tables.records == before


async def test_a_move_is_audited_with_its_count() -> None:
    house = await sealed_house()
    house.audit.events.clear()
    await house.observe(OrderState.SHIPPED, shipped_at=house.now - 6 * DAY)
    assert house.audit.told() == [
        (Kind.RECORD_MOVED, Phase.INTENT, ""),
        (Kind.RECORD_MOVED, Phase.OUTCOME, Result.DONE),
    ]
    assert house.audit.of(Kind.RECORD_MOVED)[0].details == {"order_id": NAME.order_id, "records": "2"}


@pytest.mark.parametrize("missing", ["audit", "keys"])
async def test_reads_obey_an_observation_before_its_records_could_be_moved_R02_R06(missing: str) -> None:
    house = await sealed_house()
    house.restart()
    house.audit.is_down = missing == "audit"
    house.keys.error = chassis.vault.errors.KeyServiceUnavailable() if missing == "keys" else None
    shipped_at = house.now - 20 * DAY
    await house.observe(OrderState.SHIPPED, shipped_at=shipped_at)
    house.audit.is_down, house.keys.error = False, None
    house.clock.set_now(shipped_at + MONTH)
    with pytest.raises(Expired):
        await house.open()


async def test_a_move_that_was_held_up_is_made_up_for_R12() -> None:
    house = await sealed_house()
    house.audit.is_down = True
    await house.observe(OrderState.SHIPPED, shipped_at=house.now - 6 * DAY)
    assert house.tables.clocks[SELLER, NAME.order_id].is_move_due
    house.audit.is_down = False
    house.restart()
    assert await house.use.clocks.move_due(CONSOLE) == 1
    assert not house.tables.clocks[SELLER, NAME.order_id].is_move_due
    assert {record.expires_at for record in house.tables.records} == {house.now - 6 * DAY + MONTH}
    assert await house.use.clocks.move_due(CONSOLE) == 0


async def test_an_order_whose_key_is_missing_does_not_hold_up_the_others_R18() -> None:
    house = await sealed_house()
    first, last = replace(NAME, order_id="000-first"), replace(NAME, order_id="999-last")

    async def leaves(name: RecordName, days_ago: int) -> None:
        left = seen(house.now, OrderState.SHIPPED, shipped_at=house.now - days_ago * DAY)
        await house.use.clocks.observe(SELLER, [replace(left, order_id=name.order_id)], origin=GATEWAY)

    for name in (first, last):
        arrived = replace(seen(house.now, OrderState.UNSHIPPED), order_id=name.order_id)
        await house.use.clocks.observe(SELLER, [arrived], origin=GATEWAY)
        await house.seal(name)
    await leaves(NAME, 6)
    del house.keys.living[Subject.of_day(erase_day(house.now - 6 * DAY + MONTH))]
    house.restart()
    house.audit.is_down = True
    await leaves(first, 6)
    await leaves(last, 7)
    house.audit.is_down = False
    assert await house.use.clocks.move_due(CONSOLE) == 2
    assert house.tables.clocks[SELLER, first.order_id].is_move_due
    assert not house.tables.clocks[SELLER, last.order_id].is_move_due


async def test_a_record_that_does_not_open_is_not_moved_but_removed_T16() -> None:
    house = await sealed_house()
    rows = next(iter(house.tables.partitions.values()))
    rows[:] = [replace(row, sealed=b"torn") if row.name == NAME else row for row in rows]
    await house.observe(OrderState.SHIPPED, shipped_at=house.now - 6 * DAY)
    assert [record.name for record in house.tables.records] == [OTHER]
    assert house.signals.counts["unsound"] == 1


async def test_a_record_whose_new_days_key_was_changed_is_removed_and_not_left_under_a_later_T16() -> None:
    house = await sealed_house()
    shipped_at = house.now - 6 * DAY
    neighbour = replace(NAME, order_id="neighbour")
    left = seen(house.now, OrderState.SHIPPED, shipped_at=shipped_at)
    await house.use.clocks.observe(SELLER, [replace(left, order_id="neighbour")], origin=GATEWAY)
    await house.seal(neighbour)
    tear_data_keys(house, erase_day(shipped_at + MONTH))
    await house.observe(OrderState.SHIPPED, shipped_at=shipped_at)
    assert [record.name for record in house.tables.records] == [neighbour]
    assert not house.tables.clocks[SELLER, NAME.order_id].is_move_due
    assert house.signals.counts["unsound"] == 2


async def test_more_records_than_fit_a_turn_are_moved_in_several() -> None:
    house = House()
    await house.observe()
    for number in range(70):
        await house.seal(replace(NAME, field_set=f"set-{number:02}"))
    await house.observe(OrderState.SHIPPED, shipped_at=house.now - 6 * DAY)
    assert house.tables.clocks[SELLER, NAME.order_id].is_move_due
    await house.use.clocks.move_due(CONSOLE)
    assert not house.tables.clocks[SELLER, NAME.order_id].is_move_due
    assert {record.expires_at for record in house.tables.records} == {house.now - 6 * DAY + MONTH}
    assert len(house.tables.records) == 70


async def test_observations_of_one_order_in_one_request_count_in_turn() -> None:
    house = House()
    told = [
        seen(house.now, OrderState.UNSHIPPED),
        seen(house.now, OrderState.SHIPPED, shipped_at=house.now - DAY),
        seen(house.now, OrderState.SHIPPED, shipped_at=house.now - 2 * DAY),
    ]
    await house.use.clocks.observe(SELLER, told, origin=GATEWAY)
    assert house.tables.clocks[SELLER, NAME.order_id].left_at == house.now - 2 * DAY


async def test_an_order_that_cannot_be_dated_does_not_spoil_the_others() -> None:
    house = House()
    told = [
        replace(seen(house.now, OrderState.SHIPPED, purchased_at=None), order_id="undated"),
        seen(house.now, OrderState.UNSHIPPED),
    ]
    await house.use.clocks.observe(SELLER, told, origin=GATEWAY)
    assert [order_id for _, order_id in house.tables.clocks] == [NAME.order_id]


async def test_one_sellers_observations_do_not_touch_anothers_orders_T07() -> None:
    house = await sealed_house()
    told = [seen(house.now, OrderState.SHIPPED, shipped_at=house.now - 31 * DAY)]
    await house.use.clocks.observe("seller-2", told, origin=GATEWAY)
    assert await house.open() == PLAINTEXT


@pytest.mark.parametrize("count", [0, OBSERVATIONS_MAX + 1])
async def test_no_or_too_many_observations_are_refused_T10(count: int) -> None:
    house = House()
    with pytest.raises(RequestInvalid):
        await house.use.clocks.observe(
            SELLER, [seen(house.now, OrderState.UNSHIPPED)] * count, origin=GATEWAY
        )


@pytest.mark.parametrize(("seller_id", "order_id"), [(SELLER, "a b"), ("a/b", NAME.order_id)])
async def test_an_id_out_of_form_is_refused_T10(seller_id: str, order_id: str) -> None:
    house = House()
    told = [replace(seen(house.now, OrderState.UNSHIPPED), order_id=order_id)]
    with pytest.raises(NameInvalid):
        await house.use.clocks.observe(seller_id, told, origin=GATEWAY)
    with pytest.raises(NameInvalid):
        await house.use.clocks.find(seller_id, [order_id])
    assert house.tables.clocks == {}


async def test_an_observation_that_tells_nothing_new_writes_nothing() -> None:
    house = await sealed_house()
    await house.observe()
    before = dict(house.tables.clocks)
    await house.observe()
    assert house.tables.clocks == before


async def test_an_order_that_leaves_without_a_copy_moves_nothing_and_is_not_audited() -> None:
    house = House()
    await house.observe()
    await house.observe(OrderState.SHIPPED, shipped_at=house.now - 6 * DAY)
    assert not house.tables.clocks[SELLER, NAME.order_id].is_move_due
    assert house.audit.of(Kind.RECORD_MOVED) == []


async def test_an_observed_order_without_a_copy_has_nothing_kept() -> None:
    house = House()
    await house.observe()
    with pytest.raises(NothingKept):
        await house.open()


async def test_whoever_tells_of_an_order_hears_its_clock_and_may_ask_for_it_again_R19() -> None:
    house = House()
    told = [seen(house.now, OrderState.SHIPPED, shipped_at=house.now)]
    (clock,) = await house.use.clocks.observe(SELLER, told, origin=GATEWAY)
    assert clock.left_at == house.now
    (found,) = await house.use.clocks.find(SELLER, [NAME.order_id, "unheard-of"])
    assert found.expires_at == clock.expires_at


async def test_clocks_are_asked_for_within_bounds() -> None:
    house = House()
    for order_ids in ([], ["1"] * 201):
        with pytest.raises(RequestInvalid):
            await house.use.clocks.find(SELLER, order_ids)
