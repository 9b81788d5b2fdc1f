"""The gates in front of the forwarding path: trip-wire, identity, proof; and how they refuse."""

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import (
    Conflict,
    Denied,
    Gone,
    Internal,
    InvalidInput,
    LimitExceeded,
    NotFound,
    SallyportError,
    Unauthenticated,
    Unavailable,
)
from fakes.gateway_ports import DeviceRevoked, Down, TokenExpired, TokenUnknown
from services.gateway.model import faults
from services.gateway.model.calls import Proof, Region
from services.gateway.model.faults import InvalidDpopProof, render
from services.gateway.model.region_hosts import RegionHosts
from services.gateway.model.tripwire import PIECE_BYTES, CredentialsNotAccepted, finds_credential, pieces
from tests.unit.gateway.forwarding import LOOPING, Rig, call, error_of, header, talking

PARTICIPATIONS = "/sellers/v1/marketplaceParticipations"
ORDERS = "/orders/v0/orders"


@pytest.fixture
def rig() -> Rig:
    return Rig()


@asynccontextmanager
async def watching(rig: Rig) -> AsyncIterator[None]:
    """Listen to revocations while inside, as the process's task does."""
    task = asyncio.create_task(rig.identities.watch())
    await rig.clock.advance(0.0)
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


# --- the trip-wire

CREDENTIALS = [
    "Atza|IwEBIJ",
    "Atzr|IwEBIJ",
    "Atz.sprdt|AYAB",
    "amzn1.oa2-cs.v1.abc",
    "Atzr%7CIwEBIJ",
    "Atzr%257cIwEBIJ",
    "%41tzr%7C",
    "Atza\\u007cIwEB",
    "amzn1%2Eoa2-cs%2Ev1",
]


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("place", ["header", "query", "path", "body", "token"])
async def test_amazon_credentials_are_refused_wherever_they_are_T06(
    rig: Rig, credential: str, place: str
) -> None:
    token = credential if place == "token" else rig.auth.enrol()
    target = {"query": f"{ORDERS}?NextToken={credential}", "path": f"{ORDERS}/{credential}"}.get(
        place, ORDERS
    )
    answer = await rig.call(
        token,
        target,
        "POST" if place == "body" else "GET",
        headers=[("x-secret", credential)] if place == "header" else [],
        body=f'{{"a":"{credential}"}}'.encode() if place == "body" else b"",
    )
    assert (answer.status, error_of(answer)["code"]) == (422, "credentials_not_accepted")
    assert credential.encode() not in answer.body
    assert not rig.upstream.requests
    assert rig.told == [("gateway.credentials.refused", "fact", "credentials_not_accepted")]
    assert credential not in repr(rig.audit.events)
    assert rig.auth.introspections == 0


async def test_others_have_their_turn_while_a_large_body_is_looked_through_T06_R23(rig: Rig) -> None:
    token, turns = rig.auth.enrol(), 0
    body = b'"%b"' % (b"\\u0041" * (4 * PIECE_BYTES))
    calling = asyncio.create_task(rig.call(token, ORDERS, "POST", body=body))
    while not calling.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > len(list(pieces(body))) > 2


@settings(deadline=None)
@given(st.binary(max_size=64), st.sampled_from(CREDENTIALS), st.binary(max_size=64))
def test_a_credential_is_found_in_any_surroundings_T06(before: bytes, credential: str, after: bytes) -> None:
    assert finds_credential(before + b" " + credential.encode() + after)


@settings(deadline=None)
@given(st.text(alphabet="Atzar|.%7Ccsprdmn1o2-", max_size=40))
def test_finding_credentials_never_fails_T10(text: str) -> None:
    assert finds_credential(text.encode()) in {True, False}


# --- who calls


async def test_a_call_without_a_token_of_ours_is_refused_without_asking_auth_T11(rig: Rig) -> None:
    for token in ["", "x", "sp_rt_" + "a" * 43, "sp_at_" + "a" * 42, "sp_at_" + "ä" * 43]:
        answer = await rig.call(token, PARTICIPATIONS)
        assert (answer.status, error_of(answer)["code"]) == (403, "Unauthorized")
    assert rig.auth.introspections == 0


async def test_an_unknown_token_is_refused(rig: Rig) -> None:
    answer = await rig.call("sp_at_" + "0" * 43, PARTICIPATIONS)
    assert (answer.status, error_of(answer)["code"]) == (403, "Unauthorized")
    assert not LOOPING.search(answer.body.decode())


async def test_an_expired_token_says_the_words_on_which_a_library_refreshes(rig: Rig) -> None:
    token = rig.auth.enrol()
    await rig.clock.advance(3_600.0)
    answer = await rig.call(token, PARTICIPATIONS)
    assert (answer.status, error_of(answer)["code"]) == (403, "Unauthorized")
    assert LOOPING.search(error_of(answer)["details"])


async def test_a_call_for_amazons_sandbox_never_reaches_production() -> None:
    rig = Rig(RegionHosts(base_urls={Region.NA: "https://sellingpartnerapi-na.amazon.com"}))
    token = rig.auth.enrol()
    sandbox = await rig.call(token, ORDERS, host="sandbox.sellingpartnerapi-na.amazon.com")
    assert (sandbox.status, error_of(sandbox)["code"]) == (400, "InvalidInput")
    assert rig.upstream.requests == []
    real = await rig.call(token, PARTICIPATIONS, host="sellingpartnerapi-na.amazon.com")
    assert real.status == 200


async def test_a_device_is_looked_up_once_while_revocations_are_heard(rig: Rig) -> None:
    token = rig.auth.enrol()
    async with watching(rig):
        for _ in range(3):
            await rig.call(token, PARTICIPATIONS)
    assert rig.auth.introspections == 1


async def test_nobody_is_remembered_while_revocations_are_not_heard_T01(rig: Rig) -> None:
    token = rig.auth.enrol()
    for _ in range(3):
        await rig.call(token, PARTICIPATIONS)
    assert rig.auth.introspections == 3


async def test_a_revoked_device_is_refused_at_once_T01(rig: Rig) -> None:
    token = rig.auth.enrol()
    async with watching(rig):
        assert (await rig.call(token, PARTICIPATIONS)).status == 200
        rig.auth.revoke(token)
        await rig.clock.advance(0.0)
        answer = await rig.call(token, PARTICIPATIONS)
    assert (answer.status, error_of(answer)["code"]) == (403, "Unauthorized")
    assert error_of(answer)["details"].startswith("device_revoked")
    assert not LOOPING.search(answer.body.decode())


async def test_a_revoked_bound_device_hears_401_T01(rig: Rig) -> None:
    token = rig.auth.enrol(thumbprint="key-1")
    rig.auth.revoke(token)
    answer = await rig.call(token, PARTICIPATIONS, thumbprint="key-1")
    assert (answer.status, error_of(answer)["code"]) == (401, "device_revoked")
    challenge = 'DPoP error="invalid_token", algs="ES256 EdDSA Ed25519"'
    assert header(answer, "www-authenticate") == challenge


async def test_revoking_one_device_leaves_the_others_remembered(rig: Rig) -> None:
    one, other = rig.auth.enrol(), rig.auth.enrol()
    async with watching(rig):
        await rig.call(one, PARTICIPATIONS)
        await rig.call(other, PARTICIPATIONS)
        rig.auth.revoke(one)
        await rig.clock.advance(0.0)
        await rig.call(other, PARTICIPATIONS)
    assert rig.auth.introspections == 2


async def test_a_silent_stream_ends_trust_T01(rig: Rig) -> None:
    token = rig.auth.enrol()
    async with watching(rig):
        await rig.call(token, PARTICIPATIONS)
        await rig.clock.advance(40.0)
        rig.auth.keep_alive()
        await rig.clock.advance(10.0)
        await rig.call(token, PARTICIPATIONS)
        assert rig.auth.introspections == 1
        await rig.clock.advance(46.0)
        await rig.call(token, PARTICIPATIONS)
    assert rig.auth.introspections == 2


async def test_a_clock_set_back_gives_no_remembered_token_a_longer_life_R14(rig: Rig) -> None:
    token = rig.auth.enrol()
    async with watching(rig):
        rig.auth.end(token, left_s=20.0)
        await rig.call(token, PARTICIPATIONS)
        rig.clock.set_now(rig.clock.now() - timedelta(minutes=10))
        await rig.call(token, PARTICIPATIONS)
        assert rig.auth.introspections == 1
        await rig.clock.advance(21.0)
        await rig.call(token, PARTICIPATIONS)
    assert rig.auth.introspections == 2


async def test_a_broken_stream_forgets_everybody_and_is_dialled_again_T01(rig: Rig) -> None:
    token = rig.auth.enrol()
    async with watching(rig):
        await rig.call(token, PARTICIPATIONS)
        rig.auth.break_streams()
        await rig.clock.advance(5.0)
        assert rig.identities.is_listening()
        await rig.call(token, PARTICIPATIONS)
        await rig.call(token, PARTICIPATIONS)
    assert rig.auth.introspections == 2
    assert rig.signals.side_failures == [("watch_revocations", "store_unavailable")]


async def test_news_of_a_device_ends_the_use_of_what_was_lent_for_its_seller(rig: Rig) -> None:
    token = rig.auth.enrol()
    async with watching(rig):
        await rig.call(token, PARTICIPATIONS)
        await rig.call(token, PARTICIPATIONS)
        assert len(rig.auth.lent) == 1
        rig.auth.tell(token)
        await rig.clock.advance(0.0)
        await rig.call(token, PARTICIPATIONS)
    assert len(rig.auth.lent) == 2


async def test_calls_fail_closed_while_auth_is_down_R11(rig: Rig) -> None:
    token = rig.auth.enrol()
    rig.auth.is_down = True
    answer = await rig.call(token, PARTICIPATIONS)
    assert (answer.status, error_of(answer)["code"]) == (503, "ServiceUnavailable")
    assert not rig.upstream.requests


async def test_an_answer_of_auths_that_a_revocation_overtook_is_not_remembered_T01(rig: Rig) -> None:
    token, other = rig.auth.enrol(), rig.auth.enrol()
    introspect, overtaken = rig.auth.introspect, asyncio.Event()

    async def slowly(access_token: str) -> object:
        device = await introspect(access_token)
        await overtaken.wait()
        return device

    async with watching(rig):
        rig.auth.introspect = slowly  # type: ignore[assignment, method-assign]
        calling = asyncio.create_task(rig.call(token, PARTICIPATIONS))
        await rig.clock.advance(0.0)
        rig.auth.revoke(other)
        await rig.clock.advance(0.0)
        overtaken.set()
        await calling
        await rig.call(token, PARTICIPATIONS)
    assert rig.auth.introspections == 2


@pytest.mark.parametrize(("bound_to", "proven"), [("key-1", None), ("key-1", "key-2"), ("", "key-1")])
async def test_a_token_without_its_keys_proof_is_refused_T02(
    rig: Rig, bound_to: str, proven: str | None
) -> None:
    token = rig.auth.enrol(thumbprint=bound_to)
    answer = await rig.call(token, PARTICIPATIONS, thumbprint=proven)
    assert (answer.status, error_of(answer)["code"]) == (401, "invalid_dpop_proof")
    challenge = 'DPoP error="invalid_dpop_proof", algs="ES256 EdDSA Ed25519"'
    assert header(answer, "www-authenticate") == challenge
    assert rig.told == [("gateway.operation.refused", "fact", "invalid_dpop_proof")]
    assert not rig.upstream.requests


async def test_a_proven_call_of_a_bound_device_passes_T02(rig: Rig) -> None:
    token = rig.auth.enrol(thumbprint="key-1")
    assert (await rig.call(token, PARTICIPATIONS, thumbprint="key-1")).status == 200


async def test_a_proof_is_used_up_for_the_device_whose_key_made_it_and_for_no_stranger_T02_T32(
    rig: Rig,
) -> None:
    used: list[str] = []
    token = rig.auth.enrol(thumbprint="key-1")
    for shown, key in [(token, "key-2"), ("sp_at_" + "x" * 43, "key-1"), (token, "key-1")]:
        proven = call(shown, PARTICIPATIONS)
        proven.proof = Proof(key, functools.partial(used.append, f"{key} by {shown}"))
        async with talking(rig.limiter):
            await rig.forwarder.handle(proven)
    assert used == [f"key-1 by {token}"]


async def test_a_proof_that_was_used_before_reaches_nobody_T02(rig: Rig) -> None:
    def use_up() -> None:
        raise InvalidDpopProof

    replayed = call(rig.auth.enrol(thumbprint="key-1"), PARTICIPATIONS)
    replayed.proof = Proof("key-1", use_up)
    assert (await rig.forwarder.handle(replayed)).status == 401
    assert not rig.upstream.requests


async def test_whoever_is_nobody_is_turned_away_before_anything_is_read_of_them_R25(rig: Rig) -> None:
    ended = rig.auth.enrol()
    rig.clock.pass_(3_600.0)
    known = rig.auth.enrol()
    assert await rig.forwarder.turn_away(known, "r-1", came_from="192.0.2.1", is_bound=False) is None
    for token, is_bound, status in [("", False, 403), (ended, False, 403), (ended, True, 401)]:
        answer = await rig.forwarder.turn_away(token, "r-1", came_from="192.0.2.1", is_bound=is_bound)
        assert answer is not None
        assert (answer.status, header(answer, "x-amzn-requestid")) == (status, "r-1")
    assert rig.signals.refusals == ["token_invalid", "token_expired", "token_expired"]


# --- what is called


@pytest.mark.parametrize(
    "target", ["/secret/v1/x", "/orders/v0/orders/..%2f/address", "https://evil.example/orders/v0/orders"]
)
async def test_an_unknown_operation_is_refused_and_told_to_the_audit_log_T05(rig: Rig, target: str) -> None:
    answer = await rig.call(rig.auth.enrol(), target)
    assert (answer.status, error_of(answer)["code"]) == (403, "AccessDenied")
    assert error_of(answer)["details"].startswith("operation_not_allowed")
    assert rig.told == [("gateway.operation.refused", "fact", "operation_not_allowed")]
    assert not rig.upstream.requests


# --- restricted handles


# --- how a refusal looks


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (TokenExpired(), 403, "Unauthorized"),
        (TokenUnknown(), 403, "Unauthorized"),
        (DeviceRevoked(), 403, "Unauthorized"),
        (faults.OperationNotAllowed(), 403, "AccessDenied"),
        (faults.RegionNotConnected(), 403, "AccessDenied"),
        (Denied(), 403, "AccessDenied"),
        (InvalidInput(), 400, "InvalidInput"),
        (NotFound(), 404, "NotFound"),
        (Gone(), 410, "Gone"),
        (Conflict(), 409, "InternalFailure"),
        (faults.QuotaExceeded(retry_after_s=3.2, rate_per_s=0.5), 429, "QuotaExceeded"),
        (LimitExceeded(), 429, "QuotaExceeded"),
        (Unavailable(), 503, "ServiceUnavailable"),
        (Down(), 503, "ServiceUnavailable"),
        (faults.UpstreamTimeout(), 504, "InternalFailure"),
        (faults.UpstreamInvalid(), 502, "InternalFailure"),
        (CredentialsNotAccepted(), 422, "credentials_not_accepted"),
        (Internal(), 500, "InternalFailure"),
    ],
)
def test_every_refusal_has_amazons_shape(error: SallyportError, status: int, code: str) -> None:
    answer = render(error, "request-1")
    assert (answer.status, error_of(answer)["code"]) == (status, code)
    assert header(answer, "x-amzn-requestid") == "request-1"
    says_expired = LOOPING.search(answer.body.decode()) is not None
    assert says_expired == isinstance(error, TokenExpired)
    assert (header(answer, "retry-after") is not None) == (status in {429, 502, 503, 504})


@pytest.mark.parametrize("error", [DeviceRevoked(), TokenUnknown(), TokenExpired(), Unauthenticated()])
def test_a_bound_client_hears_401_of_a_token_that_is_worth_nothing(error: SallyportError) -> None:
    answer = render(error, "r", is_bound=True)
    assert answer.status == 401
    assert 'error="invalid_token"' in (header(answer, "www-authenticate") or "")
    assert render(error, "r").status == 403


@pytest.mark.parametrize(
    ("delay_s", "told"), [(None, "5"), (0.0, "1"), (2.1, "3"), (1e9, "3600"), (float("nan"), "5")]
)
def test_retry_after_is_whole_seconds_and_never_absurd_T29(delay_s: float | None, told: str) -> None:
    assert faults.retry_after(delay_s) == told
