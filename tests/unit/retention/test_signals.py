"""What is shown never names a seller."""

import json
import re

import pytest

import chassis.metrics
from services.retention.model.erasures import Subject
from services.retention.signals import Signals


def test_numbers_are_shown_under_known_labels_only_T28() -> None:
    registry = chassis.metrics.Registry()
    signals = Signals(registry)
    signals.sealed()
    signals.opened()
    signals.refused("expired")
    signals.refused("a code nobody knows")
    signals.moved(3)
    signals.erased(Subject.parse("day:2026-12-22"), 7)
    signals.measured(oldest_age_s=5.0, erasure_lag_s=2.0)
    shown = registry.render().decode()
    assert "sallyport_retention_records_sealed_total 1.0" in shown
    assert "sallyport_retention_records_opened_total 1.0" in shown
    assert 'sallyport_retention_records_refused_total{code="expired"} 1.0' in shown
    assert 'sallyport_retention_records_refused_total{code="other"} 1.0' in shown
    assert "sallyport_retention_records_moved_total 3.0" in shown
    assert 'sallyport_retention_records_erased_total{kind="day"} 7.0' in shown
    assert "sallyport_retention_oldest_record_age_seconds 5.0" in shown
    assert "sallyport_retention_erasure_lag_seconds 2.0" in shown


def test_alarms_name_days_and_never_sellers_T28(caplog: pytest.LogCaptureFixture) -> None:
    registry = chassis.metrics.Registry()
    signals = Signals(registry)
    seller = Subject.parse("seller:A1SELLER")
    signals.erased(seller, 1)
    signals.erasure_failed(seller, "erasure_unproven")
    signals.key_revived(Subject.parse("day:2026-12-22"))
    signals.outcome_lost("retention.record.opened")
    signals.unsound()
    signals.job_failed("erasing", "store_unavailable")
    fields = [json.dumps(vars(record), default=str) for record in caplog.records]
    assert not re.search("A1SELLER", registry.render().decode() + "".join(fields))
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "erasure failed",
        "dead key found alive",
        "record unsound",
    ]
