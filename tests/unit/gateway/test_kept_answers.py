"""Some answers are served again, for a while; a write outdates them on every replica."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.gateway_ports import json_answer
from services.gateway.forward.revisions import HEARD_S_MAX
from services.gateway.model import policy_file
from services.gateway.model.kept_answers import (
    ANSWER_BYTES_MAX,
    ANSWER_OVERHEAD_BYTES,
    ANSWERS_MAX,
    BYTES_MAX,
    LIVES_S,
    SELLER_BYTES_MAX,
    KeptAnswers,
    life_s,
    may_be_kept,
)
from services.gateway.model.operations import TokenRule
from services.gateway.model.policy import Rules
from tests.unit.gateway.flights import begin, opened, settle
from tests.unit.gateway.forwarding import CATALOGUE, Rig, header

PARTICIPATIONS = "/sellers/v1/marketplaceParticipations"
ITEM = "/listings/2021-08-01/items/A1/SKU?marketplaceIds=ATVPDKIKX0DER"
CAPACITY = "/service/v1/serviceResources/R1/capacity/range"
PRICES = "/products/pricing/v0/price?MarketplaceId=ATVPDKIKX0DER&ItemType=Asin"
OFFERS = "/batches/products/pricing/v0/itemOffers"


@pytest.fixture
def rig() -> Rig:
    return Rig()


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
        rig.forwarder._coalescing.forget("seller-1")
        await begin(rig, token, PARTICIPATIONS)
    assert len(rig.upstream.requests) == 2


@pytest.mark.parametrize(("changed", "asked_again"), [("seller-1", 2), (None, 2), ("seller-2", 1)])
async def test_nobody_is_served_what_was_under_way_when_a_sellers_standing_may_have_changed_T01(
    rig: Rig, changed: str | None, asked_again: int
) -> None:
    async with opened(rig) as amazon:
        early = begin(rig, rig.auth.enrol(), PARTICIPATIONS)
        await settle()
        rig.forwarder._coalescing.forget(changed)
        late = begin(rig, rig.auth.enrol(), PARTICIPATIONS)
        await settle()
        amazon.gate.set()
        await asyncio.gather(early, late)
    assert len(rig.upstream.requests) == asked_again


def test_what_tells_of_people_or_orders_is_never_kept_T09_T15() -> None:
    named = {operation.name: operation for operation in CATALOGUE}
    assert set(LIVES_S) <= set(named)
    for name in LIVES_S:
        assert named[name].mask is None
        assert named[name].is_read
    kept = [operation for operation in CATALOGUE if may_be_kept(operation)]
    assert not any(operation.pii or operation.pii_request for operation in kept)


EVERYTHING_KEPT = policy_that_keeps("*").policy
SEARCHED = next(each for each in CATALOGUE if each.name == "catalogItems_2022-04-01.searchCatalogItems")


@pytest.mark.parametrize(
    "changes",
    [
        {"is_read": False},
        {"token": TokenRule.ALWAYS},
        {"token": TokenRule.DATA},
        {"token": TokenRule.REPORT},
        {"pii": {"name": ("$.name",)}},
        {"pii_request": {"name": ("$.name",)}},
        {"document_links": ("$.url",)},
        {"api": "ordersV0", "operation_id": "getOrders"},
    ],
    ids=str,
)
def test_no_policy_keeps_what_may_tell_of_people_orders_or_documents_T15(changes: dict[str, Any]) -> None:
    assert life_s(SEARCHED, EVERYTHING_KEPT) == 300
    assert life_s(replace(SEARCHED, **changes), EVERYTHING_KEPT) == 0


@dataclass(frozen=True)
class Put:
    """An answer that is kept; its name tells it from others of its seller."""

    seller_id: str
    name: str
    api: str
    body_bytes: int

    @property
    def size_bytes(self) -> int:
        return self.body_bytes + ANSWER_OVERHEAD_BYTES

    def into(self, kept: KeptAnswers) -> None:
        answer = json_answer(BODY[: self.body_bytes])
        kept.put(self.key, answer, seller_id=self.seller_id, api=self.api, until_s=60.0)

    @property
    def key(self) -> tuple[str, str]:
        return self.seller_id, self.name


BODY = b"x" * (ANSWER_BYTES_MAX + 1)
SELLERS, APIS = st.sampled_from(["s1", "s2"]), st.sampled_from(["catalog", "listings"])
# Four answers of this size are as much as a seller may have.
QUARTER_BYTES = SELLER_BYTES_MAX // 4 - ANSWER_OVERHEAD_BYTES
SIZES = st.sampled_from([0, QUARTER_BYTES, QUARTER_BYTES + 1, ANSWER_BYTES_MAX, ANSWER_BYTES_MAX + 1])
PUTS = st.builds(Put, SELLERS, st.sampled_from("123456"), APIS, SIZES)
# What is put; of which seller and API answers are forgotten; of which seller all are; or None: everything.
STEPS = PUTS | st.tuples(SELLERS, APIS) | SELLERS | st.none()


def after(known: list[Put], step: Put | tuple[str, str] | str | None) -> list[Put]:
    """Return what is kept after a step, the oldest first."""
    if step is None or isinstance(step, str):
        return [each for each in known if step is not None and each.seller_id != step]
    if isinstance(step, tuple):
        return [each for each in known if (each.seller_id, each.api) != step]
    others = [each for each in known if each.key != step.key]
    if step.body_bytes > ANSWER_BYTES_MAX:
        return others
    own = [each for each in others if each.seller_id == step.seller_id]
    while sum(each.size_bytes for each in [*own, step]) > SELLER_BYTES_MAX:
        others.remove(own.pop(0))
    return [*others, step]


@given(st.lists(STEPS, max_size=30))
def test_a_sellers_newest_answers_are_kept_whatever_is_put_and_forgotten_T32_R23(
    steps: list[Put | tuple[str, str] | str | None],
) -> None:
    kept, known = KeptAnswers(), list[Put]()
    for step in steps:
        if isinstance(step, Put):
            step.into(kept)
        elif isinstance(step, tuple):
            kept.forget(*step)
        else:
            kept.forget_seller(step)
        known = after(known, step)
        assert len(kept) == len(known)
        answers = [kept.get(each.key, 0.0) for each in known]
        assert [answer and len(answer.body) for answer in answers] == [each.body_bytes for each in known]
    kept.forget_seller(None)
    assert (len(kept), kept._by_seller, kept._bytes, kept._bytes_total) == (0, {}, {}, 0)


def test_of_all_sellers_answers_together_the_oldest_give_way_T32_R23() -> None:
    kept = KeptAnswers()
    fitting = BYTES_MAX // (SELLER_BYTES_MAX // 4)
    many = [Put(f"seller-{number}", "1", "catalog", QUARTER_BYTES) for number in range(fitting + 1)]
    for each in many:
        each.into(kept)
    assert [kept.get(each.key, 0.0) is not None for each in many] == [False] + [True] * fitting


def test_answers_are_bounded_in_number_however_small_R23() -> None:
    kept = KeptAnswers()
    for number in range(ANSWERS_MAX + 1):
        Put(f"seller-{number}", "1", "catalog", 0).into(kept)
    assert len(kept) == ANSWERS_MAX
    assert kept.get(("seller-0", "1"), 0.0) is None


def test_answers_are_bounded_for_each_seller_and_in_all_T32_R23() -> None:
    kept = KeptAnswers()
    body = b"x" * (ANSWER_BYTES_MAX // 2)
    for number in range(40):
        kept.put(number, json_answer(body), seller_id="flood", api="catalog", until_s=60.0)
    kept.put("calm", json_answer(b"{}"), seller_id="other", api="catalog", until_s=60.0)
    assert len(kept) == SELLER_BYTES_MAX // (len(body) + ANSWER_OVERHEAD_BYTES) + 1
    assert kept.get("calm", 0.0) is not None
    kept.put("huge", json_answer(b"x" * (ANSWER_BYTES_MAX + 1)), seller_id="other", api="x", until_s=60.0)
    assert kept.get("huge", 0.0) is None
    kept.forget("flood", "catalog")
    assert len(kept) == 1
    assert kept.get("calm", 60.0) is None
    assert len(kept) == 0
