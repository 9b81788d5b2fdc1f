"""What retention shows of itself: numbers and log lines, with codes, days and counts only.

No order, seller, plaintext or key comes here; the audit log is the place for who and what.
"""

import chassis.log
import chassis.metrics
from services.retention.model.erasures import Subject, SubjectKind

JOBS = frozenset({"erasing", "moving", "upkeep", "health"})
KINDS = frozenset(SubjectKind)
CODES = frozenset(
    {
        "audit_unavailable",
        "expired",
        "integrity_failure",
        "key_service_unavailable",
        "nothing_kept",
        "store_unavailable",
    }
)


class Signals:
    """The one place where retention's use cases and jobs become visible."""

    def __init__(self, registry: chassis.metrics.Registry) -> None:
        self._log = chassis.log.get("retention")
        kind = {"kind": KINDS}
        self._sealed = registry.counter("sallyport_retention_records_sealed_total", "Records sealed.")
        self._opened = registry.counter("sallyport_retention_records_opened_total", "Records opened.")
        self._refused = registry.counter(
            "sallyport_retention_records_refused_total", "Records asked for and refused.", {"code": CODES}
        )
        self._moved = registry.counter(
            "sallyport_retention_records_moved_total", "Records moved to an earlier day."
        )
        self._unsound = registry.counter(
            "sallyport_retention_records_unsound_total", "Records that did not open where they lie: an alarm."
        )
        self._erased = registry.counter(
            "sallyport_retention_erasures_total", "Erasures proven by a receipt.", kind
        )
        self._records_erased = registry.counter(
            "sallyport_retention_records_erased_total", "Records that erasures ended.", kind
        )
        self._erasures_failed = registry.counter(
            "sallyport_retention_erasures_failed_total", "Attempts to erase that failed: an alarm.", kind
        )
        self._keys_revived = registry.counter(
            "sallyport_retention_keys_revived_total", "Dead days' keys found alive: an alarm."
        )
        self._outcomes_lost = registry.counter(
            "sallyport_retention_outcomes_lost_total", "Audit outcomes that could not be recorded."
        )
        self._oldest_age = registry.gauge(
            "sallyport_retention_oldest_record_age_seconds", "Age of the oldest kept copy; 0 for none."
        )
        self._erasure_lag = registry.gauge(
            "sallyport_retention_erasure_lag_seconds", "How late the latest erasure is; 0 for none."
        )
        self._jobs_failed = registry.counter(
            "sallyport_retention_job_rounds_failed_total", "Rounds of a job that failed.", {"job": JOBS}
        )

    def sealed(self) -> None:
        """Count a record sealed."""
        self._sealed.inc()

    def opened(self) -> None:
        """Count a record opened."""
        self._opened.inc()

    def refused(self, code: str) -> None:
        """Count a record asked for and refused."""
        self._refused.inc(code=code)

    def moved(self, count: int) -> None:
        """Count records moved to an earlier day."""
        self._moved.inc(count)

    def unsound(self) -> None:
        """Raise the alarm about a record that did not open where it lies."""
        self._unsound.inc()
        self._log.error("record unsound")

    def erased(self, subject: Subject, records: int) -> None:
        """Count an erasure that was proven."""
        self._erased.inc(kind=subject.kind)
        self._records_erased.inc(records, kind=subject.kind)
        self._log.info("erasure proven", kind=subject.kind, day=subject.day, records=records)

    def erasure_failed(self, subject: Subject, code: str) -> None:
        """Raise the alarm about an erasure that could not be finished."""
        self._erasures_failed.inc(kind=subject.kind)
        self._log.error("erasure failed", kind=subject.kind, day=subject.day, code=code)

    def key_revived(self, subject: Subject) -> None:
        """Raise the alarm about a key that was dead and came back."""
        self._keys_revived.inc()
        self._log.error("dead key found alive", kind=subject.kind, day=subject.day)

    def outcome_lost(self, kind: str) -> None:
        """Note that an effect happened and its outcome could not be recorded."""
        self._outcomes_lost.inc()
        self._log.warning("audit outcome lost", kind=kind)

    def measured(self, *, oldest_age_s: float, erasure_lag_s: float) -> None:
        """Show the age of the oldest kept copy and by how much erasing is late; 0 for none."""
        self._oldest_age.set(oldest_age_s)
        self._erasure_lag.set(erasure_lag_s)

    def job_failed(self, job: str, code: str) -> None:
        """Count and log one round of a job that failed."""
        self._jobs_failed.inc(job=job)
        self._log.warning("job round failed", job=job, code=code)
