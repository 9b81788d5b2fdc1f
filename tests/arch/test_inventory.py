"""The closed world: what is served is declared, with callers, deadlines and event kinds (T-23)."""

import re

import sallyport.inventory
from sallyport.provision import IDENTITIES
from wire.auth.v1 import (
    applications_pb2,
    auth_pb2,
    authorization_pb2,
    consents_pb2,
    keys_pb2,
    lending_pb2,
    people_pb2,
    sellers_pb2,
)
from wire.retention.v1 import retention_pb2
from wire.retention.v1 import sellers_pb2 as retention_sellers_pb2
from wire.telemetry.v1 import telemetry_pb2, webhooks_pb2

KIND_FORM = re.compile(r"(auth|gateway|retention|telemetry)\.[a-z_]+\.[a-z_]+")
INVENTORY = sallyport.inventory.take()


def test_every_rpc_of_every_contract_has_its_row_and_no_row_has_no_rpc() -> None:
    declared = {row["rpc"] for row in INVENTORY["rpcs"]}
    contracted = {
        f"{service.full_name}/{method.name}"
        for module in (
            applications_pb2,
            auth_pb2,
            authorization_pb2,
            consents_pb2,
            keys_pb2,
            lending_pb2,
            people_pb2,
            sellers_pb2,
            retention_pb2,
            retention_sellers_pb2,
            telemetry_pb2,
            webhooks_pb2,
        )
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    assert declared == contracted


def test_every_rpc_names_callers_that_exist_and_a_deadline() -> None:
    for row in INVENTORY["rpcs"]:
        assert row["callers"]
        assert set(row["callers"]) <= set(IDENTITIES)
        assert row["deadline_s"] > 0


# Who else than the gateway calls a surface that is not the console's.
CALLERS = {
    "sallyport.retention.v1.SellerErasure": ["auth"],
    "sallyport.telemetry.v1.TelemetryService": ["auth", "gateway", "retention"],
}


def test_every_rpc_has_the_callers_of_its_surface_and_no_others_T24() -> None:
    """Whoever widens a row says so here too."""
    for row in INVENTORY["rpcs"]:
        surface, _, _ = row["rpc"].partition("/")
        expected = CALLERS.get(surface, ["console"] if surface.endswith("Admin") else ["gateway"])
        assert sorted(row["callers"]) == expected, row["rpc"]


def test_nobody_but_the_gateway_opens_the_safe_T21() -> None:
    (row,) = [row for row in INVENTORY["rpcs"] if row["rpc"].endswith("RetentionService/Open")]
    assert row["callers"] == ["gateway"]


def test_every_route_and_rpc_has_an_event_kind_T23() -> None:
    events = [row["event"] for row in (*INVENTORY["routes"], *INVENTORY["rpcs"])]
    assert events
    assert [event for event in events if not KIND_FORM.fullmatch(event)] == []


def test_every_audit_kind_begins_with_its_service() -> None:
    kinds = [row["kind"] for row in INVENTORY["event_kinds"]]
    assert len(kinds) == len(set(kinds))
    assert [kind for kind in kinds if not KIND_FORM.fullmatch(kind)] == []


def test_every_metric_is_named_after_the_product() -> None:
    metrics = [row["metric"] for row in INVENTORY["metrics"]]
    assert metrics
    assert all(metric.startswith("sallyport_") for metric in metrics)


def test_no_configuration_key_holds_a_secret_T28() -> None:
    for row in INVENTORY["configuration_keys"]:
        if "SECRET" in row["key"] or "KEY" in row["key"].split("_"):
            assert row["key"].endswith(("_FILE", "_DAYS")), row["key"]
