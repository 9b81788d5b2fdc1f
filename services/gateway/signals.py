"""What the gateway shows of itself: numbers and log lines, with names, codes and counts only.

No body, header, path, token, order or person comes here; the audit log is the place for who and what.
"""

import http
from collections.abc import Iterable, Sequence

import chassis.log
import chassis.metrics
from services.gateway.model.calls import Region
from services.gateway.model.priority import Priority

NO_OPERATION = "none"
NO_ANSWER = "none"
# Of a link that cannot be read, or whose host may not be told.
NO_HOST = "none"
HOSTS_TOLD_MAX = 3
STATUSES = frozenset({str(status.value) for status in http.HTTPStatus}) | {NO_ANSWER}
DOCUMENT_METHODS = frozenset({"GET", "PUT", "POST"})
AUDIT_OUTCOME = "audit_outcome"
SIDE_STEPS = frozenset(
    {
        AUDIT_OUTCOME,
        "audit_refusal",
        "document_key",
        "document_types",
        "health",
        "home_key",
        "homes",
        "idle_buckets",
        "nonce_key",
        "observe_orders",
        "old_documents",
        "old_homes",
        "old_revisions",
        "policy",
        "quota",
        "revisions",
        "seal",
        "watch_revocations",
    }
)
CODES = frozenset(
    {
        "application_refused",
        "audit_unavailable",
        "auth_silent",
        "authorization_service_unavailable",
        "body_too_large",
        "consent_expired",
        "consent_missing",
        "consent_revoked",
        "content_type_differs",
        "credentials_not_accepted",
        "data_elements_denied",
        "deadline_exceeded",
        "delegation_not_allowed",
        "device_revoked",
        "document_ended",
        "document_form_invalid",
        "document_missing",
        "document_refused",
        "document_too_large",
        "document_unknown",
        "documents_busy",
        "encoding_broken",
        "encoding_not_served",
        "expectation_failed",
        "expired",
        "grant_refused",
        "handle_expired",
        "head_too_large",
        "integrity_failure",
        "internal",
        "invalid_body",
        "invalid_dpop_proof",
        "invalid_query",
        "invalid_request",
        "key_access_denied",
        "key_service_unavailable",
        "lending_budget_exceeded",
        "length_required",
        "malformed_request",
        "method_not_allowed",
        "method_not_implemented",
        "operation_not_allowed",
        "operation_not_open",
        "order_not_observed",
        "overloaded",
        "peer_overloaded",
        "peer_unavailable",
        "policy_invalid",
        "policy_unreadable",
        "profile_not_allowed",
        "purpose_not_allowed",
        "quota_exceeded",
        "region_not_connected",
        "request_timeout",
        "restriction_mismatch",
        "restriction_refused",
        "retention_unavailable",
        "sandbox_not_served",
        "scope_missing",
        "storage_unavailable",
        "store_unavailable",
        "target_application_refused",
        "token_expired",
        "token_invalid",
        "too_many_calls",
        "too_many_proofs",
        "too_many_strangers",
        "too_many_unknown_tokens",
        "unavailable",
        "upgrade_not_served",
        "upstream_busy",
        "upstream_invalid",
        "upstream_lost",
        "upstream_resting",
        "upstream_timeout",
        "upstream_unreachable",
        "use_dpop_nonce",
        "version_not_served",
    }
)


class _AmazonSignals:
    """What asking Amazon makes visible."""

    def __init__(self, registry: chassis.metrics.Registry, operation: frozenset[str]) -> None:
        self._attempts = registry.counter(
            "sallyport_gateway_amazon_attempts_total",
            "Requests sent to Amazon; status none: no answer came.",
            {"operation": operation, "status": STATUSES},
        )
        region = frozenset(Region)
        self._circuits_opened = registry.counter(
            "sallyport_gateway_circuits_opened_total",
            "Times the calls of a seller began to rest because Amazon did not answer them.",
            {"region": region},
        )
        self._failing = registry.gauge(
            "sallyport_gateway_sellers_failing_ratio",
            "Of the sellers who called Amazon lately, the share whose last call failed; 1: Amazon is away.",
            {"region": region},
        )

    def attempted(self, operation: str, status: int) -> None:
        """Count one request to Amazon; status 0: no answer came."""
        self._attempts.inc(operation=operation, status=str(status) if status else NO_ANSWER)

    def circuit_opened(self, region: str) -> None:
        """Count that the calls of a seller, whom Amazon does not answer, rest."""
        self._circuits_opened.inc(region=region)

    def failing(self, region: str, share: float) -> None:
        """Show the share of a region's sellers, of those who called lately, whose last call failed."""
        self._failing.set(share, region=region)


class _QuotaSignals:
    """What spending sellers' quotas, and sparing them, makes visible."""

    def __init__(self, registry: chassis.metrics.Registry, operation: frozenset[str]) -> None:
        self._wait_seconds = registry.histogram(
            "sallyport_gateway_permit_wait_seconds",
            "How long calls waited for a permit from the quota.",
            {"priority": frozenset(Priority)},
        )
        self._leased = registry.counter(
            "sallyport_gateway_leased_calls_total", "Calls that this replica was granted from shared buckets."
        )
        self._spent = registry.counter(
            "sallyport_gateway_spent_calls_total", "Calls sent to Amazon with a permit."
        )
        self._coalesced = registry.counter(
            "sallyport_gateway_coalesced_reads_total",
            "Reads answered by a call that another desktop had under way.",
            {"operation": operation},
        )
        self._cached = registry.counter(
            "sallyport_gateway_cached_reads_total",
            "Reads answered by what Amazon said a short while ago.",
            {"operation": operation},
        )
        self._throttled = registry.counter(
            "sallyport_gateway_throttled_total",
            "Calls that Amazon refused for its quota though they had a permit: somebody else spends it.",
        )

    def waited(self, priority: Priority, wait_s: float) -> None:
        """Observe how long a call waited for its permit."""
        self._wait_seconds.observe(wait_s, priority=priority)

    def leased(self, calls: int) -> None:
        """Count calls that storage granted to this replica."""
        self._leased.inc(calls)

    def spent(self) -> None:
        """Count a call that was sent with its permit."""
        self._spent.inc()

    def coalesced(self, operation: str) -> None:
        """Count a read answered by a call that another desktop had under way."""
        self._coalesced.inc(operation=operation)

    def cached(self, operation: str) -> None:
        """Count a read answered by what Amazon said a short while ago."""
        self._cached.inc(operation=operation)

    def throttled(self) -> None:
        """Count a call that Amazon refused for its quota though it had a permit."""
        self._throttled.inc()


class _PolicySignals:
    """What following the policy file makes visible."""

    def __init__(self, registry: chassis.metrics.Registry) -> None:
        self._policy_log = chassis.log.get("gateway")
        self._policy_changes = registry.counter(
            "sallyport_gateway_policy_changes_total",
            "Changes of the policy file.",
            {"result": frozenset({"followed", "refused"})},
        )
        self._policy_is_current = registry.gauge(
            "sallyport_gateway_policy_is_current",
            "1: the policy file is in force as it is; 0: it was refused or lost, and the last good one is.",
        )
        self._policy_is_current.set(1)

    def policy_followed(self, digest: str) -> None:
        """Show that the policy file is in force as it is."""
        self._policy_changes.inc(result="followed")
        self._policy_is_current.set(1)
        self._policy_log.info("policy in force", digest=digest)

    def policy_refused(self, code: str, problems: Sequence[str]) -> None:
        """Show that the policy file cannot be followed, and the last good one stays in force."""
        self._policy_changes.inc(result="refused")
        self._policy_is_current.set(0)
        self._policy_log.warning("policy refused", code=code, problems="; ".join(problems))


class _DocumentSignals:
    """What moving documents makes visible."""

    def __init__(self, registry: chassis.metrics.Registry, operation: frozenset[str]) -> None:
        self._document_log = chassis.log.get("gateway")
        self._links_hidden = registry.counter(
            "sallyport_gateway_links_hidden_total",
            "Links to buyers' documents hidden from desktops: no document may lie where they lead.",
            {"operation": operation},
        )
        self._documents = registry.counter(
            "sallyport_gateway_documents_total",
            "Documents read by desktops or written by them; code whole: to the end.",
            {"method": DOCUMENT_METHODS, "code": CODES | {"whole", "broken"}},
        )
        self._document_bytes = registry.counter(
            "sallyport_gateway_document_bytes_total", "Bytes of documents.", {"method": DOCUMENT_METHODS}
        )

    def links_hidden(self, operation: str, hosts: Sequence[str]) -> None:
        """Count an answer's links that were hidden; tell their hosts, so that an operator can allow one."""
        self._links_hidden.inc(len(hosts), operation=operation)
        told = ", ".join(sorted({host or NO_HOST for host in hosts})[:HOSTS_TOLD_MAX])
        self._document_log.warning("links hidden", operation=operation, links=len(hosts), hosts=told)

    def moved(self, method: str, code: str, size_bytes: int) -> None:
        """Count a document, read (GET) or written (PUT, POST): what ended it ("whole", or a code), bytes."""
        self._documents.inc(method=method, code=code)
        self._document_bytes.inc(size_bytes, method=method)


class Signals(_AmazonSignals, _QuotaSignals, _PolicySignals, _DocumentSignals):
    """The one place where the gateway becomes visible."""

    def __init__(self, registry: chassis.metrics.Registry, operations: Iterable[str]) -> None:
        """Make the gateway's metrics.

        Args:
            registry: the process's own.
            operations: every operation's name, as the catalogue knows it.
        """
        operation = frozenset(operations) | {NO_OPERATION}
        _AmazonSignals.__init__(self, registry, operation)
        _QuotaSignals.__init__(self, registry, operation)
        _PolicySignals.__init__(self, registry)
        _DocumentSignals.__init__(self, registry, operation)
        self._log = chassis.log.get("gateway")
        self._calls = registry.counter(
            "sallyport_gateway_calls_total",
            "Calls of Amazon's API answered to desktops.",
            {"operation": operation, "status": STATUSES},
        )
        self._call_seconds = registry.histogram(
            "sallyport_gateway_call_duration_seconds", "From a call's arrival to its answer."
        )
        self._refusals = registry.counter(
            "sallyport_gateway_refusals_total", "Calls and requests refused.", {"code": CODES}
        )
        self._side_failures = registry.counter(
            "sallyport_gateway_side_failures_total",
            "Steps that failed without changing an answer.",
            {"step": SIDE_STEPS, "code": CODES},
        )
        self._crashes = registry.counter("sallyport_gateway_crashes_total", "Mistakes of ours: an alarm.")

    def answered(self, operation: str, status: int, elapsed_s: float) -> None:
        """Count one answered call; an empty operation means that none was matched."""
        self._calls.inc(operation=operation or NO_OPERATION, status=str(status))
        self._call_seconds.observe(elapsed_s)

    def refused(self, code: str) -> None:
        """Count one refusal by its stable code."""
        self._refusals.inc(code=code)

    def side_failed(self, what: str, code: str) -> None:
        """Count and log a side step that failed without changing the answer."""
        self._side_step_failed(what, code)

    def outcome_lost(self, request_id: str, code: str) -> None:
        """Count an audit event that was given up as a side step, and log it under its request's id."""
        self._side_step_failed(AUDIT_OUTCOME, code, request_id=request_id)

    def _side_step_failed(self, step: str, code: str, **told: str) -> None:
        self._side_failures.inc(step=step, code=code)
        self._log.warning("side step failed", step=step, code=code, **told)

    def crashed(self, request_id: str, error: Exception) -> None:
        """Log a mistake of ours whole, under the request's id."""
        self._crashes.inc()
        self._log.error("call crashed", request_id=request_id, error=error)
