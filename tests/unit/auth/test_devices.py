"""What is known of devices, what people withhold from them, and how many there may be."""

import asyncio

import pytest

from chassis.secrecy import Secret
from fakes.auth_house import CLIENT_ID, FACTS, House, redemption, thumbprint
from services.auth.model.audit import Kind, Phase
from services.auth.model.device_facts import DeviceFacts, KeyStorage, Platform, device_facts
from services.auth.model.device_refusals import InvalidDeviceFacts, ScopeWithheld
from services.auth.model.devices import DEVICES_ACTIVE_MAX
from services.auth.model.refusals import (
    DeviceNotFound,
    DevicesFull,
    InvalidChallenge,
    InvalidGrant,
    InvalidScope,
    SessionInvalid,
)


async def test_what_a_desktop_says_about_itself_is_shown() -> None:
    house = House()
    person = await house.person()
    code = await house.authorize(person, facts=FACTS)
    await house.use.enrolment.exchange(redemption(code))
    (named,) = await house.use.devices.list_all(person.session_token)
    assert named.device.facts == FACTS


async def test_the_version_follows_the_application() -> None:
    house = House()
    person = await house.person()
    desktop = await house.granted(person)
    for told, known in (("", "4.2.0"), ("4.3.0", "4.3.0"), ("", "4.3.0")):
        tokens = await house.use.tokens.refresh_bound(
            CLIENT_ID, desktop.tokens.refresh_token, desktop.key, app_version=told
        )
        desktop = type(desktop)(desktop.device_id, desktop.key, desktop.code, tokens)
        (named,) = await house.use.devices.list_all(person.session_token)
        assert named.device.facts.app_version == known
    with pytest.raises(InvalidDeviceFacts):
        await house.use.tokens.refresh_bound(
            CLIENT_ID, desktop.tokens.refresh_token, desktop.key, app_version="4.3.0\n"
        )


def test_facts_are_known_words_or_nothing() -> None:
    assert device_facts("", "", "") == DeviceFacts()
    assert device_facts("macos", "1.0-beta+arm64", "os_keystore") == DeviceFacts(
        platform=Platform.MACOS, app_version="1.0-beta+arm64", key_storage=KeyStorage.OS_KEYSTORE
    )


@pytest.mark.parametrize(
    "words",
    [
        ("beos", "", ""),
        ("Windows", "", ""),
        ("", "v 1", ""),
        ("", "1" * 33, ""),
        ("", "-1", ""),
        ("", "", "tpm"),
    ],
)
def test_facts_in_other_words_are_refused_T10(words: tuple[str, str, str]) -> None:
    with pytest.raises(InvalidDeviceFacts):
        device_facts(*words)


async def test_a_code_for_one_key_works_for_no_other_T04() -> None:
    house = House()
    person = await house.person()
    code = await house.authorize(person, key_thumbprint=thumbprint("first"))
    with pytest.raises(InvalidGrant):
        await house.use.enrolment.exchange(redemption(code, key="thief"))
    with pytest.raises(InvalidGrant):
        await house.use.enrolment.exchange(redemption(code))
    code = await house.authorize(person, key_thumbprint=thumbprint("first"))
    assert (await house.use.enrolment.exchange(redemption(code))).scopes == ("orders",)
    with pytest.raises(InvalidChallenge):
        await house.authorize(person, key_thumbprint="short")


async def test_a_person_takes_a_scope_away_at_once_and_for_good() -> None:
    house = House()
    person = await house.person()
    desktop = await house.bound(person)

    async def allow(*scopes: str) -> None:
        await house.use.admin.set_device_scopes(
            person.seller_id, desktop.device_id, scopes, reason="Contract 17"
        )

    await allow("orders", "pii")
    watcher = house.use.news.watch()
    await house.use.devices.withhold(person.session_token, desktop.device_id, ("pii",))
    assert (await watcher.next()).device_id == desktop.device_id
    device = (await house.use.tokens.introspect(desktop.tokens.access_token)).named.device
    assert (device.scopes, device.withheld_scopes) == (("orders",), ("pii",))
    with pytest.raises(ScopeWithheld):
        await allow("orders", "pii")
    await allow("orders")
    assert house.audit.told(Kind.SCOPES_WITHHELD) == [(Phase.INTENT, ""), (Phase.OUTCOME, "done")]


async def test_a_scope_may_be_withheld_before_anybody_gave_it() -> None:
    house = House()
    person = await house.person()
    code = await house.authorize(person, withheld_scopes=("pii",))
    tokens = await house.use.enrolment.exchange(redemption(code))
    device = (await house.use.tokens.introspect(tokens.access_token)).named.device
    assert device.withheld_scopes == ("pii",)


@pytest.mark.parametrize("scopes", [(), ("orders",), ("orders", "pii"), ("everything",)])
async def test_a_device_is_left_with_something(scopes: tuple[str, ...]) -> None:
    house = House()
    person = await house.person()
    desktop = await house.bound(person)
    with pytest.raises(InvalidScope):
        await house.use.devices.withhold(person.session_token, desktop.device_id, scopes)
    assert (await house.use.tokens.introspect(desktop.tokens.access_token)).named.device.scopes == ("orders",)


async def test_only_ones_own_sellers_devices_are_narrowed_T07() -> None:
    house = House()
    person = await house.person()
    desktop = await house.bound(person)
    stranger = await house.person("Other Ltd")
    with pytest.raises(DeviceNotFound):
        await house.use.devices.withhold(stranger.session_token, desktop.device_id, ("pii",))
    with pytest.raises(SessionInvalid):
        await house.use.devices.withhold(Secret("sp_se_x"), desktop.device_id, ("pii",))
    await house.use.devices.revoke(person.session_token, desktop.device_id)
    with pytest.raises(DeviceNotFound):
        await house.use.devices.withhold(person.session_token, desktop.device_id, ("pii",))


async def test_codes_redeemed_at_once_never_make_one_device_too_many() -> None:
    house = House()
    person = await house.person()
    for _ in range(DEVICES_ACTIVE_MAX - 1):
        await house.compat(person)
    codes = [await house.authorize(person) for _ in range(3)]
    exchanges = (
        house.use.enrolment.exchange(redemption(code, key=f"key {number}"))
        for number, code in enumerate(codes)
    )
    answers = await asyncio.gather(*exchanges, return_exceptions=True)
    assert sorted(isinstance(answer, DevicesFull) for answer in answers) == [False, True, True]
