"""What the safe promises about keys, days, sellers and erasures, on the fake and on Postgres."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.retention.model.erasures import Stage, Subject
from services.retention.model.errors import SubjectClosed
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
    finished,
    furnish,
    observed,
    open_subjects,
    probe,
    real,
    receipt,
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


# Data keys and subjects


async def test_a_seller_has_one_data_key_a_day_and_the_first_stays(stores: Stores) -> None:
    await furnish(stores)
    assert await stores.data_keys.add_data_key(data_key(7)) == data_key(1)
    assert await stores.data_keys.find_data_key(SELLER, LATE) == data_key(1)
    assert await stores.data_keys.find_data_key(OTHER, LATE) is None


async def test_two_who_make_the_same_key_at_once_get_the_same(stores: Stores) -> None:
    await furnish(stores)
    made = await asyncio.gather(
        *(stores.data_keys.add_data_key(data_key(number, OTHER)) for number in range(20, 28))
    )
    assert len({key.key_id for key in made}) == 1


async def test_a_data_key_needs_its_day_and_seller_to_be_open(stores: Stores) -> None:
    await open_subjects(stores, Subject.of_day(LATE))
    with pytest.raises(SubjectClosed):
        await stores.data_keys.add_data_key(data_key())
    assert await stores.data_keys.find_data_key(SELLER, LATE) is None


async def test_a_subject_is_open_once_it_was_opened(stores: Stores) -> None:
    day = Subject.of_day(LATE)
    assert not await stores.data_keys.is_open(day)
    await stores.data_keys.open_subject(probe(day, "first"), NOW)
    await stores.data_keys.open_subject(probe(day, "second"), NOW)
    assert await stores.data_keys.is_open(day)
    assert await stores.erasures.find_probe(day) == probe(day, "first")


async def test_opening_at_the_same_time_leaves_one_probe(stores: Stores) -> None:
    day = Subject.of_day(LATE)
    await asyncio.gather(
        *(stores.data_keys.open_subject(probe(day, f"{number}"), NOW) for number in range(6))
    )
    assert await stores.data_keys.is_open(day)


async def test_a_day_that_was_closed_never_opens_again(stores: Stores) -> None:
    day = Subject.of_day(LATE)
    await open_subjects(stores, day)
    await finished(stores, day, 10)
    for call in (stores.data_keys.is_open(day), stores.data_keys.open_subject(probe(day), NOW)):
        with pytest.raises(SubjectClosed):
            await call


async def test_a_seller_opens_again_when_the_erasing_is_finished_and_not_before(stores: Stores) -> None:
    seller = Subject.of_seller(SELLER)
    await open_subjects(stores, seller)
    closed = await stores.erasures.close(erasure(seller, 10))
    with pytest.raises(SubjectClosed):
        await stores.data_keys.is_open(seller)
    with pytest.raises(SubjectClosed):
        await stores.data_keys.open_subject(probe(seller, "new"), NOW)
    await stores.erasures.add_receipt(receipt(closed, 13))
    await stores.erasures.finish(closed.erasure_id)
    assert not await stores.data_keys.is_open(seller)
    await stores.data_keys.open_subject(probe(seller, "new"), NOW)
    assert await stores.data_keys.is_open(seller)
    assert await stores.erasures.find_probe(seller) == probe(seller, "new")


# Erasures


async def test_days_are_due_from_their_beginning_until_they_are_erased_oldest_first(stores: Stores) -> None:
    await furnish(stores)
    midnight = datetime(2026, 12, 22, tzinfo=UTC)
    assert await stores.erasures.find_due(midnight - timedelta(seconds=1), 10) == [Subject.of_day(EARLY)]
    assert await stores.erasures.find_due(midnight, 10) == [Subject.of_day(EARLY), Subject.of_day(LATE)]
    assert await stores.erasures.find_due(midnight, 1) == [Subject.of_day(EARLY)]
    await finished(stores, Subject.of_day(EARLY), 10)
    assert await stores.erasures.find_due(midnight, 10) == [Subject.of_day(LATE)]


async def test_an_unfinished_erasure_is_due_until_it_is_reported(stores: Stores) -> None:
    await furnish(stores)
    seller = Subject.of_seller(SELLER)
    closed = await stores.erasures.close(erasure(seller, 10))
    assert await stores.erasures.find_due(NOW, 10) == [seller]
    await stores.erasures.add_receipt(receipt(closed, 13))
    assert await stores.erasures.find_due(NOW, 10) == [seller]
    await stores.erasures.finish(closed.erasure_id)
    assert await stores.erasures.find_due(NOW, 10) == []


async def test_closing_counts_what_is_kept(stores: Stores) -> None:
    known = await furnish(stores)
    await stores.records.put(record(), known)
    await stores.records.put(record(replace(NAME, field_set="b"), 2, EARLY), known)
    day = await stores.erasures.close(erasure(Subject.of_day(LATE), 10))
    assert (day.records, day.data_keys, day.oldest_expires_at) == (1, 1, record().expires_at)
    seller = await stores.erasures.close(erasure(Subject.of_seller(SELLER), 20))
    assert (seller.records, seller.data_keys, seller.oldest_expires_at) == (
        2,
        2,
        record(day=EARLY).expires_at,
    )
    other = await stores.erasures.close(erasure(Subject.of_seller(OTHER), 30))
    assert (other.records, other.data_keys, other.oldest_expires_at) == (0, 0, None)


async def test_closing_again_gives_the_erasure_that_was_begun_R12(stores: Stores) -> None:
    await furnish(stores)
    day = Subject.of_day(LATE)
    first = await stores.erasures.close(erasure(day, 10))
    assert first == replace(erasure(day, 10), data_keys=1)
    assert await stores.erasures.close(erasure(day, 20)) == first
    await stores.erasures.add_receipt(receipt(first, 13))
    assert await stores.erasures.close(erasure(day, 20)) == replace(first, stage=Stage.PROVEN)
    await stores.erasures.finish(first.erasure_id)
    assert await stores.erasures.close(erasure(day, 20)) == replace(first, stage=Stage.REPORTED)


async def test_closing_at_the_same_time_begins_one_erasure(stores: Stores) -> None:
    await furnish(stores)
    day = Subject.of_day(LATE)
    begun = await asyncio.gather(
        *(stores.erasures.close(erasure(day, number)) for number in range(100, 160, 10))
    )
    assert len({each.erasure_id for each in begun}) == 1


async def test_a_seller_can_be_erased_again(stores: Stores) -> None:
    seller = Subject.of_seller(SELLER)
    await open_subjects(stores, seller)
    first = await finished(stores, seller, 10)
    second = await stores.erasures.close(erasure(seller, 20, NOW + DAY))
    assert second.erasure_id != first.erasure_id
    assert second.stage is Stage.CLOSED


async def test_a_seller_erased_while_a_clock_was_ahead_can_be_erased_again_R14(stores: Stores) -> None:
    seller = Subject.of_seller(SELLER)
    await open_subjects(stores, seller)
    ahead = await stores.erasures.close(erasure(seller, 10, NOW + DAY))
    await stores.erasures.add_receipt(receipt(ahead, 13))
    await stores.erasures.finish(ahead.erasure_id)
    await stores.data_keys.open_subject(probe(seller, "new"), NOW)
    again = await stores.erasures.close(erasure(seller, 20))
    assert (again.erasure_id, again.stage) == (erasure(seller, 20).erasure_id, Stage.CLOSED)
    assert await stores.erasures.close(erasure(seller, 30)) == again
    assert (await stores.erasures.add_receipt(receipt(again, 23))).erasure_id == again.erasure_id
    assert await stores.erasures.close(erasure(seller, 30)) == replace(again, stage=Stage.PROVEN)


async def test_something_never_opened_can_be_closed(stores: Stores) -> None:
    seller = Subject.of_seller("seller-9")
    assert not await stores.erasures.is_known(seller)
    await stores.erasures.close(erasure(seller, 10))
    assert await stores.erasures.is_known(seller)
    assert await stores.erasures.find_probe(seller) is None


async def test_dropping_a_day_leaves_no_partition_and_the_other_days(stores: Stores) -> None:
    known = await furnish(stores)
    await stores.records.put(record(), known)
    early = replace(NAME, field_set="b")
    await stores.records.put(record(early, 2, EARLY), known)
    day = Subject.of_day(LATE)
    await stores.erasures.close(erasure(day, 10))
    assert await stores.erasures.count_rows(day) == 2
    for _ in range(2):
        await stores.erasures.drop(day)
        assert await stores.erasures.count_rows(day) is None
    assert (await stores.records.find(NAME)).kept is None
    assert (await stores.records.find(early)).kept is not None
    assert await stores.erasures.find_probe(day) == probe(day)


async def test_dropping_a_seller_leaves_the_other_sellers(stores: Stores) -> None:
    await stores.records.put(record(), await furnish(stores))
    await stores.data_keys.add_data_key(data_key(3, OTHER))
    theirs = replace(NAME, seller_id=OTHER)
    await stores.records.put(record(theirs, 3), await observed(stores, clock(seller_id=OTHER)))
    seller = Subject.of_seller(SELLER)
    await stores.erasures.close(erasure(seller, 10))
    for _ in range(2):
        await stores.erasures.drop(seller)
        assert await stores.erasures.count_rows(seller) == 0
    assert await stores.records.find(NAME) == Found(None, None)
    assert (await stores.records.find(theirs)).kept is not None


async def test_a_day_without_rows_still_has_its_partition(stores: Stores) -> None:
    await open_subjects(stores, Subject.of_day(LATE))
    assert await stores.erasures.count_rows(Subject.of_day(LATE)) == 0
    assert await stores.erasures.count_rows(Subject.of_day(EARLY)) is None


async def test_an_erasure_has_one_receipt_and_the_first_stays(stores: Stores) -> None:
    day = Subject.of_day(LATE)
    await open_subjects(stores, day)
    closed = await stores.erasures.close(erasure(day, 10))
    first = await stores.erasures.add_receipt(receipt(closed, 13))
    assert first == receipt(closed, 13)
    assert await stores.erasures.add_receipt(receipt(closed, 14)) == first
    assert await stores.erasures.find_receipt(closed.erasure_id) == first


async def test_receipts_are_listed_newest_first_and_bounded(stores: Stores) -> None:
    listed = []
    for number in range(3):
        subject = Subject.of_seller(f"seller-{number}")
        closed = await stores.erasures.close(erasure(subject, 10 * number + 10))
        listed.append(
            await stores.erasures.add_receipt(receipt(closed, 10 * number + 13, NOW + number * DAY))
        )
    assert await stores.erasures.list_receipts(2) == [listed[2], listed[1]]
