"""The SP-API face: what reaches the forwarder, what is refused at the door, and in which shape."""

import gzip
import io
import json
import re
from typing import Any

import pytest

from services.gateway.model.calls import Proof
from services.gateway.web import BODY_BYTES_MAX
from tests.unit.gateway.doors import ORIGIN, Heard, House
from tests.unit.gateway.proofs import NONCE_KEY, DeviceKey

ORDERS = "/orders/v0/orders"
TARGET = ORDERS + "?MarketplaceIds=ATVPDKIKX0DER%2CA2EUQ1WTGCTBG2&NextToken=a%2Bb%3D"
TOKEN = "sp_at_" + "t" * 43
REFRESHES = re.compile(r"access token.*expired", re.IGNORECASE | re.DOTALL)


def problem(heard: Heard) -> dict[str, str]:
    """Return the one error of a body in Amazon's shape; none of ours makes a library refresh for ever."""
    (error,) = json.loads(heard.body)["errors"]
    assert error.keys() == {"code", "message", "details"}
    assert not REFRESHES.search(heard.text)
    assert heard.headers["x-amzn-RequestId"] == heard.headers["X-Request-Id"]
    return dict(error)


async def test_a_call_reaches_the_forwarder_as_it_came(house: House) -> None:
    headers = {
        "x-amz-access-token": TOKEN,
        "X-Amz-Date": "20261122T120000Z",
        "Authorization": "AWS4-HMAC-SHA256 Credential=AKIA",
        "Host": "sellingpartnerapi-EU.amazon.com",
        "X-Request-Id": "request-0001",
    }
    heard = await house.ask("GET", TARGET, headers=headers)
    (call,) = house.forwarder.calls
    assert (heard.status, heard.body) == (200, b'{"ok":1}')
    assert heard.headers["x-amzn-RequestId"] == "r-1"
    assert (call.method, call.target, call.body) == ("GET", TARGET, b"")
    assert call.host == "sellingpartnerapi-eu.amazon.com"
    assert (call.access_token, call.proof) == (TOKEN, None)
    assert call.request_id == heard.headers["X-Request-Id"] == "request-0001"
    assert ("x-amz-date", "20261122T120000Z") in list(call.fields)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_any_method_is_the_forwarders_to_judge(house: House, method: str) -> None:
    await house.ask(method, "/any/path", headers={"x-amz-access-token": TOKEN})
    assert [call.method for call in house.forwarder.calls] == [method]


@pytest.mark.parametrize(
    "path",
    ["/orders//v0", "/orders/../secret", "/%2e%2e/x", "/a%2Fb", "/oauth/token", "/.well-known/x", "/x;y=1"],
)
async def test_a_path_arrives_untouched(house: House, path: str) -> None:
    """The forwarder knows the catalogue; the door must not repair what it would refuse (T-05)."""
    assert (await house.ask("GET", path, headers={"x-amz-access-token": TOKEN})).status == 200
    assert house.forwarder.calls[0].target == path


async def test_a_call_without_token_reaches_nobody_elses_account(house: House) -> None:
    await house.ask("GET", ORDERS)
    assert house.forwarder.calls[0].access_token == ""


@pytest.mark.parametrize("scheme", ["DPoP", "dpop"])
async def test_a_proven_call_carries_its_key(house: House, scheme: str) -> None:
    key = DeviceKey(house.clock)
    proof = key.proof("GET", ORIGIN + ORDERS, TOKEN)
    heard = await house.ask("GET", TARGET, headers={"Authorization": f"{scheme} {TOKEN}", "DPoP": proof})
    (call,) = house.forwarder.calls
    assert heard.status == 200
    assert (call.access_token, call.proof) == (TOKEN, Proof(key.thumbprint))


async def test_a_library_with_a_proof_may_use_amazons_header(house: House) -> None:
    key = DeviceKey(house.clock)
    proof = key.proof("GET", ORIGIN + ORDERS, TOKEN)
    await house.ask("GET", TARGET, headers={"x-amz-access-token": TOKEN, "DPoP": proof})
    (call,) = house.forwarder.calls
    assert (call.access_token, call.proof) == (TOKEN, Proof(key.thumbprint))


@pytest.mark.parametrize(
    "claims",
    [
        {"htm": "POST"},
        {"htu": ORIGIN + "/orders/v0/orders/1"},
        {"htu": "https://sellingpartnerapi-eu.amazon.com" + ORDERS},
        {"ath": None},
        {"ath": "x"},
        {"iat": 0},
    ],
)
async def test_a_proof_of_another_call_is_refused_T02(house: House, claims: dict[str, Any]) -> None:
    proof = DeviceKey(house.clock).proof("GET", ORIGIN + ORDERS, TOKEN, claims=claims)
    heard = await house.ask("GET", TARGET, headers={"Authorization": f"DPoP {TOKEN}", "DPoP": proof})
    assert heard.status == 401
    assert 'DPoP error="invalid_dpop_proof"' in heard.headers["WWW-Authenticate"]
    assert problem(heard)["code"] == "invalid_dpop_proof"
    assert not house.forwarder.calls


async def test_a_bound_token_without_proof_or_with_an_old_one_is_refused_T02(house: House) -> None:
    key = DeviceKey(house.clock)
    proof = key.proof("GET", ORIGIN + ORDERS, TOKEN)
    authorization = {"Authorization": f"DPoP {TOKEN}"}
    assert (await house.ask("GET", ORDERS, headers=authorization)).status == 401
    assert (await house.ask("GET", ORDERS, headers={**authorization, "DPoP": proof})).status == 200
    replayed = await house.ask("GET", ORDERS, headers={**authorization, "DPoP": proof})
    assert (replayed.status, problem(replayed)["code"]) == (401, "invalid_dpop_proof")
    assert len(house.forwarder.calls) == 1


async def test_a_call_without_a_fresh_nonce_is_answered_with_one_and_none_follows_T02(house: House) -> None:
    key, authorization = DeviceKey(house.clock), {"Authorization": f"DPoP {TOKEN}"}

    async def call(nonce: str | None) -> Heard:
        proof = key.proof("GET", ORIGIN + ORDERS, TOKEN, claims={"nonce": nonce})
        return await house.ask("GET", ORDERS, headers={**authorization, "DPoP": proof})

    heard = await call(None)
    assert (heard.status, problem(heard)["code"]) == (401, "use_dpop_nonce")
    challenge = 'DPoP error="use_dpop_nonce", algs="ES256 EdDSA Ed25519"'
    assert heard.headers["WWW-Authenticate"] == challenge
    for _ in range(10):
        house.clock.pass_(240)
        house.nonces.learn(NONCE_KEY)
        heard = await call(heard.headers["DPoP-Nonce"])
        assert heard.status == 200
    assert len(house.forwarder.calls) == 10


async def test_a_call_without_proof_hears_of_no_nonce(house: House) -> None:
    heard = await house.ask("GET", ORDERS, headers={"x-amz-access-token": TOKEN})
    assert "DPoP-Nonce" not in heard.headers


async def test_without_the_nonces_key_bound_calls_wait_and_others_pass_R06(house: House) -> None:
    proof = DeviceKey(house.clock).proof("GET", ORIGIN + ORDERS, TOKEN)
    house.clock.pass_(61)
    bound = await house.ask("GET", ORDERS, headers={"Authorization": f"DPoP {TOKEN}", "DPoP": proof})
    assert (bound.status, problem(bound)["details"].partition(":")[0]) == (503, "key_service_unavailable")
    assert (await house.ask("GET", ORDERS, headers={"x-amz-access-token": TOKEN})).status == 200


async def test_a_proof_for_a_call_does_not_pass_at_another_path_T02(house: House) -> None:
    proof = DeviceKey(house.clock).proof("GET", ORIGIN + ORDERS, TOKEN)
    headers = {"Authorization": f"DPoP {TOKEN}", "DPoP": proof}
    assert (await house.ask("GET", ORDERS + "/903-1", headers=headers)).status == 401


async def test_two_different_tokens_are_refused(house: House) -> None:
    headers = {"Authorization": f"DPoP {TOKEN}", "x-amz-access-token": "sp_at_other"}
    heard = await house.ask("GET", ORDERS, headers=headers)
    assert (heard.status, problem(heard)["code"]) == (400, "InvalidInput")
    assert not house.forwarder.calls


async def test_a_body_arrives_decoded(house: House) -> None:
    body = json.dumps({"restrictedResources": []}).encode()
    headers = {"x-amz-access-token": TOKEN, "Content-Encoding": "gzip", "Content-Type": "application/json"}
    await house.ask(
        "POST", "/tokens/2021-03-01/restrictedDataToken", data=gzip.compress(body), headers=headers
    )
    assert house.forwarder.calls[0].body == body


async def test_a_body_that_lies_about_its_encoding_is_refused_T10(house: House) -> None:
    headers = {"x-amz-access-token": TOKEN, "Content-Encoding": "gzip"}
    heard = await house.ask("POST", ORDERS, data=b"not gzip", headers=headers)
    assert heard.status == 400
    assert not house.forwarder.calls


@pytest.mark.parametrize("is_compressed", [False, True])
async def test_a_body_beyond_the_cap_is_refused_T09(house: House, *, is_compressed: bool) -> None:
    body = b"0" * (BODY_BYTES_MAX + 1)
    headers = {"x-amz-access-token": TOKEN}
    if is_compressed:
        body, headers = gzip.compress(body), {**headers, "Content-Encoding": "gzip"}
    heard = await house.ask("POST", ORDERS, data=io.BytesIO(body), headers=headers)
    assert heard.status == 413
    assert problem(heard)["details"].startswith("body_too_large")
    assert not house.forwarder.calls
