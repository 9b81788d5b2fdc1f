import re
from typing import Any

import pytest

from simulator.exchange import Answer
from tests.unit.simulator.rig import APPLICATION, PLAIN, RESOURCES, Rig, error

CREATE = "/tokens/2021-03-01/restrictedDataToken"
EXPIRED = re.compile("access token.*expired")


def create(rig: Rig, token: str, *resources: Any) -> Answer:
    return rig.post(CREATE, token, {"restrictedResources": list(resources)})


def resource(path: str, *elements: str, method: str = "GET") -> dict[str, Any]:
    return {"method": method, "path": path} | ({"dataElements": list(elements)} if elements else {})


def test_a_restricted_token_lives_an_hour_and_has_no_payload_around_it() -> None:
    rig = Rig()
    document = create(rig, rig.access(), *RESOURCES).document()
    assert document["restrictedDataToken"].startswith("Atz.sprdt|")
    assert (document["expiresIn"], len(document)) == (3_600, 2)


def test_a_generic_path_opens_every_order_and_a_specific_one_only_its_own() -> None:
    rig = Rig()
    access = rig.access()
    first, second = (order.order_id for order in rig.orders()[:2])
    generic = rig.restricted(access, [resource("/orders/v0/orders/{orderId}/address")])
    specific = rig.restricted(access, [resource(f"/orders/v0/orders/{first}/address")])
    for order_id, token, status in (
        (first, generic, 200),
        (second, generic, 200),
        (first, specific, 200),
        (second, specific, 403),
    ):
        assert rig.get(f"/orders/v0/orders/{order_id}/address", token).status == status


def test_a_restricted_token_fits_only_the_operations_it_names() -> None:
    rig = Rig()
    token = rig.restricted(rig.access(), [resource("/orders/v0/orders/{orderId}/address")])
    order_id = rig.orders()[0].order_id
    assert rig.get(f"/orders/v0/orders/{order_id}/buyerInfo", token).status == 403
    assert rig.get(f"/orders/v0/orders/{order_id}", token).status == 403
    assert rig.get(f"/orders/2026-01-01/orders/{order_id}", token).status == 403
    assert create(rig, token, *RESOURCES).status == 403


def test_an_ordinary_token_does_not_open_what_is_always_restricted() -> None:
    rig = Rig()
    access = rig.access()
    order_id = rig.orders()[0].order_id
    for part in ("address", "buyerInfo", "orderItems/buyerInfo", "regulatedInfo"):
        answer = rig.get(f"/orders/v0/orders/{order_id}/{part}", access)
        assert (answer.status, error(answer)["code"]) == (403, "Unauthorized")


def test_a_role_that_the_application_lacks_is_named() -> None:
    rig = Rig()
    access = rig.access(application=PLAIN)
    refused = create(rig, access, resource("/orders/v0/orders", "buyerInfo", "shippingAddress"))
    assert refused.status == 400
    assert error(refused)["message"] == (
        "Application does not have access to one or more requested data elements: "
        "[buyerInfo, shippingAddress]"
    )
    assert create(rig, access, resource("/orders/v0/orders/{orderId}/address")).status == 400


@pytest.mark.parametrize(
    "wrong",
    [
        resource("/orders/v0/orders/{orderId}"),
        resource("/orders/v0/orders/{orderId}", "address"),
        resource("/orders/v0/orders/{orderId}/orderItems", "shippingAddress"),
        resource("/orders/v0/orders/{orderId}/address", "shippingAddress"),
        resource("/orders/v0/orders/{orderId}/shipment"),
        resource("/orders/v0/orders/{wrongName}"),
        resource("/orders/2026-01-01/orders"),
        resource("/orders/v0/orders?x=1", "buyerInfo"),
        resource("/orders/v0/orders", "buyerInfo", method="POST"),
        resource("/orders/v0/orders", "buyerInfo", method="get"),
        resource("/reports/2021-06-30/documents/{reportDocumentId}"),
        {"method": "GET"},
        {"method": ["GET"], "path": "/orders/v0/orders"},
        "GET /orders/v0/orders",
    ],
)
def test_a_resource_that_is_not_restricted_or_malformed_is_refused(wrong: Any) -> None:
    rig = Rig()
    assert create(rig, rig.access(), RESOURCES[0], wrong).status == 400


def test_a_restricted_resource_without_data_elements_opens_by_its_token_only() -> None:
    rig = Rig()
    access = rig.access()
    resources = [resource("/reports/2021-06-30/documents/D1"), resource("/mfn/v0/shipments/{shipmentId}")]
    token = create(rig, access, *resources).document()["restrictedDataToken"]
    assert rig.get("/mfn/v0/shipments/S1", token).status == 200
    assert rig.get("/mfn/v0/shipments/S1", access).status == 403


def test_at_most_fifty_resources_are_taken() -> None:
    rig = Rig()
    access = rig.access()
    specific = [resource(f"/orders/v0/orders/{n}/address") for n in range(51)]
    assert create(rig, access, *specific[:50]).status == 200
    assert create(rig, access, *specific).status == create(rig, access).status == 400


def test_a_target_application_is_refused_and_null_is_not() -> None:
    rig = Rig()
    access = rig.access()
    body: dict[str, Any] = {"restrictedResources": [RESOURCES[0]]}
    assert rig.post(CREATE, access, body | {"targetApplication": PLAIN.application_id}).status == 400
    assert rig.post(CREATE, access, body | {"targetApplication": None}).status == 200
    assert rig.post(CREATE, access, []).status == 400


def test_an_expired_token_says_so_in_the_words_that_one_sdk_waits_for() -> None:
    rig = Rig()
    access = rig.access()
    restricted = rig.restricted(access)
    rig.clock.advance(seconds=3_599)
    assert rig.get("/orders/v0/orders", restricted).status == 400
    rig.clock.advance(seconds=1)
    for token in (access, restricted):
        refused = error(rig.get("/orders/v0/orders", token))
        assert refused["code"] == "Unauthorized"
        assert EXPIRED.search(refused["details"])


def test_every_other_refused_token_does_not_say_that_it_expired() -> None:
    rig = Rig()
    connected = rig.connect()
    rig.controls.revoke({"seller_id": rig.sellers[0].seller_id, "application_id": APPLICATION.application_id})
    grantless = rig.lwa(grant_type="client_credentials", scope="sellingpartnerapi::notifications").document()
    tokens = (connected["access_token"], connected["refresh_token"], grantless["access_token"], "Atza|x", "")
    for token in tokens:
        answer = rig.get("/orders/v0/orders", token)
        assert (answer.status, error(answer)["code"]) == (403, "Unauthorized")
        assert not EXPIRED.search(error(answer)["details"])


def test_another_regions_endpoint_refuses_a_sellers_token() -> None:
    rig = Rig()
    access = rig.access()
    path = f"/orders/v0/orders/{rig.orders()[0].order_id}"
    for host, status in (
        ("sellingpartnerapi-eu.amazon.com", 403),
        ("sellingpartnerapi-na.amazon.com:8443", 200),
    ):
        headers = {"x-amz-access-token": access, "host": host}
        assert rig.send("GET", path, headers=headers).status == status
