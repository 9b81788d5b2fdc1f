"""Request ids and spans."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import chassis.errors
import chassis.trace
from chassis.secrecy import HIDDEN


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    """Spans of this process; OpenTelemetry knows one provider per process."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    chassis.trace.collect(provider)
    return exporter


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    exporter.clear()
    yield exporter
    exporter.clear()


def only(spans: InMemorySpanExporter) -> ReadableSpan:
    (finished,) = spans.get_finished_spans()
    return finished


def test_outside_of_a_request_there_is_no_id() -> None:
    assert chassis.trace.request_id() == ""
    assert chassis.trace.fields() == {}
    assert chassis.trace.traceparent() is None


@pytest.mark.parametrize("given_id", ["0190a5c3-7b1f-7c3a-9a55-000000000000", "abcdefgh", "A.b_c-12" * 8])
def test_a_good_request_id_is_kept(given_id: str) -> None:
    with chassis.trace.bind_request_id(given_id) as bound:
        assert bound == chassis.trace.request_id() == given_id
        assert chassis.trace.fields() == {"request_id": given_id}
    assert chassis.trace.request_id() == ""


@pytest.mark.parametrize(
    "given_id",
    [
        None,
        "",
        "short",
        "a" * 65,
        "-leading-dash",
        "with space1",
        "new\nline12",
        "Atzr|abcdefg",
        "sp_at_0123456789012345678901234567890123456789012",
        "caf\u00e9abcdef",
        "a" * 8 + "\n",
    ],
)
def test_a_bad_request_id_is_replaced_and_not_repaired_T10(given_id: str | None) -> None:
    with chassis.trace.bind_request_id(given_id) as bound:
        assert bound != given_id
        assert chassis.trace.REQUEST_ID_FORM.fullmatch(bound)


@given(st.text(max_size=80))
def test_whatever_is_given_the_bound_id_has_its_form(given_id: str) -> None:
    with chassis.trace.bind_request_id(given_id) as bound:
        assert chassis.trace.REQUEST_ID_FORM.fullmatch(bound)


async def test_tasks_started_for_a_request_carry_its_id_and_others_do_not() -> None:
    async def ask() -> str:
        return chassis.trace.request_id()

    before = asyncio.create_task(ask())
    with chassis.trace.bind_request_id("request-1"):
        inside = asyncio.create_task(ask())
    assert (await before, await inside) == ("", "request-1")


def test_where_nobody_collects_a_request_is_served_under_its_id_all_the_same() -> None:
    with chassis.trace.serving(None, event="orders.read", method="GET") as bound:
        assert bound == chassis.trace.request_id()
    assert chassis.trace.request_id() == ""


def test_a_trace_that_a_peer_tells_of_is_told_on_though_nobody_collects_here() -> None:
    told = f"00-{'a' * 32}-{'b' * 16}-01"
    with chassis.trace.continued(told), chassis.trace.bind_request_id("request-1"):
        assert chassis.trace.fields() == {"request_id": "request-1", "trace_id": "a" * 32}
        assert chassis.trace.traceparent() == told


def test_a_span_keeps_only_allowed_attributes_and_bounds_them_T28(spans: InMemorySpanExporter) -> None:
    with (
        chassis.trace.bind_request_id("request-1"),
        chassis.trace.span("orders.read", operation="x" * 500, outcome="Atza|abc", count=2, buyer="Jane"),
    ):
        pass
    assert dict(only(spans).attributes or {}) == {
        "request_id": "request-1",
        "operation": "x" * 200,
        "outcome": HIDDEN,
        "count": 2,
    }


def test_a_request_is_served_under_its_id_and_measured_as_its_event(spans: InMemorySpanExporter) -> None:
    with chassis.trace.serving("request-1", event="orders.read", method="GET") as bound:
        assert bound == chassis.trace.request_id() == "request-1"
    assert chassis.trace.request_id() == ""
    span = only(spans)
    assert span.name == "orders.read"
    assert dict(span.attributes or {}) == {"request_id": "request-1", "event": "orders.read", "method": "GET"}


@pytest.mark.parametrize(
    ("error", "description"),
    [(ValueError("Jane Doe"), "ValueError"), (chassis.errors.Denied("Jane Doe"), "denied")],
)
def test_an_exception_in_a_span_leaves_no_message_T28(
    spans: InMemorySpanExporter,
    error: Exception,
    description: str,
) -> None:
    with pytest.raises(type(error)), chassis.trace.span("orders.read"):
        raise error
    span = only(spans)
    assert span.status.description == description
    assert not span.events
    assert "Jane" not in span.to_json()


@pytest.mark.usefixtures("exporter")
def test_a_peer_continues_the_trace_it_is_told() -> None:
    with chassis.trace.span("caller"):
        told = chassis.trace.traceparent()
        trace_id = chassis.trace.fields()["trace_id"]
    with chassis.trace.continued(told):
        assert chassis.trace.fields() == {"trace_id": trace_id}
        assert chassis.trace.traceparent() == told


@pytest.mark.parametrize("told", [None, "", "garbage", "00-" + "g" * 32 + "-" + "0" * 16 + "-01", "01-x"])
def test_a_malformed_traceparent_starts_nothing(told: str | None) -> None:
    with chassis.trace.continued(told):
        assert chassis.trace.traceparent() is None


def test_without_a_collector_spans_are_harmless() -> None:
    with chassis.trace.configure("auth", None), chassis.trace.span("orders.read"):
        assert chassis.trace.traceparent()
