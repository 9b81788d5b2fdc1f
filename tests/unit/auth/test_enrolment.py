"""How desktops become devices."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chassis.secrecy import Secret
from fakes.auth_house import House, redemption, thumbprint, verifier
from fakes.auth_store import FakeStore
from services.auth.model.audit import Kind, Phase
from services.auth.model.devices import CODE_LIFE, DEVICES_ACTIVE_MAX, Code, Profile
from services.auth.model.refusals import (
    AuditUnavailable,
    DeviceRevoked,
    DevicesFull,
    InvalidChallenge,
    InvalidClient,
    InvalidGrant,
    InvalidName,
    InvalidRedirect,
    InvalidScope,
    SessionInvalid,
    TooManyFailures,
)
from services.auth.model.tokens import TokenSet


async def test_a_code_and_a_key_make_a_bound_device_with_default_scopes() -> None:
    house = House()
    person = await house.person()
    desktop = await house.bound(person)
    found = await house.use.tokens.introspect(desktop.tokens.access_token)
    device = found.named.device
    assert (device.profile, device.scopes, found.named.name) == (Profile.BOUND, ("orders",), "Packing table")
    assert device.key_thumbprint == thumbprint("first")
    assert device.seller_id == person.seller_id
    assert found.access.expires_at - house.clock.now() == timedelta(hours=1)
    assert house.audit.told(Kind.DEVICE_ENROLLED) == [(Phase.INTENT, ""), (Phase.OUTCOME, "done")]


async def test_asking_for_pii_does_not_grant_it() -> None:
    house = House()
    code = await house.authorize(await house.person(), scopes=("orders", "pii"))
    tokens = await house.use.enrolment.exchange(redemption(code))
    assert tokens.scopes == ("orders",)


async def test_a_code_is_good_for_less_than_60_seconds_T04() -> None:
    house = House()
    person = await house.person()
    code = await house.authorize(person)
    house.pass_(timedelta(seconds=59))
    await house.use.enrolment.exchange(redemption(code))
    late = await house.authorize(person)
    house.pass_(timedelta(seconds=60))
    with pytest.raises(InvalidGrant):
        await house.use.enrolment.exchange(redemption(late))


@pytest.mark.parametrize("later", [timedelta(0), CODE_LIFE, timedelta(minutes=50)], ids=str)
@pytest.mark.parametrize(
    "change",
    [{}, {"code_verifier": Secret(verifier("other"))}, {"key_thumbprint": thumbprint("thief")}],
    ids=lambda change: next(iter(change), "nothing") + " changed",
)
async def test_a_reused_code_revokes_what_it_issued_T04(change: dict[str, Any], later: timedelta) -> None:
    house = House()
    desktop = await house.bound(await house.person())
    house.pass_(later)
    with pytest.raises(InvalidGrant):
        await house.use.enrolment.exchange(replace(redemption(desktop.code), **change))
    with pytest.raises(DeviceRevoked):
        await house.use.tokens.introspect(desktop.tokens.access_token)
    with pytest.raises(DeviceRevoked):
        await house.refresh(desktop)
    assert (Phase.FACT, "code_reused") in house.audit.told(Kind.GRANT_REFUSED)
    assert house.audit.told(Kind.DEVICE_REVOKED) == [(Phase.INTENT, ""), (Phase.OUTCOME, "done")]


class PausingStore(FakeStore):
    """Lets others have their turn between finding a code and using it up."""

    async def find_code(self, digest: bytes) -> Code:
        found = await super().find_code(digest)
        await asyncio.sleep(0)
        return found


async def test_a_code_redeemed_twice_at_once_revokes_what_it_issued_T04() -> None:
    house = House(store_type=PausingStore)
    shown = redemption(await house.authorize(await house.person()))
    answers = await asyncio.gather(
        *(house.use.enrolment.exchange(shown) for _ in range(2)), return_exceptions=True
    )
    (tokens,) = [answer for answer in answers if isinstance(answer, TokenSet)]
    assert [type(answer) for answer in answers if answer is not tokens] == [InvalidGrant]
    with pytest.raises(DeviceRevoked):
        await house.use.tokens.introspect(tokens.access_token)


@pytest.mark.parametrize(
    "change",
    [
        {"code_verifier": Secret(verifier("other"))},
        {"code_verifier": Secret("short")},
        {"code_verifier": Secret("")},
        {"redirect_uri": "http://127.0.0.1:49153/callback"},
        {"redirect_uri": "http://127.0.0.1:49152/callback/"},
        {"client_id": "another"},
    ],
    ids=lambda change: "wrong " + next(iter(change)),
)
async def test_a_code_with_a_wrong_proof_is_refused_and_used_up_T04(change: dict[str, Any]) -> None:
    house = House()
    code = await house.authorize(await house.person())
    with pytest.raises(InvalidGrant) as refusal:
        await house.use.enrolment.exchange(replace(redemption(code), **change))
    assert str(refusal.value) == InvalidGrant.text
    with pytest.raises(InvalidGrant):
        await house.use.enrolment.exchange(redemption(code))
    assert house.tables.devices == {}
    assert house.audit.told(Kind.GRANT_REFUSED)[0] == (Phase.FACT, "code_mismatch")


@pytest.mark.parametrize("text", ["", "sp_ac_", "sp_ac_" + "A" * 43, "sp_rt_" + "A" * 43, "\x00"])
async def test_an_unknown_code_gets_the_same_answer_T11(text: str) -> None:
    with pytest.raises(InvalidGrant) as refusal:
        await House().use.enrolment.exchange(redemption(Secret(text)))
    assert str(refusal.value) == InvalidGrant.text


async def test_guessing_codes_locks_the_key_after_10_failures_T11() -> None:
    house = House()
    person = await house.person()
    for _ in range(10):
        with pytest.raises(InvalidGrant):
            await house.use.enrolment.exchange(redemption(Secret("sp_ac_" + "A" * 43)))
    with pytest.raises(TooManyFailures):
        await house.use.enrolment.exchange(redemption(await house.authorize(person)))
    await house.use.enrolment.exchange(redemption(await house.authorize(person), key="another"))


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"client_id": "unknown"}, InvalidClient),
        ({"client_id": ""}, InvalidClient),
        ({"redirect_uri": "https://evil.example/"}, InvalidRedirect),
        ({"code_challenge": "short"}, InvalidChallenge),
        ({"code_challenge": "!" * 43}, InvalidChallenge),
        ({"scopes": ("orders", "everything")}, InvalidScope),
        ({"device_name": ""}, InvalidName),
        ({"device_name": "x" * 65}, InvalidName),
    ],
)
async def test_a_request_out_of_order_gets_no_code(
    change: dict[str, object], refusal: type[Exception]
) -> None:
    house = House()
    person = await house.person()
    with pytest.raises(refusal):
        await house.authorize(person, **change)


async def test_no_code_without_a_session() -> None:
    house = House()
    person = await house.person()
    await house.use.sessions.end(person.session_token)
    with pytest.raises(SessionInvalid):
        await house.authorize(person)
    with pytest.raises(SessionInvalid):
        await house.compat(person)


async def test_a_key_thumbprint_out_of_form_is_refused() -> None:
    house = House()
    code = await house.authorize(await house.person())
    with pytest.raises(InvalidChallenge):
        await house.use.enrolment.exchange(replace(redemption(code), key_thumbprint=""))


async def test_without_audit_log_no_device_is_enrolled_and_the_code_stays_good_R02() -> None:
    house = House()
    code = await house.authorize(await house.person())
    house.audit.is_down = True
    with pytest.raises(AuditUnavailable):
        await house.use.enrolment.exchange(redemption(code))
    assert house.tables.devices == {}
    house.audit.is_down = False
    await house.use.enrolment.exchange(redemption(code))


async def test_a_seller_may_have_only_so_many_active_devices() -> None:
    house = House()
    person = await house.person()
    first, _ = await house.compat(person)
    for _ in range(DEVICES_ACTIVE_MAX - 1):
        await house.compat(person)
    with pytest.raises(DevicesFull):
        await house.compat(person)
    with pytest.raises(DevicesFull):
        await house.authorize(person)
    await house.use.devices.revoke(person.session_token, first)
    await house.compat(person)


async def test_a_compat_device_gets_an_id_and_a_refresh_token() -> None:
    house = House()
    device_id, refresh_token = await house.compat(await house.person())
    tokens = await house.use.tokens.refresh_compat(device_id, refresh_token)
    found = await house.use.tokens.introspect(tokens.access_token)
    assert (found.named.device.profile, found.named.device.key_thumbprint) == (Profile.COMPAT, "")
    assert found.named.device.scopes == ("orders",)
