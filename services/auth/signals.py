"""What auth shows of itself: numbers and log lines, with codes and kinds only.

No seller, person, device, token or text of Amazon's comes here; the audit log is the place for who and what.
"""

import chassis.log
import chassis.metrics
from services.auth.model.audit import Kind
from services.auth.model.consents import APPLICATION_FORM, Ending
from services.auth.model.credentials import URGENT_DAYS
from services.auth.model.lending import Source
from services.auth.model.notices import UNREAD, Outcome
from services.auth.model.reminders import MARKS_DAYS
from services.auth.model.rotation import APPLICATIONS_MAX

JOBS = frozenset(
    {
        "access_review",
        "confirm",
        "health",
        "key_ages",
        "news",
        "notices",
        "offboard",
        "purge",
        "remind",
        "renew",
        "retire",
        "rewrap",
        "secrets",
        "settle",
    }
)
DEVICE_ENDINGS = frozenset(
    {"signed_out", "seller", "vendor", "leaver", "code_reused", "token_reused", "idle"}
)
ENDINGS = DEVICE_ENDINGS | frozenset(Ending)
REFUSED = frozenset(
    {
        Kind.APPLICATION_REFUSED,
        Kind.LENDING_REFUSED,
        Kind.CONSENT_REFUSED,
        Kind.GRANT_REFUSED,
        Kind.SIGN_IN_REFUSED,
        Kind.SIGN_IN_LOCKED,
    }
)
REASONS = frozenset(
    {
        "account_unknown",
        "address_unknown",
        "answer_mismatch",
        "handover_refused",
        "code_mismatch",
        "code_reused",
        "foreign_client",
        "foreign_key",
        "invalid_client",
        "invalid_state",
        "passkey_copied",
        "passkey_mismatch",
        "passkey_unknown",
        "password_mismatch",
        "second_factor_missing",
        "lending_budget_exceeded",
        "selling_partner_taken",
        "state_mismatch",
        "token_reused",
        "too_many_failures",
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
ROTATION_RESULTS = frozenset(
    {
        "application_refused",
        "asked",
        "audit_unavailable",
        "authorization_service_unavailable",
        "key_service_unavailable",
        "rotation_not_enrolled",
        "rotation_refused",
        "store_unavailable",
        "unanswered",
        "upstream_invalid",
    }
)
ALARMING_RESULTS = frozenset({"application_refused", "integrity_failure"})


class AmazonSignals:
    """What getting and lending Amazon's tokens makes visible."""

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
        self._reported = registry.counter(
            "sallyport_auth_reported_tokens_total",
            "Tokens of Amazon's that a gateway says Amazon refused.",
            {"result": frozenset({"forgotten", "kept"})},
        )
        self._turn_seconds = registry.histogram(
            "sallyport_auth_login_turn_wait_seconds", "How long turns at Login with Amazon were waited for."
        )
        self._held_back = registry.counter(
            "sallyport_auth_login_holds_total", "Times that Login with Amazon told us to hold back."
        )
        self._application_refused = registry.counter(
            "sallyport_auth_application_refusals_total",
            "Episodes in which Amazon refuses the application itself: an alarm.",
        )
        self._overdrawn = registry.counter(
            "sallyport_auth_loans_over_budget_total", "Loans refused for their borrower's budget: an alarm."
        )

    def lent(self, kind: str, source: str) -> None:
        """Count a token of Amazon's lent: kind "access" or "restricted"."""
        self._lent.inc(kind=kind, source=source)

    def refreshed(self, result: str) -> None:
        """Count an attempt to refresh, and raise the alarm when more than one seller is concerned."""
        self._refreshed.inc(result=result)
        if result in ALARMING_RESULTS:
            self._log.error("refresh failed", code=result)

    def reported(self, result: str) -> None:
        """Count a token that Amazon is said to have refused: "forgotten" or "kept"."""
        self._reported.inc(result=result)

    def turn_taken(self, wait_s: float) -> None:
        """Observe how long somebody waited for a turn at Login with Amazon."""
        self._turn_seconds.observe(wait_s)

    def held_back(self) -> None:
        """Count that Login with Amazon told the application to hold back."""
        self._held_back.inc()

    def application_refused(self) -> None:
        """Raise the alarm: Amazon refuses the application, and with it every seller."""
        self._application_refused.inc()
        self._log.error("amazon refuses the application", code="application_refused")

    def overdrawn(self, *, is_alarm: bool) -> None:
        """Count a loan refused for its borrower's budget; raise the alarm for the first of an episode."""
        self._overdrawn.inc()
        if is_alarm:
            self._log.error("lending budget exceeded", code="lending_budget_exceeded")


class SecretSignals:
    """What looking after client secrets makes visible."""

    def __init__(self, registry: chassis.metrics.Registry) -> None:
        self._log = chassis.log.get("auth")
        self._secrets_refused = registry.counter(
            "sallyport_auth_client_secret_refusals_total",
            "Times that Amazon began to refuse one client secret, or accepted not one of them all.",
            {"which": frozenset({"one", "all"})},
        )
        self._secret_days_left = registry.gauge(
            "sallyport_auth_client_secret_left_days",
            "Days that the client secret which an application relies on has left.",
            {"application": chassis.metrics.Identifiers(APPLICATION_FORM, values_max=APPLICATIONS_MAX)},
        )
        self._rotations = registry.counter(
            "sallyport_auth_rotations_total", "New client secrets asked for.", {"result": ROTATION_RESULTS}
        )
        self._notices = registry.counter(
            "sallyport_auth_notices_total", "Letters on the vendor's queue.", {"result": frozenset(Outcome)}
        )

    def secret_refused(self, which: str) -> None:
        """Count that Amazon began to refuse "one" client secret, or accepts not one: "all"."""
        self._secrets_refused.inc(which=which)
        self._log.warning("client secret refused", which=which)

    def secret_days_left(self, application_id: str, days: float) -> None:
        """Show how many days the secret that an application relies on has left."""
        self._secret_days_left.set(days, application=application_id)

    def secret_expiring(self, days_left: float) -> None:
        """Raise the alarm that a client secret ends in so many days."""
        tell = self._log.error if days_left <= URGENT_DAYS else self._log.warning
        tell("client secret expiring", days_left=int(days_left))

    def rotation(self, result: str) -> None:
        """Count a new secret asked for: "asked" or the code of what went wrong."""
        self._rotations.inc(result=result)
        if result != "asked":
            self._log.error("client secret not rotated", code=result)

    def notice(self, result: str) -> None:
        """Count a letter on the queue; of one that nobody here can read nothing else is ever said."""
        self._notices.inc(result=result)
        if result in UNREAD:
            self._log.warning("letter left in the queue", result=result)


class Signals(AmazonSignals, SecretSignals):
    """The one place where auth's use cases and jobs become visible."""

    def __init__(self, registry: chassis.metrics.Registry) -> None:
        AmazonSignals.__init__(self, registry)
        SecretSignals.__init__(self, registry)
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
        self._ending_soon = registry.gauge(
            "sallyport_auth_ending_consents",
            "Active consents that end within so many days.",
            {"within_days": frozenset(map(str, MARKS_DAYS))},
        )
        self._unfinished = registry.gauge(
            "sallyport_auth_unfinished_offboardings", "Sellers who left, and not all is destroyed yet."
        )
        self._overdue = registry.gauge(
            "sallyport_auth_overdue_offboardings", "Those of them who left more than 24 h ago: an alarm."
        )
        self._told_late = registry.counter(
            "sallyport_auth_late_audit_events_total",
            "Audit events that were not taken at once.",
            {"result": frozenset({"kept", "told", "lost"})},
        )
        self._access_review_age = registry.gauge(
            "sallyport_auth_access_review_age_seconds",
            "Since somebody last reviewed who has access to what.",
        )
        self._key_age = registry.gauge(
            "sallyport_auth_oldest_key_age_seconds",
            "For how long the oldest sealing key's newest version is in use.",
        )
        self._damaged = registry.counter(
            "sallyport_auth_damaged_values_total",
            "Sealed values that did not open, to be sealed anew or to be listed.",
        )
        self._jobs_failed = registry.counter(
            "sallyport_auth_job_rounds_failed_total", "Rounds of a job that failed.", {"job": JOBS}
        )

    def refused(self, kind: str, reason: str) -> None:
        """Count a refusal that may be an attack."""
        self._refused.inc(kind=kind, reason=reason)

    def ended(self, what: str, why: str) -> None:
        """Count a "device" or "consent" that ended."""
        self._ended.inc(what=what, why=why)

    def ending_soon(self, within_days: int, count: int) -> None:
        """Show how many active consents end within so many days."""
        self._ending_soon.set(count, within_days=str(within_days))

    def offboardings(self, *, under_way: int, overdue: int) -> None:
        """Show how many sellers' leaving is not finished, and raise the alarm about those that are late."""
        self._unfinished.set(under_way)
        self._overdue.set(overdue)
        if overdue:
            self._log.error("offboarding overdue", count=overdue)

    def access_review_age(self, age_s: float, *, is_overdue: bool) -> None:
        """Show how long ago somebody reviewed who has access to what; when it is overdue, an alarm."""
        self._access_review_age.set(age_s)
        if is_overdue:
            self._log.error("access review overdue")

    def told_late(self, result: str) -> None:
        """Count an event that the audit log did not take at once: "kept", "told" or "lost"."""
        self._told_late.inc(result=result)
        if result == "lost":
            self._log.error("audit event lost")

    def key_age(self, oldest_s: float) -> None:
        """Show for how long the oldest sealing key's newest version is in use."""
        self._key_age.set(oldest_s)

    def sealed_damaged(self, values: int) -> None:
        """Count sealed values that did not open, to be sealed anew or to be listed, and raise the alarm."""
        self._damaged.inc(values)
        if values:
            self._log.error("sealed values do not open", values=values)

    def job_failed(self, job: str, code: str) -> None:
        """Count and log one round of a job that failed."""
        self._jobs_failed.inc(job=job)
        self._log.warning("job round failed", job=job, code=code)
