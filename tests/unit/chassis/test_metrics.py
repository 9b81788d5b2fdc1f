"""Labels neither leak nor explode."""

import re
from collections.abc import Sequence

import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chassis.metrics

OUTCOMES = {"outcome": frozenset({"done", "refused"})}


def test_a_label_value_outside_its_set_is_counted_as_other_T28() -> None:
    registry = chassis.metrics.Registry()
    counter = registry.counter("sallyport_calls_total", "Calls.", OUTCOMES)
    counter.inc(outcome="done")
    counter.inc(2, outcome="Atzr|secret")
    counter.inc()
    text = registry.render().decode()
    assert 'sallyport_calls_total{outcome="done"} 1.0' in text
    assert 'sallyport_calls_total{outcome="other"} 3.0' in text
    assert "secret" not in text


@given(st.lists(st.text(), max_size=30))
def test_no_input_makes_more_series_than_were_declared_R23(values: list[str]) -> None:
    registry = chassis.metrics.Registry()
    gauge = registry.gauge("sallyport_waiting", "Waiting.", OUTCOMES)
    for value in values:
        gauge.set(1, outcome=value)
    lines = [
        line for line in registry.render().decode().splitlines() if line.startswith("sallyport_waiting{")
    ]
    assert len(lines) <= 3


def test_identifiers_of_a_form_are_shown_and_no_more_than_the_first_few_T28() -> None:
    registry = chassis.metrics.Registry()
    applications = chassis.metrics.Identifiers(re.compile(r"app\.[0-9]+"), values_max=2)
    gauge = registry.gauge("sallyport_days_left", "Days.", {"application": applications})
    for value in ("app.1", "amzn1.oa2-cs.v1.secret", "app.2", "app.3", "app.1"):
        gauge.set(1, application=value)
    text = registry.render().decode()
    shown = [line for line in text.splitlines() if line.startswith("sallyport_days_left{")]
    assert sorted(shown) == [
        'sallyport_days_left{application="app.1"} 1.0',
        'sallyport_days_left{application="app.2"} 1.0',
        'sallyport_days_left{application="other"} 1.0',
    ]


def test_an_undeclared_label_is_a_mistake() -> None:
    counter = chassis.metrics.Registry().counter("sallyport_calls_total", "Calls.", OUTCOMES)
    with pytest.raises(ValueError, match="seller"):
        counter.inc(seller="x")


def test_a_name_without_our_prefix_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="sallyport_"):
        chassis.metrics.Registry().gauge("calls", "Calls.")


def test_durations_fall_into_buckets_of_seconds() -> None:
    registry = chassis.metrics.Registry()
    histogram = registry.histogram("sallyport_call_seconds", "Durations.", buckets_s=(0.1, 1.0))
    histogram.observe(0.05)
    histogram.observe(0.5)
    text = registry.render().decode()
    assert 'sallyport_call_seconds_bucket{le="0.1"} 1.0' in text
    assert 'sallyport_call_seconds_bucket{le="1.0"} 2.0' in text
    assert "sallyport_call_seconds_sum 0.55" in text


def test_a_counter_never_falls() -> None:
    counter = chassis.metrics.Registry().counter("sallyport_calls_total", "Calls.")
    with pytest.raises(ValueError, match="grows"):
        counter.inc(-1)


def test_a_name_is_given_once() -> None:
    registry = chassis.metrics.Registry()
    registry.gauge("sallyport_calls", "Calls.")
    with pytest.raises(ValueError, match="sallyport_calls"):
        registry.gauge("sallyport_calls", "Calls.")


BUCKETS_S = (0.005, 0.1, 1, 30.0)
amounts = st.floats(min_value=0, max_value=100) | st.sampled_from(BUCKETS_S)


@given(st.lists(st.tuples(st.sampled_from(["done", "refused"]), amounts), max_size=10))
def test_what_was_counted_is_shown_as_prometheus_client_shows_its_own(
    told: Sequence[tuple[str, float]],
) -> None:
    ours, theirs = chassis.metrics.Registry(), prometheus_client.CollectorRegistry()
    calls = ours.counter("sallyport_calls_total", "Calls.", OUTCOMES)
    waiting = ours.gauge("sallyport_waiting", "Waiting.", OUTCOMES)
    spent = ours.histogram("sallyport_spent_seconds", "Spent.", OUTCOMES, buckets_s=BUCKETS_S)
    all_spent = ours.histogram("sallyport_all_spent_seconds", "All spent.", buckets_s=BUCKETS_S)
    their_calls = prometheus_client.Counter("sallyport_calls_total", "Calls.", ["outcome"], registry=theirs)
    their_waiting = prometheus_client.Gauge("sallyport_waiting", "Waiting.", ["outcome"], registry=theirs)
    their_spent = prometheus_client.Histogram(
        "sallyport_spent_seconds", "Spent.", ["outcome"], buckets=BUCKETS_S, registry=theirs
    )
    their_all_spent = prometheus_client.Histogram(
        "sallyport_all_spent_seconds", "All spent.", buckets=BUCKETS_S, registry=theirs
    )
    for outcome, amount in told:
        calls.inc(amount, outcome=outcome)
        waiting.set(amount, outcome=outcome)
        spent.observe(amount, outcome=outcome)
        all_spent.observe(amount)
        their_calls.labels(outcome).inc(amount)
        their_waiting.labels(outcome).set(amount)
        their_spent.labels(outcome).observe(amount)
        their_all_spent.observe(amount)
    assert ours.render().decode() == without_dates(prometheus_client.generate_latest(theirs).decode())


def without_dates(text: str) -> str:
    """Return what is shown but for the moments at which series began, which are not told here."""
    return "".join(line for line in text.splitlines(keepends=True) if "_created" not in line)


def test_each_registry_is_its_own_and_knows_its_metrics() -> None:
    one, other = chassis.metrics.Registry(), chassis.metrics.Registry()
    one.gauge("sallyport_ready", "Ready.").set(1)
    assert one.texts == {"sallyport_ready": "Ready."}
    assert other.texts == {}
    assert b"sallyport_ready 1.0" in one.render()
    assert other.render() == b""
