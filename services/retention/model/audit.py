"""Audit events of the safe: their kinds, and what their details may hold.

An event never holds personal data or a secret: order ids, days and counts are neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

OWN_NAME = "retention"


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
    """Every kind of event that the safe writes."""

    RECORD_SEALED = "retention.record.sealed"
    RECORD_OPENED = "retention.record.opened"
    RECORD_REFUSED = "retention.record.refused"
    RECORD_MOVED = "retention.record.moved"
    DAY_ERASED = "retention.day.erased"
    SELLER_ERASED = "retention.seller.erased"
    KEY_REVIVED = "retention.key.revived"


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asked: the verified name of the calling service, and the request it serves."""

    caller: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One line of the audit log, before telemetry chains it.

    Attributes:
        event_id: UUID; the same id twice is one record, if the event is the same.
        occurred_at: aware UTC.
        intent_id: of an outcome, its intent's event_id; else empty.
        result: of an outcome a `Result`; of a fact the reason's code; of an intent empty.
        details: keys order_id, field_set, subject, records, data_keys.
    """

    event_id: str
    kind: Kind
    phase: Phase
    occurred_at: datetime
    origin: Origin
    seller_id: str = ""
    intent_id: str = ""
    result: str = ""
    details: Mapping[str, str]
