"""What must hold in every run, by name; and the tally of how often each was asked and what broke it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

EVIDENCE_MAX = 5


class Invariant(StrEnum):
    """The promises that runs are held to."""

    AUDIT_BEFORE_READ = "audit_before_read"
    AUDIT_BEFORE_EFFECT = "audit_before_effect"
    INTENTS_RESOLVED = "intents_resolved"
    EVENTS_KEPT = "acknowledged_events_kept"
    LOG_VERIFIES = "log_verifies"
    REVOKED_REFUSED = "revoked_device_refused"
    MASKED = "masked_without_scope"
    OWN_SELLER = "own_seller_only"
    TOKENS_KEPT = "acknowledged_tokens_kept"
    NO_FALSE_REVOCATION = "no_false_revocation"
    ONE_REFRESH = "one_refresh_in_flight"
    FENCED = "late_holder_fenced"
    REFRESH_DURABLE = "refresh_token_durable_first"
    REFUSED_AFTER_CLOCK = "refused_after_clock"
    UNREADABLE = "unreadable_after_clock"
    ERASURE_PROVEN = "erasure_proven"
    CONVERGED = "converged"
    NO_MISTAKE = "no_mistake"


MEANINGS: Mapping[Invariant, str] = MappingProxyType(
    {
        Invariant.AUDIT_BEFORE_READ: "R-01 a buyer's data leaves only after the log names the order",
        Invariant.AUDIT_BEFORE_EFFECT: "R-01 what changes something has a durable intent before it",
        Invariant.INTENTS_RESOLVED: "R-01 every intent has an outcome 60 s after the last fault",
        Invariant.EVENTS_KEPT: "R-03 an event that was acknowledged is in the log",
        Invariant.LOG_VERIFIES: "T-22 the exported log verifies offline",
        Invariant.REVOKED_REFUSED: "T-01 a revoked device is refused 60 s later at the latest",
        Invariant.MASKED: "a device without the scope never sees a buyer's data",
        Invariant.OWN_SELLER: "T-07 nobody sees another seller's orders",
        Invariant.TOKENS_KEPT: "R-05 a token that a device was given goes on working",
        Invariant.NO_FALSE_REVOCATION: "R-08 a consent that Amazon still honours is not ended",
        Invariant.ONE_REFRESH: "R-09 never two refreshes in flight for one seller",
        Invariant.FENCED: "R-09 who holds a lease no longer overwrites nothing",
        Invariant.REFRESH_DURABLE: "R-09 a new refresh token is durable before its access token is used",
        Invariant.REFUSED_AFTER_CLOCK: "R-19 past an order's clock every read of its buyer is refused",
        Invariant.UNREADABLE: "R-18 past its clock no copy ever stored opens with any living key",
        Invariant.ERASURE_PROVEN: "R-19 what was erased has a receipt whose signature verifies",
        Invariant.CONVERGED: "R-11 60 s after the last fault every desktop is served",
        Invariant.NO_MISTAKE: "nothing fails in a way that nobody foresaw",
    },
)


@dataclass
class Finding:
    """How one invariant fared.

    Attributes:
        asked: how often it was looked at; an invariant never asked proves nothing.
        broken: how often it did not hold.
        evidence: of the first EVIDENCE_MAX times.
    """

    asked: int = 0
    broken: int = 0
    evidence: list[str] = field(default_factory=list)


class Tally:
    """Every invariant's finding; `now_s` tells the virtual time of the evidence."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self.findings = {invariant: Finding() for invariant in Invariant}

    def check(self, invariant: Invariant, holds: bool, evidence: str) -> None:
        """Note that an invariant was looked at; `evidence` says what was seen, without anybody's secret."""
        finding = self.findings[invariant]
        finding.asked += 1
        if holds:
            return
        finding.broken += 1
        if len(finding.evidence) < EVIDENCE_MAX:
            finding.evidence.append(f"at {self._now_s():.3f} s: {evidence}")
