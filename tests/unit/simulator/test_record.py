from simulator.hostility import Fault, Kind, Script
from simulator.operations import LWA_TOKEN
from simulator.record import Record
from tests.unit.simulator.rig import APPLICATION, Rig, marketplaces


def test_every_call_is_recorded_with_who_what_and_what_came_of_it() -> None:
    rig = Rig()
    token = rig.access()
    headers = {"x-amz-access-token": token, "user-agent": "Pilot/1 (Language=Python)", "host": "localhost"}
    query = [("MarketplaceIds", marketplaces(rig.sellers[0])), ("BuyerEmail", "somebody@example.org")]
    answer = rig.send("GET", "/orders/v0/orders", query, headers=headers)
    call = rig.shelf.calls[-1]
    assert (call.method, call.path, call.status, call.face) == ("GET", "/orders/v0/orders", 400, "api")
    assert call.request_id == answer.header("x-amzn-RequestId")
    assert (call.operation, call.client) == ("ordersV0.getOrders", "127.0.0.1:5")
    assert (call.application_id, call.seller_id) == (APPLICATION.application_id, rig.sellers[0].seller_id)
    assert (call.token_kind, len(call.token_digest)) == ("access", 16)
    assert call.user_agent == "Pilot/1 (Language=Python)"
    assert call.query_names == ("BuyerEmail", "MarketplaceIds")
    assert call.header_names == ("host", "user-agent", "x-amz-access-token")
    assert "somebody" not in repr(call)
    assert token not in repr(call)


def test_the_token_endpoint_is_recorded_with_its_grant_and_without_its_fields() -> None:
    rig = Rig()
    connected = rig.connect()
    exchange = rig.shelf.calls[-1]
    assert (exchange.face, exchange.operation, exchange.grant_type) == (
        "lwa",
        "lwa.token",
        "authorization_code",
    )
    rig.lwa(grant_type="refresh_token", refresh_token=connected["refresh_token"], client_secret="guess")
    refused = rig.shelf.calls[-1]
    assert exchange.seller_id == rig.sellers[0].seller_id
    assert (refused.status, refused.application_id, refused.seller_id) == (401, "", "")
    assert not [
        text for text in ("guess", *map(str, connected.values())) if text in repr(rig.shelf.calls[:1])
    ]


def test_a_token_call_over_the_plan_is_told_apart_from_one_that_met_a_fault() -> None:
    rig = Rig()
    refresh = rig.connect(2)["refresh_token"]
    rig.core.plans.set(LWA_TOKEN, rate=0.001, burst=2)
    rig.core.hostility.script(Script(LWA_TOKEN.name, Fault(Kind.THROTTLE), 1))
    for _ in range(3):
        rig.lwa(grant_type="refresh_token", refresh_token=refresh)
    calls = rig.shelf.calls[1:]
    assert [(call.status, call.fault, call.is_over_plan) for call in calls] == [
        (429, "throttle", False),
        (200, "none", False),
        (429, "none", True),
    ]
    assert {call.seller_id for call in calls} == {rig.sellers[2].seller_id}


def test_a_call_is_under_way_until_its_answer_has_left() -> None:
    rig = Rig()
    first, second = rig.get("/nothing"), rig.get("/nothing")
    rig.core.amazon.end(first.ordinal, 7.5)
    assert [call["ended_s"] for call in rig.controls.calls(0, 10)["calls"]] == [7.5, None]
    rig.controls.clear_calls()
    rig.core.amazon.end(second.ordinal, 8.5)
    assert rig.controls.calls(0, 10)["calls"] == []


def test_token_kinds_are_told_apart_by_their_prefix() -> None:
    rig = Rig()
    for token in ("Atza|1", "Atzr|1", "Atz.sprdt|1", "sp_at_1", ""):
        rig.get("/orders/v0/orders", token)
    kinds = [call.token_kind for call in rig.shelf.calls]
    assert kinds == ["access", "refresh", "restricted", "other", ""]


def test_the_record_is_read_from_a_number_on_and_cleared_without_counting_anew() -> None:
    rig = Rig()
    for _ in range(5):
        rig.get("/nothing")
    assert [call["ordinal"] for call in rig.controls.calls(2, 2)["calls"]] == [3, 4]
    assert rig.controls.clear_calls() == {"latest": 5}
    rig.get("/nothing")
    document = rig.controls.calls(0, 1_000)
    assert [call["ordinal"] for call in document["calls"]] == [6] == [document["latest"]]


def test_a_restarted_record_goes_on_counting() -> None:
    rig = Rig()
    rig.get("/nothing")
    record = Record(shelf=rig.shelf, calls=rig.shelf.calls)
    assert record.ordinal == 1
    assert record.after(0, limit=10) == rig.shelf.calls


def test_sloppy_http_gets_a_bare_html_page_and_is_recorded() -> None:
    rig = Rig()
    sloppy = [
        rig.send("GET", "/orders/v0/orders", body=b"{}"),
        rig.send("GET", "/orders/v0/orders", headers={"content-length": "0"}),
        rig.send("HEAD", "/orders/v0/orders", headers={"transfer-encoding": "chunked"}),
        rig.send("GET", "/orders/v0/orders", headers={"user-agent": "x" * 501}),
    ]
    for answer in sloppy:
        assert answer.status == 400
        assert str(answer.header("Content-Type")).startswith("text/html")
    assert [call.status for call in rig.shelf.calls] == [400] * 4
