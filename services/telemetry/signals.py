"""What telemetry shows of itself: numbers and log lines, with names of services, codes and counts only.

Nothing of an event's content comes here, the audit log is the place for that; but a refused call tells the
ids of the requests that its events are of, so that whoever looks into one of those finds it.
"""

from collections.abc import Iterable
from datetime import datetime

import chassis.log
import chassis.metrics
import chassis.trace
from services.telemetry.model.events import OWN_NAME
from services.telemetry.model.webhooks import Fate

SENDERS = frozenset({"gateway", "auth", "retention", OWN_NAME})
JOBS = frozenset({"checkpoints", "orphans", "health", "webhook"})
WEBHOOK_FATES = frozenset({*Fate, "abandoned"})
CODES = frozenset(
    {
        "audit_unavailable",
        "event_invalid",
        "idempotency_conflict",
        "intent_unknown",
        "kind_not_owned",
        "outcome_already_recorded",
        "sensitive_content",
    }
)


class Signals:
    """The one place where telemetry's use cases, committer and jobs become visible."""

    def __init__(self, registry: chassis.metrics.Registry) -> None:
        self._log = chassis.log.get("telemetry")
        sender = {"sender": SENDERS}
        self._appended = registry.counter(
            "sallyport_telemetry_events_appended_total", "Audit events acknowledged as durable.", sender
        )
        self._append = registry.histogram(
            "sallyport_telemetry_append_seconds",
            "From an Append call's or group's arrival until its events were durable.",
            sender,
        )
        self._refused = registry.counter(
            "sallyport_telemetry_calls_refused_total",
            "Append calls refused, by code.",
            {**sender, "code": CODES},
        )
        self._rows = registry.counter(
            "sallyport_telemetry_rows_committed_total", "Rows of calls taken into commits."
        )
        self._commits = registry.histogram(
            "sallyport_telemetry_commit_seconds", "Time of one commit of a group of calls."
        )
        self._failed = registry.counter("sallyport_telemetry_commits_failed_total", "Commits that failed.")
        self._queue = registry.gauge("sallyport_telemetry_queue_rows", "Rows waiting for a commit.")
        self._signed_at = registry.gauge(
            "sallyport_telemetry_checkpoint_timestamp_seconds", "When the last checkpoint was signed."
        )
        self._covered = registry.gauge(
            "sallyport_telemetry_checkpoint_sequence", "Last record covered by a checkpoint."
        )
        self._orphans = registry.counter(
            "sallyport_telemetry_intents_resolved_total", "Intents resolved as unknown."
        )
        self._jobs_failed = registry.counter(
            "sallyport_telemetry_job_rounds_failed_total", "Rounds of a job that failed.", {"job": JOBS}
        )

        self._webhook_answers = registry.counter(
            "sallyport_telemetry_webhook_posts_total",
            "Messages posted to the webhook, by what became of each; abandoned: a report was given up.",
            {"fate": WEBHOOK_FATES},
        )
        self._webhook_lag = registry.gauge(
            "sallyport_telemetry_webhook_lag_records", "Records that the webhook is behind the log."
        )
        self._webhook_gone = registry.gauge(
            "sallyport_telemetry_webhook_gone", "1 when the receiver answered that it wants no more."
        )

    def appended(self, sender: str, events: int, elapsed_s: float) -> None:
        """Count a call, and its events, that a sender was told are durable."""
        self._appended.inc(events, sender=sender)
        self._append.observe(elapsed_s, sender=sender)

    def refused(self, sender: str, code: str, request_ids: Iterable[str]) -> None:
        """Count and log one refused call; what has not the form of a request id is not shown."""
        self._refused.inc(sender=sender, code=code)
        known = [each for each in dict.fromkeys(request_ids) if chassis.trace.REQUEST_ID_FORM.fullmatch(each)]
        self._log.warning("append_refused", sender=sender, code=code, request_ids=known)

    def committed(self, rows: int, elapsed_s: float) -> None:
        """Count one commit."""
        self._rows.inc(rows)
        self._commits.observe(elapsed_s)

    def commit_failed(self, fault: BaseException) -> None:
        """Count and log one commit that failed."""
        self._failed.inc()
        self._log.error("commit_failed", error=fault)

    def queued(self, rows: int) -> None:
        """Show how many rows wait."""
        self._queue.set(rows)

    def checkpoint_signed(self, signed_at: datetime, sequence: int) -> None:
        """Show the newest checkpoint."""
        self._signed_at.set(signed_at.timestamp())
        self._covered.set(sequence)

    def intents_resolved(self, intents: int) -> None:
        """Count intents whose fate stays unknown."""
        self._orphans.inc(intents)
        if intents:
            self._log.warning("intents_resolved_as_unknown", intents=intents)

    def webhook_answered(self, fate: str) -> None:
        """Count one attempt by what became of it; "abandoned" counts a report that was given up."""
        self._webhook_answers.inc(fate=fate)
        if fate != Fate.DELIVERED:
            self._log.warning("webhook_not_delivered", fate=fate)

    def webhook_lags(self, records: int) -> None:
        """Show how many records the receiver is behind the log."""
        self._webhook_lag.set(records)

    def webhook_gone(self, *, is_gone: bool) -> None:
        """Show whether the receiver wants no more."""
        self._webhook_gone.set(float(is_gone))

    def job_failed(self, job: str, code: str) -> None:
        """Count and log one round of a job that failed."""
        self._jobs_failed.inc(job=job)
        self._log.warning("job_round_failed", job=job, code=code)

    def health_changed(self, *, is_well: bool) -> None:
        """Log that the audit log began or ceased to take events."""
        if is_well:
            self._log.info("audit_log_takes_events")
        else:
            self._log.error("audit_log_takes_no_events")
