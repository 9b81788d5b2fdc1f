"""What auth shows of itself: numbers and log lines, with codes and kinds only.

No seller, person, device, token or text of Amazon's comes here; the audit log is the place for who and what.
"""

import chassis.log
import chassis.metrics
from services.auth.model.audit import Kind
from services.auth.model.consents import Ending
from services.auth.model.lending import Source

JOBS = frozenset({"purge", "settle", "confirm", "retire", "health", "news"})
DEVICE_ENDINGS = frozenset({"seller", "code_reused", "token_reused", "idle"})
ENDINGS = DEVICE_ENDINGS | frozenset(Ending)
REFUSED = frozenset({Kind.CONSENT_REFUSED, Kind.GRANT_REFUSED})
REASONS = frozenset(
    {
        "code_mismatch",
        "code_reused",
        "foreign_client",
        "foreign_key",
        "invalid_state",
        "selling_partner_taken",
        "token_reused",
    }
)
REFRESH_RESULTS = frozenset(
    {
        "application_refused",
        "audit_unavailable",
        "authorization_service_unavailable",
        "consent_expired",
        "consent_revoked",
        "done",
        "integrity_failure",
        "key_service_unavailable",
        "lease_lost",
        "store_unavailable",
        "upstream_invalid",
    }
)
ALARMING_RESULTS = frozenset({"application_refused", "integrity_failure"})


class Signals:
    """The one place where auth's use cases and jobs become visible."""

    def __init__(self, registry: chassis.metrics.Registry) -> None:
        self._log = chassis.log.get("auth")
        self._lent = registry.counter(
            "sallyport_auth_amazon_tokens_lent_total",
            "Amazon's tokens lent to the gateway.",
            {"kind": frozenset({"access", "restricted"}), "source": frozenset(Source)},
        )
        self._refreshed = registry.counter(
            "sallyport_auth_refreshes_total",
            "Attempts to refresh an access token at Amazon.",
            {"result": REFRESH_RESULTS},
        )
        self._refused = registry.counter(
            "sallyport_auth_refusals_total",
            "Refusals that may be an attack.",
            {"kind": REFUSED, "reason": REASONS},
        )
        self._ended = registry.counter(
            "sallyport_auth_endings_total",
            "Devices and consents that ended.",
            {"what": frozenset({"device", "consent"}), "why": ENDINGS},
        )
        self._told_late = registry.counter(
            "sallyport_auth_late_audit_events_total",
            "Audit events that were not taken at once.",
            {"result": frozenset({"kept", "told", "lost"})},
        )
        self._jobs_failed = registry.counter(
            "sallyport_auth_job_rounds_failed_total", "Rounds of a job that failed.", {"job": JOBS}
        )

    def lent(self, kind: str, source: str) -> None:
        """Count a token of Amazon's lent: kind "access" or "restricted"."""
        self._lent.inc(kind=kind, source=source)

    def refreshed(self, result: str) -> None:
        """Count an attempt to refresh, and raise the alarm when more than one seller is concerned."""
        self._refreshed.inc(result=result)
        if result in ALARMING_RESULTS:
            self._log.error("refresh failed", code=result)

    def refused(self, kind: str, reason: str) -> None:
        """Count a refusal that may be an attack."""
        self._refused.inc(kind=kind, reason=reason)

    def ended(self, what: str, why: str) -> None:
        """Count a "device" or "consent" that ended."""
        self._ended.inc(what=what, why=why)

    def told_late(self, result: str) -> None:
        """Count an event that the audit log did not take at once: "kept", "told" or "lost"."""
        self._told_late.inc(result=result)
        if result == "lost":
            self._log.error("audit event lost")

    def job_failed(self, job: str, code: str) -> None:
        """Count and log one round of a job that failed."""
        self._jobs_failed.inc(job=job)
        self._log.warning("job round failed", job=job, code=code)
