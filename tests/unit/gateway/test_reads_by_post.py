"""Reads that Amazon has called by POST or PUT: asked again like a GET, and told no less than one."""

import pytest

from fakes.gateway_ports import json_answer
from services.gateway.forward.attempts import READ_ATTEMPT_S_MAX
from services.gateway.model.calls import UpstreamAnswer
from services.gateway.model.faults import UpstreamLost, UpstreamTimeout
from tests.unit.gateway.forwarding import PII, Rig, error_of, finished

FEES = "/products/fees/v0/feesEstimate"
ASKED = b'[{"IdType":"ASIN","IdValue":"B0X"}]'
PREVIEW = "/fba/outbound/2020-07-01/fulfillmentOrders/preview"
INPUTS = "/mfn/v0/additionalSellerInputs"
PERSON = (
    b'{"payload":{"ShipmentLevelFields":[{"SellerInputDefinition":'
    b'{"StoredValue":{"ValueAsAddress":{"Name":"Jane Roe"}}}}]}}'
)
# Rates with a token that is good for minutes: made by the call.
RATES = "/shipping/v2/shipments/rates"
READ, MASKED, CALLED = "gateway.pii.read", "gateway.pii.masked", "gateway.operation.called"


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.mark.parametrize("stumble", [json_answer(b"{}", 503), json_answer(b"{}", 429), UpstreamLost()])
async def test_it_is_asked_again_with_its_body_when_amazon_stumbles_R07(
    rig: Rig, stumble: UpstreamAnswer | Exception
) -> None:
    rig.upstream.replies.extend([stumble, json_answer(b"[]")])
    answer = await finished(rig, rig.call(rig.auth.enrol(), FEES, "POST", body=ASKED))
    assert (answer.status, answer.body) == (200, b"[]")
    assert [(request.method, request.body) for request in rig.upstream.requests] == [("POST", ASKED)] * 2
    assert rig.upstream.timeouts_s[0] == READ_ATTEMPT_S_MAX


async def test_what_makes_something_is_not_asked_again_whatever_it_is_called_R07(rig: Rig) -> None:
    rig.upstream.answer = lambda _: json_answer(b"{}", 503)
    await finished(rig, rig.call(rig.auth.enrol(), RATES, "POST", body=b"{}"))
    assert len(rig.upstream.requests) == 1
    assert rig.told == [(CALLED, "intent", ""), (CALLED, "outcome", "unknown")]


async def test_one_about_nobody_is_not_audited(rig: Rig) -> None:
    await rig.call(rig.auth.enrol(), FEES, "POST", body=ASKED)
    assert not rig.audit.events


async def test_one_that_carries_a_customers_data_to_amazon_is_told_R01(rig: Rig) -> None:
    await rig.call(rig.auth.enrol(), PREVIEW, "POST", body=b"{}")
    assert rig.told == [(CALLED, "intent", ""), (CALLED, "outcome", "done")]


async def test_one_that_carries_a_customers_data_does_not_go_while_the_audit_log_is_down_R02(
    rig: Rig,
) -> None:
    rig.audit.fails_from = 0
    answer = await rig.call(rig.auth.enrol(), PREVIEW, "POST", body=b"{}")
    assert error_of(answer)["details"].startswith("audit_unavailable")
    assert not rig.upstream.requests


@pytest.mark.parametrize("reply", [json_answer(b"{}", 500), UpstreamTimeout()])
async def test_one_without_an_answer_did_nothing_R01(rig: Rig, reply: UpstreamAnswer | Exception) -> None:
    rig.upstream.replies.extend([reply] * 4)
    await finished(rig, rig.call(rig.auth.enrol(), PREVIEW, "POST", body=b"{}"))
    assert rig.told[-1] == (CALLED, "outcome", "not_done")


async def test_one_that_shows_personal_data_does_not_leave_when_its_outcome_is_not_durable_R02(
    rig: Rig,
) -> None:
    rig.upstream.answer = lambda _: json_answer(PERSON)
    token = rig.auth.enrol(scopes=PII)
    assert (await rig.call(token, INPUTS, "POST", body=b"{}")).body == PERSON
    assert rig.told == [(READ, "intent", ""), (READ, "outcome", "done")]
    rig.audit.fails_from = len(rig.audit.events) + 1
    answer = await finished(rig, rig.call(token, INPUTS, "POST", body=b"{}"))
    assert answer.status == 503
    assert b"Jane" not in answer.body


async def test_one_is_masked_and_told_as_such_for_a_device_without_the_scope_T09(rig: Rig) -> None:
    rig.upstream.answer = lambda _: json_answer(PERSON)
    answer = await rig.call(rig.auth.enrol(), INPUTS, "POST", body=b"{}")
    assert b"Jane" not in answer.body
    assert rig.told == [(MASKED, "intent", ""), (MASKED, "outcome", "done")]
