"""Every SQL statement of telemetry. `log`: the audit log and what is known about it; `webhooks`: who is told.

One method is one transaction. The role behind the pool may add to the log and read it, not change or remove
anything of it (migrations/0001_audit_log.sql).
"""

from services.telemetry.store.log import AuditStore
from services.telemetry.store.webhooks import WebhookStore

__all__ = ["AuditStore", "WebhookStore"]
