"""OAuth over a real socket, beside the code flow: device grants, revocation, introspection."""

import json
from typing import Any

import pytest

from chassis.secrecy import Secret
from fakes.gateway_authorization import refusal
from services.gateway.model.device_facts import DeviceFacts
from services.gateway.model.faults import TokenMissing
from services.gateway.model.inspection import Inspection
from services.gateway.model.native import Approval
from services.gateway.web.oauth import own_token
from tests.unit.gateway.doors import ORIGIN, Heard, House, Person, visit_of
from tests.unit.gateway.proofs import DeviceKey

TOKEN, BEGIN = "/oauth/token", "/oauth/device_authorization"
REVOKE, INTROSPECT = "/oauth/revoke", "/oauth/introspect"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
CHALLENGE = 'DPoP error="{}", algs="ES256 EdDSA Ed25519"'
OWN, OTHER = "sp_at_" + "o" * 43, "sp_at_" + "x" * 43


@pytest.fixture
def key(house: House) -> DeviceKey:
    return DeviceKey(house.clock)


async def ask(house: House, path: str, fields: dict[str, str], **headers: str) -> Heard:
    return await house.ask("POST", path, data=fields, headers=headers)


def told(heard: Heard) -> dict[str, Any]:
    assert heard.headers["Cache-Control"] == "no-store"
    return dict(json.loads(heard.body))


async def begin(house: House, **fields: str) -> dict[str, Any]:
    heard = await ask(house, BEGIN, {"client_id": "desktop", **fields})
    assert heard.status == 200
    return told(heard)


async def poll(house: House, device_code: str, key: DeviceKey) -> Heard:
    fields = {"grant_type": DEVICE_CODE, "client_id": "desktop", "device_code": device_code}
    return await ask(house, TOKEN, fields, DPoP=key.proof("POST", ORIGIN + TOKEN))


async def test_a_desktop_is_told_two_codes_and_where_to_go(house: House) -> None:
    begun = await begin(house, scope="orders pii", device_platform="linux", device_version="4.2.0")
    (row,) = house.authorization.rows.values()
    user_code = begun["user_code"]
    assert begun["verification_uri"] == f"{ORIGIN}/device"
    assert begun["verification_uri_complete"] == f"{ORIGIN}/device?user_code={user_code}"
    assert (begun["expires_in"], begun["interval"]) == (600, 5)
    assert (row.waiting.scopes, row.waiting.facts) == (("orders", "pii"), DeviceFacts("linux", "4.2.0"))


async def test_a_desktop_waits_and_gets_tokens_bound_to_its_key(
    house: House, person: Person, key: DeviceKey
) -> None:
    begun = await begin(house)
    waiting = await poll(house, begun["device_code"], key)
    assert (waiting.status, told(waiting)["error"]) == (400, "authorization_pending")
    visit = await visit_of(house, person)
    await house.authorization.approve_device_grant(visit, begun["user_code"], Approval("Laptop"))
    given = told(await poll(house, begun["device_code"], key))
    assert (given["token_type"], given["scope"]) == ("DPoP", "orders")
    assert house.auth.bound[given["refresh_token"]][1] == key.thumbprint


async def test_a_waiting_desktop_never_sees_a_second_challenge(house: House, key: DeviceKey) -> None:
    begun = await begin(house)
    nonce = (await poll(house, begun["device_code"], key)).headers["DPoP-Nonce"]
    for _ in range(10):
        house.clock.pass_(60)
        house.nonces.learn(Secret(b"k" * 32))
        fields = {"grant_type": DEVICE_CODE, "client_id": "desktop", "device_code": begun["device_code"]}
        proof = key.proof("POST", ORIGIN + TOKEN, claims={"nonce": nonce})
        heard = await ask(house, TOKEN, fields, DPoP=proof)
        assert told(heard)["error"] == "authorization_pending"
        nonce = heard.headers["DPoP-Nonce"]


@pytest.mark.parametrize("code", ["access_denied", "expired_token", "slow_down", "invalid_grant"])
async def test_a_waiting_desktop_hears_oauths_codes(house: House, key: DeviceKey, code: str) -> None:
    house.authorization.fault = refusal(code)
    heard = await poll(house, "sp_dc_x", key)
    assert (heard.status, told(heard)["error"]) == (400, code)


async def test_a_key_may_be_proven_at_the_beginning_and_must_be_right_then_T02(
    house: House, key: DeviceKey
) -> None:
    url = ORIGIN + BEGIN
    heard = await ask(house, BEGIN, {"client_id": "desktop"}, DPoP=key.proof("POST", url))
    assert heard.status == 200
    assert "DPoP-Nonce" in heard.headers
    (row,) = house.authorization.rows.values()
    assert row.key_thumbprint == key.thumbprint
    stale = await ask(
        house, BEGIN, {"client_id": "desktop"}, DPoP=key.proof("POST", url, claims={"nonce": ""})
    )
    assert (stale.status, told(stale)["error"]) == (400, "use_dpop_nonce")
    wrong = await ask(house, BEGIN, {"client_id": "desktop"}, DPoP=key.proof("POST", ORIGIN + TOKEN))
    assert (wrong.status, told(wrong)["error"]) == (400, "invalid_dpop_proof")
    assert len(house.authorization.rows) == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (400, "invalid_request")),
        ({"client_id": "other"}, (401, "invalid_client")),
        ({"client_id": "desktop", "client_secret": "x"}, (400, "invalid_request")),
        ({"client_id": "desktop", "scope": "everything"}, (400, "invalid_scope")),
        ({"client_id": "desktop", "device_platform": "beos"}, (400, "invalid_request")),
        ({"client_id": "desktop", "device_version": "x" * 33}, (400, "invalid_request")),
        ({"client_id": "desktop", "device_key_storage": "Atza|x"}, (422, "invalid_request")),
    ],
)
async def test_a_beginning_that_is_not_in_order_is_refused_T10(
    house: House, fields: dict[str, str], expected: tuple[int, str]
) -> None:
    heard = await ask(house, BEGIN, fields)
    assert (heard.status, told(heard)["error"]) == expected
    assert not house.authorization.rows


async def test_a_device_code_is_needed(house: House, key: DeviceKey) -> None:
    heard = await ask(
        house,
        TOKEN,
        {"grant_type": DEVICE_CODE, "client_id": "desktop"},
        DPoP=key.proof("POST", ORIGIN + TOKEN),
    )
    assert (heard.status, told(heard)["error"]) == (400, "invalid_request")


async def test_the_version_goes_along_with_a_refresh(house: House, person: Person, key: DeviceKey) -> None:
    visit = await visit_of(house, person)
    begun = await begin(house)
    await house.authorization.approve_device_grant(visit, begun["user_code"], Approval("Laptop"))
    given = told(await poll(house, begun["device_code"], key))
    fields = {
        "grant_type": "refresh_token",
        "client_id": "desktop",
        "refresh_token": given["refresh_token"],
        "device_version": "4.3.0",
    }
    assert (await ask(house, TOKEN, fields, DPoP=key.proof("POST", ORIGIN + TOKEN))).status == 200
    assert list(house.auth.versions.values()) == ["4.3.0"]
    fields["device_version"] = "4.3 0"
    heard = await ask(house, TOKEN, fields, DPoP=key.proof("POST", ORIGIN + TOKEN))
    assert (heard.status, told(heard)["error"]) == (400, "invalid_request")


async def test_a_token_is_given_up_by_showing_it(house: House) -> None:
    fields = {"client_id": "desktop", "token": "sp_rt_x", "token_type_hint": "refresh_token"}
    heard = await ask(house, REVOKE, fields)
    assert (heard.status, heard.body) == (200, b"")
    assert house.authorization.revoked == [("desktop", "sp_rt_x")]


@pytest.mark.parametrize("fields", [{"client_id": "desktop"}, {"token": "sp_rt_x"}, {}])
async def test_giving_up_needs_a_token_and_a_name(house: House, fields: dict[str, str]) -> None:
    heard = await ask(house, REVOKE, fields)
    assert (heard.status, told(heard)["error"]) == (400, "invalid_request")
    assert not house.authorization.revoked


async def test_an_outage_is_told_so_that_the_client_tries_again(house: House) -> None:
    house.auth.is_down = True
    heard = await ask(house, REVOKE, {"client_id": "desktop", "token": "sp_rt_x"})
    assert (heard.status, told(heard)["error"]) == (503, "temporarily_unavailable")


def inspected(house: House, key: DeviceKey, **changes: object) -> Inspection:
    facts: dict[str, Any] = {
        "client_id": "desktop",
        "user_id": "user-1",
        "device_id": "device-1",
        "device_name": "Laptop",
        "scopes": ("orders",),
        "key_thumbprint": key.thumbprint,
        "facts": DeviceFacts("windows", "4.2.0", "os_keystore"),
        "issued_at": house.clock.now(),
        "expires_at": house.clock.now(),
        **changes,
    }
    return Inspection(**facts)


async def inspect(house: House, key: DeviceKey, token: str, **claims: Any) -> Heard:
    proof = key.proof("POST", ORIGIN + INTROSPECT, OWN, claims=claims)
    return await ask(house, INTROSPECT, {"token": token}, Authorization=f"DPoP {OWN}", DPoP=proof)


async def test_a_device_is_told_about_its_own_token(house: House, key: DeviceKey) -> None:
    house.authorization.known[OWN] = inspected(house, key)
    now_s = int(house.clock.now().timestamp())
    assert told(await inspect(house, key, OWN)) == {
        "active": True,
        "iss": ORIGIN,
        "client_id": "desktop",
        "sub": "user-1",
        "scope": "orders",
        "token_type": "DPoP",
        "cnf": {"jkt": key.thumbprint},
        "iat": now_s,
        "exp": now_s,
        "device_id": "device-1",
        "device_name": "Laptop",
        "device_platform": "windows",
        "device_version": "4.2.0",
        "device_key_storage": "os_keystore",
    }


async def test_a_refresh_token_has_neither_type_nor_end(house: House, key: DeviceKey) -> None:
    house.authorization.known[OWN] = inspected(house, key)
    house.authorization.known["sp_rt_x"] = inspected(house, key, issued_at=None, expires_at=None)
    members = told(await inspect(house, key, "sp_rt_x"))
    assert members["active"] is True
    assert not {"token_type", "iat", "exp"} & members.keys()


async def test_foreign_unknown_and_senseless_tokens_are_answered_with_the_same_bytes_T07(
    house: House, key: DeviceKey
) -> None:
    house.authorization.known[OWN] = inspected(house, key)
    house.authorization.known[OTHER] = inspected(house, DeviceKey(house.clock), device_id="device-2")
    answers = {(await inspect(house, key, token)).body for token in (OTHER, "sp_at_never", "x", "\u00e9")}
    assert answers == {b'{"active":false}'}


@pytest.mark.parametrize(
    "authorizations",
    [
        [],
        ["DPoP"],
        ["Bearer sp_at_1"],
        ["DPoP sp_at_1", "DPoP sp_at_1"],
        ["DPoP sp_at_\udcff"],
        ["DPoP sp_at_é"],
    ],
)
def test_what_is_no_token_of_a_device_is_missing_before_auth_is_asked(authorizations: list[str]) -> None:
    """Header bytes that are no UTF-8 come as lone surrogates, which no message to a peer can carry."""
    with pytest.raises(TokenMissing):
        own_token(authorizations)


async def test_who_asks_shows_its_own_token_and_key_T02(house: House, key: DeviceKey) -> None:
    house.authorization.known[OWN] = inspected(house, key)
    for asker, claims, error in (
        (DeviceKey(house.clock), {}, "invalid_token"),
        (key, {"ath": "x"}, "invalid_dpop_proof"),
        (key, {"htu": ORIGIN + TOKEN}, "invalid_dpop_proof"),
        (key, {"nonce": None}, "use_dpop_nonce"),
    ):
        heard = await inspect(house, asker, OWN, **claims)
        assert (heard.status, told(heard)["error"]) == (401, error)
        assert heard.headers["WWW-Authenticate"] == CHALLENGE.format(error)
        assert heard.headers["DPoP-Nonce"]


@pytest.mark.parametrize("authorization", [None, f"Bearer {OWN}", f"Basic {OWN}"])
async def test_nobody_asks_without_a_bound_token(
    house: House, key: DeviceKey, authorization: str | None
) -> None:
    headers = {"DPoP": key.proof("POST", ORIGIN + INTROSPECT, OWN)}
    if authorization is not None:
        headers["Authorization"] = authorization
    heard = await ask(house, INTROSPECT, {"token": OWN}, **headers)
    assert (heard.status, told(heard)["error"]) == (401, "invalid_token")
