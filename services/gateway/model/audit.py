"""Audit events of the forwarding path: their kinds, and what their details may hold.

An event never holds personal data or a secret: ids of orders and shipments, and operation names, are neither.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chassis.errors import Unavailable

# Bound the details `order_ids` and `subject`: a page of Amazon's holds at most 100 orders.
IDS_MAX = 100
# Ids of this form, UUIDs too, are written as they are. Anything else came from a stranger's path and might be
# an e-mail address or a token, so only its presence is told.
_SHAPE = r"[A-Za-z0-9]{1,19}(?:-[A-Za-z0-9]{1,12}){0,4}"
_ID = re.compile(_SHAPE)
_IDS = re.compile(rf"{_SHAPE}(?:,{_SHAPE}){{0,{IDS_MAX - 1}}}")
_UNWRITABLE = "?"


class AuditUnavailable(Unavailable):
    """The event may or may not be durable."""

    code = "audit_unavailable"
    text = "The audit log is not available."


class EventRefused(AuditUnavailable):
    """The event is not durable and never will be: telemetry judged it wrong, so nobody tells it again."""


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
    DOCUMENT_WRITTEN = "gateway.document.written"
    OPERATION_REFUSED = "gateway.operation.refused"
    CREDENTIALS_REFUSED = "gateway.credentials.refused"
    REFUSALS_COUNTED = "gateway.refusals.counted"
    PROCESS_STARTED = "gateway.process.started"
    POLICY_CHANGED = "gateway.policy.changed"
    POLICY_REFUSED = "gateway.policy.refused"


@dataclass(slots=True, kw_only=True)
class AuditEvent:
    """One line of the audit log, before telemetry chains it; nobody changes one.

    Attributes:
        event_id: UUID; the same id twice is one record.
        occurred_at: aware UTC.
        intent_id: of an outcome, its intent's event_id; else empty.
        result: of an outcome a `Result`; of a fact the reason's code; of an intent empty.
        actor_id: the device, or empty when nobody is known.
        details: keys operation, order_ids, status, masked, source, purpose, and shown when some classes of
            personal members were shown and others hidden; of a policy's events digest, previous, problems;
            of a document's bytes, document (its class) and bytes; and subject, where the answer may hold
            customers' data and the path names no order but, say, a shipment: what it does name.
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


def id_list(ids: Iterable[str]) -> str:
    """Return the detail `order_ids`, or `subject`: each id once, joined by commas, at most IDS_MAX."""
    told = dict.fromkeys(ids)
    listed = ",".join(told)
    # One look tells of all of them, unless one is no id, or holds a comma itself.
    if _IDS.fullmatch(listed) and listed.count(",") == len(told) - 1:
        return listed
    written = dict.fromkeys([each if _ID.fullmatch(each) else _UNWRITABLE for each in told])
    return ",".join(list(written)[:IDS_MAX])
