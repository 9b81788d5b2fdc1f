"""Identical reads at once are one call, and each waiter stays its own: what it sees, waits for and hears."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.gateway_ports import DeviceRevoked, Down
from services.gateway.model.calls import AmazonToken
from tests.unit.gateway.flights import begin, opened, settle
from tests.unit.gateway.forwarding import ADDRESS_BYTES, PII, Rig, header, talking

ORDERS = "/orders/v0/orders?MarketplaceIds=ATVPDKIKX0DER&CreatedAfter=2026-11-01"
PARTICIPATIONS = "/sellers/v1/marketplaceParticipations"
ITEM = "/listings/2021-08-01/items/A1/SKU?marketplaceIds=ATVPDKIKX0DER"
ADDRESS = "/orders/v0/orders/114-3941689-8772232/address"
CAPACITY = "/service/v1/serviceResources/R1/capacity/range"


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_the_same_read_by_many_desktops_is_one_call_to_amazon(rig: Rig) -> None:
    tokens = [rig.auth.enrol() for _ in range(8)]
    async with opened(rig) as amazon:
        calls = [begin(rig, token, ORDERS) for token in tokens]
        await settle()
        amazon.gate.set()
        answers = await asyncio.gather(*calls)
    assert len(rig.upstream.requests) == 1
    assert {answer.body for answer in answers} == {amazon.body}
    assert (
        sorted(str(header(answer, "x-sallyport-source")) for answer in answers) == ["amazon"] + ["shared"] * 7
    )
    assert len(rig.signals.coalesced_reads) == 7


async def test_another_sellers_and_another_question_are_calls_of_their_own_T32(rig: Rig) -> None:
    one, other = rig.auth.enrol(), rig.auth.enrol(seller_id="seller-2")
    async with opened(rig) as amazon:
        calls = [
            begin(rig, one, ORDERS),
            begin(rig, other, ORDERS),
            begin(rig, one, ORDERS + "&MaxResultsPerPage=5"),
        ]
        await settle()
        amazon.gate.set()
        await asyncio.gather(*calls)
    assert len(rig.upstream.requests) == 3


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from([b"", b"[]", b"[ ]", b'["B0A"]', b'["B0B"]']), min_size=1, max_size=6))
def test_reads_by_post_are_as_many_calls_as_there_are_bodies_among_them_T32(bodies: list[bytes]) -> None:
    async def ask() -> int:
        rig = Rig()
        async with opened(rig) as amazon:
            calls = [begin(rig, rig.auth.enrol(), CAPACITY, "POST", body=body) for body in bodies]
            await settle()
            amazon.gate.set()
            await asyncio.gather(*calls)
        return len(rig.upstream.requests)

    assert asyncio.run(ask()) == len(set(bodies))


async def test_what_a_client_calls_its_body_makes_no_other_question_of_it(rig: Rig) -> None:
    async with opened(rig) as amazon:
        given_types = [[], [("content-type", "application/json")], [("content-type", "text/plain")]]
        calls = [
            begin(rig, rig.auth.enrol(), CAPACITY, "POST", body=b"[]", headers=headers)
            for headers in given_types
        ]
        await settle()
        amazon.gate.set()
        await asyncio.gather(*calls)
    (request,) = rig.upstream.requests
    assert dict(request.headers)["content-type"] == "application/json"


async def test_nothing_of_a_large_body_stands_in_what_calls_are_told_by_R23(rig: Rig) -> None:
    body = json.dumps(["B000000001"] * 10_000).encode()
    async with opened(rig):
        asking = begin(rig, rig.auth.enrol(), CAPACITY, "POST", body=body)
        await settle()
        (key,) = rig.forwarder._coalescing._flights
        assert "B000000001" not in repr(key)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def test_each_sees_of_a_shared_answer_what_it_may_see_and_is_audited_for_itself_T09_R01(
    rig: Rig,
) -> None:
    tokens = [rig.auth.enrol(scopes=PII), rig.auth.enrol(), rig.auth.enrol()]
    async with opened(rig) as amazon:
        amazon.body = ADDRESS_BYTES
        calls = [begin(rig, token, ADDRESS) for token in tokens]
        await settle()
        amazon.gate.set()
        seeing, *masked = await asyncio.gather(*calls)
    assert b"Jane Roe" in seeing.body
    assert all(b"Jane Roe" not in answer.body for answer in masked)
    assert len(rig.upstream.requests) == 2
    assert len({event.actor_id for event in rig.audit.events}) == 3


async def test_nobody_hears_that_the_device_was_revoked_which_began_a_shared_call_T01(rig: Rig) -> None:
    revoked, *others = [rig.auth.enrol() for _ in range(3)]
    lend, may_lend = rig.auth.lend_amazon_token, asyncio.Event()

    async def lend_to_those_who_stand(device_id: str, *given: Any, **named: Any) -> AmazonToken:
        await may_lend.wait()
        if device_id == rig.auth.devices[revoked].device_id:
            raise DeviceRevoked
        return await lend(device_id, *given, **named)

    rig.auth.lend_amazon_token = lend_to_those_who_stand  # type: ignore[method-assign]
    async with opened(rig) as amazon:
        amazon.gate.set()
        calls = []
        for token in (revoked, *others):
            calls.append(begin(rig, token, ORDERS))
            await settle()
        may_lend.set()
        answers = await asyncio.gather(*calls)
    assert [answer.status for answer in answers] == [403, 200, 200]
    assert len(rig.upstream.requests) == 1


async def test_a_person_does_not_wait_in_a_jobs_place_for_the_same_answer_T32(rig: Rig) -> None:
    job, person = rig.auth.enrol(), rig.auth.enrol()
    async with opened(rig) as amazon:
        amazon.gate.set()
        jobs = [
            begin(rig, job, ITEM.replace("SKU", f"SKU{number}"), headers=[("x-sallyport-priority", "bulk")])
            for number in range(40)
        ]
        for _ in range(5):
            await settle()
            await rig.clock.advance(0.05)
        last = ITEM.replace("SKU", "SKU39")
        asked = begin(rig, person, last, headers=[("x-sallyport-priority", "interactive")])
        await settle()
        await rig.clock.advance(0.1)
        await settle()
        assert asked.done()
        assert not jobs[-1].done()
        for each in jobs:
            each.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)


async def test_whoever_leaves_does_not_take_the_call_away_from_the_others(rig: Rig) -> None:
    tokens = [rig.auth.enrol() for _ in range(3)]
    async with opened(rig) as amazon:
        first, *others = [begin(rig, token, ORDERS) for token in tokens]
        await settle()
        first.cancel()
        await settle()
        amazon.gate.set()
        answers = await asyncio.gather(*others)
    assert [answer.status for answer in answers] == [200, 200]
    assert len(rig.upstream.requests) == 1


async def test_when_the_last_one_leaves_the_call_ends_and_its_permit_is_back(rig: Rig) -> None:
    token = rig.auth.enrol()
    async with opened(rig) as amazon:
        calls = [begin(rig, token, ORDERS), begin(rig, rig.auth.enrol(), ORDERS)]
        await settle()
        for each in calls:
            each.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        amazon.gate.set()
        assert (await begin(rig, token, ORDERS)).status == 200
    assert len(rig.upstream.requests) == 2


async def test_nothing_stays_behind_of_calls_whoever_leaves_and_whenever_R23(rig: Rig) -> None:
    async with opened(rig) as amazon:
        amazon.gate.set()
        for steps in range(12):
            leaving = begin(rig, rig.auth.enrol(), f"{ORDERS}&MaxResultsPerPage={steps + 1}")
            for _ in range(steps):
                await asyncio.sleep(0)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
        await settle()
        assert not rig.forwarder._coalescing._flying
        assert not rig.forwarder._coalescing._flights


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("turns", range(12))
async def test_whoever_leaves_while_the_answer_comes_takes_it_from_nobody(
    rig: Rig, fails: bool, turns: int
) -> None:
    async with opened(rig) as amazon:
        amazon.fault = Down() if fails else None
        first, *others = [begin(rig, rig.auth.enrol(), ORDERS) for _ in range(3)]
        await settle()
        amazon.gate.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        first.cancel()
        answers = await asyncio.gather(*others)
        await asyncio.gather(first, return_exceptions=True)
    assert [answer.status for answer in answers] == [503 if fails else 200] * 2
    assert len(rig.upstream.requests) == 1
    assert not rig.signals.crashes


@pytest.mark.parametrize("turns", range(12))
async def test_nobody_waits_for_a_call_that_ends_with_the_process_R23(rig: Rig, turns: int) -> None:
    async with opened(rig):
        await settle()
        calls = [begin(rig, rig.auth.enrol(), ORDERS) for _ in range(2)]
        for _ in range(turns):
            await asyncio.sleep(0)
    await settle()
    assert all(call.done() for call in calls)
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(end) for end in ends] == [asyncio.CancelledError] * 2
    assert not any(usage.under_way for usage in rig.limiter._usages.values())


async def test_a_read_that_comes_when_the_process_ends_is_its_callers_own_R23(rig: Rig) -> None:
    async with opened(rig) as amazon:
        pass
    calls = [begin(rig, rig.auth.enrol(), ORDERS) for _ in range(2)]
    async with talking(rig.limiter):
        await settle()
        amazon.gate.set()
        await asyncio.gather(*calls)
    assert len(rig.upstream.requests) == 2


async def test_a_failure_is_everybodys_and_is_not_kept(rig: Rig) -> None:
    tokens = [rig.auth.enrol() for _ in range(2)]
    async with opened(rig) as amazon:
        amazon.status, amazon.body = 404, b'{"errors":[{"code":"NotFound","message":"No such order."}]}'
        calls = [begin(rig, token, PARTICIPATIONS) for token in tokens]
        await settle()
        amazon.gate.set()
        assert [answer.status for answer in await asyncio.gather(*calls)] == [404, 404]
        amazon.status, amazon.body = 200, b'{"payload":[]}'
        assert (await begin(rig, tokens[0], PARTICIPATIONS)).status == 200
    assert len(rig.upstream.requests) == 2


async def test_somebody_with_more_time_asks_anew_when_the_first_ones_time_was_up(rig: Rig) -> None:
    first_token, token = rig.auth.enrol(), rig.auth.enrol()
    async with opened(rig) as amazon:
        first = begin(rig, first_token, ORDERS)
        await settle()
        await rig.clock.advance(15.0)
        second = begin(rig, token, ORDERS)
        await settle()
        await rig.clock.advance(5.0)
        amazon.gate.set()
        answers = await asyncio.gather(first, second)
    assert [answer.status for answer in answers] == [200, 200]
