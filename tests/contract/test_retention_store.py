"""What the safe promises about clocks and records, on the fake and on Postgres."""

import asyncio
from dataclasses import replace

import pytest

from services.retention.model.erasures import Subject
from services.retention.model.errors import KeyRetired, OrderContended
from services.retention.model.records import Found
from tests.conftest import PoolFor
from tests.contract.retention_rows import (
    DAY,
    EARLY,
    LATE,
    NAME,
    NOW,
    OTHER,
    SELLER,
    Stores,
    clock,
    data_key,
    erasure,
    fake,
    furnish,
    observed,
    real,
    record,
)


@pytest.fixture
def fake_stores() -> Stores:
    return fake()


@pytest.fixture
async def real_stores(pool_for: PoolFor) -> Stores:
    return real(await pool_for("retention"))


@pytest.fixture(params=["fake_stores", "real_stores"])
def stores(request: pytest.FixtureRequest) -> Stores:
    chosen: Stores = request.getfixturevalue(request.param)
    return chosen


# Clocks


async def test_clocks_come_back_as_they_were_saved_with_the_next_revision(stores: Stores) -> None:
    left = replace(clock("b"), unshipped_at=None, left_at=NOW, is_move_due=True)
    await stores.records.save_clocks([clock("a"), left])
    known = await stores.records.find_clocks(SELLER, ["b", "absent", "a"])
    assert known == {"a": replace(clock("a"), revision=1), "b": replace(left, revision=1)}
    assert await stores.records.find_clocks(OTHER, ["a", "b"]) == {}


async def test_a_clock_that_changed_meanwhile_is_not_overwritten(stores: Stores) -> None:
    first = await observed(stores, clock())
    await stores.records.save_clocks([replace(first, left_at=NOW)])
    with pytest.raises(OrderContended):
        await stores.records.save_clocks([replace(first, left_at=NOW + DAY)])
    assert (await stores.records.find_clocks(SELLER, [NAME.order_id]))[NAME.order_id].left_at == NOW


async def test_a_clock_that_came_meanwhile_is_not_overwritten(stores: Stores) -> None:
    await stores.records.save_clocks([clock()])
    with pytest.raises(OrderContended):
        await stores.records.save_clocks([clock()])


async def test_clocks_are_saved_all_or_none(stores: Stores) -> None:
    await stores.records.save_clocks([clock("b")])
    with pytest.raises(OrderContended):
        await stores.records.save_clocks([clock("a"), clock("b"), clock("c")])
    assert set(await stores.records.find_clocks(SELLER, ["a", "b", "c"])) == {"b"}


async def test_clocks_that_ended_long_ago_are_purged_oldest_first(stores: Stores) -> None:
    for days in (3, 1, 2):
        await stores.records.save_clocks([replace(clock(f"{days}"), expires_at=NOW + days * DAY)])
    assert await stores.records.purge_clocks(NOW + 3 * DAY, 1) == 1
    assert set(await stores.records.find_clocks(SELLER, ["1", "2", "3"])) == {"2", "3"}
    assert await stores.records.purge_clocks(NOW + 3 * DAY, 10) == 1
    assert set(await stores.records.find_clocks(SELLER, ["1", "2", "3"])) == {"3"}


# Records


async def test_nothing_is_known_under_a_fresh_name(stores: Stores) -> None:
    assert await stores.records.find(NAME) == Found(None, None)


async def test_a_record_comes_back_as_it_was_put_with_its_key_and_clock(stores: Stores) -> None:
    known = await furnish(stores)
    await stores.records.put(record(), known)
    found = await stores.records.find(NAME)
    assert found.kept is not None
    assert found.kept.record == record()
    assert found.kept.data_key == data_key()
    assert found.clock == known
    assert await stores.records.find(replace(NAME, seller_id=OTHER)) == Found(None, None)
    assert (await stores.records.find(replace(NAME, field_set="other"))).kept is None


async def test_a_record_is_put_in_place_of_the_one_under_another_day(stores: Stores) -> None:
    await stores.records.put(record(), await furnish(stores))
    known = (await stores.records.find(NAME)).clock
    assert known is not None
    await stores.records.put(record(key=2, day=EARLY), known)
    found = await stores.records.find(NAME)
    assert found.kept is not None
    assert found.kept.record == record(key=2, day=EARLY)
    assert await stores.erasures.count_rows(Subject.of_day(LATE)) == 1


async def test_records_put_at_the_same_time_do_not_hold_each_other_up(stores: Stores) -> None:
    known = await furnish(stores)
    names = [replace(NAME, field_set=f"set-{number % 5}") for number in range(10)]
    await asyncio.gather(*(stores.records.put(record(name), known) for name in names))
    assert await stores.erasures.count_rows(Subject.of_day(LATE)) == 5 + 1


async def test_a_record_decided_by_an_old_clock_is_not_put(stores: Stores) -> None:
    known = await furnish(stores)
    await stores.records.save_clocks([replace(known, left_at=NOW)])
    with pytest.raises(OrderContended):
        await stores.records.put(record(), known)
    assert (await stores.records.find(NAME)).kept is None


async def test_a_record_under_a_key_that_is_gone_is_not_put(stores: Stores) -> None:
    known = await furnish(stores)
    with pytest.raises(KeyRetired):
        await stores.records.put(record(key=9), known)


@pytest.mark.parametrize("subject", [Subject.of_day(LATE), Subject.of_seller(SELLER)], ids=str)
async def test_a_record_under_a_closed_subject_is_not_put_and_the_old_one_stays(
    stores: Stores, subject: Subject
) -> None:
    known = await furnish(stores)
    await stores.records.put(record(), known)
    await stores.erasures.close(erasure(subject, 10))
    with pytest.raises(KeyRetired):
        await stores.records.put(record(), known)
    assert (await stores.records.find(NAME)).kept is not None


async def test_a_record_set_aside_is_marked(stores: Stores) -> None:
    await stores.records.put(record(), await furnish(stores))
    await stores.records.set_aside(record())
    found = await stores.records.find(NAME)
    assert found.kept is not None
    assert found.kept.record == replace(record(), is_unsound=True)


async def test_stale_records_are_moved_in_one_piece(stores: Stores) -> None:
    known = await furnish(stores)
    await stores.records.put(record(), known)
    fine = replace(NAME, field_set="early")
    await stores.records.put(record(fine, 2, EARLY), known)
    earlier = replace(
        known,
        left_at=NOW,
        expires_at=record(day=EARLY).expires_at,
        is_move_due=True,
    )
    await stores.records.save_clocks([earlier])
    (due,) = await stores.records.find_moves(10)
    (stale,) = await stores.records.find_stale(due, 10)
    assert (stale.record, stale.data_key) == (record(), data_key())
    moved = record(key=2, day=EARLY)
    await stores.records.move(replace(due, is_move_due=False), stale=[stale.record], fresh=[moved])
    found = await stores.records.find(NAME)
    assert found.kept is not None
    assert found.kept.record == moved
    assert found.clock == replace(due, is_move_due=False, revision=due.revision + 1)
    assert await stores.records.find_moves(10) == []


async def test_a_move_decided_by_an_old_clock_changes_nothing(stores: Stores) -> None:
    known = await furnish(stores)
    await stores.records.put(record(), known)
    await stores.records.save_clocks([replace(known, left_at=NOW)])
    with pytest.raises(OrderContended):
        await stores.records.move(known, stale=[record()], fresh=[])
    assert (await stores.records.find(NAME)).kept is not None


async def test_a_move_to_a_closed_day_changes_nothing(stores: Stores) -> None:
    known = await furnish(stores)
    await stores.records.put(record(), known)
    await stores.erasures.close(erasure(Subject.of_day(EARLY), 10))
    with pytest.raises(KeyRetired):
        await stores.records.move(known, stale=[record()], fresh=[record(key=2, day=EARLY)])
    found = await stores.records.find(NAME)
    assert found.kept is not None
    assert found.kept.record == record()


async def test_moves_and_stale_records_come_in_bounded_portions(stores: Stores) -> None:
    known = await furnish(stores)
    for number in range(3):
        name = replace(NAME, field_set=f"set-{number}")
        await stores.records.put(record(name), known)
        await stores.records.save_clocks([replace(clock(f"due-{number}"), is_move_due=True)])
    assert [due.order_id for due in await stores.records.find_moves(2)] == ["due-0", "due-1"]
    stale = await stores.records.find_stale(replace(known, expires_at=NOW), 2)
    assert [kept.record.name.field_set for kept in stale] == ["set-0", "set-1"]


async def test_the_oldest_copy_is_found(stores: Stores) -> None:
    assert await stores.records.oldest_fetched_at() is None
    known = await furnish(stores)
    await stores.records.put(record(), known)
    older = replace(record(replace(NAME, field_set="b"), 2, EARLY), fetched_at=NOW - DAY)
    await stores.records.put(older, known)
    assert await stores.records.oldest_fetched_at() == NOW - DAY
