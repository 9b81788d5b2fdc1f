"""What the gateway shows of itself: names, codes and counts."""

import io
import json

import chassis.log
import chassis.metrics
from services.gateway.model.priority import Priority
from services.gateway.signals import CODES, Signals
from tests.unit.gateway.test_fault_table import of_the_gateway


def test_only_known_names_become_labels_T28() -> None:
    registry = chassis.metrics.Registry()
    signals = Signals(registry, ["ordersV0.getOrders"])
    signals.answered("ordersV0.getOrders", 200, 0.01)
    signals.answered("", 403, 0.01)
    signals.answered("jane@example.com", 299, 0.01)
    signals.attempted("ordersV0.getOrders", 0)
    signals.refused("operation_not_allowed")
    signals.refused("Atza|IwEB")
    signals.side_failed("seal", "order_not_observed")
    signals.outcome_lost("request-0001", "audit_unavailable")
    signals.waited(Priority.BULK, 2.0)
    shown = registry.render().decode()
    assert 'calls_total{operation="ordersV0.getOrders",status="200"} 1.0' in shown
    assert 'calls_total{operation="none",status="403"} 1.0' in shown
    assert 'calls_total{operation="other",status="other"} 1.0' in shown
    assert 'attempts_total{operation="ordersV0.getOrders",status="none"} 1.0' in shown
    assert 'refusals_total{code="other"} 1.0' in shown
    assert 'side_failures_total{code="order_not_observed",step="seal"} 1.0' in shown
    assert 'side_failures_total{code="audit_unavailable",step="audit_outcome"} 1.0' in shown
    assert "request-0001" not in shown
    assert "jane" not in shown
    assert "Atza" not in shown


def test_whatever_the_faces_refuse_is_counted_by_its_name() -> None:
    """Pages count their own; what the other faces raise is of these."""
    faces = ("services.gateway.door.", "services.gateway.forward.", "services.gateway.proof")
    values = {"documents", "faults", "forms", "inputs", "policy", "targets", "tripwire"}
    modules = tuple(f"services.gateway.model.{each}" for each in values)
    raised = {each.code for each in of_the_gateway() if type(each).__module__.startswith((*faces, *modules))}
    assert len(raised) > 40
    assert raised <= CODES


def test_a_mistake_of_ours_is_counted() -> None:
    registry = chassis.metrics.Registry()
    Signals(registry, []).crashed("request-1", ZeroDivisionError("Jane Roe"))
    assert "sallyport_gateway_crashes_total 1.0" in registry.render().decode()


def test_documents_are_counted_by_their_way_and_end_and_never_by_their_names_T28() -> None:
    registry = chassis.metrics.Registry()
    signals = Signals(registry, [])
    signals.moved("GET", "whole", 1_000)
    signals.moved("PUT", "document_ended", 24)
    signals.moved("PUT", "https://s3.amazonaws.com/secret", 0)
    shown = registry.render().decode()
    assert 'documents_total{code="whole",method="GET"} 1.0' in shown
    assert 'documents_total{code="document_ended",method="PUT"} 1.0' in shown
    assert 'document_bytes_total{method="PUT"} 24.0' in shown
    assert "secret" not in shown


def test_of_a_hidden_link_only_its_host_is_told_T28() -> None:
    registry, stream = chassis.metrics.Registry(), io.StringIO()
    signals = Signals(registry, ["ordersV0.getOrderItems"])
    with chassis.log.configure("gateway", "info", context=dict, stream=stream):
        signals.links_hidden("ordersV0.getOrderItems", ["files.example", "", "files.example"])
    assert 'links_hidden_total{operation="ordersV0.getOrderItems"} 3.0' in registry.render().decode()
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert (line["event"], line["links"], line["hosts"]) == ("links hidden", 3, "files.example, none")
