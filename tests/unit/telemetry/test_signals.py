"""What telemetry shows of itself: names, codes, counts, and the ids of requests."""

import logging

import pytest

import chassis.metrics
from services.telemetry.signals import Signals


def test_a_refused_call_names_each_request_once_and_nothing_that_is_no_request_id_T28(
    caplog: pytest.LogCaptureFixture,
) -> None:
    registry = chassis.metrics.Registry()
    with caplog.at_level(logging.WARNING):
        Signals(registry).refused(
            "gateway", "sensitive_content", ["request-0001", "request-0001", "jane@example.com", "Jane Roe"]
        )
    (record,) = caplog.records
    told = vars(record)["sallyport_fields"]
    assert told == {"sender": "gateway", "code": "sensitive_content", "request_ids": ["request-0001"]}
    assert "request-0001" not in registry.render().decode()
