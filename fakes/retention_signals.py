"""Remembers what was shown."""

from collections import Counter

from services.retention.model.erasures import Subject


class FakeSignals:
    """Fits retention's `Signals`; counts by name, and by code where there is one."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.oldest_age_s = 0.0
        self.erasure_lag_s = 0.0

    def sealed(self) -> None:
        self.counts["sealed"] += 1

    def opened(self) -> None:
        self.counts["opened"] += 1

    def refused(self, code: str) -> None:
        self.counts[f"refused {code}"] += 1

    def moved(self, count: int) -> None:
        self.counts["moved"] += count

    def unsound(self) -> None:
        self.counts["unsound"] += 1

    def erased(self, subject: Subject, records: int) -> None:
        self.counts[f"erased {subject.kind}"] += 1
        self.counts["records erased"] += records

    def erasure_failed(self, subject: Subject, code: str) -> None:
        self.counts[f"erasure failed {subject.kind} {code}"] += 1

    def key_revived(self, subject: Subject) -> None:
        self.counts[f"revived {subject.kind}"] += 1

    def outcome_lost(self, kind: str) -> None:
        self.counts[f"outcome lost {kind}"] += 1

    def measured(self, *, oldest_age_s: float, erasure_lag_s: float) -> None:
        self.oldest_age_s = oldest_age_s
        self.erasure_lag_s = erasure_lag_s

    def job_failed(self, job: str, code: str) -> None:
        self.counts[f"failed {job} {code}"] += 1
