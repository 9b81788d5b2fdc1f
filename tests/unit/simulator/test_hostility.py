import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import hostility
from simulator.exchange import Answer
from simulator.hostility import Fault, Kind, Script
from simulator.seed import Seed
from tests.unit.simulator.rig import APPLICATION, REDIRECT_URI, Rig, error

ORDER = "ordersV0.getOrder"
REFUSALS = {Kind.THROTTLE, Kind.FAIL, Kind.UNAVAILABLE, Kind.LOST, Kind.HANG_UP}


def drawn(seed: int, share: float, count: int, key: str = "caller") -> list[Fault]:
    return [hostility.drawn(Seed(seed), share, key=("op", key), ordinal=n) for n in range(1, count + 1)]


def test_a_share_of_calls_meets_a_fault_by_default_R28() -> None:
    faults = [fault for fault in drawn(1, hostility.LEVELS["mild"], 2_000) if fault.kind is not Kind.NONE]
    assert 60 <= len(faults) <= 140
    assert {fault.kind for fault in faults} == {
        Kind.THROTTLE,
        Kind.FAIL,
        Kind.UNAVAILABLE,
        Kind.SLOW,
        Kind.ODD_HEADERS,
    }


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_a_drawn_refusal_never_follows_another(seed: int, share: float) -> None:
    kinds = [fault.kind in REFUSALS for fault in drawn(seed, share, 60)]
    assert not any(first and second for first, second in itertools.pairwise(kinds))


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_the_same_seed_draws_the_same_faults(seed: int, share: float) -> None:
    assert drawn(seed, share, 20) == drawn(seed, share, 20)


def test_answers_get_lost_only_at_the_worst_levels() -> None:
    kinds = {
        level: {fault.kind for fault in drawn(1, share, 1_000)} for level, share in hostility.LEVELS.items()
    }
    assert kinds["none"] == {Kind.NONE}
    assert {Kind.LOST, Kind.HANG_UP} <= kinds["harsh"]
    assert not {Kind.LOST, Kind.HANG_UP, Kind.DENY, Kind.GARBAGE} & (kinds["mild"] | kinds["rough"])
    assert not {Kind.DENY, Kind.GARBAGE} & kinds["harsh"]


def test_one_callers_calls_do_not_change_anothers_faults() -> None:
    alone = hostility.Hostility(seed=Seed(3), share=0.5)
    crowd = hostility.Hostility(seed=Seed(3), share=0.5)
    expected = [alone.decide("op", "a") for _ in range(40)]
    met = []
    for _ in range(40):
        crowd.decide("op", "b")
        met.append(crowd.decide("op", "a"))
    assert met == expected


def test_level_names_and_numbers_are_taken_and_nothing_else() -> None:
    assert [hostility.level(text) for text in ("none", "mild", "0.5", "1")] == [0.0, 0.05, 0.5, 1.0]
    for text in ("", "nice", "-0.1", "1.1", "nan"):
        with pytest.raises(hostility.LevelOutOfRange):
            hostility.level(text)


def order(rig: Rig, token: str) -> Answer:
    return rig.get(f"/orders/v0/orders/{rig.orders()[0].order_id}", token)


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (Kind.THROTTLE, 429, "QuotaExceeded"),
        (Kind.FAIL, 500, "InternalFailure"),
        (Kind.UNAVAILABLE, 503, "ServiceUnavailable"),
        (Kind.LOST, 503, "ServiceUnavailable"),
        (Kind.DENY, 403, "Unauthorized"),
    ],
)
def test_a_scripted_refusal_meets_the_next_call_and_no_other(kind: Kind, status: int, code: str) -> None:
    rig = Rig()
    token = rig.access()
    rig.core.hostility.script(Script(ORDER, Fault(kind), 1))
    refused, served = order(rig, token), order(rig, token)
    assert (refused.status, error(refused)["code"], served.status) == (status, code, 200)
    assert refused.header("x-amzn-RateLimit-Limit") is None
    assert refused.header("x-amzn-RequestId")


def test_a_slow_a_garbled_and_a_hung_up_answer_look_like_that() -> None:
    rig = Rig()
    token = rig.access()
    for fault in (Fault(Kind.SLOW, 12.0), Fault(Kind.GARBAGE), Fault(Kind.HANG_UP)):
        rig.core.hostility.script(Script(ORDER, fault, 1))
    slow, garbled, hung_up = order(rig, token), order(rig, token), order(rig, token)
    assert (slow.status, slow.delay_s) == (200, 12.0)
    with pytest.raises(json.JSONDecodeError):
        garbled.document()
    assert hung_up.is_hung_up
    assert rig.shelf.calls[-1].status == 0


def test_odd_headers_say_the_same_in_odd_case_and_one_of_them_twice() -> None:
    rig = Rig()
    token = rig.access()
    usual = order(rig, token)
    rig.core.hostility.script(Script(ORDER, Fault(Kind.ODD_HEADERS), 1))
    odd = order(rig, token)
    assert odd.body == usual.body
    names = [name for name, _ in odd.headers]
    assert "X-AMZN-rATElIMIT-lIMIT" in names
    assert len(names) == len({name.lower() for name in names}) + 1


def test_a_lost_answer_took_effect() -> None:
    rig = Rig()
    token, found = rig.access(), rig.orders()[23]
    rig.core.hostility.script(Script("ordersV0.confirmShipment", Fault(Kind.LOST), 1))
    document = {
        "marketplaceId": found.marketplace.marketplace_id,
        "packageDetail": {
            "packageReferenceId": "1",
            "carrierCode": "UPS",
            "trackingNumber": "1Z",
            "shipDate": rig.clock.now().isoformat(),
            "orderItems": [{"orderItemId": item.item_id, "quantity": item.quantity} for item in found.items],
        },
    }
    path = f"/orders/v0/orders/{found.order_id}/shipmentConfirmation"
    assert rig.post(path, token, document).status == 503
    assert rig.controls.order(found.order_id)["status"] == "Shipped"


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (Kind.THROTTLE, 429, "temporarily_unavailable"),
        (Kind.FAIL, 500, "server_error"),
        (Kind.UNAVAILABLE, 503, "temporarily_unavailable"),
        (Kind.LOST, 503, "temporarily_unavailable"),
        (Kind.DENY, 400, "invalid_grant"),
    ],
)
def test_the_token_endpoint_has_its_own_shapes_of_the_same_faults(kind: Kind, status: int, code: str) -> None:
    rig = Rig()
    token = rig.connect()["refresh_token"]
    rig.core.hostility.script(Script("lwa.token", Fault(kind), 1))
    refused = rig.lwa(grant_type="refresh_token", refresh_token=token)
    assert (refused.status, refused.document()["error"]) == (status, code)
    assert rig.lwa(grant_type="refresh_token", refresh_token=token).status == 200


def test_a_refused_exchange_leaves_the_code_for_another_try_and_a_lost_one_does_not() -> None:
    rig = Rig()
    outcomes = []
    for kind in (Kind.UNAVAILABLE, Kind.LOST):
        code = rig.code()
        rig.core.hostility.script(Script("lwa.token", Fault(kind), 1))
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        first, second = rig.lwa(APPLICATION, **fields), rig.lwa(APPLICATION, **fields)
        outcomes.append((first.status, second.status))
    assert outcomes == [(503, 200), (503, 400)]


def test_the_consent_pages_are_never_hostile() -> None:
    rig = Rig(hostility=1.0)
    query = [("application_id", "amzn1.sellerapps.app.11111111-aaaa"), ("state", "s")]
    assert {rig.send("GET", "/apps/authorize/consent", query).status for _ in range(50)} == {200}
