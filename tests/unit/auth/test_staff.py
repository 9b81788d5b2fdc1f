"""What the vendor's staff sees of sellers, and the devices that it ends."""

from datetime import timedelta

import pytest

from fakes.auth_house import DE, House, Person
from services.auth.model.audit import Kind
from services.auth.model.refusals import DeviceNotFound, DeviceRevoked, InvalidName, SellerNotFound
from services.auth.model.reviews import SELLERS_PAGE_MAX
from services.auth.model.roles import Role

NOBODY = "0190b2f0-0000-7000-8000-000000000000"


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def support(house: House) -> Person:
    return await house.staff(Role.SUPPORT)


async def test_staff_sees_sellers_in_numbers(house: House, support: Person) -> None:
    owner = await house.person("Blue Kettle Ltd")
    await house.connect(owner)
    first_ends = house.clock.now() + timedelta(days=365)
    house.pass_(timedelta(hours=1))
    await house.connect(owner, DE)
    await house.bound(owner)
    (shown,), has_more = await house.use.people.staff.list_sellers(support.session_token, "")
    summary = shown.summary
    assert (shown.name, summary.seller.seller_id, has_more) == ("Blue Kettle Ltd", owner.seller_id, False)
    assert (summary.active_consents, summary.active_devices) == (2, 1)
    assert summary.next_consent_ends_at == first_ends


async def test_sellers_come_in_pages_and_none_is_left_out_or_told_twice(
    house: House, support: Person
) -> None:
    made = {await house.use.admin.create_seller(f"Seller {number}") for number in range(SELLERS_PAGE_MAX + 5)}
    page, has_more = await house.use.people.staff.list_sellers(support.session_token, "")
    assert (len(page), has_more) == (SELLERS_PAGE_MAX, True)
    after = page[-1].summary.seller.seller_id
    rest, has_more = await house.use.people.staff.list_sellers(support.session_token, after)
    assert not has_more
    assert [one.summary.seller.seller_id for one in (*page, *rest)] == sorted(made)
    with pytest.raises(SellerNotFound):
        await house.use.people.staff.list_sellers(support.session_token, "no id")


async def test_staff_sees_one_seller_without_the_accounts_at_amazon_T06(
    house: House, support: Person
) -> None:
    owner = await house.person()
    await house.connect(owner, selling_partner_id="A1SECRETPARTNER")
    desktop = await house.bound(owner)
    view = await house.use.people.staff.view_seller(support.session_token, owner.seller_id)
    assert [one.selling_partner_id for one in view.consents] == [""]
    assert [one.device.device_id for one in view.devices] == [desktop.device_id]
    assert [one.name for one in view.members] == ["Ana Example"]
    assert "A1SECRETPARTNER" not in repr(view)


@pytest.mark.parametrize("seller_id", [NOBODY, "no id", ""])
async def test_an_absent_seller_is_not_seen(house: House, support: Person, seller_id: str) -> None:
    with pytest.raises(SellerNotFound):
        await house.use.people.staff.view_seller(support.session_token, seller_id)


async def test_a_seller_who_left_is_not_seen(house: House, support: Person) -> None:
    owner = await house.person()
    await house.use.offboarding.offboard(owner.seller_id, reason="Left")
    assert await house.use.people.staff.list_sellers(support.session_token, "") == ([], False)
    with pytest.raises(SellerNotFound):
        await house.use.people.staff.view_seller(support.session_token, owner.seller_id)


async def test_staff_ends_a_device_with_a_reason(house: House, support: Person) -> None:
    owner = await house.person()
    desktop = await house.bound(owner)
    staff = house.use.people.staff
    with pytest.raises(InvalidName):
        await staff.revoke_device(support.session_token, owner.seller_id, desktop.device_id, reason="")
    await staff.revoke_device(
        support.session_token, owner.seller_id, desktop.device_id, reason="Reported stolen"
    )
    with pytest.raises(DeviceRevoked):
        await house.use.tokens.introspect(desktop.tokens.access_token)
    intent, _ = house.audit.details(Kind.DEVICE_REVOKED)
    assert intent["reason"] == "Reported stolen"
    assert house.signals.counts["ended", "device", "vendor"] == 1
    await staff.revoke_device(support.session_token, owner.seller_id, desktop.device_id, reason="Again")


async def test_a_device_is_ended_under_its_own_seller_only_T07(house: House, support: Person) -> None:
    owner, stranger = await house.person(), await house.person("Another Ltd")
    desktop = await house.bound(owner)
    for seller_id, device_id in ((stranger.seller_id, desktop.device_id), (owner.seller_id, NOBODY)):
        with pytest.raises(DeviceNotFound):
            await house.use.people.staff.revoke_device(
                support.session_token, seller_id, device_id, reason="Reported stolen"
            )
