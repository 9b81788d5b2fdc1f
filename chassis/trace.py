"""What ties together all that happened for one request: its id, and spans when somebody collects them.

The request id is bound per task and copied into the tasks that it starts. Spans carry only attributes
from ATTRIBUTES, so that no identifier of a person, token or text of an upstream leaves by this door
(T-28). Spans wait in a bounded queue and are dropped when it is full: tracing never holds up a request
(R-24). Exceptions are recorded by code or type, never by message.
"""

import random
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

import opentelemetry.trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

import chassis.errors
import chassis.secrecy

ATTRIBUTES = frozenset(
    {
        "attempt", "caller", "code", "count", "event", "kind", "method", "operation", "outcome", "peer",
        "profile", "region", "route", "size_bytes", "status",
    },
)  # fmt: skip
ATTRIBUTE_CHARS_MAX = 200
SPANS_QUEUED_MAX = 2048
SPANS_BATCH_MAX = 512
EXPORT_TIMEOUT_S = 5.0
EXPORT_PERIOD_S = 2.0

# What a request id from outside may look like; anything else is replaced, not repaired.
REQUEST_ID_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}", re.ASCII)
REQUEST_ID_BITS = 128
_ID_FORM = f"%0{REQUEST_ID_BITS // 4}x"
# Source: W3C Trace Context, section 3.2 (version 00).
TRACEPARENT_FORM = re.compile(r"00-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})")

_TRACER = "sallyport"
# An id tells requests apart and opens nothing, so it may be guessed. To ask the operating system for each
# would let other threads in between, which costs more than the rest of its making.
_ids = random.Random()  # noqa: S311
_NOT_MEASURED = nullcontext()


class _Spans:
    """Whether there are spans in this process.

    Attributes:
        are_collected: set once in the life of a process, as OpenTelemetry's provider is.
        may_be_current: set for good when somebody collects, or a peer told of one of its own.
    """

    are_collected = False
    may_be_current = False


_spans = _Spans()
_request_id: ContextVar[str] = ContextVar("request_id", default="")


def request_id() -> str:
    """Return the id of the request being served; empty outside of any."""
    return _request_id.get()


class bind_request_id:  # noqa: N801 - used like a function, and cheaper than one made into a context manager
    """Serve one request under the given id, or under a new one when it is None or malformed."""

    __slots__ = ("_bound", "_token")

    def __init__(self, given: str | None) -> None:
        self._bound = given if given and _is_good(given) else _new_id()

    def __enter__(self) -> str:
        self._token = _request_id.set(self._bound)
        return self._bound

    def __exit__(self, *_: object) -> None:
        _request_id.reset(self._token)


def _new_id() -> str:
    return _ID_FORM % _ids.getrandbits(REQUEST_ID_BITS)


def _is_good(given: str) -> bool:
    """Return whether an id from outside may be kept: of our form, and not shaped like a credential."""
    return REQUEST_ID_FORM.fullmatch(given) is not None and chassis.secrecy.scrub(given) == given


def span(name: str, **attributes: str | float | bool) -> AbstractContextManager[None]:
    """Measure what happens inside under this name.

    Args:
        name: fixed words, e.g. an event kind; never made from input.
        attributes: those named in ATTRIBUTES are kept, others are dropped.
    """
    return _measured(name, attributes) if _spans.are_collected else _NOT_MEASURED


def serving(given: str | None, *, event: str, method: str) -> AbstractContextManager[str]:
    """Serve one request under the given id or a new one, as `bind_request_id`, and measure it as its event.

    Args:
        given: the id that came with it, if one did.
        event: event kind, which names the span.
        method: an HTTP method.
    """
    if _spans.are_collected:
        return _serving_measured(given, event, method)
    return bind_request_id(given)


@contextmanager
def _serving_measured(given: str | None, event: str, method: str) -> Iterator[str]:
    with bind_request_id(given) as bound, _measured(event, {"event": event, "method": method}):
        yield bound


@contextmanager
def _measured(name: str, attributes: Mapping[str, str | float | bool]) -> Iterator[None]:
    kept = {key: _bounded(value) for key, value in attributes.items() if key in ATTRIBUTES}
    with opentelemetry.trace.get_tracer(_TRACER).start_as_current_span(
        name,
        attributes={**kept, "request_id": request_id()},
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield
        except Exception as error:
            reason = error.code if isinstance(error, chassis.errors.SallyportError) else type(error).__name__
            current.set_status(Status(StatusCode.ERROR, reason))
            raise


def traceparent() -> str | None:
    """Return where a peer's spans belong, as a header value; None outside of any recorded span."""
    current = opentelemetry.trace.get_current_span().get_span_context()
    if not current.is_valid:
        return None
    return f"00-{current.trace_id:032x}-{current.span_id:016x}-{current.trace_flags:02x}"


def continued(given: str | None) -> AbstractContextManager[object]:
    """Let spans inside belong to the trace a verified peer names; anything malformed starts a new one."""
    match = TRACEPARENT_FORM.fullmatch(given) if given else None
    if match is None:
        return _NOT_MEASURED
    _spans.may_be_current = True
    remote = SpanContext(
        trace_id=int(match["trace"], 16),
        span_id=int(match["span"], 16),
        is_remote=True,
        trace_flags=TraceFlags(int(match["flags"], 16)),
    )
    return opentelemetry.trace.use_span(opentelemetry.trace.NonRecordingSpan(remote), record_exception=False)


def fields() -> Mapping[str, str]:
    """Return what every log line says about the request: its id, and the trace id if there is one."""
    bound = _request_id.get()
    told = {"request_id": bound} if bound else {}
    if _spans.may_be_current:
        current = opentelemetry.trace.get_current_span().get_span_context()
        if current.is_valid:
            told["trace_id"] = f"{current.trace_id:032x}"
    return told


@contextmanager
def configure(service: str, endpoint: str | None) -> Iterator[None]:
    """Collect spans while inside, once per process; without an endpoint spans cost next to nothing.

    Args:
        service: the service's name, which every span carries.
        endpoint: the OTLP/HTTP collector's base URL, or None.
    """
    if endpoint is None:
        yield
        return
    provider = TracerProvider(resource=Resource({"service.name": service}), shutdown_on_exit=False)
    provider.add_span_processor(
        BatchSpanProcessor(
            OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_TIMEOUT_S),
            max_queue_size=SPANS_QUEUED_MAX,
            schedule_delay_millis=EXPORT_PERIOD_S * 1000,
            max_export_batch_size=SPANS_BATCH_MAX,
            export_timeout_millis=EXPORT_TIMEOUT_S * 1000,
        ),
    )
    collect(provider)
    try:
        yield
    finally:
        provider.shutdown()


def collect(provider: TracerProvider) -> None:
    """Give the spans of this process to a provider, for good: OpenTelemetry knows one per process."""
    opentelemetry.trace.set_tracer_provider(provider)
    _spans.may_be_current = True
    _spans.are_collected = True


def _bounded(value: str | float | bool) -> str | float | bool:
    return chassis.secrecy.scrub(value)[:ATTRIBUTE_CHARS_MAX] if isinstance(value, str) else value
