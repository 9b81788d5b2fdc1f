"""Calls under way: no device and no seller fills the process, whatever its calls wait for (T-32, R-23)."""

import asyncio
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from fakes.gateway_ports import json_answer
from services.gateway.door.limits import REQUESTS_MAX
from services.gateway.forward import circuits
from services.gateway.forward.rate_limiter import limiter
from services.gateway.forward.under_way import CALLS_PER_DEVICE_MAX, CALLS_PER_SELLER_MAX, UnderWay
from services.gateway.model.calls import Answer, Device, Profile, UpstreamAnswer, UpstreamRequest
from services.gateway.model.faults import TooManyCalls
from tests.unit.gateway.forwarding import Rig, call, error_of, header, talking

PARTICIPATIONS = "/sellers/v1/marketplaceParticipations"


def device(device_id: str, seller_id: str) -> Device:
    return Device(
        device_id=device_id,
        seller_id=seller_id,
        profile=Profile.COMPAT,
        scopes=frozenset(),
        key_thumbprint="",
        expires_in_s=3600.0,
        restrictions=(),
        regions=frozenset(),
        default_marketplace_id="",
    )


def test_a_device_has_an_eighth_of_the_process_and_a_seller_half() -> None:
    assert REQUESTS_MAX == CALLS_PER_DEVICE_MAX * 8 == CALLS_PER_SELLER_MAX * 2
    assert limiter.WAITING_PER_DEVICE_MAX + circuits.UNDER_WAY_MAX < CALLS_PER_DEVICE_MAX


DEVICES = [device(f"device-{n}", f"seller-{n % 2}") for n in range(12)]
# Whose call begins, as often as is said, or ends.
STEPS = st.tuples(st.sampled_from(DEVICES), st.integers(-CALLS_PER_DEVICE_MAX, 2 * CALLS_PER_DEVICE_MAX))


@given(st.lists(STEPS, max_size=40))
def test_bounds_hold_in_any_order_of_calls_and_nothing_is_remembered_of_those_that_ended(
    steps: list[tuple[Device, int]],
) -> None:
    under_way, inside = UnderWay(), Counter[str]()
    for one, calls in steps:
        for _ in range(max(calls, 0)):
            of_seller = sum(inside[each.device_id] for each in DEVICES if each.seller_id == one.seller_id)
            is_full = inside[one.device_id] == CALLS_PER_DEVICE_MAX or of_seller == CALLS_PER_SELLER_MAX
            try:
                under_way.enter(one)
            except TooManyCalls:
                assert is_full
                break
            assert not is_full
            inside[one.device_id] += 1
        for _ in range(min(inside[one.device_id], -calls)):
            under_way.leave(one)
            inside[one.device_id] -= 1
    for one in DEVICES:
        for _ in range(inside[one.device_id]):
            under_way.leave(one)
    assert not under_way._of_devices
    assert not under_way._of_sellers


async def test_a_device_that_asks_the_same_a_thousand_times_is_told_to_wait_and_others_are_served_T32() -> (
    None
):
    rig, gate = Rig(), asyncio.Event()

    async def send(request: UpstreamRequest, *, timeout_s: float) -> UpstreamAnswer:
        assert (request.method, timeout_s > 0) == ("GET", True)
        await gate.wait()
        return json_answer(b"{}")

    rig.upstream.send = send  # type: ignore[method-assign]
    greedy, other = rig.auth.enrol(), rig.auth.enrol()

    def begin(token: str) -> asyncio.Task[Answer]:
        return asyncio.create_task(rig.forwarder.handle(call(token, PARTICIPATIONS)))

    async with talking(rig.limiter):
        flying = asyncio.create_task(rig.forwarder._coalescing.run())
        calls = [begin(greedy) for _ in range(1000)]
        for _ in range(100):
            await asyncio.sleep(0)
        refused = [each.result() for each in calls if each.done()]
        served = begin(other)
        gate.set()
        answers = await asyncio.gather(served, *calls)
        flying.cancel()
        await asyncio.gather(flying, return_exceptions=True)
    assert len(refused) == 1000 - CALLS_PER_DEVICE_MAX
    assert {answer.status for answer in refused} == {429}
    assert error_of(refused[0])["details"].startswith("too_many_calls")
    assert (header(refused[0], "retry-after"), header(refused[0], "x-amzn-ratelimit-limit")) == ("1", "1")
    assert Counter(answer.status for answer in answers) == {200: CALLS_PER_DEVICE_MAX + 1, 429: len(refused)}
    assert not rig.forwarder._admission._under_way._of_devices
