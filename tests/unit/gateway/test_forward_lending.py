"""Amazon's tokens on the forwarding path: kept while they are good, given back when Amazon takes them not."""

import asyncio
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from chassis.secrecy import Secret
from fakes.clock import FakeClock
from fakes.gateway_ports import TOKEN_LIFE_S, Down, FakeAuthPeer, json_answer
from services.gateway.forward.lending import UNUSED_TAIL_S, Lending
from services.gateway.model.calls import Grantless, Loan, Region, Restriction, UpstreamAnswer
from tests.unit.gateway.forwarding import ADDRESS_BYTES, ADDRESS_PATH, PII, Rig, error_of, finished

PARTICIPATIONS = "/sellers/v1/marketplaceParticipations"
TOKENS = "/tokens/2021-03-01/restrictedDataToken"
GOOD = json_answer(b'{"payload":[]}')
DELEGATE = "amzn1.sellerapps.app.delegate"


@pytest.fixture
def rig() -> Rig:
    return Rig()


def refusal(message: str, details: str = "", code: str = "Unauthorized") -> UpstreamAnswer:
    error = {"code": code, "message": message, "details": details}
    return json_answer(json.dumps({"errors": [error]}).encode(), 403)


DENIED = "Access to requested resource is denied."
EXPIRED = refusal(DENIED, "The access token you provided has expired.")
NO_ROLE = refusal(DENIED)


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


@pytest.mark.parametrize(
    "told",
    [
        ("Unauthorized", DENIED, "The access token you provided has expired."),
        ("Unauthorized", DENIED, "The access token you provided is revoked, malformed or invalid."),
        ("Unauthorized", "The Access Token\nin the request is invalid", ""),
        ("ExpiredToken", "Denied.", ""),
        ("Unauthorized", "Expired Token", ""),
    ],
)
async def test_a_refusal_that_names_the_token_is_answered_with_another_one(
    rig: Rig, told: tuple[str, str, str]
) -> None:
    code, message, details = told
    rig.upstream.replies.extend([refusal(message, details, code), GOOD])
    assert (await rig.call(rig.auth.enrol(), PARTICIPATIONS)).status == 200
    assert rig.auth.reported == [digest("Atza|1")]


@pytest.mark.parametrize(
    "said",
    [
        NO_ROLE,
        refusal("The application lacks a role"),
        json_answer(b"no", 403),
        refusal(DENIED, "The seller's authorization has expired."),
        refusal("The security token included in the request is expired"),
        refusal(DENIED, "Access token is missing in the request header."),
        refusal(DENIED, "The access token lacks a scope. The report has expired."),
    ],
)
async def test_a_refusal_for_anything_else_costs_no_token(rig: Rig, said: UpstreamAnswer) -> None:
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


# --- whatever happens meanwhile


async def test_a_token_that_was_on_its_way_when_a_consent_was_replaced_is_used_once_T01(rig: Rig) -> None:
    token = rig.auth.enrol()
    lend, may_lend = rig.auth.lend_amazon_token, asyncio.Event()

    async def lend_late(*given: Any, **named: Any) -> Any:
        lent = await lend(*given, **named)
        await may_lend.wait()
        return lent

    rig.auth.lend_amazon_token = lend_late  # type: ignore[method-assign]
    watching = asyncio.create_task(rig.identities.watch())
    await rig.clock.advance(0.0)
    calling = asyncio.create_task(rig.call(token, PARTICIPATIONS))
    await rig.clock.advance(0.1)
    rig.auth.tell(token)
    await rig.clock.advance(0.1)
    may_lend.set()
    assert (await calling).status == 200
    for _ in range(2):
        await rig.call(token, PARTICIPATIONS)
    assert len(rig.auth.lent) == 2
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


ME, MINE, OTHER = "device-0", "device-1", "device-2"
ADDRESS = Restriction("GET", "/orders/v0/orders/{orderId}/address")
BORROWERS = st.sampled_from(
    [
        (ME, Region.NA, None),
        (MINE, Region.NA, None),
        (OTHER, Region.NA, None),
        (ME, Region.EU, None),
        (MINE, Region.NA, ADDRESS),
        (ME, Region.NA, Grantless()),
        (OTHER, Region.NA, Grantless()),
    ]
)
Borrower = tuple[str, Region, Loan]


class Borrowing(RuleBasedStateMachine):
    """Devices of two sellers borrow, and Amazon takes back, beside a plainer telling of both."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.auth = FakeAuthPeer(self.clock)
        self.lending = Lending(auth=self.auth, clock=self.clock)
        sellers = {ME: "seller-1", MINE: "seller-1", OTHER: "seller-2"}
        self.devices = {
            device_id: self.auth.devices[self.auth.enrol(seller_id=seller_id)]
            for device_id, seller_id in sellers.items()
        }
        self.kept: dict[tuple[str, Region, Loan], tuple[Secret[str], float]] = {}
        self.seen: dict[tuple[str, Region, Loan], list[Secret[str]]] = {}
        self.refused: dict[tuple[str, Region, Loan], bytes] = {}

    def key_of(self, borrower: Borrower) -> tuple[str, Region, Loan]:
        device_id, region, loan = borrower
        return ("" if isinstance(loan, Grantless) else self.devices[device_id].seller_id), region, loan

    def find(self, borrower: Borrower) -> Secret[str] | None:
        device_id, region, loan = borrower
        return self.lending.find(self.devices[device_id], region, loan, now=self.clock.now())

    def lend(self, borrower: Borrower) -> Secret[str]:
        device_id, region, loan = borrower
        until_s = self.clock.monotonic_s() + 25.0
        return asyncio.run(self.lending.lend(self.devices[device_id], region, loan, until_s=until_s))

    @rule(delay_s=st.sampled_from([1.0, TOKEN_LIFE_S - UNUSED_TAIL_S - 1.0, TOKEN_LIFE_S]))
    def let_time_pass(self, delay_s: float) -> None:
        self.clock.pass_(delay_s)

    @rule(borrower=BORROWERS)
    def call(self, borrower: Borrower) -> None:
        key, told = self.key_of(borrower), len(self.auth.reported)
        kept, end_s = self.kept.get(key, (None, 0.0))
        is_good = self.clock.monotonic_s() < end_s
        assert self.find(borrower) == (kept if is_good else None)
        if is_good:
            return
        token = self.lend(borrower)
        assert token not in self.seen.setdefault(key, [])
        refused = self.refused.pop(key, None)
        assert self.auth.reported[told:] == ([] if refused is None else [refused])
        self.seen[key].append(token)
        self.kept[key] = token, self.clock.monotonic_s() + TOKEN_LIFE_S - UNUSED_TAIL_S

    @rule(borrower=BORROWERS)
    def call_while_auth_is_away(self, borrower: Borrower) -> None:
        if self.find(borrower) is None:
            self.auth.is_down = True
            with pytest.raises(Down):
                self.lend(borrower)
            self.auth.is_down = False

    @rule(borrower=BORROWERS, data=st.data())
    def refuse(self, borrower: Borrower, data: st.DataObject) -> None:
        key, (device_id, region, loan) = self.key_of(borrower), borrower
        if not self.seen.get(key):
            return
        token = data.draw(st.sampled_from(self.seen[key]))
        self.lending.give_back(self.devices[device_id], region, loan, token=token)
        if self.kept.get(key, (token, 0.0))[0] == token:
            self.kept.pop(key, None)
            self.refused[key] = digest(token.reveal())

    @rule(seller_id=st.sampled_from(["seller-1", "seller-2", None]))
    def replace_consents(self, seller_id: str | None) -> None:
        self.lending.forget(seller_id)
        self.kept = {key: kept for key, kept in self.kept.items() if seller_id not in (None, key[0])}


Borrowing.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestNoTokenIsUsedThatWasRefusedOrEnded = Borrowing.TestCase
