"""What the forwarding path leaves in the audit log, and what it does when it cannot."""

import json

import pytest

from fakes.gateway_ports import json_answer
from services.gateway.model.audit import IDS_MAX, Phase, id_list
from services.gateway.model.calls import UpstreamAnswer, UpstreamRequest
from services.gateway.model.faults import UpstreamInvalid, UpstreamLost, UpstreamTimeout, UpstreamUnreachable
from tests.unit.gateway.forwarding import (
    ADDRESS_BYTES,
    ADDRESS_PATH,
    ORDER,
    PII,
    Rig,
    error_of,
    finished,
)

ITEM = "/listings/2021-08-01/items/SELLER/SKU-1"
READ, MASKED, CALLED = "gateway.pii.read", "gateway.pii.masked", "gateway.operation.called"


@pytest.fixture
def rig() -> Rig:
    made = Rig()
    made.upstream.answer = lambda _: json_answer(ADDRESS_BYTES)
    return made


async def test_a_read_of_personal_data_is_intended_and_concluded_R01(rig: Rig) -> None:
    await rig.call(rig.auth.enrol(scopes=PII), ADDRESS_PATH)
    intent, outcome = rig.audit.events
    assert rig.told == [(READ, "intent", ""), (READ, "outcome", "done")]
    assert outcome.intent_id == intent.event_id
    assert (intent.actor_id, intent.seller_id, intent.request_id) == ("device-0", "seller-1", "request-1")
    assert intent.details == {
        "operation": "ordersV0.getOrderAddress",
        "order_ids": ORDER,
        "masked": "false",
        "purpose": "unstated",
    }
    assert outcome.details == {**intent.details, "status": "200", "source": "amazon"}


@pytest.mark.parametrize(
    "path",
    [
        f"/orders/v0/orders/{ORDER}/shipmentConfirmation",
        f"/messaging/v1/orders/{ORDER}/messages/legalDisclosure?marketplaceIds=ATVPDKIKX0DER",
    ],
)
async def test_a_change_to_an_order_is_intended_with_its_id_whatever_its_api_calls_it_R01(
    rig: Rig, path: str
) -> None:
    await rig.call(rig.auth.enrol(scopes=PII), path, "POST", body=b"{}")
    assert (rig.audit.events[0].kind, rig.audit.events[0].details["order_ids"]) == (CALLED, ORDER)


async def test_the_intent_is_durable_before_amazon_is_asked_R01(rig: Rig) -> None:
    seen: list[int] = []

    def answer(_: UpstreamRequest) -> UpstreamAnswer:
        seen.append(len(rig.audit.events))
        return json_answer(ADDRESS_BYTES)

    rig.upstream.answer = answer
    await rig.call(rig.auth.enrol(scopes=PII), ADDRESS_PATH)
    await rig.call(rig.auth.enrol(), ITEM, "PUT", body=b"{}")
    assert seen == [1, 3]


async def test_a_masked_read_is_told_as_such(rig: Rig) -> None:
    await rig.call(rig.auth.enrol(), ADDRESS_PATH)
    assert rig.told == [(MASKED, "intent", ""), (MASKED, "outcome", "done")]
    assert rig.audit.events[0].details["masked"] == "true"


async def test_a_read_from_the_safe_is_told_like_any_other(rig: Rig) -> None:
    token = rig.auth.enrol(scopes=PII)
    await rig.call(token, ADDRESS_PATH)
    await rig.call(token, ADDRESS_PATH)
    assert rig.audit.events[-1].details["source"] == "safe"
    assert len(rig.audit.events) == 4


async def test_the_orders_of_a_list_stand_in_its_outcome(rig: Rig) -> None:
    orders = [{"AmazonOrderId": ORDER}, {"AmazonOrderId": "114-0000000-0000001"}]
    rig.upstream.answer = lambda _: json_answer(json.dumps({"payload": {"Orders": orders}}).encode())
    await rig.call(rig.auth.enrol(scopes=PII), "/orders/v0/orders")
    assert rig.audit.events[-1].details["order_ids"] == f"{ORDER},114-0000000-0000001"


SHIPMENT = "be7a0a53-00c3-4f6f-a63a-639f76ee9253"


@pytest.mark.parametrize(
    ("path", "subject"),
    [
        (f"/mfn/v0/shipments/{SHIPMENT}", SHIPMENT),
        ("/fba/outbound/2020-07-01/fulfillmentOrders/F-2026-117", "F-2026-117"),
        ("/fba/outbound/2020-07-01/fulfillmentOrders/jane%40example.com", "?"),
        ("/vendor/directFulfillment/orders/v1/purchaseOrders/PO00050045", "PO00050045"),
    ],
)
async def test_a_read_that_names_a_shipment_and_no_order_of_amazons_tells_which_R01(
    rig: Rig, path: str, subject: str
) -> None:
    await rig.call(rig.auth.enrol(scopes=PII), path)
    assert [event.details["subject"] for event in rig.audit.events] == [subject, subject]


async def test_a_read_without_personal_data_is_not_audited(rig: Rig) -> None:
    await rig.call(rig.auth.enrol(), "/sellers/v1/marketplaceParticipations")
    assert not rig.audit.events


async def test_nothing_happens_while_the_audit_log_is_down_R02(rig: Rig) -> None:
    rig.audit.fails_from = 0
    for answer in [
        await rig.call(rig.auth.enrol(scopes=PII), ADDRESS_PATH),
        await rig.call(rig.auth.enrol(), ITEM, "PUT", body=b"{}"),
    ]:
        assert (answer.status, error_of(answer)["code"]) == (503, "ServiceUnavailable")
        assert error_of(answer)["details"].startswith("audit_unavailable")
    assert not rig.upstream.requests
    assert rig.safe.opened == 0


async def test_a_list_does_not_leave_when_its_outcome_is_not_durable_R02(rig: Rig) -> None:
    rig.audit.fails_from = 1
    orders = [{"AmazonOrderId": ORDER, "BuyerInfo": {"BuyerName": "Jane"}}]
    rig.upstream.answer = lambda _: json_answer(json.dumps({"payload": {"Orders": orders}}).encode())
    answer = await rig.call(rig.auth.enrol(scopes=PII), "/orders/v0/orders")
    assert answer.status == 503
    assert b"Jane" not in answer.body


async def test_an_effect_that_happened_is_not_told_as_an_error_R02(rig: Rig) -> None:
    rig.audit.fails_from = 1
    rig.upstream.answer = lambda _: json_answer(b'{"status":"ACCEPTED"}')
    answer = await rig.call(rig.auth.enrol(), ITEM, "PUT", body=b"{}")
    assert (answer.status, answer.body) == (200, b'{"status":"ACCEPTED"}')


async def test_a_refusal_stands_when_the_audit_log_is_down(rig: Rig) -> None:
    rig.audit.fails_from = 0
    assert (await rig.call(rig.auth.enrol(), "/unknown")).status == 403
    assert rig.signals.side_failures == [("audit_refusal", "audit_unavailable")]


@pytest.mark.parametrize(
    ("reply", "result", "status"),
    [
        (json_answer(b"{}", 204), "done", "204"),
        (json_answer(b"{}", 400), "not_done", "400"),
        (json_answer(b"{}", 500), "unknown", "500"),
        (UpstreamTimeout(), "unknown", "504"),
        (UpstreamLost(), "unknown", "502"),
        (UpstreamInvalid(), "unknown", "502"),
        (UpstreamUnreachable(), "not_done", "502"),
    ],
)
async def test_the_outcome_of_an_effect_says_what_is_known_R01(
    rig: Rig, reply: object, result: str, status: str
) -> None:
    rig.upstream.replies.append(reply)  # type: ignore[arg-type]
    await rig.call(rig.auth.enrol(), ITEM, "PUT", body=b"{}")
    assert rig.told[-1] == (CALLED, Phase.OUTCOME, result)
    assert rig.audit.events[-1].details["status"] == status


async def test_a_read_that_showed_nothing_is_not_done(rig: Rig) -> None:
    rig.upstream.answer = lambda _: json_answer(b"{}", 500)
    await finished(rig, rig.call(rig.auth.enrol(scopes=PII), ADDRESS_PATH))
    assert rig.told[-1] == (READ, "outcome", "not_done")
    assert rig.audit.events[-1].details["order_ids"] == ""


async def test_a_read_past_the_clock_is_told_with_its_status_R19(rig: Rig) -> None:
    rig.safe.expired.add(ORDER)
    await rig.call(rig.auth.enrol(scopes=PII), ADDRESS_PATH)
    assert rig.told[-1] == (READ, "outcome", "not_done")
    assert rig.audit.events[-1].details["status"] == "410"


async def test_no_event_holds_personal_data_or_a_token_T28(rig: Rig) -> None:
    token = rig.auth.enrol(scopes=PII)
    await rig.call(token, ADDRESS_PATH)
    told = repr(rig.audit.events)
    for secret in ["Jane", "Cedar", token, "Atza", "Atz.sprdt"]:
        assert secret not in told


@pytest.mark.parametrize(
    "strange",
    ["jane@example.com", "sp_at_" + "a" * 43, "AKIAABCDEFGHIJKLMNOP", "a b", "x" * 65, "", "a.b", "1,2"],
)
def test_a_strange_order_id_is_told_only_as_present_T28(strange: str) -> None:
    assert id_list([strange, ORDER]) == f"?,{ORDER}"


def test_the_list_of_orders_is_bounded_and_without_repetition() -> None:
    many = [f"114-0000000-{number:07d}" for number in range(300)]
    listed = id_list([*many, *many]).split(",")
    assert listed == many[:IDS_MAX]
    assert id_list([*many[:3], *many[:3]]) == ",".join(many[:3])
    assert id_list([]) == ""
