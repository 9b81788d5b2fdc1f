"""The vendor's policy on the forwarding path: who may call, what for, and what is seen and fetched."""

import hashlib
import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from fakes.gateway_ports import json_answer
from services.gateway.model.calls import UpstreamAnswer, UpstreamRequest
from services.gateway.model.policy import Rules
from services.gateway.model.policy_file import parse
from services.gateway.model.quota import EVERY_SELLER
from tests.unit.gateway.forwarding import (
    ADDRESS_BYTES,
    ADDRESS_PATH,
    PII,
    Rig,
    error_of,
    header,
)

SEARCH = "/orders/2026-01-01/orders?marketplaceIds=ATVPDKIKX0DER"
RESTRICTED = "/tokens/2021-03-01/restrictedDataToken"
DESTINATIONS = "/notifications/v1/destinations"
ROTATION = "/applications/2023-11-30/clientSecret"
CALL = '[[allow]]\noperations = ["*"]\n'


@pytest.fixture
def rig() -> Rig:
    made = Rig()
    made.upstream.answer = lambda _: json_answer(ADDRESS_BYTES)
    return made


def follow(rig: Rig, text: str) -> None:
    rig.policies.rules = Rules(parse(f"version = 1\n{text}".encode()))


async def test_fields_are_full_masked_or_dropped_by_class(rig: Rig) -> None:
    follow(
        rig,
        CALL + '[[fields]]\noperations = ["ordersV0.*"]\nscopes = ["pii"]\nfull = ["name"]\n'
        '[[fields]]\noperations = ["*"]\ndropped = ["address_line"]\n',
    )
    answer = await rig.call(rig.auth.enrol(scopes=PII), ADDRESS_PATH)
    assert json.loads(answer.body)["payload"]["ShippingAddress"] == {"Name": "Jane Roe", "CountryCode": "US"}
    hidden = await rig.call(rig.auth.enrol(), ADDRESS_PATH)
    assert json.loads(hidden.body)["payload"]["ShippingAddress"] == {"Name": "***", "CountryCode": "US"}


async def test_a_member_is_left_out_whose_model_allows_no_text_that_hides_it(rig: Rig) -> None:
    """Amazon's own SDK checks texts against the model, and would raise over the whole page."""
    jobs = "/service/v1/serviceJobs?marketplaceIds=ATVPDKIKX0DER"
    buyer = {"buyerId": "A1B2C3", "name": "Jane Roe"}
    body = json.dumps({"payload": {"jobs": [{"serviceJobId": "J1", "buyer": buyer}]}}).encode()
    rig.upstream.answer = lambda _: json_answer(body)
    hidden = await rig.call(rig.auth.enrol(), jobs)
    assert json.loads(hidden.body)["payload"]["jobs"] == [{"serviceJobId": "J1", "buyer": {"name": "***"}}]
    follow(rig, CALL + '[[fields]]\noperations = ["services.*"]\nscopes = ["pii"]\nfull = ["name"]\n')
    partly = await rig.call(rig.auth.enrol(scopes=PII, seller_id="seller-2"), jobs)
    assert json.loads(partly.body)["payload"]["jobs"][0]["buyer"] == {"name": "Jane Roe"}


async def test_bytes_that_may_be_seen_whole_are_amazons_own(rig: Rig) -> None:
    rig.upstream.answer = lambda _: json_answer(b'{ "payload" : {"b":1, "b":2} }')
    answer = await rig.call(rig.auth.enrol(scopes=PII), ADDRESS_PATH)
    assert answer.body == b'{ "payload" : {"b":1, "b":2} }'


async def test_the_audit_log_says_what_was_shown_and_what_for(rig: Rig) -> None:
    follow(
        rig,
        '[purposes]\ndefault = "handling"\nothers = ["shipping"]\n'
        + CALL
        + '[[fields]]\noperations = ["*"]\nscopes = ["pii"]\npurposes = ["shipping"]\nfull = ["name"]\n',
    )
    token = rig.auth.enrol(scopes=PII)
    await rig.call(token, ADDRESS_PATH, headers=[("x-sallyport-purpose", "shipping")])
    intent, outcome = rig.audit.events
    assert (intent.kind, intent.details["purpose"], intent.details["shown"]) == (
        "gateway.pii.read",
        "shipping",
        "name",
    )
    assert outcome.details["masked"] == "false"
    await rig.call(token, ADDRESS_PATH)
    assert rig.audit.events[-1].details["purpose"] == "handling"
    assert "shown" not in rig.audit.events[-1].details


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f'deny = ["ordersV0.getOrderA*"]\n{CALL}', "operation_not_open"),
        ('[[allow]]\noperations = ["feeds*"]\n', "operation_not_open"),
        ('[[allow]]\noperations = ["*"]\nscopes = ["pii"]\n', "scope_missing"),
        ('[[allow]]\noperations = ["*"]\nprofiles = ["bound"]\n', "profile_not_allowed"),
        (
            '[purposes]\nothers = ["tax"]\n[[allow]]\noperations = ["*"]\npurposes = ["tax"]\n',
            "purpose_not_allowed",
        ),
    ],
)
async def test_what_the_policy_does_not_open_is_refused_and_audited_T05(
    rig: Rig, text: str, code: str
) -> None:
    follow(rig, text)
    answer = await rig.call(rig.auth.enrol(), ADDRESS_PATH)
    assert answer.status == 403
    assert error_of(answer)["details"].startswith(f"{code}: ")
    assert rig.upstream.requests == []
    assert rig.told == [("gateway.operation.refused", "fact", code)]


async def test_a_policy_gives_nobody_the_scope_that_was_withheld(rig: Rig) -> None:
    follow(rig, f'{CALL}[[grantless]]\noperations = ["notifications.*"]\ndevices = ["*"]\n')
    token = rig.auth.enrol(scopes=frozenset({"pii"}))
    for target in (ADDRESS_PATH, DESTINATIONS):
        assert error_of(await rig.call(token, target))["details"].startswith("scope_missing: ")


async def test_a_handle_is_no_way_to_the_applications_own_operations(rig: Rig) -> None:
    follow(rig, f'{CALL}[[grantless]]\noperations = ["notifications.*"]\ndevices = ["*"]\n')
    restricted = await handle(rig, rig.auth.enrol(), handle_for("buyerInfo"))
    answer = await rig.call(restricted, DESTINATIONS)
    assert error_of(answer)["details"].startswith("restriction_mismatch: ")


async def test_a_purpose_that_the_policy_does_not_know_is_refused(rig: Rig) -> None:
    answer = await rig.call(rig.auth.enrol(), ADDRESS_PATH, headers=[("x-sallyport-purpose", "fun")])
    assert error_of(answer)["details"].startswith("purpose_not_allowed: ")


async def test_one_rule_that_fits_is_enough(rig: Rig) -> None:
    follow(rig, '[[allow]]\noperations = ["*"]\nscopes = ["pii"]\n[[allow]]\noperations = ["ordersV0.*"]\n')
    assert (await rig.call(rig.auth.enrol(), ADDRESS_PATH)).status == 200


async def test_a_changed_policy_decides_the_next_call(rig: Rig) -> None:
    token = rig.auth.enrol(scopes=PII)
    assert b"Jane Roe" in (await rig.call(token, ADDRESS_PATH)).body
    follow(rig, CALL)
    assert b"Jane Roe" not in (await rig.call(token, ADDRESS_PATH)).body


async def test_a_call_under_way_keeps_the_policy_it_began_with(rig: Rig) -> None:
    def answer(_: UpstreamRequest) -> UpstreamAnswer:
        follow(rig, 'deny = ["*"]\n' + CALL)
        return json_answer(ADDRESS_BYTES)

    rig.upstream.answer = answer
    assert b"Jane Roe" in (await rig.call(rig.auth.enrol(scopes=PII), ADDRESS_PATH)).body


async def asked(rig: Rig, token: str, query: str) -> tuple[dict[str, list[str]], str | None]:
    """Return the query that Amazon saw, and the header that tells what it did not see."""
    rig.upstream.answer = lambda _: json_answer(b'{"orders":[]}')
    answer = await rig.call(token, f"{SEARCH}{query}")
    assert answer.status == 200
    return parse_qs(rig.upstream.requests[-1].query), header(answer, "x-sallyport-narrowed")


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("&includedData=BUYER,FULFILLMENT,RECIPIENT,TAX", ["FULFILLMENT"]),
        ("&includedData=BUYER%2CFULFILLMENT%2CRECIPIENT%2CTAX", ["FULFILLMENT"]),
        ("&includedData=BUYER&includedData=FULFILLMENT&includedData=RECIPIENT,TAX", ["FULFILLMENT"]),
        ("&includedData=BUYER,RECIPIENT,TAX", None),
    ],
)
async def test_data_about_people_is_not_fetched_for_who_may_not_see_it(
    rig: Rig, query: str, left: list[str] | None
) -> None:
    seen, told = await asked(rig, rig.auth.enrol(), query)
    assert seen.get("includedData") == left
    assert told == "includedData=BUYER,RECIPIENT,TAX"


async def test_data_about_people_is_fetched_for_who_may_see_it(rig: Rig) -> None:
    seen, told = await asked(rig, rig.auth.enrol(scopes=PII), "&includedData=BUYER,PACKAGES")
    assert (seen["includedData"], told) == (["BUYER,PACKAGES"], None)


async def test_only_the_datasets_of_which_something_is_seen_are_fetched(rig: Rig) -> None:
    follow(rig, CALL + '[[fields]]\noperations = ["*"]\nscopes = ["pii"]\nfull = ["tax_id"]\n')
    seen, told = await asked(rig, rig.auth.enrol(scopes=PII), "&includedData=BUYER,RECIPIENT,TAX")
    assert (seen["includedData"], told) == (["TAX"], "includedData=BUYER,RECIPIENT")


async def test_the_datasets_of_other_operations_are_left_alone(rig: Rig) -> None:
    target = "/catalog/2022-04-01/items?marketplaceIds=ATVPDKIKX0DER&keywords=x&includedData=summaries"
    answer = await rig.call(rig.auth.enrol(), target)
    assert "includedData=summaries" in rig.upstream.requests[-1].query
    assert header(answer, "x-sallyport-narrowed") is None


def handle_for(*elements: str, path: str = "/orders/v0/orders", **rest: Any) -> bytes:
    resource = {"method": "GET", "path": path, "dataElements": list(elements)}
    return json.dumps({"restrictedResources": [resource], **rest}).encode()


async def handle(rig: Rig, token: str, body: bytes) -> str:
    answer = await rig.call(token, RESTRICTED, "POST", body=body)
    assert answer.status == 200, answer.body
    return str(json.loads(answer.body)["restrictedDataToken"])


async def test_a_handle_fetches_only_the_elements_of_which_something_is_seen(rig: Rig) -> None:
    follow(rig, CALL + '[[fields]]\noperations = ["*"]\nscopes = ["pii"]\nfull = ["email"]\n')
    restricted = await handle(rig, rig.auth.enrol(scopes=PII), handle_for("buyerInfo", "shippingAddress"))
    rig.upstream.answer = lambda _: json_answer(b'{"payload":{"Orders":[]}}')
    answer = await rig.call(restricted, "/orders/v0/orders?MarketplaceIds=ATVPDKIKX0DER")
    ((_, _, lent),) = rig.auth.lent
    assert lent is not None
    assert lent.data_elements == ("buyerInfo",)
    assert header(answer, "x-sallyport-narrowed") == "dataElements=shippingAddress"


async def test_a_handle_may_not_name_what_the_policy_does_not_open(rig: Rig) -> None:
    follow(rig, 'deny = ["ordersV0.*"]\n' + CALL)
    answer = await rig.call(rig.auth.enrol(scopes=PII), RESTRICTED, "POST", body=handle_for("buyerInfo"))
    assert error_of(answer)["details"].startswith("operation_not_open: ")
    assert rig.auth.handles == 0


async def test_a_handle_for_another_developer_needs_the_policys_word(rig: Rig) -> None:
    target = "amzn1.sellerapps.app.labels"
    rig.auth.delegates.add(target)
    body = handle_for(path="/orders/v0/orders/{orderId}/address", targetApplication=target)
    token = rig.auth.enrol(scopes=PII)
    follow(rig, CALL)
    refused = await rig.call(token, RESTRICTED, "POST", body=body)
    assert error_of(refused)["details"].startswith("delegation_not_allowed: ")
    follow(rig, f'{CALL}[[delegates]]\napplication = "{target}"\noperations = ["ordersV0.getOrderAddress"]\n')
    restricted = await handle(rig, token, body)
    assert (await rig.call(restricted, ADDRESS_PATH)).status == 200
    follow(rig, CALL)
    late = await rig.call(restricted, ADDRESS_PATH)
    assert error_of(late)["details"].startswith("delegation_not_allowed: ")


async def test_a_search_by_an_address_needs_that_class_in_full(rig: Rig) -> None:
    follow(rig, CALL + '[[fields]]\noperations = ["*"]\nscopes = ["pii"]\nfull = ["name"]\n')
    target = "/orders/v0/orders?MarketplaceIds=ATVPDKIKX0DER&BuyerEmail=a%40example.com"
    answer = await rig.call(rig.auth.enrol(scopes=PII), target)
    assert error_of(answer)["details"].startswith("scope_missing: ")


@pytest.mark.parametrize(("target", "method"), [(DESTINATIONS, "GET"), (ROTATION, "POST")])
async def test_the_applications_own_operations_are_closed_without_a_word_T05(
    rig: Rig, target: str, method: str
) -> None:
    answer = await rig.call(rig.auth.enrol(scopes=PII), target, method)
    assert error_of(answer)["details"].startswith("operation_not_allowed: ")
    assert rig.auth.grantless_lent == 0


async def test_destinations_open_to_one_device_are_read_with_the_applications_own_token(rig: Rig) -> None:
    named, other = rig.auth.enrol(), rig.auth.enrol(seller_id="seller-2")
    follow(
        rig,
        f'{CALL}[[grantless]]\noperations = ["notifications.*"]\n'
        'devices = ["018f6a3e-1c2d-7000-8000-3b9a1f0c5d21"]\n',
    )
    rig.auth.rename(named, "018f6a3e-1c2d-7000-8000-3b9a1f0c5d21")
    for _ in range(2):
        assert (await rig.call(named, DESTINATIONS)).status == 200
    assert rig.auth.grantless_lent == 1
    assert rig.auth.lent == []
    assert rig.upstream.requests[-1].token.reveal() == "Atza|grantless-1"
    assert rig.told[0] == ("gateway.operation.called", "intent", "")
    assert (await rig.call(other, DESTINATIONS)).status == 403


async def test_the_applications_own_calls_spend_one_budget_whoever_makes_them(rig: Rig) -> None:
    follow(rig, f'{CALL}[[grantless]]\noperations = ["notifications.*"]\ndevices = ["*"]\n')
    tokens = [rig.auth.enrol(seller_id=f"seller-{at}") for at in range(2)]
    for token in tokens:
        assert (await rig.call(token, DESTINATIONS)).status == 200
    assert rig.auth.grantless_lent == 1
    assert {seller_id for seller_id, _, _ in rig.buckets.buckets} == {EVERY_SELLER}


async def test_a_grantless_token_that_amazon_does_not_take_is_reported_and_borrowed_anew_once(
    rig: Rig,
) -> None:
    follow(rig, f'{CALL}[[grantless]]\noperations = ["notifications.*"]\ndevices = ["*"]\n')
    refusal = b'{"errors":[{"code":"Unauthorized","message":"The access token is expired."}]}'
    rig.upstream.replies.append(json_answer(refusal, 403))
    assert (await rig.call(rig.auth.enrol(), DESTINATIONS)).status == 200
    assert rig.auth.grantless_lent == 2
    assert rig.auth.reported == [hashlib.sha256(b"Atza|grantless-1").digest()]


async def test_the_client_secret_is_renewed_by_no_desktop_whatever_the_policy_says_T06(rig: Rig) -> None:
    follow(
        rig,
        f'{CALL}[[grantless]]\noperations = ["*"]\ndevices = ["*"]\n',
    )
    answer = await rig.call(rig.auth.enrol(scopes=PII), ROTATION, "POST")
    assert error_of(answer)["details"].startswith("operation_not_allowed: ")
    assert rig.upstream.requests == []


async def test_subscriptions_are_the_sellers_own(rig: Rig) -> None:
    answer = await rig.call(rig.auth.enrol(), "/notifications/v1/subscriptions/ORDER_CHANGE")
    assert answer.status == 200
    assert rig.auth.grantless_lent == 0


async def test_a_refused_purpose_is_not_repeated_anywhere(rig: Rig) -> None:
    stated = [("x-sallyport-purpose", "jane@example.com")]
    answer = await rig.call(rig.auth.enrol(), ADDRESS_PATH, headers=stated)
    told = [answer.body.decode(), *(str(event.details) for event in rig.audit.events)]
    assert not any("jane@example.com" in each for each in told)
