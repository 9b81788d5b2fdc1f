"""Names in lists: one that is broken hides no other, and a long list asks the key service seldom."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.errors import Unavailable
from fakes.auth_house import Fuse, House, Person
from services.auth.model.devices import DEVICES_ACTIVE_MAX
from services.auth.model.roles import Role
from services.auth.service.names import DAMAGED

OTHER = "Red Lamp Ltd"
Listing = Callable[[House, Person], Awaitable[list[str]]]


async def shop() -> tuple[House, Person]:
    """Return the owner of a seller with two desktops, and another seller beside."""
    house = House()
    person = await house.person()
    for _ in range(2):
        await house.compat(person)
        house.pass_(timedelta(seconds=1))
    await house.use.admin.create_seller(OTHER)
    return house, person


async def sellers_of_operators(house: House, _: Person) -> list[str]:
    sellers, _more = await house.use.offboarding.list_all()
    return [one.name for one in sellers]


async def sellers_of_staff(house: House, _: Person) -> list[str]:
    sam = await house.staff(Role.SUPPORT)
    sellers, _more = await house.use.people.staff.list_sellers(sam.session_token, "")
    return [one.name for one in sellers]


async def sellers_of_reviews(house: House, _: Person) -> list[str]:
    security = await house.staff()
    rows = [row async for row in house.use.people.reviews.review(security.session_token)]
    return [row.seller_name for row in rows if row.seller_id]


@pytest.mark.parametrize("listing", [sellers_of_operators, sellers_of_staff, sellers_of_reviews])
async def test_a_sellers_changed_name_hides_no_seller_and_raises_the_alarm_T16(listing: Listing) -> None:
    house, person = await shop()
    named = await listing(house, person)
    sellers = house.tables.sellers
    broken = replace(sellers[person.seller_id], name_sealed="vault:v1:changed")
    sellers[person.seller_id] = broken
    assert await listing(house, person) == [DAMAGED if name == "Blue Kettle Ltd" else name for name in named]
    assert house.signals.counts["sealed_damaged",] > 0


async def test_a_devices_changed_name_keeps_nobody_from_ending_it_T16() -> None:
    house, person = await shop()
    broken = next(iter(house.tables.devices.values()))
    house.tables.devices[broken.device_id] = replace(broken, name_sealed="vault:v1:changed")
    listed = await house.use.devices.list_all(person.session_token)
    assert {one.device.device_id: one.name for one in listed}[broken.device_id] == DAMAGED
    assert [one.name for one in listed] == ["Back office", DAMAGED]
    assert house.signals.counts["sealed_damaged",] == 1


async def test_a_persons_changed_name_hides_no_colleague_T16() -> None:
    house, person = await shop()
    ben = await house.colleague(person.seller_id, "Ben Example")
    changed = replace(house.tables.users[ben.user_id], name_sealed="vault:v1:changed")
    house.tables.users[ben.user_id] = changed
    members = await house.use.people.members.list_own(person.session_token)
    assert sorted(one.name for one in members) == [DAMAGED, "Ana Example"]


async def test_a_passkeys_changed_name_hides_no_other_way_in_T16() -> None:
    house, person = await shop()
    (passkey,) = house.tables.passkeys.values()
    house.tables.passkeys[passkey.passkey_id] = replace(passkey, name_sealed="vault:v1:changed")
    ways = await house.use.people.ways_in.list_own(person.session_token)
    assert [one.name for one in ways.passkeys] == [DAMAGED]


async def test_without_the_key_service_no_name_counts_as_damaged_R06() -> None:
    house, _ = await shop()
    house.vault.is_down = True
    with pytest.raises(Unavailable) as refusal:
        await house.use.offboarding.list_all()
    assert refusal.value.code == "key_service_unavailable"
    assert house.signals.counts["sealed_damaged",] == 0


async def test_a_long_list_of_devices_asks_the_key_service_no_oftener_than_a_short_one() -> None:
    """A call for each of two hundred names took longer than whoever asks waits."""
    house = House()
    person = await house.person()
    steps = []
    for devices in (1, DEVICES_ACTIVE_MAX - 1):
        for _ in range(devices):
            await house.compat(person)
        fuse = Fuse()
        await house.replica(fuse).devices.list_all(person.session_token)
        steps.append(fuse.steps)
    assert steps[0] == steps[1]
