"""What is told about a run: to people as lines, to scripts as a digest and a verdict."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sallyport.simulate.invariants import MEANINGS, Finding, Invariant
from sallyport.simulate.trace import Trace


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of one run.

    Attributes:
        steps: callbacks that the loop ran.
        virtual_s: how long the run took in its own time, jumps not counted.
        faults: how many of each kind there were.
        crashes: how many processes died, by node.
        reads: answers with a buyer's data that left the gateway.
        refreshes: access tokens that Amazon gave for a refresh token.
        records: in the audit log.
    """

    seed: int
    fault_rate: float
    steps: int
    virtual_s: float
    faults: Mapping[str, int]
    crashes: Mapping[str, int]
    reads: int
    refreshes: int
    records: int
    findings: Mapping[Invariant, Finding]
    trace: Trace

    @property
    def is_whole(self) -> bool:
        """Whether every invariant held."""
        return not any(finding.broken for finding in self.findings.values())

    @property
    def command(self) -> str:
        """How to have the same run again."""
        return f"sallyport simulate --seed {self.seed} --fault-rate {self.fault_rate:g}"


def line(report: Report) -> str:
    """Return one run in one line."""
    broken = [invariant for invariant, finding in report.findings.items() if finding.broken]
    verdict = f"VIOLATED {', '.join(broken)}" if broken else "ok"
    return (
        f"seed {report.seed:<6} {sum(report.faults.values()):>4} faults "
        f"{sum(report.crashes.values()):>3} crashes {report.reads:>3} reads  "
        f"{report.trace.digest()[:16]}  {verdict}"
    )


def lines(report: Report) -> Iterator[str]:
    """Yield one run in full."""
    yield f"seed {report.seed}, {report.fault_rate:g} of all steps faulty"
    yield f"  steps      {report.steps:,} in {report.virtual_s:,.0f} s of virtual time, jumps not counted"
    yield f"  faults     {_counted(report.faults)}"
    yield f"  crashes    {_counted(report.crashes)}"
    yield f"  reads      {report.reads} answers showed a buyer; {report.refreshes} refreshes at Amazon"
    yield f"  audit log  {report.records} records"
    yield f"  trace      {report.trace.digest()}"
    yield "  invariants"
    for invariant, finding in report.findings.items():
        yield f"    {_verdict(finding):<9}{invariant:<28}{finding.asked:>6}  {MEANINGS[invariant]}"
        yield from (f"             {evidence}" for evidence in finding.evidence)
    if not report.is_whole:
        yield f"  again      {report.command}"


def summary(reports: Sequence[Report]) -> str:
    """Return what several runs came to, in one line."""
    broken = [report.seed for report in reports if not report.is_whole]
    asked = sum(finding.asked for report in reports for finding in report.findings.values())
    verdict = f"violated by seeds {', '.join(map(str, broken))}" if broken else "all held"
    runs = "1 run" if len(reports) == 1 else f"{len(reports)} runs"
    return f"{runs}, {len(Invariant)} invariants looked at {asked:,} times: {verdict}"


def _verdict(finding: Finding) -> str:
    if finding.broken:
        return "VIOLATED"
    return "ok" if finding.asked else "unasked"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
