"""What devices hold: refreshing, introspection, handles, revocation."""

from datetime import timedelta

import pytest

from chassis.secrecy import Secret
from fakes.auth_house import CLIENT_ID, DE, DELEGATE, US, House, thumbprint
from services.auth.model.audit import Kind, Phase
from services.auth.model.consents import Region
from services.auth.model.devices import Revocation
from services.auth.model.refusals import (
    DeviceNotFound,
    DeviceRevoked,
    HandleExpired,
    HandleNotRestrictable,
    InvalidChallenge,
    InvalidGrant,
    InvalidName,
    InvalidRestriction,
    InvalidScope,
    TargetApplicationRefused,
    TokenExpired,
    TokenInvalid,
    TooManyFailures,
)
from services.auth.model.restricted import Restriction
from services.auth.model.tokens import ACCESS_LIFE, RETRY_S_MAX

ADDRESS = Restriction(method="GET", path="/orders/v0/orders/{orderId}/address")
ABSENT_ID = "0190b2f0-0000-7000-8000-000000000000"


async def test_a_refresh_token_rotates_and_its_successor_works() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    second = await house.refresh(desktop)
    assert second.refresh_token != desktop.tokens.refresh_token
    third = await house.refresh(desktop, second.refresh_token)
    await house.use.tokens.introspect(third.access_token)


async def test_the_same_key_asking_again_within_10_seconds_gets_the_same_answer_T03() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    answer = await house.refresh(desktop)
    house.pass_(timedelta(seconds=10))
    assert await house.refresh(desktop) == answer
    await house.use.tokens.introspect(answer.access_token)


async def test_the_same_answer_comes_from_another_replica_T03() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    answer = await house.refresh(desktop)
    house.use = house.replica()
    assert await house.refresh(desktop) == answer


async def test_a_rotated_token_after_10_seconds_ends_the_whole_family_T03() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    second = await house.refresh(desktop)
    house.pass_(timedelta(seconds=RETRY_S_MAX + 0.001))
    with pytest.raises(InvalidGrant):
        await house.refresh(desktop)
    with pytest.raises(DeviceRevoked):
        await house.refresh(desktop, second.refresh_token)
    with pytest.raises(DeviceRevoked):
        await house.use.tokens.introspect(second.access_token)
    assert house.audit.told(Kind.GRANT_REFUSED) == [(Phase.FACT, "token_reused")]
    assert house.audit.details(Kind.DEVICE_REVOKED)[0]["reason"] == "token_reused"


async def test_a_rotated_token_is_no_retry_for_as_long_as_a_clock_was_set_back_T03() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    answer = await house.refresh(desktop)
    house.pass_(timedelta(seconds=-RETRY_S_MAX))
    assert await house.refresh(desktop) == answer
    house.pass_(timedelta(seconds=-1))
    with pytest.raises(InvalidGrant):
        await house.refresh(desktop)
    assert house.audit.told(Kind.GRANT_REFUSED) == [(Phase.FACT, "token_reused")]


async def test_a_rotated_token_with_another_key_ends_the_family_at_once_T03() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    second = await house.refresh(desktop)
    with pytest.raises(InvalidGrant):
        await house.use.tokens.refresh_bound(CLIENT_ID, desktop.tokens.refresh_token, thumbprint("thief"))
    with pytest.raises(DeviceRevoked):
        await house.use.tokens.introspect(second.access_token)


async def test_a_current_token_with_another_key_is_refused_and_stays_good() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    with pytest.raises(InvalidGrant):
        await house.use.tokens.refresh_bound(CLIENT_ID, desktop.tokens.refresh_token, thumbprint("thief"))
    assert house.audit.told(Kind.GRANT_REFUSED) == [(Phase.FACT, "foreign_key")]
    await house.refresh(desktop)


async def test_another_client_cannot_refresh() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    with pytest.raises(InvalidGrant):
        await house.use.tokens.refresh_bound("another", desktop.tokens.refresh_token, desktop.key)
    assert house.audit.told(Kind.GRANT_REFUSED) == [(Phase.FACT, "foreign_client")]
    await house.refresh(desktop)


async def test_a_compat_token_does_not_refresh_as_a_bound_one_nor_the_other_way() -> None:
    house = House()
    person = await house.person()
    desktop = await house.bound(person)
    device_id, refresh_token = await house.compat(person)
    with pytest.raises(InvalidGrant):
        await house.use.tokens.refresh_bound(CLIENT_ID, refresh_token, desktop.key)
    with pytest.raises(InvalidGrant):
        await house.use.tokens.refresh_compat(desktop.device_id, desktop.tokens.refresh_token)
    with pytest.raises(InvalidGrant):
        await house.use.tokens.refresh_compat(desktop.device_id, refresh_token)
    await house.use.tokens.refresh_compat(device_id, refresh_token)


async def test_a_compat_refresh_token_stays_the_same_for_ever() -> None:
    house = House()
    device_id, refresh_token = await house.compat(await house.person())
    first = await house.use.tokens.refresh_compat(device_id, refresh_token)
    second = await house.use.tokens.refresh_compat(device_id, refresh_token)
    assert first.refresh_token == second.refresh_token == refresh_token
    assert first.access_token != second.access_token
    await house.use.tokens.introspect(first.access_token)


@pytest.mark.parametrize("token", ["", "sp_rt_" + "A" * 43, "sp_at_" + "A" * 43, "Atzr|pasted"])
async def test_guessing_a_devices_token_gets_one_answer_then_none_T11(token: str) -> None:
    house = House()
    device_id, refresh_token = await house.compat(await house.person())
    for subject in (device_id, ABSENT_ID):
        for _ in range(10):
            with pytest.raises(InvalidGrant) as refusal:
                await house.use.tokens.refresh_compat(subject, Secret(token))
            assert str(refusal.value) == InvalidGrant.text
        with pytest.raises(TooManyFailures):
            await house.use.tokens.refresh_compat(subject, refresh_token)


@pytest.mark.parametrize("token", ["", "sp_rt_" + "A" * 43, "sp_at_" + "A" * 43, "Atzr|pasted"])
async def test_a_key_that_guesses_refresh_tokens_gets_one_answer_then_none_T11(token: str) -> None:
    house = House()
    person = await house.person()
    desktop, other = await house.bound(person), await house.bound(person, key="other")
    for _ in range(10):
        with pytest.raises(InvalidGrant) as refusal:
            await house.refresh(desktop, Secret(token))
        assert str(refusal.value) == InvalidGrant.text
    with pytest.raises(TooManyFailures):
        await house.refresh(desktop)
    await house.refresh(other)


async def test_nothing_is_refreshed_for_a_thumbprint_out_of_form() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    with pytest.raises(InvalidChallenge):
        await house.use.tokens.refresh_bound(CLIENT_ID, desktop.tokens.refresh_token, "short")
    await house.refresh(desktop)


async def test_an_access_token_ends_after_its_hour_and_is_told_apart_from_an_unknown_one() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    house.pass_(ACCESS_LIFE - timedelta(seconds=1))
    await house.use.tokens.introspect(desktop.tokens.access_token)
    house.pass_(timedelta(seconds=1))
    with pytest.raises(TokenExpired):
        await house.use.tokens.introspect(desktop.tokens.access_token)
    for text in ("", "sp_at_" + "A" * 43, "Atza|pasted", "\x00"):
        with pytest.raises(TokenInvalid):
            await house.use.tokens.introspect(Secret(text))


async def test_introspection_tells_where_the_seller_is_connected() -> None:
    house = House()
    person = await house.person()
    desktop = await house.bound(person)
    before = await house.use.tokens.introspect(desktop.tokens.access_token)
    assert (before.reach.regions, before.reach.default_marketplace_id) == ((), "")
    await house.connect(person, DE, "A1")
    house.pass_(timedelta(seconds=1))
    await house.connect(person, US, "A1")
    after = await house.use.tokens.introspect(desktop.tokens.access_token)
    assert after.reach.regions == (Region.EU, Region.NA)
    assert after.reach.default_marketplace_id == US


async def test_a_revoked_device_is_out_at_once_and_everywhere_T01() -> None:
    house = House()
    person = await house.person()
    desktop = await house.bound(person)
    other = house.replica()
    await house.use.devices.revoke(person.session_token, desktop.device_id)
    for use in (house.use, other):
        with pytest.raises(DeviceRevoked):
            await use.tokens.introspect(desktop.tokens.access_token)
    with pytest.raises(DeviceRevoked):
        await house.refresh(desktop)
    await house.use.devices.revoke(person.session_token, desktop.device_id)
    assert house.audit.told(Kind.DEVICE_REVOKED) == [(Phase.INTENT, ""), (Phase.OUTCOME, "done")]


async def test_a_revoked_compat_device_cannot_refresh_T01() -> None:
    house = House()
    person = await house.person()
    device_id, refresh_token = await house.compat(person)
    await house.use.devices.revoke(person.session_token, device_id)
    with pytest.raises(DeviceRevoked):
        await house.use.tokens.refresh_compat(device_id, refresh_token)


async def test_watchers_hear_of_a_revocation_T01() -> None:
    house = House()
    person = await house.person()
    desktop = await house.bound(person)
    watcher = house.use.news.watch()
    await house.use.devices.revoke(person.session_token, desktop.device_id)
    assert await watcher.next() == Revocation(device_id=desktop.device_id, seller_id=person.seller_id)


async def test_a_foreign_device_answers_like_an_absent_one_T07() -> None:
    house = House()
    owner, stranger = await house.person("Owner"), await house.person("Stranger")
    desktop = await house.bound(owner)
    answers = []
    for device_id in (desktop.device_id, ABSENT_ID, "no uuid at all", ""):
        with pytest.raises(DeviceNotFound) as refusal:
            await house.use.devices.revoke(stranger.session_token, device_id)
        answers.append((str(refusal.value), refusal.value.code, refusal.value.http_status))
    assert len(set(answers)) == 1
    await house.use.tokens.introspect(desktop.tokens.access_token)


async def test_a_seller_lists_only_its_own_devices_active_ones_first_T07() -> None:
    house = House()
    person, stranger = await house.person("Owner"), await house.person("Stranger")
    await house.compat(stranger)
    first = await house.bound(person)
    house.pass_(timedelta(seconds=1))
    second, _ = await house.compat(person)
    house.pass_(timedelta(seconds=1))
    third, _ = await house.compat(person)
    await house.use.devices.revoke(person.session_token, third)
    listed = await house.use.devices.list_all(person.session_token)
    assert [one.device.device_id for one in listed] == [second, first.device_id, third]
    assert [one.device.revoked_at is None for one in listed] == [True, True, False]
    assert listed[0].name == "Back office"


async def test_a_handle_names_its_operations_and_lives_its_own_hour() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    house.pass_(timedelta(minutes=30))
    handle = await house.use.tokens.restrict(desktop.tokens.access_token, (ADDRESS,))
    found = await house.use.tokens.introspect(handle)
    assert found.access.restrictions == (ADDRESS,)
    assert found.named.device.device_id == desktop.device_id
    assert found.access.expires_at - house.clock.now() == ACCESS_LIFE


async def test_the_end_of_a_handle_is_told_apart_from_the_end_of_an_access_token() -> None:
    """A library that hears of the latter gets another access token, and calls with the same handle."""
    house = House()
    desktop = await house.bound(await house.person())
    handle = await house.use.tokens.restrict(desktop.tokens.access_token, (ADDRESS,))
    house.pass_(ACCESS_LIFE)
    with pytest.raises(HandleExpired):
        await house.use.tokens.introspect(handle)
    with pytest.raises(TokenExpired) as told:
        await house.use.tokens.introspect(desktop.tokens.access_token)
    assert told.value.code == "token_expired"


async def test_a_handle_ends_with_its_device_T01() -> None:
    house = House()
    person = await house.person()
    desktop = await house.bound(person)
    handle = await house.use.tokens.restrict(desktop.tokens.access_token, (ADDRESS,))
    await house.use.devices.revoke(person.session_token, desktop.device_id)
    with pytest.raises(DeviceRevoked):
        await house.use.tokens.introspect(handle)


async def test_a_handle_gets_no_further_handle() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    handle = await house.use.tokens.restrict(desktop.tokens.access_token, (ADDRESS,))
    with pytest.raises(HandleNotRestrictable):
        await house.use.tokens.restrict(handle, (ADDRESS,))


async def test_a_handle_is_for_another_developers_use_only_where_the_vendor_named_that_one() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    access = desktop.tokens.access_token
    with pytest.raises(TargetApplicationRefused):
        await house.use.tokens.restrict(access, (ADDRESS,), "amzn1.sellerapps.app.somebody")
    handle = await house.use.tokens.restrict(access, (ADDRESS,), DELEGATE)
    assert (await house.use.tokens.introspect(handle)).access.target_application == DELEGATE


async def test_restrictions_are_1_to_50() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    for asked in ((), (ADDRESS,) * 51):
        with pytest.raises(InvalidRestriction):
            await house.use.tokens.restrict(desktop.tokens.access_token, asked)


async def test_the_vendor_decides_scopes_with_a_reason_and_watchers_hear_it() -> None:
    house = House()
    person = await house.person()
    desktop = await house.bound(person)
    watcher = house.use.news.watch()
    await house.use.admin.set_device_scopes(
        person.seller_id, desktop.device_id, ("pii", "orders"), reason="Contract 17"
    )
    found = await house.use.tokens.introspect(desktop.tokens.access_token)
    assert found.named.device.scopes == ("orders", "pii")
    assert (await watcher.next()).device_id == desktop.device_id
    assert house.audit.details(Kind.DEVICE_SCOPED)[0] == {
        "device_id": desktop.device_id,
        "scopes": "orders pii",
        "reason": "Contract 17",
    }


async def test_scopes_are_not_set_without_reason_seller_or_meaning() -> None:
    house = House()
    person, stranger = await house.person("Owner"), await house.person("Stranger")
    desktop = await house.bound(person)
    set_scopes = house.use.admin.set_device_scopes
    with pytest.raises(InvalidName):
        await set_scopes(person.seller_id, desktop.device_id, ("pii",), reason=" ")
    with pytest.raises(DeviceNotFound):
        await set_scopes(stranger.seller_id, desktop.device_id, ("pii",), reason="why")
    for scopes in ((), ("everything",)):
        with pytest.raises(InvalidScope):
            await set_scopes(person.seller_id, desktop.device_id, scopes, reason="why")
    await house.use.devices.revoke(person.session_token, desktop.device_id)
    with pytest.raises(DeviceNotFound):
        await set_scopes(person.seller_id, desktop.device_id, ("pii",), reason="why")


async def test_no_token_is_kept_and_none_shows_T15() -> None:
    house = House()
    person = await house.person()
    desktop = await house.bound(person)
    second = await house.refresh(desktop)
    kept = repr(house.tables) + repr(second) + repr(desktop)
    for token in (*_revealed(desktop.tokens), *_revealed(second), person.session_token.reveal()):
        assert token not in kept
        assert token.split("_", 2)[2] not in kept


def _revealed(tokens: object) -> list[str]:
    return [value.reveal() for value in vars(tokens).values() if isinstance(value, Secret)]
