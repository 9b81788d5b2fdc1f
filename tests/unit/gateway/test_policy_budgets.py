"""The shares of a seller's plan that a policy leaves to jobs and to single devices."""

from collections.abc import Mapping

import pytest

from services.gateway.model.application_policy import Share
from services.gateway.model.calls import Region
from services.gateway.model.faults import QuotaExceeded
from services.gateway.model.policy import Rules
from services.gateway.model.policy_file import parse
from services.gateway.model.priority import Priority
from services.gateway.model.quota import PermitRequest, Quota
from tests.unit.gateway.forwarding import Rig
from tests.unit.gateway.quota_world import World, world

# A call a thousand seconds: nothing refills while a test runs.
SLOW_PER_S, BURST = 0.001, 30
PARTICIPATIONS = "/sellers/v1/marketplaceParticipations"


async def made(at: World, device_id: str, priority: Priority, shares: Mapping[Priority, Share]) -> int:
    """Return how many calls of a device get a permit now."""
    replica, request = at.replicas[0], PermitRequest(device_id, (at.quota,), priority, shares)
    for calls in range(BURST + 1):
        try:
            with await replica.limiter.acquire(request, until_s=replica.clock.monotonic_s() + 0.5) as permit:
                permit.spend()
        except QuotaExceeded:
            return calls
    raise AssertionError("more than the plan")


async def test_jobs_leave_the_rest_of_the_plan_to_people() -> None:
    at = world(SLOW_PER_S, BURST, replicas=1)
    shares = {Priority.BULK: Share(of_plan=0.5)}
    jobs = await made(at, "desk-1", Priority.BULK, shares) + await made(at, "desk-2", Priority.BULK, shares)
    people = await made(at, "desk-1", Priority.INTERACTIVE, shares)
    assert 0.4 * BURST <= jobs <= 0.5 * BURST
    assert people == BURST - jobs
    await at.end()


async def test_one_device_leaves_the_rest_of_a_share_to_others() -> None:
    at = world(SLOW_PER_S, BURST, replicas=1)
    shares = {Priority.BULK: Share(of_device=0.3)}
    for name in ("desk-1", "desk-2"):
        assert 0 < await made(at, name, Priority.BULK, shares) <= 0.3 * BURST
    await at.end()


async def test_without_a_share_the_whole_plan_is_everybodys() -> None:
    at = world(SLOW_PER_S, BURST, replicas=1)
    assert await made(at, "desk-1", Priority.INTERACTIVE, {}) == BURST
    await at.end()


@pytest.mark.parametrize(("share", "burst"), [(0.5, 5), (0.01, 1)])
def test_a_part_of_a_plan_has_at_least_one_call(share: float, burst: int) -> None:
    quota = Quota("seller", Region.NA, "GET /x", 2.0, 10).budget(share, "bulk")
    assert (quota.rate_per_s, quota.burst) == (2.0 * share, burst)


def test_a_part_of_a_plan_that_is_found_out_is_not_found_out_by_itself() -> None:
    assert Quota("seller", Region.NA, "GET /x", 2.0, 10, is_stated=False).budget(0.5, "bulk").is_stated


def test_a_part_that_a_changed_policy_makes_smaller_is_counted_anew() -> None:
    plan = Quota("seller", Region.NA, "GET /x", 2.0, 10)
    keys = {
        plan.budget(share, whose).operation_key for share in (0.5, 0.2) for whose in ("bulk", "bulk desk")
    }
    assert len(keys) == 4


async def test_the_policy_in_force_says_how_much_of_the_plan_a_job_may_use() -> None:
    rig = Rig()
    text = b"""
version = 1
[[allow]]
operations = ["*"]
[[budgets]]
operations = ["sellers.*"]
priority = "bulk"
of_plan = 0.2
"""
    rig.policies.rules = Rules(parse(text))
    token = rig.auth.enrol()
    statuses = []
    for _ in range(6):
        headers = [("x-sallyport-priority", "bulk"), ("cache-control", "no-cache")]
        answer = await rig.call(token, PARTICIPATIONS, headers=headers)
        statuses.append(answer.status)
    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert len(rig.upstream.requests) <= 3
