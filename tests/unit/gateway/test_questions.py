"""Made-up tokens cost auth little, and nothing those whom it knows: who is asked about, who waits (R-23)."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chassis.rpc.status import CallerUnknown
from fakes.gateway_ports import json_answer
from services.gateway.forward.questions import REFUSED_S
from services.gateway.model.calls import Answer, Device
from services.gateway.model.strangers import ADDRESS_MAX, ADDRESS_PER_S, ALL_MAX
from tests.unit.gateway.forwarding import Rig, error_of, header

PATH = "/sellers/v1/marketplaceParticipations"
HERE, THERE = "192.0.2.1", "198.51.100.1"

_numbers = itertools.count()


@pytest.fixture
def rig() -> Rig:
    made = Rig()
    made.upstream.answer = lambda _: json_answer(b"{}")
    return made


@asynccontextmanager
async def hearing(rig: Rig) -> AsyncIterator[None]:
    """Let revocations be heard while inside, so that devices are known."""
    task = asyncio.create_task(rig.identities.watch())
    await rig.clock.advance(0.0)
    yield
    task.cancel()


def made_up() -> str:
    """Return what looks like a token, and never the same."""
    return f"sp_at_{next(_numbers):043d}"


async def show(rig: Rig, token: str, came_from: str = HERE) -> Answer:
    return await rig.call(token, PATH, came_from=came_from)


async def flood(rig: Rig, came_from: str = HERE, count: int = 2 * ADDRESS_MAX) -> list[int]:
    """Return the statuses that made-up tokens hear."""
    return [(await show(rig, made_up(), came_from)).status for _ in range(count)]


async def flood_from_everywhere(rig: Rig) -> None:
    for number in range(ALL_MAX // ADDRESS_MAX + 1):
        await flood(rig, f"10.0.0.{number}", ADDRESS_MAX)


async def test_an_addresses_made_up_tokens_cost_auth_so_many_questions_and_then_none_R23(rig: Rig) -> None:
    heard = await flood(rig)
    assert rig.auth.introspections == ADDRESS_MAX
    assert heard == [403] * ADDRESS_MAX + [429] * ADDRESS_MAX
    answer = await show(rig, made_up())
    assert error_of(answer)["details"].startswith("too_many_unknown_tokens")
    assert header(answer, "retry-after") == "1"
    assert rig.signals.refusals.count("too_many_unknown_tokens") == ADDRESS_MAX + 1


async def test_made_up_tokens_at_once_cost_no_more_than_one_after_the_other_R23(rig: Rig) -> None:
    calls = (rig.identities.who(made_up(), HERE) for _ in range(2 * ADDRESS_MAX))
    await asyncio.gather(*calls, return_exceptions=True)
    assert rig.auth.introspections == ADDRESS_MAX


async def test_an_address_that_was_refused_is_asked_for_again_in_time(rig: Rig) -> None:
    await flood(rig)
    await rig.clock.advance(3 / ADDRESS_PER_S)
    assert await flood(rig, count=4) == [403, 403, 403, 429]


async def test_a_known_device_is_served_beside_a_flood_from_its_own_address_R23(rig: Rig) -> None:
    token = rig.auth.enrol()
    async with hearing(rig):
        await show(rig, token)
        asked = rig.auth.introspections
        await flood(rig)
        assert (await show(rig, token)).status == 200
    assert rig.auth.introspections == asked + ADDRESS_MAX


async def test_a_device_that_auth_vouched_for_is_asked_about_beside_a_flood_while_nothing_is_heard_R23(
    rig: Rig,
) -> None:
    token = rig.auth.enrol()
    assert (await show(rig, token)).status == 200
    await flood(rig)
    await flood_from_everywhere(rig)
    for _ in range(2 * ADDRESS_MAX):
        assert (await rig.identities.who(token, HERE)).seller_id == "seller-1"


async def test_a_new_token_is_asked_about_beside_a_flood_from_elsewhere_where_a_device_stood_R23(
    rig: Rig,
) -> None:
    await show(rig, rig.auth.enrol(), HERE)
    await flood_from_everywhere(rig)
    assert (await show(rig, rig.auth.enrol(), HERE)).status == 200
    newcomer = await show(rig, rig.auth.enrol(), THERE)
    assert (newcomer.status, header(newcomer, "retry-after")) == (503, "1")
    assert error_of(newcomer)["details"].startswith("too_many_strangers")
    await rig.clock.advance(1.0)
    assert (await show(rig, rig.auth.enrol(), THERE)).status == 200


async def test_devices_take_no_room_however_many_come_at_once_from_one_address(rig: Rig) -> None:
    for _ in range(3 * ADDRESS_MAX):
        assert (await rig.identities.who(rig.auth.enrol(), HERE)).seller_id == "seller-1"


async def test_a_token_of_ours_in_a_capability_is_no_strangers_R23(rig: Rig) -> None:
    await flood(rig)
    await flood_from_everywhere(rig)
    assert (await rig.identities.who(rig.auth.enrol(), None)).seller_id == "seller-1"


@pytest.mark.parametrize(
    ("end", "code"),
    [("end", "token_expired"), ("revoke", "device_revoked"), ("", "token_invalid")],
)
async def test_what_auth_said_of_a_token_that_is_over_is_not_asked_again_for_a_while_R23(
    rig: Rig, end: str, code: str
) -> None:
    token = rig.auth.enrol() if end else made_up()
    if end:
        getattr(rig.auth, end)(token)
    answers = [await show(rig, token) for _ in range(3)]
    assert [answer.body for answer in answers] == [answers[0].body] * 3
    assert rig.signals.refusals == [code] * 3
    assert rig.auth.introspections == 1
    await rig.clock.advance(REFUSED_S)
    await show(rig, token)
    assert rig.auth.introspections == 2


async def test_a_refusal_that_is_not_the_tokens_end_is_not_kept_for_its_next_call(rig: Rig) -> None:
    introspect = rig.auth.introspect

    async def refuse_us(_: str) -> Device:
        raise CallerUnknown

    token = rig.auth.enrol()
    rig.auth.introspect = refuse_us  # type: ignore[assignment, method-assign]
    assert (await show(rig, token)).status == 403
    rig.auth.introspect = introspect  # type: ignore[method-assign]
    assert (await show(rig, token)).status == 200


async def test_ended_tokens_are_not_held_against_their_address(rig: Rig) -> None:
    for _ in range(2 * ADDRESS_MAX):
        token = rig.auth.enrol()
        rig.auth.end(token)
        assert (await show(rig, token)).status == 403
    assert (await show(rig, rig.auth.enrol())).status == 200


async def test_an_auth_that_is_down_is_not_held_against_anybody(rig: Rig) -> None:
    rig.auth.is_down = True
    assert set(await flood(rig)) == {503}
    rig.auth.is_down = False
    assert (await show(rig, rig.auth.enrol())).status == 200


async def test_whoever_leaves_before_the_answer_has_asked_all_the_same_R23(rig: Rig) -> None:
    async def hang(_: str) -> None:
        rig.auth.introspections += 1
        await asyncio.Event().wait()

    rig.auth.introspect = hang  # type: ignore[assignment,method-assign]
    for _ in range(2 * ADDRESS_MAX):
        asking = asyncio.create_task(rig.identities.who(made_up(), HERE))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    assert rig.auth.introspections == ADDRESS_MAX
