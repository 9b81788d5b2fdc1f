"""What desktops do with their own tokens: give them up (RFC 7009), and ask about them (RFC 7662)."""

from datetime import timedelta

import pytest

from chassis.errors import SallyportError
from chassis.secrecy import Secret
from fakes.auth_house import CLIENT_ID, House, thumbprint
from services.auth.model.audit import Kind, Phase
from services.auth.model.refusals import (
    AuditUnavailable,
    DeviceRevoked,
    InvalidGrant,
    TokenExpired,
    TokenInvalid,
)

UNKNOWN = tuple(Secret(prefix + "A" * 43) for prefix in ("sp_at_", "sp_rt_", "sp_ac_", ""))


async def test_giving_up_the_refresh_token_ends_the_device_T01() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    watcher = house.use.news.watch()
    await house.use.own_tokens.revoke(CLIENT_ID, desktop.tokens.refresh_token)
    assert (await watcher.next()).device_id == desktop.device_id
    with pytest.raises(DeviceRevoked):
        await house.use.tokens.introspect(desktop.tokens.access_token)
    with pytest.raises(DeviceRevoked):
        await house.refresh(desktop)
    await house.use.own_tokens.revoke(CLIENT_ID, desktop.tokens.refresh_token)
    assert house.audit.told(Kind.DEVICE_REVOKED) == [(Phase.INTENT, ""), (Phase.OUTCOME, "done")]


async def test_giving_up_a_rotated_refresh_token_ends_the_device_too_T03() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    tokens = await house.refresh(desktop)
    await house.use.own_tokens.revoke(CLIENT_ID, desktop.tokens.refresh_token)
    with pytest.raises(DeviceRevoked):
        await house.use.tokens.introspect(tokens.access_token)


async def test_giving_up_an_access_token_ends_it_alone_and_is_told_T01() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    watcher = house.use.news.watch()
    await house.use.own_tokens.revoke(CLIENT_ID, desktop.tokens.access_token)
    assert (await watcher.next()).device_id == desktop.device_id
    with pytest.raises(TokenInvalid):
        await house.use.tokens.introspect(desktop.tokens.access_token)
    tokens = await house.refresh(desktop)
    assert (
        await house.use.tokens.introspect(tokens.access_token)
    ).named.device.device_id == desktop.device_id
    assert house.audit.told(Kind.TOKEN_REVOKED) == [(Phase.INTENT, ""), (Phase.OUTCOME, "done")]
    revoked = [event for event in house.audit.events.values() if event.kind is Kind.TOKEN_REVOKED]
    assert {(event.actor.kind, event.actor.actor_id) for event in revoked} == {("device", desktop.device_id)}


async def test_a_compat_device_gives_up_under_its_own_id() -> None:
    house = House()
    device_id, refresh_token = await house.compat(await house.person())
    await house.use.own_tokens.revoke(CLIENT_ID, refresh_token)
    await house.use.tokens.refresh_compat(device_id, refresh_token)
    await house.use.own_tokens.revoke(device_id, refresh_token)
    with pytest.raises(DeviceRevoked):
        await house.use.tokens.refresh_compat(device_id, refresh_token)


async def test_what_is_unknown_or_another_clients_changes_nothing_T07() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    for token in (*UNKNOWN, desktop.tokens.refresh_token, desktop.tokens.access_token):
        await house.use.own_tokens.revoke("other", token)
    for token in UNKNOWN:
        await house.use.own_tokens.revoke(CLIENT_ID, token)
    assert (await house.use.tokens.introspect(desktop.tokens.access_token)).named.name == "Packing table"
    assert not house.audit.told(Kind.TOKEN_REVOKED)


async def test_nothing_ends_while_the_audit_log_is_down_R02() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    house.audit.is_down = True
    for token in (desktop.tokens.refresh_token, desktop.tokens.access_token):
        with pytest.raises(AuditUnavailable):
            await house.use.own_tokens.revoke(CLIENT_ID, token)
    assert (await house.use.tokens.introspect(desktop.tokens.access_token)).named.name == "Packing table"


async def test_a_device_is_told_about_its_own_tokens() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    access, refresh = desktop.tokens.access_token, desktop.tokens.refresh_token
    about_access = await house.use.own_tokens.inspect(access, desktop.key, access)
    assert about_access is not None
    assert about_access.access is not None
    assert about_access.access.expires_at - about_access.access.issued_at == timedelta(hours=1)
    assert about_access.named.name == "Packing table"
    about_refresh = await house.use.own_tokens.inspect(access, desktop.key, refresh)
    assert about_refresh is not None
    assert about_refresh.access is None


async def test_everything_else_is_as_inactive_as_what_never_was_T07() -> None:
    house = House()
    person = await house.person()
    desktop, sibling = await house.bound(person), await house.bound(person, key="sibling")
    stranger = await house.bound(await house.person("Other Ltd"), key="stranger")
    ended = await house.bound(person, key="ended")
    await house.use.devices.revoke(person.session_token, ended.device_id)
    tokens = await house.refresh(desktop)
    others = (sibling.tokens, stranger.tokens, ended.tokens)
    shown = [
        *UNKNOWN,
        desktop.tokens.refresh_token,
        *(token for each in others for token in (each.access_token, each.refresh_token)),
    ]
    for token in shown:
        assert await house.use.own_tokens.inspect(tokens.access_token, desktop.key, token) is None


async def test_an_ended_token_is_inactive() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    house.pass_(timedelta(minutes=30))
    tokens = await house.refresh(desktop)
    house.pass_(timedelta(minutes=30))
    old = desktop.tokens.access_token
    assert await house.use.own_tokens.inspect(tokens.access_token, desktop.key, old) is None


@pytest.mark.parametrize("ending", ["expired", "revoked", "another key's", "unknown", "compat"])
async def test_who_asks_must_be_a_bound_device_with_its_key_T02(ending: str) -> None:
    house = House()
    person = await house.person()
    desktop = await house.bound(person)
    access, key = desktop.tokens.access_token, desktop.key
    expected: type[SallyportError] = TokenInvalid
    if ending == "expired":
        house.pass_(timedelta(hours=1))
        expected = TokenExpired
    elif ending == "revoked":
        await house.use.own_tokens.revoke(CLIENT_ID, desktop.tokens.refresh_token)
        expected = DeviceRevoked
    elif ending == "another key's":
        key = thumbprint("thief")
    elif ending == "unknown":
        access = UNKNOWN[0]
    else:
        device_id, refresh_token = await house.compat(person)
        access, key = (await house.use.tokens.refresh_compat(device_id, refresh_token)).access_token, ""
    with pytest.raises(expected):
        await house.use.own_tokens.inspect(access, key, desktop.tokens.access_token)


async def test_a_rotated_refresh_token_is_no_way_in_after_giving_up() -> None:
    house = House()
    desktop = await house.granted(await house.person())
    await house.use.own_tokens.revoke(CLIENT_ID, desktop.tokens.refresh_token)
    with pytest.raises(InvalidGrant):
        await house.use.device_grants.redeem(CLIENT_ID, desktop.code, desktop.key)
