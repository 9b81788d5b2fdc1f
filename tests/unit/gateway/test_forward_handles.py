"""Restricted data tokens that a desktop asks for: handles of ours, which open what they name, no more."""

import json
from collections.abc import Mapping

import pytest

from fakes.gateway_ports import json_answer
from services.gateway.model.calls import Restriction
from tests.unit.gateway.forwarding import ADDRESS_BYTES, ADDRESS_PATH, LOOPING, ORDER, PII, Rig, error_of

TOKENS = "/tokens/2021-03-01/restrictedDataToken"
ORDERS = "/orders/v0/orders"
LIST = {"method": "GET", "path": ORDERS, "dataElements": ["buyerInfo", "shippingAddress"]}
ADDRESS = {"method": "GET", "path": "/orders/v0/orders/{orderId}/address"}


@pytest.fixture
def rig() -> Rig:
    return Rig()


def resources(*listed: Mapping[str, object], **rest: object) -> bytes:
    return json.dumps({"restrictedResources": listed, **rest}).encode()


async def test_a_restricted_data_token_is_a_handle_of_ours(rig: Rig) -> None:
    token = rig.auth.enrol(scopes=PII)
    answer = await rig.call(token, TOKENS, "POST", body=resources(LIST, ADDRESS, marketplaceIds=["X"]))
    told = json.loads(answer.body)
    assert answer.status == 200
    assert told == {"restrictedDataToken": told["restrictedDataToken"], "expiresIn": 3600}
    assert told["restrictedDataToken"].startswith("sp_at_")
    assert not rig.upstream.requests
    assert not rig.auth.lent


async def test_a_list_asked_with_a_handle_brings_its_data_elements(rig: Rig) -> None:
    given = await rig.call(rig.auth.enrol(scopes=PII), TOKENS, "POST", body=resources(LIST))
    handle = json.loads(given.body)["restrictedDataToken"]
    await rig.call(handle, ORDERS)
    _, _, restriction = rig.auth.lent[0]
    assert restriction == Restriction("GET", ORDERS, ("buyerInfo", "shippingAddress"))


async def test_a_handle_opens_nothing_that_it_does_not_name(rig: Rig) -> None:
    given = await rig.call(rig.auth.enrol(scopes=PII), TOKENS, "POST", body=resources(LIST))
    handle = json.loads(given.body)["restrictedDataToken"]
    for target, method in [(ADDRESS_PATH, "GET"), (TOKENS, "POST")]:
        answer = await rig.call(handle, target, method, body=resources(LIST))
        assert answer.status == 403
        assert error_of(answer)["details"].startswith("restriction_mismatch")


async def test_a_specific_handle_opens_its_order_only(rig: Rig) -> None:
    rig.upstream.answer = lambda _: json_answer(ADDRESS_BYTES)
    token = rig.auth.enrol(scopes=PII)
    given = await rig.call(token, TOKENS, "POST", body=resources({"method": "GET", "path": ADDRESS_PATH}))
    handle = json.loads(given.body)["restrictedDataToken"]
    assert (await rig.call(handle, ADDRESS_PATH)).status == 200
    assert (await rig.call(handle, ADDRESS_PATH.replace(ORDER, "114-0000000-0000000"))).status == 403


async def test_the_end_of_a_handle_makes_no_library_renew_its_token_and_call_with_the_handle_again(
    rig: Rig,
) -> None:
    given = await rig.call(rig.auth.enrol(scopes=PII), TOKENS, "POST", body=resources(LIST))
    handle = json.loads(given.body)["restrictedDataToken"]
    rig.auth.end(handle)
    answer = await rig.call(handle, ORDERS)
    assert (answer.status, error_of(answer)["code"]) == (403, "Unauthorized")
    assert error_of(answer)["details"].startswith("handle_expired")
    assert not LOOPING.search(answer.body.decode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        resources(),
        resources(*[ADDRESS] * 51),
        resources({"method": "GET"}),
        resources({"method": "GET", "path": "/sellers/v1/marketplaceParticipations"}),
        resources({"method": "GET", "path": "/unknown"}),
        resources({"method": "GET", "path": ORDERS, "dataElements": ["all"]}),
        resources({"method": "GET", "path": ORDERS, "dataElements": "buyerInfo"}),
        resources({"method": "GET", "path": ORDERS, "dataElements": [["buyerInfo"]]}),
        resources({"method": 7, "path": ORDERS}),
        resources(ADDRESS, targetApplication="amzn1.sellerapps.app.x"),
        json.dumps({"restrictedResources": ["x"]}).encode(),
    ],
)
async def test_a_request_for_a_handle_that_makes_no_sense_is_400_T10(rig: Rig, body: bytes) -> None:
    answer = await rig.call(rig.auth.enrol(), TOKENS, "POST", body=body)
    assert (answer.status, error_of(answer)["code"]) == (400, "InvalidInput")
    assert rig.auth.handles == 0
