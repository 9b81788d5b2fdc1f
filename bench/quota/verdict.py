"""What the simulated Amazon's own record says about a plan that many shared. Pure: calls in, facts out."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Source: the quota's promise, of what Amazon's plan allows from the first call to the last.
SHARE_MIN = 0.97
CLICK_S_MAX = 1.0


@dataclass(frozen=True, slots=True)
class Call:
    """One call of getOrders that reached Amazon; `began_s` is on the machine's monotonic clock."""

    status: int
    is_over_plan: bool
    began_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be shown.

    Attributes:
        rate: calls a second.
        burst: at once.
        desks: desktops that work through lists.
        calls: of each.
        replicas: of the gateway.
    """

    rate: float
    burst: int
    desks: int
    calls: int
    replicas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was seen.

    Attributes:
        calls: what Amazon recorded while the desks worked.
        done: calls of the desks that were answered.
        again: tries that had to be repeated, in words.
        clicks_s: how long each click of the person took.
        alike: how many desks asked the same at once, and what reached Amazon of it.
        killed: which replica died.
    """

    calls: Sequence[Call]
    done: int
    again: str
    clicks_s: Sequence[float]
    alike: tuple[int, int]
    killed: str

    @property
    def over_plan(self) -> int:
        """Calls that Amazon refused for its plan."""
        return sum(call.is_over_plan or call.status == 429 for call in self.calls)

    @property
    def took_s(self) -> float:
        """From the first call to the last."""
        return self.calls[-1].began_s - self.calls[0].began_s if self.calls else 0.0

    def share(self, plan: Plan) -> float:
        """Return how much of what the plan allowed in that time, without its burst, was used."""
        return len(self.calls) / (plan.rate * self.took_s) if self.took_s else 0.0

    def click_s(self, part: float) -> float:
        """Return the wait that so large a part of the clicks did not exceed."""
        ordered = sorted(self.clicks_s)
        return ordered[min(len(ordered) - 1, math.ceil(part * len(ordered)) - 1)] if ordered else 0.0


def findings(plan: Plan, outcome: Outcome) -> list[str]:
    """Return what was promised and does not hold, in words, by what was counted; empty when all holds."""
    missing = plan.desks * plan.calls - outcome.done
    asked, reached = outcome.alike
    found = {
        f"{outcome.over_plan} calls were over the plan": outcome.over_plan > 0,
        f"{missing} calls were not done": missing > 0,
        f"{asked} identical reads were {reached} calls": reached != 1,
        "nobody was killed": not outcome.killed,
    }
    return [text for text, is_so in found.items() if is_so]


def slow(plan: Plan, outcome: Outcome) -> list[str]:
    """Return what was promised of time and does not hold."""
    share, click_s = outcome.share(plan), outcome.click_s(0.99)
    found = {
        f"only {share:.3f} of the plan was used": share < SHARE_MIN,
        f"a click took {click_s:.2f} s": click_s > CLICK_S_MAX,
    }
    return [text for text, is_so in found.items() if is_so]


def lines(plan: Plan, outcome: Outcome) -> Iterator[str]:
    """Yield the outcome as Markdown."""
    asked, reached = outcome.alike
    yield "| what | seen |"
    yield "| --- | ---: |"
    yield f"| plan of getOrders at the simulated Amazon | {plan.rate:g} calls/s, {plan.burst} at once |"
    yield f"| desktops of one seller, calls of each | {plan.desks}, {plan.calls:,} |"
    yield f"| replicas of the gateway, killed on the way | {plan.replicas}, {outcome.killed} |"
    yield f"| calls that reached Amazon, in | {len(outcome.calls):,}, {outcome.took_s:.1f} s |"
    yield f"| over the plan (429) | {outcome.over_plan} |"
    yield f"| done | {outcome.done:,} of {plan.desks * plan.calls:,} |"
    yield f"| tries repeated by desktops | {outcome.again or 'none'} |"
    yield f"| share of the plan used | {outcome.share(plan):.3f} |"
    yield f"| a person's {len(outcome.clicks_s)} clicks meanwhile, p50 | {outcome.click_s(0.5):.3f} s |"
    yield f"| p99 | {outcome.click_s(0.99):.3f} s |"
    yield f"| identical reads at once, calls they became | {asked}, {reached} |"
    broken = [*findings(plan, outcome), *slow(plan, outcome)]
    yield ""
    yield f"BROKEN: {'; '.join(broken)}." if broken else "HOLDS: the plan kept, used up, and people first."
