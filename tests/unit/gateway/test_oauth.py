"""OAuth over a real socket: the metadata and the token endpoint of the vendor's desktop application."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

import chassis.crypto.digest
from tests.unit.gateway.doors import ORIGIN, Heard, House, Person
from tests.unit.gateway.proofs import DeviceKey, nonces_for

TOKEN = "/oauth/token"
URL = ORIGIN + TOKEN
VERIFIER = "v" * 64
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
REDIRECT = "http://127.0.0.1:49152/callback"


@pytest.fixture
def key(house: House) -> DeviceKey:
    return DeviceKey(house.clock)


@pytest.fixture
async def code(person: Person) -> str:
    request = {
        "response_type": "code",
        "client_id": "desktop",
        "redirect_uri": REDIRECT,
        "code_challenge": chassis.crypto.digest.pkce_s256(VERIFIER),
        "code_challenge_method": "S256",
    }
    page = await person.get(f"/oauth/authorize?{urlencode(request)}")
    fields = {**page.hidden("/oauth/authorize"), "device_name": "Laptop"}
    heard = await person.post("/oauth/authorize", fields)
    return parse_qs(urlsplit(heard.headers["Location"]).query)["code"][0]


def grant(code: str, changes: dict[str, str | None] | None = None) -> dict[str, str]:
    fields = {
        "grant_type": "authorization_code",
        "client_id": "desktop",
        "code": code,
        "code_verifier": VERIFIER,
        "redirect_uri": REDIRECT,
        **(changes or {}),
    }
    return {name: value for name, value in fields.items() if value is not None}


async def ask(house: House, fields: dict[str, str] | bytes, *proofs: str, **headers: str) -> Heard:
    sent = [*headers.items(), *(("DPoP", proof) for proof in proofs)]
    if isinstance(fields, bytes):
        sent.append(("Content-Type", "application/x-www-form-urlencoded"))
    return await house.ask("POST", TOKEN, data=fields, headers=sent)


def problem(heard: Heard) -> tuple[int, str]:
    told = json.loads(heard.body)
    assert told["request_id"] == heard.headers["X-Request-Id"]
    assert heard.headers["Cache-Control"] == "no-store"
    return heard.status, told["error"]


@pytest.mark.parametrize("name", ["oauth-authorization-server", "openid-configuration"])
async def test_the_metadata_names_what_is_served_and_nothing_else(house: House, name: str) -> None:
    heard = await house.ask("GET", f"/.well-known/{name}")
    told = json.loads(heard.body)
    assert heard.status == 200
    assert told["issuer"] == ORIGIN
    assert told["authorization_endpoint"] == f"{ORIGIN}/oauth/authorize"
    assert told["token_endpoint"] == URL
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["token_endpoint_auth_methods_supported"] == ["none"]
    assert told["dpop_signing_alg_values_supported"] == ["ES256", "EdDSA", "Ed25519"]
    assert told["authorization_response_iss_parameter_supported"] is True
    assert told["device_authorization_endpoint"] == f"{ORIGIN}/oauth/device_authorization"
    assert told["revocation_endpoint"] == f"{ORIGIN}/oauth/revoke"
    assert told["revocation_endpoint_auth_methods_supported"] == ["none"]
    assert told["introspection_endpoint"] == f"{ORIGIN}/oauth/introspect"
    assert told["introspection_endpoint_auth_methods_supported"] == ["DPoP"]
    assert DEVICE_CODE in told["grant_types_supported"]
    assert "jwks_uri" not in told


async def test_every_endpoint_of_the_metadata_is_served(house: House) -> None:
    metadata = json.loads((await house.ask("GET", "/.well-known/oauth-authorization-server")).body)
    for name, url in metadata.items():
        if name.endswith("_endpoint"):
            method = "GET" if name == "authorization_endpoint" else "POST"
            heard = await house.ask(method, url.removeprefix(ORIGIN))
            assert heard.status in {400, 401}, name
    assert not house.forwarder.calls


async def test_a_code_becomes_tokens_bound_to_the_key(house: House, key: DeviceKey, code: str) -> None:
    heard = await ask(house, grant(code), key.proof("POST", URL))
    told = json.loads(heard.body)
    assert heard.status == 200
    assert heard.headers["Cache-Control"] == "no-store"
    assert (told["token_type"], told["expires_in"], told["scope"]) == ("DPoP", 3600, "orders")
    assert house.auth.bound[told["refresh_token"]][1] == key.thumbprint


async def test_a_refresh_token_rotates_for_its_own_key_only_T02(
    house: House, key: DeviceKey, code: str
) -> None:
    first = json.loads((await ask(house, grant(code), key.proof("POST", URL))).body)
    fields = {"grant_type": "refresh_token", "client_id": "desktop", "refresh_token": first["refresh_token"]}
    second = json.loads((await ask(house, fields, key.proof("POST", URL))).body)
    assert second["refresh_token"] != first["refresh_token"]
    fields["refresh_token"] = second["refresh_token"]
    thief = DeviceKey(house.clock)
    assert problem(await ask(house, fields, thief.proof("POST", URL))) == (400, "invalid_grant")


@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
async def test_a_key_may_be_of_either_kind(house: House, code: str, algorithm: str) -> None:
    key = DeviceKey(house.clock, algorithm)
    assert (await ask(house, grant(code), key.proof("POST", URL))).status == 200


async def test_the_client_may_name_itself_by_basic_with_an_empty_password(
    house: House, key: DeviceKey, code: str
) -> None:
    basic = "Basic " + base64.b64encode(b"desktop:").decode()
    fields = grant(code, {"client_id": None})
    assert (await ask(house, fields, key.proof("POST", URL), Authorization=basic)).status == 200


@pytest.mark.parametrize(
    ("fields", "authorization", "expected"),
    [
        ({"client_id": None}, None, (400, "invalid_request")),
        ({"client_id": "other"}, None, (401, "invalid_client")),
        ({}, "Basic " + base64.b64encode(b"other:").decode(), (400, "invalid_request")),
        ({}, "Basic " + base64.b64encode(b"desktop:secret").decode(), (400, "invalid_request")),
        ({}, "Bearer abc", (400, "invalid_request")),
        ({"client_secret": "x"}, None, (400, "invalid_request")),
    ],
)
async def test_a_client_that_is_not_ours_or_not_sure_is_refused(
    house: House,
    key: DeviceKey,
    fields: dict[str, str | None],
    authorization: str | None,
    expected: tuple[int, str],
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    heard = await ask(house, grant("sp_ac_1", fields), key.proof("POST", URL), **headers)
    assert problem(heard) == expected


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"code": None}, "invalid_request"),
        ({"code": "sp_ac_unknown"}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"code_verifier": "w" * 64}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": "http://127.0.0.1:49153/callback"}, "invalid_grant"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
    ],
)
async def test_a_grant_that_is_not_whole_or_not_true_is_refused_T04(
    house: House, key: DeviceKey, code: str, changes: dict[str, str | None], error: str
) -> None:
    heard = await ask(house, grant(code, changes), key.proof("POST", URL))
    assert problem(heard) == (400, error)


async def test_a_code_works_once_T04(house: House, key: DeviceKey, code: str) -> None:
    assert (await ask(house, grant(code), key.proof("POST", URL))).status == 200
    assert problem(await ask(house, grant(code), key.proof("POST", URL))) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "claims",
    [
        {"htm": "GET"},
        {"htu": ORIGIN + "/orders/v0/orders"},
        {"htu": "https://localhost/oauth/token"},
        {"iat": 0},
        {"jti": None},
    ],
)
async def test_a_wrong_proof_gives_no_token_T02(
    house: House, key: DeviceKey, code: str, claims: dict[str, Any]
) -> None:
    heard = await ask(house, grant(code), key.proof("POST", URL, claims=claims))
    assert problem(heard) == (400, "invalid_dpop_proof")
    assert code in house.auth.codes


async def test_a_missing_doubled_or_replayed_proof_gives_no_token_T02(
    house: House, key: DeviceKey, code: str
) -> None:
    proof = key.proof("POST", URL)
    assert problem(await ask(house, grant(code))) == (400, "invalid_dpop_proof")
    assert problem(await ask(house, grant(code), proof, key.proof("POST", URL))) == (
        400,
        "invalid_dpop_proof",
    )
    assert (await ask(house, grant(code), proof)).status == 200
    assert problem(await ask(house, grant(code), proof)) == (400, "invalid_dpop_proof")


async def test_a_proof_without_a_fresh_nonce_is_answered_with_one_T02(
    house: House, key: DeviceKey, code: str
) -> None:
    heard = await ask(house, grant(code), key.proof("POST", URL, claims={"nonce": None}))
    assert problem(heard) == (400, "use_dpop_nonce")
    again = key.proof("POST", URL, claims={"nonce": heard.headers["DPoP-Nonce"]})
    assert (await ask(house, grant(code), again)).status == 200


async def test_every_answer_to_a_proof_brings_the_next_nonce(house: House, key: DeviceKey, code: str) -> None:
    newest = nonces_for(house.clock).newest()
    refused = await ask(house, grant("sp_ac_unknown"), key.proof("POST", URL))
    assert (refused.status, refused.headers["DPoP-Nonce"]) == (400, newest)
    given = await ask(house, grant(code), key.proof("POST", URL))
    assert (given.status, given.headers["DPoP-Nonce"]) == (200, newest)
    assert "DPoP-Nonce" not in (await ask(house, grant(code))).headers


@pytest.mark.parametrize("body", [b"\xff", b"grant_type=a&grant_type=b", b"&".join([b"a=1"] * 40)])
async def test_a_body_that_cannot_be_read_is_refused_T10(house: House, key: DeviceKey, body: bytes) -> None:
    assert problem(await ask(house, body, key.proof("POST", URL))) == (400, "invalid_request")


async def test_a_large_body_is_refused_T09(house: House, key: DeviceKey) -> None:
    heard = await ask(house, {"code": "x" * 20_000}, key.proof("POST", URL))
    assert problem(heard) == (413, "invalid_request")


@pytest.mark.parametrize("secret", ["Atzr|IwEBIA", "Atza|IwEBIA", "amzn1.oa2-cs.v1.abc"])
async def test_amazons_secrets_are_refused_T06(house: House, key: DeviceKey, secret: str) -> None:
    fields = {"grant_type": "refresh_token", "client_id": "desktop", "refresh_token": secret}
    heard = await ask(house, fields, key.proof("POST", URL))
    told = json.loads(heard.body)
    assert problem(heard) == (422, "invalid_request")
    assert told["code"] == "credentials_not_accepted"
    assert secret not in heard.text
    assert [event.kind for event in house.audit.events] == ["gateway.credentials.refused"]


async def test_an_outage_of_auth_is_temporary(house: House, key: DeviceKey, code: str) -> None:
    house.auth.is_down = True
    heard = await ask(house, grant(code), key.proof("POST", URL))
    assert problem(heard) == (503, "temporarily_unavailable")
    assert int(heard.headers["Retry-After"]) >= 1
