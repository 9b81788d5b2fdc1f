"""Amazon in trouble, and callers who make some: who rests, who waits, and how much of it is told."""

import asyncio

import pytest

from fakes.gateway_ports import json_answer
from services.gateway.forward.records import SUM_UP_EVERY_S
from services.gateway.model.allowance import REFILL_S, SOURCES_MAX, TOLD_MAX, Allowance
from services.gateway.model.calls import UpstreamAnswer
from services.gateway.model.circuit import FAILURES_MAX
from services.gateway.model.faults import (
    DeadlineExceeded,
    UpstreamBusy,
    UpstreamInvalid,
    UpstreamLost,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from tests.unit.gateway.forwarding import Rig, error_of, finished, header

CATALOG = "/catalog/2022-04-01/items/B000"
ITEM = "/listings/2021-08-01/items/SELLER/SKU-1"
FAILURES = [
    json_answer(b"{}", 500),
    json_answer(b"{}", 503),
    UpstreamTimeout(),
    UpstreamLost(),
    UpstreamUnreachable(),
    UpstreamInvalid(),
]


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def fail(rig: Rig, token: str, reply: UpstreamAnswer | Exception, times: int = FAILURES_MAX) -> None:
    """Have a device's effects fail; an effect is one attempt."""
    rig.upstream.replies.extend([reply] * times)
    for _ in range(times):
        await finished(rig, rig.call(token, ITEM, "PUT", body=b"{}"))


# --- circuits


@pytest.mark.parametrize("reply", FAILURES)
async def test_calls_of_a_seller_rest_whom_amazon_does_not_answer_R07(
    rig: Rig, reply: UpstreamAnswer | Exception
) -> None:
    token, other = rig.auth.enrol(), rig.auth.enrol(seller_id="seller-2")
    await fail(rig, token, reply)
    asked = len(rig.upstream.requests)
    answer = await rig.call(token, CATALOG)
    assert (answer.status, error_of(answer)["code"]) == (503, "ServiceUnavailable")
    assert error_of(answer)["details"].startswith("upstream_resting")
    assert 1 <= int(header(answer, "retry-after") or 0) <= 5
    assert len(rig.upstream.requests) == asked
    assert (await rig.call(other, CATALOG)).status == 200


@pytest.mark.parametrize("status", [400, 403, 404, 429])
async def test_a_refusal_of_amazons_is_an_answer_R07(rig: Rig, status: int) -> None:
    token = rig.auth.enrol()
    await fail(rig, token, json_answer(b"{}", status), FAILURES_MAX + 2)
    assert not rig.signals.openings


async def test_an_answer_for_which_the_gateway_had_no_time_says_nothing_of_amazon_R07(rig: Rig) -> None:
    token = rig.auth.enrol()
    await fail(rig, token, DeadlineExceeded(), FAILURES_MAX + 2)
    assert not rig.signals.openings
    assert (await rig.call(token, CATALOG)).status == 200


async def test_a_rest_ends_with_a_probe_that_is_answered(rig: Rig) -> None:
    token = rig.auth.enrol()
    await fail(rig, token, UpstreamLost())
    await rig.clock.advance(5.0)
    assert (await rig.call(token, CATALOG)).status == 200
    assert (await rig.call(token, CATALOG)).status == 200


async def test_a_circuit_that_opens_under_a_read_leaves_it_its_own_failure(rig: Rig) -> None:
    token = rig.auth.enrol()
    await fail(rig, token, UpstreamLost(), FAILURES_MAX - 1)
    rig.upstream.answer = lambda _: json_answer(b"{}", 503)
    asked = len(rig.upstream.requests)
    answer = await finished(rig, rig.call(token, CATALOG))
    assert (answer.status, header(answer, "x-amzn-requestid")) == (503, "amazon-1")
    assert len(rig.upstream.requests) == asked + 1


# --- how long Amazon asks to wait


@pytest.mark.parametrize(("asked", "wait_s"), [("7", 7.0), ("86400", 0.0), ("soon", 0.0)])
async def test_a_read_waits_as_long_as_amazon_asks_within_bounds_T29(
    rig: Rig, asked: str, wait_s: float
) -> None:
    rig.upstream.replies.append(json_answer(b"{}", 503, retry_after=asked))
    answer = await finished(rig, rig.call(rig.auth.enrol(), CATALOG))
    assert answer.status == 200
    assert wait_s <= rig.clock.monotonic_s() <= wait_s + 1.0


async def test_a_read_that_would_wait_past_its_deadline_hears_at_once(rig: Rig) -> None:
    rig.upstream.replies.append(json_answer(b"{}", 503, retry_after="60"))
    answer = await finished(rig, rig.call(rig.auth.enrol(), CATALOG))
    assert answer.status == 503
    assert rig.clock.monotonic_s() <= 1.0


# --- how much is told


async def test_nobody_grows_the_audit_log_by_being_refused_T06(rig: Rig) -> None:
    token, other = rig.auth.enrol(), rig.auth.enrol()
    for _ in range(TOLD_MAX + 40):
        await rig.call(token, "/unknown")
    assert len(rig.audit.events) == TOLD_MAX
    assert len(rig.signals.refusals) == TOLD_MAX + 40
    await rig.call(other, "/unknown")
    assert len(rig.audit.events) == TOLD_MAX + 1
    await rig.clock.advance(REFILL_S)
    await rig.call(token, "/unknown")
    assert rig.audit.events[-1].details["untold"] == "40"


async def test_credentials_pasted_by_strangers_are_counted_T06(rig: Rig) -> None:
    for _ in range(TOLD_MAX + 5):
        assert (await rig.call("Atza|pasted", CATALOG)).status == 422
    assert len(rig.audit.events) == TOLD_MAX
    tasks = [asyncio.ensure_future(work()) for _, work in rig.forwarder.tasks]
    await rig.clock.advance(SUM_UP_EVERY_S + 1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert rig.told[-1] == ("gateway.refusals.counted", "fact", "refused")
    assert rig.audit.events[-1].details == {"untold": "5"}


def test_what_is_counted_is_bounded_and_summed_up_once_R23() -> None:
    allowance = Allowance()
    for source in range(SOURCES_MAX + 10):
        for _ in range(TOLD_MAX):
            assert allowance.ask(str(source), 0.0) == 0
        assert allowance.ask(str(source), 0.0) is None
    assert len(allowance._untold) <= SOURCES_MAX + 1
    assert allowance.sum_up() == SOURCES_MAX + 10
    assert allowance.sum_up() == 0


async def test_a_call_without_a_connection_costs_no_quota_and_is_nobodys_failure(
    rig: Rig,
) -> None:
    token = rig.auth.enrol()
    rig.upstream.replies.extend([UpstreamBusy()] * (FAILURES_MAX + 2))
    for _ in range(FAILURES_MAX + 2):
        answer = await rig.call(token, ITEM, "PUT", body=b"{}")
        assert error_of(answer)["details"].startswith("upstream_busy")
    assert (await rig.call(token, ITEM, "PUT", body=b"{}")).status == 200
    assert not rig.signals.openings
