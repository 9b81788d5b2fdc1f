"""The herd's outcome as Markdown: the simulated Amazon's own record, and what auth holds at the end."""

from collections.abc import Iterator

from bench.herd.show import Outcome, Script
from sallyport.bench.figures import table


def findings(outcome: Outcome) -> list[str]:
    """Return what was promised and does not hold, in words; empty when all holds."""
    found = outcome.verdict.broken
    if outcome.ended:
        found.append(f"{outcome.ended} sellers were taken for gone")
    if outcome.doubted:
        found.append(f"{outcome.doubted} sellers are still in doubt")
    return found


def lines(script: Script, outcome: Outcome) -> Iterator[str]:
    """Yield the tables, and the verdict at the end."""
    verdict = outcome.verdict
    refreshes = ", ".join(
        f"{sellers:,} had {number}" for number, sellers in sorted(verdict.refreshes.items())
    )
    faults = ", ".join(f"{count} {fault}" for fault, count in sorted(verdict.faults.items())) or "none"
    kills = (
        ", ".join(f"{kill.replica} with {len(kill.clients)} connections" for kill in outcome.kills) or "none"
    )
    yield from table(
        "What the simulated Amazon recorded",
        ("", ""),
        (
            ("refreshes asked for", f"{verdict.calls:,}"),
            ("of them granted a token", f"{verdict.granted:,}"),
            ("again because the answer was spoilt on its way", str(verdict.spoilt)),
            ("again because the replica was killed before it kept the token", str(verdict.killed)),
            ("again without a reason, by sellers", str(len(verdict.doubled))),
            ("granted refreshes of a seller", refreshes),
            ("sellers with two under way at once", str(len(verdict.overlapping))),
            ("refused because LWA's plan had no room", str(verdict.over_plan)),
            (
                "most in one second",
                f"{verdict.busiest} (plan: {script.cast.lwa_rate:g} a second, {script.burst} at once)",
            ),
            ("faults that LWA met them with", faults),
            ("seconds until everybody had a new token", f"{verdict.took_s:.0f}"),
        ),
    )
    yield from table(
        "What auth holds",
        ("", ""),
        (
            ("sellers with a new token", f"{outcome.fresh:,}"),
            ("renewed ahead, while the old tokens could still be used", f"{outcome.ahead:,}"),
            ("asked for by a desktop, each tenth by two at once, and answered", f"{outcome.answered:,}"),
            ("taken for gone", str(outcome.ended)),
            ("still in doubt", str(outcome.doubted)),
            ("replicas killed", kills),
            ("seconds to make the sellers", f"{outcome.made_in_s:.0f}"),
        ),
    )
    yield ""
    broken = findings(outcome)
    if not broken:
        yield "HOLDS: one refresh each, no call over the plan, nobody taken for gone."
    for finding in broken:
        yield f"BROKEN: {finding}"
