"""When a seller's calls of Amazon rest, because Amazon has not been answering them.

    closed ── FAILURES_MAX in a row ──▶ open ── rest is over ──▶ half open: one probe at a time
       ▲                                  ▲                        │
       └────────── any answer ────────────┼──── probe answered ────┤
                                          └──── probe failed ──────┘   (the rest doubles, up to REST_S_MAX)

A failure is no answer, an answer that may not be used, or a 5xx. A refusal (4xx, 429) is an answer. What was
asked before a circuit opened decides nothing after it: only the probe does.
"""

from dataclasses import dataclass, replace

FAILURES_MAX = 8
REST_S_MIN = 5.0
REST_S_MAX = 60.0
# A probe of which nothing is heard stops standing in the way of the next one.
PROBE_S_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Circuit:
    """One circuit; moments are readings of the monotonic clock.

    Attributes:
        failures: in a row, while closed.
        generation: counts openings and probes, so that late news is known as such.
        rest_s: how long the present or last rest is; 0 while it never opened.
        rests_until_s: when the next probe may go; None while closed.
    """

    failures: int = 0
    generation: int = 0
    rest_s: float = 0.0
    rests_until_s: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether calls are refused, but for probes."""
        return self.rests_until_s is not None

    def wait_s(self, now_s: float) -> float:
        """Return how long until a call may go; 0 when one may go now."""
        return 0.0 if self.rests_until_s is None else max(self.rests_until_s - now_s, 0.0)

    def asked(self, now_s: float) -> "Circuit":
        """Return the circuit after a call was let through; while open, it is the probe.

        Only to be called while `wait_s` is 0.
        """
        if not self.is_open:
            return self
        return replace(self, generation=self.generation + 1, rests_until_s=now_s + PROBE_S_MAX)

    def answered(self, generation: int) -> "Circuit":
        """Return the circuit after an answer to a call of a generation."""
        return Circuit(generation=self.generation) if generation == self.generation else self

    def failed(self, generation: int, now_s: float) -> "Circuit":
        """Return the circuit after a failure of a call of a generation."""
        if generation != self.generation:
            return self
        if not self.is_open and self.failures + 1 < FAILURES_MAX:
            return replace(self, failures=self.failures + 1)
        rest_s = min(max(self.rest_s * 2, REST_S_MIN), REST_S_MAX)
        return Circuit(generation=self.generation + 1, rest_s=rest_s, rests_until_s=now_s + rest_s)

    def given_up(self, generation: int, now_s: float) -> "Circuit":
        """Return the circuit after a call of a generation gave no news: a probe's place is free again."""
        return replace(self, rests_until_s=now_s) if self.is_open and generation == self.generation else self
