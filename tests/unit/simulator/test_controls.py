from datetime import timedelta
from typing import Any

import pytest

from simulator.control_values import ControlRefused
from tests.unit.simulator.rig import APPLICATION, Rig


def refused(rig: Rig, control: str, *arguments: Any) -> int:
    with pytest.raises(ControlRefused) as caught:
        getattr(rig.controls, control)(*arguments)
    return caught.value.status


def test_health_tells_seed_birth_and_virtual_time() -> None:
    rig = Rig(seed=5)
    health = rig.controls.health()
    assert (health["status"], health["seed"], health["boot"], health["offset_s"]) == ("ok", 5, 1, 0.0)
    assert health["born_at"] == health["now"]


def test_the_clock_is_advanced_or_set() -> None:
    rig = Rig()
    assert rig.controls.turn_clock({"advance_s": 60})["offset_s"] == 60
    assert rig.controls.turn_clock({"advance_s": 60})["offset_s"] == 120
    assert rig.controls.turn_clock({"offset_s": -5})["offset_s"] == -5
    for body in ({}, {"advance_s": 1, "offset_s": 1}, {"advance_s": "1"}, {"advance_s": True}, {"to": 1}):
        assert refused(rig, "turn_clock", body) == 400


def test_orders_are_shipped_then_delivered() -> None:
    rig = Rig()
    order_id = rig.orders()[23].order_id
    assert refused(rig, "deliver", order_id) == 409
    shipped = rig.controls.ship(order_id)
    assert (shipped["status"], shipped["shipped_at"]) == ("Shipped", rig.clock.now().isoformat())
    assert refused(rig, "ship", order_id) == 409
    delivered = rig.controls.deliver(order_id)
    assert delivered["delivered_at"] == rig.clock.now().isoformat()
    assert rig.controls.deliver(order_id) == delivered
    assert refused(rig, "ship", "902-0000000-0000000") == refused(rig, "order", "x") == 404


def test_orders_are_listed_by_seller_and_status_with_what_must_not_leak() -> None:
    rig = Rig()
    everything = rig.controls.orders(None, None)["orders"]
    assert len(everything) == 96
    own = rig.controls.orders(rig.sellers[1].seller_id, "Unshipped")["orders"]
    assert {(row["seller_id"], row["status"]) for row in own} == {(rig.sellers[1].seller_id, "Unshipped")}
    assert set(everything[0]["needles"]) == set(rig.orders()[0].buyer.needles())
    assert refused(rig, "orders", "A0", None) == 404


def test_consents_are_listed_and_revoked() -> None:
    rig = Rig()
    rig.connect()
    rig.connect(1)
    rig.controls.revoke({"seller_id": rig.sellers[0].seller_id, "application_id": "another"})
    assert [row["is_in_force"] for row in rig.controls.consents()["consents"]] == [True, True]
    rig.controls.revoke({"seller_id": rig.sellers[0].seller_id})
    first, second = rig.controls.consents()["consents"]
    assert (first["is_in_force"], first["revoked_at"]) == (False, rig.clock.now().isoformat())
    assert (second["is_in_force"], second["revoked_at"]) == (True, None)
    assert rig.controls.revoke({"seller_id": rig.sellers[0].seller_id}) == {"revoked": 0}
    assert refused(rig, "revoke", {"seller_id": "A0"}) == 404


def test_a_crowd_of_sellers_is_connected_at_once_and_its_tokens_work() -> None:
    rig = Rig(sellers=1_000)
    seller_ids = [seller.seller_id for seller in rig.sellers]
    body = {"application_id": APPLICATION.application_id, "seller_ids": seller_ids}
    granted = rig.controls.grant(body)["granted"]
    assert [row["seller_id"] for row in granted] == seller_ids
    assert rig.lwa(grant_type="refresh_token", refresh_token=granted[999]["refresh_token"]).status == 200
    assert rig.get("/orders/2026-01-01/orders/x", granted[0]["access_token"]).status == 404
    assert granted[0]["expires_at"] == (rig.clock.now() + timedelta(hours=1)).isoformat()
    assert refused(rig, "orders", None, None) == 400
    wrong: Any
    for wrong in ([], seller_ids * 2, "A0"):
        assert refused(rig, "grant", body | {"seller_ids": wrong}) == 400
    assert refused(rig, "grant", body | {"seller_ids": ["A0"]}) == 404
    assert refused(rig, "grant", body | {"application_id": "x"}) == 404


def test_a_consent_by_control_follows_the_pages_rules() -> None:
    rig = Rig()
    url = f"https://x/apps/authorize/consent?application_id={APPLICATION.application_id}&redirect_uri=https://evil.example"
    with pytest.raises(ControlRefused, match="MD5101"):
        rig.controls.consent({"url": url, "seller_id": rig.sellers[0].seller_id})


def test_hostility_is_set_by_name_or_number() -> None:
    rig = Rig()
    assert rig.controls.set_hostility({"level": "rough"})["level"] == 0.2
    assert rig.controls.set_hostility({"level": 0})["level"] == 0.0
    assert refused(rig, "set_hostility", {"level": 2}) == refused(rig, "set_hostility", {}) == 400


def test_faults_are_ordered_counted_and_forgotten() -> None:
    rig = Rig()
    order = {"operation": "ordersV0.getOrder", "kind": "throttle", "count": 3}
    assert rig.controls.script_fault(order)["scripted"] == {"ordersV0.getOrder": 3}
    assert rig.controls.clear_faults()["scripted"] == {}
    for wrong in (
        {"kind": "explode"},
        {"operation": "getOrder"},
        {"count": 0},
        {"count": True},
        {"delay_s": 301},
    ):
        assert refused(rig, "script_fault", order | wrong) == 400


def test_a_plan_is_replaced_with_full_buckets() -> None:
    rig = Rig()
    token, order_id = rig.access(), rig.orders()[0].order_id
    rig.controls.set_plan({"operation": "ordersV0.getOrder", "rate": 0, "burst": 2})
    statuses = [rig.get(f"/orders/v0/orders/{order_id}", token).status for _ in range(3)]
    assert statuses == [200, 200, 429]
    rig.controls.set_plan({"operation": "ordersV0.getOrder", "rate": 3.5, "burst": 1})
    answer = rig.get(f"/orders/v0/orders/{order_id}", token)
    assert (answer.status, answer.header("x-amzn-RateLimit-Limit")) == (200, "3.5")
    assert refused(rig, "set_plan", {"operation": "none", "rate": 1, "burst": 1}) == 404
    assert refused(rig, "set_plan", {"operation": "lwa.token", "rate": -1, "burst": 1}) == 400
    assert refused(rig, "set_plan", {"operation": "lwa.token", "rate": 1, "burst": 0}) == 400


def test_a_secret_is_rotated_for_a_known_application_only() -> None:
    rig = Rig()
    given = rig.controls.rotate_secret(APPLICATION.application_id, {"client_secret": "mine"})
    assert given["client_secret"] == "mine"
    assert refused(rig, "rotate_secret", "amzn1.sellerapps.app.none", {}) == 404
    assert refused(rig, "rotate_secret", APPLICATION.application_id, {"client_secret": ""}) == 400
