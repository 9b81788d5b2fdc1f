"""The audit log as it is durable, indexed for questions that invariants ask at every step."""

from collections.abc import Sequence
from typing import Any

from fakes.audit_store import FakeAuditStore
from services.auth.model.audit import Kind
from services.telemetry.model.admission import Admitted
from services.telemetry.model.events import Phase


class Book:
    """Reads the store directly, past every service; it reads on from where it stopped."""

    def __init__(self, store: FakeAuditStore) -> None:
        self._store = store
        self._read = 0
        self._intents: dict[str, Admitted] = {}
        self._concluded: dict[str, set[str]] = {}
        self._by_request: dict[tuple[str, str], list[str]] = {}
        self._named: dict[tuple[str, str], set[str]] = {}
        self._by_detail: set[tuple[str, str, str]] = set()
        self._ids: set[str] = set()

    def entries(self) -> Sequence[Admitted]:
        """Return everything in the log, in order."""
        return self._store.entries()

    def holds(self, event_id: str) -> bool:
        """Return whether an event is durable."""
        self._read_on()
        return event_id in self._ids

    def has_intent(self, kind: str, key: str, value: str) -> bool:
        """Return whether an intent of a kind with this detail is durable."""
        self._read_on()
        return (kind, key, value) in self._by_detail

    def intents_of(self, kind: str, request_id: str) -> Sequence[str]:
        """Return the ids of the intents of a kind that one request made."""
        self._read_on()
        return self._by_request.get((kind, request_id), [])

    def has_named(self, kind: str, request_id: str, order_id: str) -> bool:
        """Return whether an intent of one request, or its outcome, names an order."""
        self._read_on()
        return order_id in self._named.get((kind, request_id), set())

    def intents(self) -> Sequence[str]:
        """Return the ids of all intents, in the log's order."""
        self._read_on()
        return list(self._intents)

    def open_intents(self) -> Sequence[str]:
        """Return the ids of intents without any outcome, in the log's order."""
        self._read_on()
        return [intent_id for intent_id in self._intents if intent_id not in self._concluded]

    def kind_of(self, intent_id: str) -> str:
        """Return an intent's kind."""
        return self._intents[intent_id].entry.event.kind

    def _read_on(self) -> None:
        for admitted in self._store.entries(after=self._read):
            self._take(admitted)
            self._read += 1

    def _take(self, admitted: Admitted) -> None:
        event = admitted.entry.event
        self._ids.add(event.event_id)
        if event.phase is Phase.INTENT:
            self._intents[event.event_id] = admitted
            self._by_request.setdefault((event.kind, event.request_id or ""), []).append(event.event_id)
            self._by_detail |= {(event.kind, key, value) for key, value in event.details.items()}
        order_ids = event.details.get("order_ids", "").split(",")
        self._named.setdefault((event.kind, event.request_id or ""), set()).update(order_ids)
        if event.intent_id is not None:
            self._concluded.setdefault(event.intent_id, set()).add(event.result or "")


def intent_before(method: str, values: Sequence[Any]) -> tuple[str, str, str] | None:
    """Return which intent must stand before an effect of auth's: kind, detail, value."""
    if method == "record_consent":
        return Kind.CONSENT_COMPLETED, "consent_id", values[0].consent_id
    if method == "end_consent":
        return Kind.CONSENT_REVOKED, "consent_id", values[0]
    if method in {"enrol", "enrol_by_code"}:
        return (
            Kind.DEVICE_ENROLLED,
            "device_id",
            values[-1 if method == "enrol" else 1].device.device_id,
        )
    if method == "revoke_device":
        return Kind.DEVICE_REVOKED, "device_id", values[0]
    if method == "set_scopes":
        return Kind.DEVICE_SCOPED, "device_id", values[0]
    return None
