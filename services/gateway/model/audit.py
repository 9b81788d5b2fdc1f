"""Audit events of the forwarding path: their kinds, and what their details may hold.

An event never holds personal data or a secret: order ids and operation names are neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# Bounds the detail `order_ids`; a page of Amazon's holds at most 100 orders.
ORDER_IDS_MAX = 100


class Phase(StrEnum):
    """Where in its life an event stands."""

    INTENT = "intent"
    OUTCOME = "outcome"
    FACT = "fact"


class Result(StrEnum):
    """What became of an intent."""

    DONE = "done"
    NOT_DONE = "not_done"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """Every kind of event that the forwarding path writes."""

    PII_READ = "gateway.pii.read"
    PII_MASKED = "gateway.pii.masked"
    OPERATION_CALLED = "gateway.operation.called"
    OPERATION_REFUSED = "gateway.operation.refused"
    CREDENTIALS_REFUSED = "gateway.credentials.refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One line of the audit log, before telemetry chains it.

    Attributes:
        event_id: UUID; the same id twice is one record.
        occurred_at: aware UTC.
        intent_id: of an outcome, its intent's event_id; else empty.
        result: of an outcome a `Result`; of a fact the reason's code; of an intent empty.
        actor_id: the device, or empty when nobody is known.
        details: keys operation, order_ids, status, masked, source.
    """

    event_id: str
    kind: Kind
    phase: Phase
    occurred_at: datetime
    actor_id: str
    seller_id: str
    request_id: str
    intent_id: str = ""
    result: str = ""
    details: Mapping[str, str]
