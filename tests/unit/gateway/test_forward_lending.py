"""Amazon's tokens on the forwarding path: kept while they are good, given back when Amazon takes them not."""

import asyncio
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest

from fakes.gateway_ports import Down, json_answer
from services.gateway.model.calls import Restriction, UpstreamAnswer
from tests.unit.gateway.forwarding import ADDRESS_BYTES, ADDRESS_PATH, PII, Rig, error_of, finished

PARTICIPATIONS = "/sellers/v1/marketplaceParticipations"
TOKENS = "/tokens/2021-03-01/restrictedDataToken"
GOOD = json_answer(b'{"payload":[]}')
DELEGATE = "amzn1.sellerapps.app.delegate"


@pytest.fixture
def rig() -> Rig:
    return Rig()


def refusal(message: str, details: str = "") -> UpstreamAnswer:
    error = {"code": "Unauthorized", "message": message, "details": details}
    return json_answer(json.dumps({"errors": [error]}).encode(), 403)


EXPIRED = refusal("Access to requested resource is denied.", "The access token you provided has expired.")
NO_ROLE = refusal("Access to requested resource is denied.")


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


# --- a token that Amazon does not take


@pytest.mark.parametrize(
    "said",
    [
        EXPIRED,
        refusal("The access token you provided is revoked, malformed or invalid."),
        refusal("Unauthorized", "Access token is invalid"),
    ],
)
async def test_a_token_that_amazon_does_not_take_is_reported_and_replaced_once(
    rig: Rig, said: UpstreamAnswer
) -> None:
    rig.upstream.replies.extend([said, GOOD, GOOD])
    token = rig.auth.enrol()
    assert (await rig.call(token, PARTICIPATIONS)).status == 200
    assert (await rig.call(token, PARTICIPATIONS)).status == 200
    assert len(rig.auth.lent) == 2
    assert rig.auth.reported == [digest("Atza|1")]


async def test_a_second_refusal_reaches_the_device_and_is_not_asked_again(rig: Rig) -> None:
    rig.upstream.answer = lambda _: EXPIRED
    answer = await rig.call(rig.auth.enrol(), PARTICIPATIONS)
    assert answer.status == 403
    assert len(rig.upstream.requests) == 2
    assert rig.auth.reported == [digest("Atza|1")]


async def test_an_effect_whose_token_was_not_taken_is_made_once_more(rig: Rig) -> None:
    rig.upstream.replies.extend([EXPIRED, json_answer(b"{}")])
    item = "/listings/2021-08-01/items/SELLER/SKU-1"
    assert (await rig.call(rig.auth.enrol(), item, "PUT", body=b"{}")).status == 200
    assert len(rig.upstream.requests) == 2


@pytest.mark.parametrize("said", [NO_ROLE, refusal("The application lacks a role"), json_answer(b"no", 403)])
async def test_a_missing_role_costs_no_token(rig: Rig, said: UpstreamAnswer) -> None:
    rig.upstream.answer = lambda _: said
    assert (await rig.call(rig.auth.enrol(), PARTICIPATIONS)).status == 403
    assert len(rig.upstream.requests) == len(rig.auth.lent) == 1
    assert rig.auth.reported == []


async def test_a_restricted_token_is_reported_for_what_it_was_lent(rig: Rig) -> None:
    rig.upstream.replies.extend([EXPIRED, json_answer(ADDRESS_BYTES)])
    assert (await rig.call(rig.auth.enrol(scopes=PII), ADDRESS_PATH)).status == 200
    assert [restriction for _, _, restriction in rig.auth.lent] == [
        Restriction("GET", "/orders/v0/orders/{orderId}/address")
    ] * 2
    assert rig.auth.reported == [digest("Atz.sprdt|1")]


async def test_a_burst_of_calls_that_met_one_refused_token_tells_of_no_other(rig: Rig) -> None:
    token = rig.auth.enrol()
    await rig.call(token, PARTICIPATIONS)
    everybody_asked, waiting = asyncio.Event(), 0

    async def refused_together(_: Any, **__: Any) -> UpstreamAnswer:
        nonlocal waiting
        waiting += 1
        if waiting == 5:
            everybody_asked.set()
        await everybody_asked.wait()
        return EXPIRED if waiting == 5 and len(rig.auth.lent) == 1 else GOOD

    rig.upstream.send = refused_together  # type: ignore[assignment, method-assign]
    answers = await asyncio.gather(*(finished(rig, rig.call(token, PARTICIPATIONS)) for _ in range(5)))
    assert {answer.status for answer in answers} == {200}
    assert set(rig.auth.reported) == {digest("Atza|1")}


async def test_a_late_refusal_does_not_give_back_the_token_that_took_its_place(rig: Rig) -> None:
    token, is_answered, answers = rig.auth.enrol(), asyncio.Event(), iter([GOOD, EXPIRED, EXPIRED, GOOD])

    async def answer(_: Any, **__: Any) -> UpstreamAnswer:
        told = next(answers)
        if len(rig.auth.lent) == 1 and told is EXPIRED and not slow_ones:
            slow_ones.append(told)
            await is_answered.wait()
        return told

    slow_ones: list[UpstreamAnswer] = []
    rig.upstream.send = answer  # type: ignore[assignment, method-assign]
    await rig.call(token, PARTICIPATIONS)
    slow = asyncio.create_task(rig.call(token, PARTICIPATIONS))
    await rig.clock.advance(0.0)
    answers = iter([EXPIRED, GOOD, GOOD])
    await rig.call(token, PARTICIPATIONS)
    is_answered.set()
    assert (await slow).status == 200
    assert len(rig.auth.lent) == 2
    assert rig.auth.reported == [digest("Atza|1")]


async def test_a_report_that_auth_did_not_hear_costs_a_503_and_is_made_again(rig: Rig) -> None:
    token = rig.auth.enrol()
    await rig.call(token, PARTICIPATIONS)
    rig.upstream.replies.append(EXPIRED)
    rig.auth.lending_error = Down()
    assert (await rig.call(token, PARTICIPATIONS)).status == 503
    rig.auth.lending_error = None
    assert (await rig.call(token, PARTICIPATIONS)).status == 200
    assert rig.auth.reported == [digest("Atza|1")]


# --- how long a token is kept


@pytest.mark.parametrize("jump", [timedelta(minutes=-10), timedelta(0)])
async def test_no_jump_of_the_wall_clock_lets_a_lent_token_live_longer_R14(rig: Rig, jump: timedelta) -> None:
    token = rig.auth.enrol()
    await rig.call(token, PARTICIPATIONS)
    rig.clock.set_now(rig.clock.now() + jump)
    await rig.clock.advance(3_539.0)
    await rig.call(token, PARTICIPATIONS)
    assert len(rig.auth.lent) == 1
    await rig.clock.advance(2.0)
    await rig.call(token, PARTICIPATIONS)
    assert len(rig.auth.lent) == 2


async def test_a_clock_set_forward_is_believed_R14(rig: Rig) -> None:
    token = rig.auth.enrol()
    await rig.call(token, PARTICIPATIONS)
    rig.clock.set_now(rig.clock.now() + timedelta(hours=2))
    rig.auth.end(token, left_s=60.0)
    await rig.call(token, PARTICIPATIONS)
    assert len(rig.auth.lent) == 2


# --- for another developer's use


def asked_for(target_application: object) -> bytes:
    address = {"method": "GET", "path": "/orders/v0/orders/{orderId}/address"}
    return json.dumps({"restrictedResources": [address], "targetApplication": target_application}).encode()


async def test_a_handle_for_an_application_that_the_vendor_named_borrows_a_delegated_token(rig: Rig) -> None:
    rig.auth.delegates.add(DELEGATE)
    rig.upstream.replies.append(json_answer(ADDRESS_BYTES))
    given = await rig.call(rig.auth.enrol(scopes=PII), TOKENS, "POST", body=asked_for(DELEGATE))
    assert given.status == 200
    assert (await rig.call(json.loads(given.body)["restrictedDataToken"], ADDRESS_PATH)).status == 200
    wanted = Restriction("GET", "/orders/v0/orders/{orderId}/address", target_application=DELEGATE)
    assert [restriction for _, _, restriction in rig.auth.lent] == [wanted]


@pytest.mark.parametrize("target", [DELEGATE, 7, ["x"]])
async def test_a_handle_for_any_other_application_is_refused_T19(rig: Rig, target: object) -> None:
    answer = await rig.call(rig.auth.enrol(scopes=PII), TOKENS, "POST", body=asked_for(target))
    assert (answer.status, error_of(answer)["code"]) == (400, "InvalidInput")
    assert rig.auth.handles == 0
