"""Identical reads at once are one call; some answers are served again; a write makes both outdated."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.gateway_ports import DeviceRevoked, json_answer
from services.gateway.forward.revisions import HEARD_S_MAX
from services.gateway.model import policy_file
from services.gateway.model.calls import AmazonToken, Answer, UpstreamAnswer, UpstreamRequest
from services.gateway.model.kept_answers import (
    ANSWER_BYTES_MAX,
    LIVES_S,
    SELLER_BYTES_MAX,
    KeptAnswers,
    may_be_kept,
)
from services.gateway.model.policy import Rules
from tests.unit.gateway.forwarding import ADDRESS_BYTES, CATALOGUE, PII, Rig, call, header, talking

ORDERS = "/orders/v0/orders?MarketplaceIds=ATVPDKIKX0DER&CreatedAfter=2026-11-01"
PARTICIPATIONS = "/sellers/v1/marketplaceParticipations"
ITEM = "/listings/2021-08-01/items/A1/SKU?marketplaceIds=ATVPDKIKX0DER"
ADDRESS = "/orders/v0/orders/114-3941689-8772232/address"
CAPACITY = "/service/v1/serviceResources/R1/capacity/range"
PRICES = "/products/pricing/v0/price?MarketplaceId=ATVPDKIKX0DER&ItemType=Asin"
OFFERS = "/batches/products/pricing/v0/itemOffers"


class Amazon:
    """Answers when it is told to."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.gate = asyncio.Event()
        self.body = b'{"payload":{"Orders":[]}}'
        self.status = 200

    async def send(self, request: UpstreamRequest, *, timeout_s: float) -> UpstreamAnswer:
        assert timeout_s > 0
        self.rig.upstream.requests.append(request)
        await self.gate.wait()
        return json_answer(self.body, self.status)


@asynccontextmanager
async def opened(rig: Rig) -> AsyncIterator[Amazon]:
    """Let shared calls fly, with an Amazon that a test lets answer."""
    amazon = Amazon(rig)
    rig.upstream.send = amazon.send  # type: ignore[method-assign]
    async with talking(rig.turns):
        flying = asyncio.create_task(rig.forwarder._sharing.run())
        yield amazon
        flying.cancel()
        await asyncio.gather(flying, return_exceptions=True)


def begin(rig: Rig, token: str, target: str, method: str = "GET", **rest: object) -> asyncio.Task[Answer]:
    return asyncio.create_task(rig.forwarder.handle(call(token, target, method, **rest)))


async def settle() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


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
    assert len(rig.signals.shared_reads) == 7


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
        (key,) = rig.forwarder._sharing._flights
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


async def test_when_the_last_one_leaves_the_call_ends_and_its_turn_is_back(rig: Rig) -> None:
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
        assert not rig.forwarder._sharing._tasks
        assert not rig.forwarder._sharing._flights


async def test_whoever_leaves_while_the_answer_comes_takes_it_from_nobody(rig: Rig) -> None:
    tokens = [rig.auth.enrol() for _ in range(3)]
    for turns in range(12):
        async with opened(rig) as amazon:
            first, *others = [begin(rig, token, ORDERS) for token in tokens]
            await settle()
            amazon.gate.set()
            for _ in range(turns):
                await asyncio.sleep(0)
            first.cancel()
            answers = await asyncio.gather(*others)
            await asyncio.gather(first, return_exceptions=True)
        assert [answer.status for answer in answers] == [200, 200]
    assert len(rig.upstream.requests) == 12
    assert not rig.signals.crashes


async def test_nobody_waits_for_a_call_that_ends_with_the_process_R23(rig: Rig) -> None:
    async with opened(rig):
        calls = [begin(rig, rig.auth.enrol(), ORDERS) for _ in range(2)]
        await settle()
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(end) for end in ends] == [asyncio.CancelledError] * 2
    assert not any(use.under_way for use in rig.turns._uses.values())


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


async def test_what_seldom_changes_is_served_again_until_its_time_is_over(rig: Rig) -> None:
    token = rig.auth.enrol()
    async with opened(rig) as amazon:
        amazon.gate.set()
        amazon.body = b'{"payload":[]}'
        first = await begin(rig, token, PARTICIPATIONS)
        again = await begin(rig, rig.auth.enrol(), PARTICIPATIONS)
        fresh = await begin(rig, token, PARTICIPATIONS, headers=[("cache-control", "no-cache")])
        await rig.clock.advance(LIVES_S["sellers.getMarketplaceParticipations"])
        later = await begin(rig, token, PARTICIPATIONS)
    sources = [header(answer, "x-sallyport-source") for answer in (first, again, fresh, later)]
    assert sources == ["amazon", "cache", "amazon", "amazon"]
    assert again.body == first.body
    assert len(rig.upstream.requests) == 3


async def test_another_seller_is_never_served_what_this_one_was_told_T32(rig: Rig) -> None:
    async with opened(rig) as amazon:
        amazon.gate.set()
        await begin(rig, rig.auth.enrol(), PARTICIPATIONS)
        answer = await begin(rig, rig.auth.enrol(seller_id="seller-2"), PARTICIPATIONS)
    assert header(answer, "x-sallyport-source") == "amazon"


async def test_a_write_outdates_what_was_read_before_it_and_what_is_under_way(rig: Rig) -> None:
    token = rig.auth.enrol()
    async with opened(rig) as amazon:
        amazon.body = b'{"sku":"SKU"}'
        before = begin(rig, token, ITEM)
        await settle()
        writing = begin(rig, token, ITEM, "PUT", body=b"{}")
        await settle()
        after = begin(rig, rig.auth.enrol(), ITEM)
        await settle()
        amazon.gate.set()
        await asyncio.gather(before, writing, after)
    assert [request.method for request in rig.upstream.requests] == ["GET", "PUT", "GET"]


def policy_that_keeps(operations: str) -> Rules:
    return Rules(
        policy_file.parse(
            b'version = 1\n[[allow]]\noperations = ["*"]\n'
            + f'[[caches]]\noperations = ["{operations}"]\nseconds = 300\n'.encode()
        )
    )


LISTINGS_KEPT = policy_that_keeps("listingsItems_2021-08-01.*")


def two_replicas() -> tuple[Rig, Rig]:
    rigs = Rig(), Rig()
    for each in rigs:
        each.policies.rules = LISTINGS_KEPT
        each.revisions.counts = rigs[0].revisions.counts
    return rigs


async def asked(rig: Rig, target: str, method: str = "GET", **rest: object) -> str | None:
    """Return where the answer came from."""
    return header(await begin(rig, rig.auth.enrol(), target, method, **rest), "x-sallyport-source")


async def test_a_write_through_one_replica_outdates_what_another_kept_within_seconds() -> None:
    here, there = two_replicas()
    async with opened(here) as amazon, opened(there) as amazon_there:
        amazon.gate.set()
        amazon_there.gate.set()
        assert [await asked(there, ITEM) for _ in range(2)] == ["amazon", "cache"]
        await asked(here, ITEM, "PATCH", body=b"{}")
        await there.clock.advance(HEARD_S_MAX)
        assert [await asked(there, ITEM) for _ in range(2)] == ["amazon", "cache"]
        assert there.revisions.looks == 2


async def test_what_a_read_by_post_was_told_is_served_again_for_the_same_bytes_only(rig: Rig) -> None:
    rig.policies.rules = policy_that_keeps("services.get*SlotCapacity")
    async with opened(rig) as amazon:
        amazon.gate.set()
        bodies = [b'["B0A"]', b'["B0A"]', b'["B0B"]', b'["B0A"]']
        sources = [await asked(rig, CAPACITY, "POST", body=body) for body in bodies]
    assert sources == ["amazon", "cache", "amazon", "cache"]


async def test_a_read_by_post_outdates_nothing_here_or_elsewhere(rig: Rig) -> None:
    rig.policies.rules = policy_that_keeps("productPricingV0.*")
    async with opened(rig) as amazon:
        amazon.gate.set()
        targets = [(PRICES, "GET"), (OFFERS, "POST"), (PRICES, "GET")]
        assert [await asked(rig, *target) for target in targets] == ["amazon", "amazon", "cache"]
    assert (rig.revisions.looks, rig.revisions.counts) == (0, {})


async def test_while_nobody_can_say_what_was_written_nothing_is_served_again_R05() -> None:
    rig, _ = two_replicas()
    async with opened(rig) as amazon:
        amazon.gate.set()
        assert [await asked(rig, ITEM) for _ in range(2)] == ["amazon", "cache"]
        await rig.clock.advance(HEARD_S_MAX)
        rig.revisions.is_down = True
        assert [await asked(rig, ITEM) for _ in range(2)] == ["amazon", "amazon"]
        assert await asked(rig, ITEM, "PATCH", body=b"{}") == "amazon"
    assert set(rig.signals.side_failures) == {("revisions", "store_unavailable")}


async def test_where_nothing_can_be_outdated_storage_is_not_looked_at(rig: Rig) -> None:
    async with opened(rig) as amazon:
        amazon.gate.set()
        assert [await asked(rig, PARTICIPATIONS) for _ in range(2)] == ["amazon", "cache"]
        await asked(rig, ITEM, "PATCH", body=b"{}")
    assert (rig.revisions.looks, rig.revisions.counts) == (0, {})


async def test_nobody_is_served_again_once_a_sellers_standing_may_have_changed_T01(rig: Rig) -> None:
    token = rig.auth.enrol()
    async with opened(rig) as amazon:
        amazon.gate.set()
        await begin(rig, token, PARTICIPATIONS)
        rig.forwarder._sharing.forget("seller-1")
        await begin(rig, token, PARTICIPATIONS)
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


def test_what_tells_of_people_or_orders_is_never_kept_T09_T15() -> None:
    named = {operation.name: operation for operation in CATALOGUE}
    assert set(LIVES_S) <= set(named)
    for name in LIVES_S:
        assert named[name].mask is None
        assert named[name].is_read
    kept = [operation for operation in CATALOGUE if may_be_kept(operation)]
    assert not any(operation.pii or operation.pii_request for operation in kept)


def test_answers_are_bounded_for_each_seller_and_in_all_T32_R23() -> None:
    kept = KeptAnswers()
    body = b"x" * (ANSWER_BYTES_MAX // 2)
    for number in range(40):
        kept.put(number, json_answer(body), seller_id="flood", api="catalog", until_s=60.0)
    kept.put("calm", json_answer(b"{}"), seller_id="other", api="catalog", until_s=60.0)
    assert len(kept) <= SELLER_BYTES_MAX // len(body) + 1
    assert kept.get("calm", 0.0) is not None
    kept.put("huge", json_answer(b"x" * (ANSWER_BYTES_MAX + 1)), seller_id="other", api="x", until_s=60.0)
    assert kept.get("huge", 0.0) is None
    kept.forget("flood", "catalog")
    assert len(kept) == 1
    assert kept.get("calm", 60.0) is None
    assert json.dumps(len(kept)) == "0"
