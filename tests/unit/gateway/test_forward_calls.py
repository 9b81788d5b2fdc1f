"""A desktop's call on its way to Amazon and back: what is passed on, and what never is."""

import asyncio
import json
import re
from typing import Any

import orjson
import pytest

from fakes.gateway_ports import Down, json_answer
from services.gateway.forward.attempts import ATTEMPTS_MAX
from services.gateway.forward.forwarder import DEADLINE_S
from services.gateway.model.calls import AmazonToken, Region, Restriction, UpstreamAnswer
from services.gateway.model.exchange import user_agent
from services.gateway.model.faults import UpstreamInvalid, UpstreamLost, UpstreamTimeout, UpstreamUnreachable
from services.gateway.model.tripwire import MARKS, PIECE_BYTES, pieces
from tests.unit.gateway.forwarding import (
    ADDRESS_BYTES,
    ADDRESS_PATH,
    LOOPING,
    ORDER,
    PII,
    Rig,
    error_of,
    finished,
    header,
)

GERMANY = "A1PA6795UKMFR9"
PARTICIPATIONS = "/sellers/v1/marketplaceParticipations"
ITEM = "/listings/2021-08-01/items/SELLER/SKU-1"
EXPIRED = (
    b'{"errors":[{"code":"Unauthorized","message":"Denied.",'
    b'"details":"The access token you provided has expired."}]}'
)


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_amazons_bytes_come_back_unchanged_to_a_device_with_the_scope(rig: Rig) -> None:
    rig.upstream.replies.append(json_answer(ADDRESS_BYTES, x_amzn_ratelimit_limit="0.5", date="now"))
    answer = await rig.call(rig.auth.enrol(scopes=PII), ADDRESS_PATH)
    assert (answer.status, answer.body) == (200, ADDRESS_BYTES)
    assert header(answer, "x-amzn-requestid") == "amazon-1"
    assert header(answer, "x-amzn-ratelimit-limit") == "0.5"


async def test_an_answers_date_is_left_to_the_door_which_says_one(rig: Rig) -> None:
    rig.upstream.replies.append(json_answer(ADDRESS_BYTES, date="Mon, 23 Nov 2026 15:29:01 GMT"))
    answer = await rig.call(rig.auth.enrol(scopes=PII), ADDRESS_PATH)
    assert (answer.status, header(answer, "date")) == (200, None)


async def test_a_device_without_the_scope_gets_the_same_document_masked(rig: Rig) -> None:
    rig.upstream.replies.append(json_answer(ADDRESS_BYTES))
    answer = await rig.call(rig.auth.enrol(), ADDRESS_PATH)
    assert orjson.loads(answer.body) == {
        "payload": {
            "AmazonOrderId": ORDER,
            "ShippingAddress": {"Name": "***", "AddressLine1": "***", "CountryCode": "US"},
        }
    }


async def test_an_address_is_fetched_with_a_restricted_token_for_that_operation_only_T19(rig: Rig) -> None:
    rig.upstream.replies.append(json_answer(ADDRESS_BYTES))
    await rig.call(rig.auth.enrol(), ADDRESS_PATH)
    assert rig.auth.lent == [
        ("device-0", Region.NA, Restriction("GET", "/orders/v0/orders/{orderId}/address"))
    ]
    assert rig.upstream.requests[0].token.reveal().startswith("Atz.sprdt|")


async def test_nothing_of_the_desktops_headers_reaches_amazon_T05(rig: Rig) -> None:
    token = rig.auth.enrol()
    given = [
        ("authorization", "AWS4-HMAC-SHA256 x"),
        ("user-agent", "desktop/1"),
        ("x-forwarded-for", "10.0.0.1"),
        ("transfer-encoding", "chunked"),
        ("content-length", "7"),
        ("x-amz-date", "19990101T000000Z"),
        ("x-amzn-shipping-business-id", "AmazonShipping_US"),
    ]
    await rig.call(token, PARTICIPATIONS, headers=given, body=b"{}")
    (request,) = rig.upstream.requests
    assert sorted(request.headers) == [
        ("accept", "application/json, application/hal+json"),
        ("user-agent", "Sallyport/test (Language=Python/3.11)"),
        ("x-amz-date", "20261122T120000Z"),
    ]
    assert request.body == b""
    assert token not in repr(request)


async def test_an_operations_own_header_parameter_is_passed_on(rig: Rig) -> None:
    given = [("x-amzn-shipping-business-id", "AmazonShipping_US"), ("x-amzn-idempotencykey", "a\nb")]
    await rig.call(
        rig.auth.enrol(), "/shipping/v2/shipments/S1/cancel", "PUT", headers=given, body=b'{"a":1}'
    )
    sent = dict(rig.upstream.requests[0].headers)
    assert sent["x-amzn-shipping-business-id"] == "AmazonShipping_US"
    assert "x-amzn-idempotencykey" not in sent
    assert sent["content-type"] == "application/json"
    assert rig.upstream.requests[0].body == b'{"a":1}'


async def test_known_parameters_go_byte_for_byte_and_unknown_ones_stay_here(rig: Rig) -> None:
    query = (
        "NextToken=a%2Fb%3D%3d+c&RestrictedResources=buyerInfo&path=%2Forders&MarketplaceIds=ATVPDKIKX0DER"
    )
    answer = await rig.call(rig.auth.enrol(), f"/orders/v0/orders?{query}")
    assert rig.upstream.requests[0].query == "NextToken=a%2Fb%3D%3d+c&MarketplaceIds=ATVPDKIKX0DER"
    assert header(answer, "x-sallyport-ignored") == "RestrictedResources,path"


@pytest.mark.parametrize(
    "query", ["a=\r\n", "a=%0g", 'a="', "&".join("a=1" for _ in range(300)), "a=" + "x" * 20_000, "a=\x00"]
)
async def test_a_malformed_query_is_refused_T10(rig: Rig, query: str) -> None:
    answer = await rig.call(rig.auth.enrol(), f"/orders/v0/orders?{query}")
    assert (answer.status, error_of(answer)["code"]) == (400, "InvalidInput")
    assert not rig.upstream.requests


async def test_a_body_that_is_not_json_is_refused_T10(rig: Rig) -> None:
    answer = await rig.call(rig.auth.enrol(), "/feeds/2021-06-30/feeds", "POST", body=b"<a/>")
    assert answer.status == 400
    assert not rig.upstream.requests


async def test_region_follows_the_requests_marketplace(rig: Rig) -> None:
    token = rig.auth.enrol(regions=frozenset({Region.NA, Region.EU}))
    await rig.call(token, "/orders/v0/orders?MarketplaceIds=A1PA6795UKMFR9,A1F83G8C2ARO7P")
    await rig.call(token, PARTICIPATIONS, host="sellingpartnerapi-eu.amazon.com")
    await rig.call(token, PARTICIPATIONS)
    assert [request.region for request in rig.upstream.requests] == [Region.EU, Region.EU, Region.NA]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/reports/2021-06-30/reports", {"reportType": "A", "marketplaceIds": [GERMANY, "A1F83G8C2ARO7P"]}),
        (f"/orders/v0/orders/{ORDER}/shipmentConfirmation", {"marketplaceId": GERMANY}),
        ("/inbound/fba/2024-03-20/inboundPlans", {"destinationMarketplaces": [GERMANY]}),
        ("/batches/products/pricing/v0/itemOffers", {"requests": [{"MarketplaceId": GERMANY}]}),
        ("/products/fees/v0/feesEstimate", [{"FeesEstimateRequest": {"MarketplaceId": GERMANY}}]),
    ],
)
async def test_region_follows_the_marketplace_in_a_body(rig: Rig, path: str, body: object) -> None:
    for seller_id, indent in (("seller-1", None), ("seller-2", 2)):
        token = rig.auth.enrol(seller_id=seller_id, regions=frozenset({Region.NA, Region.EU}))
        await rig.call(token, path, "POST", body=json.dumps(body, indent=indent).encode())
    assert [request.region for request in rig.upstream.requests] == [Region.EU] * 2


async def test_a_query_and_a_host_say_more_about_the_region_than_a_body(rig: Rig) -> None:
    token = rig.auth.enrol(regions=frozenset({Region.NA, Region.EU}))
    target = "/listings/2021-08-01/items/A1/SKU"
    body = json.dumps({"attributes": [{"marketplaceId": GERMANY}]}).encode()
    await rig.call(token, f"{target}?marketplaceIds=ATVPDKIKX0DER", "PATCH", body=body)
    await rig.call(token, target, "PATCH", body=body, host="sellingpartnerapi-na.amazon.com")
    await rig.call(token, PARTICIPATIONS, body=body)
    assert [request.region for request in rig.upstream.requests] == [Region.NA] * 3


async def test_amazons_tokens_are_lent_once_and_kept(rig: Rig) -> None:
    token = rig.auth.enrol()
    for _ in range(3):
        await rig.call(token, PARTICIPATIONS)
    assert len(rig.auth.lent) == 1
    await rig.clock.advance(3_545.0)
    await rig.call(token, PARTICIPATIONS)
    assert len(rig.auth.lent) == 2


async def test_a_token_that_amazon_calls_expired_is_replaced_once(rig: Rig) -> None:
    rig.upstream.replies.extend([json_answer(EXPIRED, 403), json_answer(b'{"payload":[]}')])
    answer = await rig.call(rig.auth.enrol(), PARTICIPATIONS)
    assert answer.status == 200
    assert len(rig.auth.lent) == 2


async def test_amazons_words_about_its_own_token_do_not_make_a_library_loop(rig: Rig) -> None:
    rig.upstream.answer = lambda _: json_answer(EXPIRED, 403)
    answer = await rig.call(rig.auth.enrol(), PARTICIPATIONS)
    assert answer.status == 403
    assert not LOOPING.search(answer.body.decode())
    assert len(rig.upstream.requests) == 2


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_read_is_asked_again_when_amazon_stumbles_R07(rig: Rig, status: int) -> None:
    rig.upstream.replies.extend([json_answer(b"{}", status), json_answer(b'{"payload":[]}')])
    answer = await finished(rig, rig.call(rig.auth.enrol(), "/catalog/2022-04-01/items/B000"))
    assert answer.status == 200
    assert len(rig.upstream.requests) == 2


@pytest.mark.parametrize("fault", [UpstreamTimeout(), UpstreamLost(), UpstreamUnreachable()])
async def test_a_read_is_asked_again_when_nothing_came_R07(rig: Rig, fault: Exception) -> None:
    rig.upstream.replies.extend([fault, json_answer(b"{}")])
    answer = await finished(rig, rig.call(rig.auth.enrol(), "/catalog/2022-04-01/items/B000"))
    assert answer.status == 200


async def test_every_attempt_shows_with_its_status_and_one_without_an_answer_as_such(rig: Rig) -> None:
    rig.upstream.replies.extend([UpstreamLost(), json_answer(b"{}", 503), json_answer(b"{}")])
    await finished(rig, rig.call(rig.auth.enrol(), "/catalog/2022-04-01/items/B000"))
    name = "catalogItems_2022-04-01.getCatalogItem"
    assert rig.signals.attempts == [(name, 0), (name, 503), (name, 200)]


@pytest.mark.parametrize("reply", [json_answer(b"{}", 500), json_answer(b"{}", 503), UpstreamLost()])
async def test_an_effect_is_never_asked_for_twice_R07(rig: Rig, reply: object) -> None:
    rig.upstream.answer = lambda _: reply  # type: ignore[assignment, return-value]
    answer = await finished(rig, rig.call(rig.auth.enrol(), ITEM, "PUT", body=b"{}"))
    assert answer.status >= 500
    assert len(rig.upstream.requests) == 1


async def test_an_effect_that_amazon_throttled_is_made_in_its_next_turn(rig: Rig) -> None:
    rig.upstream.replies.extend([json_answer(b"{}", 429), json_answer(b'{"status":"ACCEPTED"}')])
    answer = await finished(rig, rig.call(rig.auth.enrol(), ITEM, "PUT", body=b"{}"))
    assert (answer.status, answer.body) == (200, b'{"status":"ACCEPTED"}')
    assert len(rig.upstream.requests) == 2
    assert [(phase, result) for _, phase, result in rig.told] == [("intent", ""), ("outcome", "done")]


async def test_an_effect_that_may_have_been_done_after_a_throttled_one_is_not_asked_for_again_R07(
    rig: Rig,
) -> None:
    rig.upstream.replies.extend([json_answer(b"{}", 429), json_answer(b"{}", 503)])
    answer = await finished(rig, rig.call(rig.auth.enrol(), ITEM, "PUT", body=b"{}"))
    assert answer.status == 503
    assert len(rig.upstream.requests) == 2


async def test_attempts_are_bounded_and_end_within_the_deadline_R07(rig: Rig) -> None:
    rig.upstream.answer = lambda _: json_answer(b"{}", 503)
    answer = await finished(rig, rig.call(rig.auth.enrol(), "/catalog/2022-04-01/items/B000"))
    assert answer.status == 503
    assert len(rig.upstream.requests) == 4
    assert rig.clock.monotonic_s() <= 26.0


async def test_every_attempt_ends_before_the_clients_deadline_R07(rig: Rig) -> None:
    await rig.call(rig.auth.enrol(), ITEM, "PUT", body=b"{}")
    await rig.call(rig.auth.enrol(), PARTICIPATIONS)
    assert rig.upstream.timeouts_s == [25.0, 12.0]


async def test_lending_ends_before_the_clients_deadline_R07(rig: Rig) -> None:
    def expire(_: object) -> UpstreamAnswer:
        rig.clock.pass_(10.0)
        return json_answer(EXPIRED, 403)

    rig.upstream.answer = expire
    await rig.call(rig.auth.enrol(), ITEM, "PUT", body=b"{}")
    assert rig.auth.lend_timeouts_s == [25.0, 15.0]


@pytest.mark.parametrize(("left_s", "sent"), [(0.04, 0), (0.06, 1)])
async def test_nothing_is_sent_that_could_only_be_cut_off_R07(rig: Rig, left_s: float, sent: int) -> None:
    lend = rig.auth.lend_amazon_token

    async def lend_late(*given: Any, **named: Any) -> AmazonToken:
        rig.clock.pass_(DEADLINE_S - left_s)
        return await lend(*given, **named)

    rig.auth.lend_amazon_token = lend_late  # type: ignore[method-assign]
    answer = await rig.call(rig.auth.enrol(), ITEM, "PUT", body=b"{}")
    assert (answer.status, len(rig.upstream.requests)) == (200 if sent else 504, sent)


async def test_a_used_up_budget_is_429_in_amazons_shape(rig: Rig) -> None:
    token = rig.auth.enrol()
    person = [("x-sallyport-priority", "interactive")]
    for _ in range(20):
        assert (await rig.call(token, "/orders/2026-01-01/orders", headers=person)).status == 200
    answer = await rig.call(token, "/orders/2026-01-01/orders")
    assert (answer.status, error_of(answer)["code"]) == (429, "QuotaExceeded")
    assert header(answer, "x-amzn-ratelimit-limit") == "0.0056"
    assert header(answer, "retry-after") == "181"
    assert len(rig.upstream.requests) == 20


@pytest.mark.parametrize(
    ("fault", "left"), [(UpstreamUnreachable(), 19), (UpstreamLost(), 18), (UpstreamTimeout(), 18)]
)
async def test_an_attempt_costs_quota_unless_it_cannot_have_reached_amazon_R12(
    rig: Rig, fault: Exception, left: int
) -> None:
    token, person = rig.auth.enrol(), [("x-sallyport-priority", "interactive")]
    rig.upstream.replies.append(fault)
    orders = "/orders/2026-01-01/orders"
    statuses = [(await finished(rig, rig.call(token, orders, headers=person))).status for _ in range(20)]
    assert statuses == [200] * (left + 1) + [429] * (19 - left)


async def test_amazons_429_reaches_the_client_only_when_it_cannot_be_waited_out(rig: Rig) -> None:
    rig.upstream.answer = lambda _: json_answer(b'{"errors":[]}', 429)
    answer = await finished(rig, rig.call(rig.auth.enrol(), "/orders/2026-01-01/orders"))
    assert answer.status == 429
    assert len(rig.upstream.requests) == ATTEMPTS_MAX
    assert header(answer, "retry-after") is not None


async def test_an_error_of_amazons_is_told_again_without_its_body_T30_T31(rig: Rig) -> None:
    told = {
        "errors": [
            {"code": "InvalidInput", "message": "Bad\r\nX: 1 \u001b[31m", "details": "Atza|IwEBIA", "x": 1},
            {"code": 7},
        ],
        "trace": "Atzr|secret",
    }
    rig.upstream.replies.append(json_answer(json.dumps(told).encode(), 400))
    answer = await rig.call(rig.auth.enrol(), "/catalog/2022-04-01/items/B000")
    assert answer.status == 400
    assert json.loads(answer.body)["errors"] == [
        {"code": "InvalidInput", "message": "Bad  X: 1  [31m", "details": ""},
        {"code": "", "message": "", "details": ""},
    ]


async def test_errors_that_amazon_lists_bare_are_told_in_the_shape_of_the_others(rig: Rig) -> None:
    bare = b'[{"code":"InvalidInput","message":"No such job."}]'
    rig.upstream.replies.append(json_answer(bare, 422))
    answer = await rig.call(rig.auth.enrol(), "/catalog/2022-04-01/items/B000")
    assert answer.status == 422
    assert error_of(answer) == {"code": "InvalidInput", "message": "No such job.", "details": ""}


async def test_every_error_is_told_that_amazon_lists(rig: Rig) -> None:
    listed = [
        {"code": "InvalidInput", "message": f"Item {at}", "details": "No prep owner."} for at in range(500)
    ]
    rig.upstream.replies.append(json_answer(json.dumps({"errors": listed}).encode(), 400))
    plan = b'{"items":[]}'
    answer = await rig.call(rig.auth.enrol(), "/inbound/fba/2024-03-20/inboundPlans", "POST", body=plan)
    assert json.loads(answer.body)["errors"] == listed


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "InvalidInput"),
        (401, "Unauthorized"),
        (403, "Unauthorized"),
        (404, "NotFound"),
        (409, "InvalidInput"),
        (413, "InvalidInput"),
        (415, "InvalidInput"),
        (422, "InvalidInput"),
        (500, "InternalFailure"),
        (503, "ServiceUnavailable"),
        (504, "InternalFailure"),
    ],
)
async def test_a_failure_without_words_gets_the_code_of_its_status(rig: Rig, status: int, code: str) -> None:
    rig.upstream.answer = lambda _: json_answer(b"", status)
    answer = await finished(rig, rig.call(rig.auth.enrol(), "/catalog/2022-04-01/items/B000"))
    assert (answer.status, error_of(answer)["code"]) == (status, code)


@pytest.mark.parametrize("content_type", ["application/hal+json", "application/hal+json;charset=UTF-8"])
async def test_messages_and_solicitations_are_answered_in_their_own_json(rig: Rig, content_type: str) -> None:
    body = b'{"_links":{"actions":[]}}'
    rig.upstream.replies.append(UpstreamAnswer(200, [("content-type", content_type)], body))
    path = f"/messaging/v1/orders/{ORDER}?marketplaceIds=ATVPDKIKX0DER"
    answer = await rig.call(rig.auth.enrol(), path)
    assert (answer.status, answer.body) == (200, body)
    assert header(answer, "content-type") == "application/json"
    assert "application/hal+json" in dict(rig.upstream.requests[0].headers)["accept"]


async def test_an_html_error_page_becomes_an_error_of_ours_T31(rig: Rig) -> None:
    rig.upstream.replies.append(json_answer(b"<html>proxy</html>", 400, content_type="text/html"))
    answer = await rig.call(rig.auth.enrol(), "/catalog/2022-04-01/items/B000")
    assert (answer.status, error_of(answer)["code"]) == (400, "InvalidInput")
    assert b"html" not in answer.body
    assert header(answer, "content-type") == "application/json"


@pytest.mark.parametrize(
    "reply",
    [
        json_answer(b"", 302, location="https://evil.example"),
        json_answer(b'{"payload":{"token":"Atza|IwEBIA"}}'),
        UpstreamInvalid(),
    ],
)
async def test_an_answer_that_may_not_pass_is_502_T06_T29(rig: Rig, reply: object) -> None:
    rig.upstream.replies.append(reply)  # type: ignore[arg-type]
    answer = await rig.call(rig.auth.enrol(), "/catalog/2022-04-01/items/B000")
    assert answer.status == 502
    assert error_of(answer)["details"].startswith("upstream_invalid")
    assert b"Atza" not in answer.body


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("form", ["{}", "\\u{:04x}", "\\u{:04X}"])
@pytest.mark.parametrize("spare", [-5, 0, 5])
async def test_an_answer_that_tells_a_token_anywhere_is_502_T31(
    rig: Rig, mark: bytes, form: str, spare: int
) -> None:
    told = "".join(form.format(char if "u" in form else chr(char)) for char in mark)
    before = " " * (PIECE_BYTES - len(told) // 2 + spare)
    rig.upstream.replies.append(json_answer(f'{before}{{"payload":"{told}x"}}'.encode()))
    answer = await rig.call(rig.auth.enrol(), "/catalog/2022-04-01/items/B000")
    assert (answer.status, error_of(answer)["details"].split(":")[0]) == (502, "upstream_invalid")


async def test_others_have_their_turn_while_a_large_answer_is_looked_through_T31_R23(rig: Rig) -> None:
    body = b'"%b"' % (b"\\u0041" * (4 * PIECE_BYTES))
    rig.upstream.replies.append(json_answer(body))
    token, turns = rig.auth.enrol(), 0
    calling = asyncio.create_task(rig.call(token, PARTICIPATIONS))
    while not calling.done():
        turns += 1
        await asyncio.sleep(0)
    assert calling.result().status == 200
    assert turns > len(list(pieces(body))) > 2


async def test_a_success_that_is_not_json_is_502_T29(rig: Rig) -> None:
    page = json_answer(b"<html>")
    rig.upstream.replies.append(type(page)(200, [("content-type", "text/html")], page.body))
    assert (await rig.call(rig.auth.enrol(), PARTICIPATIONS)).status == 502


async def test_personal_data_in_an_unknown_form_is_502_for_a_device_without_the_scope(rig: Rig) -> None:
    rig.upstream.replies.append(json_answer(b"Jane Roe"))
    answer = await rig.call(rig.auth.enrol(), ADDRESS_PATH)
    assert answer.status == 502
    assert b"Jane" not in answer.body


async def test_headers_of_amazons_that_nobody_needs_stay_here_T30(rig: Rig) -> None:
    rig.upstream.replies.append(
        json_answer(b"{}", set_cookie="a=b", server="x", location="y", x_amz_apigw_id="z", date="a\tb")
    )
    answer = await rig.call(rig.auth.enrol(), PARTICIPATIONS)
    assert {name for name, _ in answer.headers} == {"content-type", "x-amzn-requestid", "x-sallyport-source"}


async def test_auths_refusal_is_passed_on_with_its_reason(rig: Rig) -> None:
    rig.auth.lending_error = Down()
    answer = await rig.call(rig.auth.enrol(), PARTICIPATIONS)
    assert (answer.status, error_of(answer)["code"]) == (503, "ServiceUnavailable")
    assert header(answer, "retry-after") == "5"


async def test_a_mistake_of_ours_is_a_blank_500_with_the_request_id(rig: Rig) -> None:
    rig.upstream.replies.append(ZeroDivisionError("Jane Roe"))
    answer = await rig.call(rig.auth.enrol(), PARTICIPATIONS)
    assert answer.status == 500
    assert b"Jane" not in answer.body
    assert header(answer, "x-amzn-requestid") == "request-1"
    assert len(rig.signals.crashes) == 1


def test_user_agent_names_the_language_and_stays_short() -> None:
    assert re.fullmatch(r"Sallyport/1\.2 \(Language=Python/3\.\d+; Platform=\w+\)", user_agent("1.2"))
    assert len(user_agent("9" * 900)) <= 500
