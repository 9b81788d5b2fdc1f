"""The quarterly review of who has access to what: complete, on record, and missed when it is overdue."""

from contextlib import aclosing
from datetime import timedelta
from itertools import pairwise

import pytest

from fakes.auth_house import House
from services.auth.model import reviews
from services.auth.model.audit import Kind, Phase
from services.auth.model.reviews import MEMBERS_PAGE_MAX, REVIEW_PERIOD, AccessRow
from services.auth.model.roles import Role
from tests.unit.auth.holders import set_password


@pytest.fixture
def house() -> House:
    return House()


async def export(house: House) -> list[AccessRow]:
    return [row async for row in house.use.people.reviews.export()]


async def test_a_review_tells_every_person_and_every_active_device(house: House) -> None:
    auditor = await house.staff(Role.AUDITOR)
    owner = await house.person("Blue Kettle Ltd", "Ana Example")
    await set_password(house, owner.session_token)
    kept, lost = await house.bound(owner, "kept"), await house.bound(owner, "lost")
    await house.use.devices.revoke(owner.session_token, lost.device_id)
    rows = [row async for row in house.use.people.reviews.review(auditor.session_token)]
    told = {(row.user_id, row.device_id): row for row in rows}
    assert set(told) == {(auditor.user_id, ""), (owner.user_id, ""), (owner.user_id, kept.device_id)}
    own, device = told[owner.user_id, ""], told[owner.user_id, kept.device_id]
    assert (own.seller_name, own.user_name, own.role) == ("Blue Kettle Ltd", "Ana Example", Role.OWNER)
    assert own.credentials == ("passkey", "password")
    assert (device.device_name, device.scopes) == ("Packing table", ("orders",))
    assert (told[auditor.user_id, ""].seller_id, told[auditor.user_id, ""].seller_name) == ("", "")
    assert own.used_at is not None
    assert "Ana" not in repr(rows)


async def test_more_people_than_a_page_are_told_once_each(house: House) -> None:
    owner = await house.person()
    for number in range(MEMBERS_PAGE_MAX + 3):
        await house.invite(owner.seller_id, f"Person {number}")
    user_ids = [row.user_id for row in await export(house)]
    assert len(user_ids) == MEMBERS_PAGE_MAX + 4
    assert all(before < after for before, after in pairwise(user_ids))


async def test_a_review_is_on_record_once_its_last_row_was_taken(house: House) -> None:
    auditor = await house.staff(Role.AUDITOR)
    _ = [row async for row in house.use.people.reviews.review(auditor.session_token)]
    assert house.audit.told(Kind.ACCESS_REVIEWED) == [(Phase.INTENT, ""), (Phase.OUTCOME, "done")]
    (reviewed,) = house.tables.reviews.values()
    assert (reviewed[0].kind, reviewed[0].actor_id) == ("user", auditor.user_id)


async def test_half_a_review_is_none(house: House) -> None:
    await house.person()
    await house.colleague((await house.person()).seller_id)
    async with aclosing(house.use.people.reviews.export()) as rows:
        await anext(rows)
    assert house.audit.told(Kind.ACCESS_REVIEWED) == [(Phase.INTENT, "")]
    assert not house.tables.reviews


async def test_no_row_leaves_while_the_audit_log_is_down_R02(house: House) -> None:
    house.audit.is_down = True
    with pytest.raises(Exception, match="audit log"):
        await export(house)


async def test_a_review_is_overdue_after_a_quarter(house: House) -> None:
    watch = house.use.people.reviews.watch
    assert await watch() == 0
    await house.person()
    house.pass_(REVIEW_PERIOD)
    await watch()
    assert house.signals.access_review == (REVIEW_PERIOD.total_seconds(), False)
    house.pass_(timedelta(seconds=1))
    await watch()
    assert house.signals.access_review == (REVIEW_PERIOD.total_seconds() + 1, True)
    await export(house)
    await watch()
    assert house.signals.access_review == (0, False)


def test_a_quarter_is_that_of_the_policy() -> None:
    assert timedelta(days=92) == reviews.REVIEW_PERIOD


async def test_a_seller_who_leaves_while_the_review_goes_on_has_rows_without_names(house: House) -> None:
    owner = await house.person()
    await house.vault.destroy_key(owner.seller_id)
    (row,) = await export(house)
    assert (row.user_id, row.user_name, row.seller_name) == (owner.user_id, "", "")
