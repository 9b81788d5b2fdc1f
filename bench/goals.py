"""What the gateway is to reach, beside what was measured in this run."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.appending import Appends
from bench.forwarding import Costs
from bench.holding import Held
from bench.parts import GATEWAY
from bench.reads import PAGE, SMALL, Read, Reads
from bench.waiting import P50, P99, Waits
from sallyport.bench.figures import NOT_INSTALLED, Series, table
from sallyport.bench.peers import AXIOS, NGINX


@dataclass(frozen=True)
class Goal:
    """One number to reach: at least `target`, or at most when less is better; `aim` is the one after it."""

    text: str
    target: float
    aim: float
    measured: Series | None
    is_ceiling: bool = False

    @property
    def verdict(self) -> str:
        """What became of it, by the median."""
        if self.measured is None:
            return NOT_INSTALLED
        sign = -1 if self.is_ceiling else 1
        reached = [bound for bound in (self.target, self.aim) if sign * self.measured.median >= sign * bound]
        return ("not reached", "reached", "**aim reached**")[len(reached)]

    def row(self) -> tuple[str, ...]:
        """Return its cells."""
        bound = "≤" if self.is_ceiling else "≥"
        measured = str(self.measured or NOT_INSTALLED)
        return self.text, f"{bound} {self.target:g}", f"{self.aim:g}", measured, self.verdict


@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything measured in one run."""

    reads: Reads
    costs: Costs
    waits: Waits
    held: Held
    appends: Appends


def goals(run: Run) -> list[Goal]:
    """Return every goal with what was measured for it."""
    audited = run.reads.audited
    full, masked = run.reads.others[:2]

    def beside(part: str, size: str, read: Read) -> Series | None:
        theirs, ours = run.costs.of(part, size), run.costs.of(GATEWAY, read)
        return theirs.over(ours) if theirs and ours else None

    def added(quantile: float) -> Series | None:
        return run.waits.added(GATEWAY, audited, quantile)

    return [
        Goal("1 KB audited, beside nginx", 0.20, 0.45, beside(NGINX, SMALL, audited)),
        Goal("20 KB page in full, audited, beside nginx", 0.13, 0.25, beside(NGINX, PAGE, full)),
        Goal("20 KB page masked, audited, beside nginx", 0.13, 0.25, beside(NGINX, PAGE, masked)),
        Goal("20 KB page masked, audited, beside express + axios", 2.3, 5, beside(AXIOS, PAGE, masked)),
        Goal("1 KB audited, beside express + axios", 7, 18, beside(AXIOS, SMALL, audited)),
        Goal("added at p50 by 1 KB audited, ms", 2, 0.6, added(P50), is_ceiling=True),
        Goal("added at p99 by 1 KB audited, ms", 6, 2, added(P99), is_ceiling=True),
        Goal("an idle connection's memory, of nginx's", 6, 2, run.held.ratio, is_ceiling=True),
        Goal("audit rows/s, of COPY in hundreds", 0.40, 0.60, run.appends.ratio),
    ]


def tables(run: Run) -> Iterator[str]:
    """Yield the table's lines."""
    columns = ("", "target", "aim", "measured", "")
    return table("Goals", columns, [goal.row() for goal in goals(run)])
