"""Replays cases: as two devices, operations side by side, an operation's cases one after the other."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from bench.sandbox.cases import Case
from bench.sandbox.facts import NOTHING_KNOWN, Facts
from bench.sandbox.verdict import Told, Verdict, judge

# From here on Amazon does not answer, as the gateway judges it: it asks again, and soon lets calls rest.
FAILURE = 500
PULSE_S = 0.05
# Statuses with which Amazon also tells its limit.
_TELLS_LIMIT = frozenset({200, 201, 202, 204, 207, 400, 404})
THROTTLED = 429
SIDE_BY_SIDE = 6


class Asks(Protocol):
    """A device that can be told to make a case's call."""

    async def ask(self, case: Case) -> Told:
        """Return the gateway's answer to a case's call."""
        ...


async def replay(
    cases: Iterable[Case],
    facts: Mapping[str, Facts],
    *,
    permitted: Asks,
    plain: Asks,
    origin: str,
    report: Callable[[Verdict], None],
) -> list[Verdict]:
    """Return what each case proves.

    Args:
        cases: in any order.
        facts: by method and path template.
        permitted: a device with the scope `pii`.
        plain: a device without.
        origin: the gateway's.
        report: told of each verdict as it is reached.
    """
    verdicts: list[Verdict] = []
    phases = _phases(cases)
    answered = _answered(phases[0])

    async def work(waiting: list[list[Case]]) -> None:
        while waiting:
            for case in waiting.pop(0):
                known = facts.get(case.key, NOTHING_KNOWN)
                told = await permitted.ask(case), await plain.ask(case)
                verdict = judge(case, known, permitted=told[0], plain=told[1], origin=origin)
                verdicts.append(verdict)
                report(verdict)

    async def pulse() -> None:
        """Have Amazon answer now and then, so that failures never let the seller's calls rest."""
        while True:
            await permitted.ask(answered)
            await asyncio.sleep(PULSE_S)

    for phase in phases:
        pulses = asyncio.create_task(pulse())
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(SIDE_BY_SIDE):
                    group.create_task(work(phase))
        finally:
            pulses.cancel()
            await asyncio.gather(pulses, return_exceptions=True)
    return verdicts


def _phases(cases: Iterable[Case]) -> tuple[list[list[Case]], ...]:
    """Return cases by operation in three phases: answers, failures, and last what empties buckets."""
    every = list(cases)
    return (
        _by_operation(case for case in every if case.status < FAILURE and case.status != THROTTLED),
        _by_operation(case for case in every if case.status >= FAILURE),
        _by_operation(case for case in every if case.status == THROTTLED),
    )


def _answered(phase: Sequence[Sequence[Case]]) -> Case:
    """Return a case that Amazon answers each time: the gateway keeps no answer to such a call."""
    every = [case for listed in phase for case in listed]
    return next((case for case in every if case.method == "POST"), every[0])


def _by_operation(cases: Iterable[Case]) -> list[list[Case]]:
    """Return cases by operation, those with the most first; in each, those come first that tell its limit."""
    found: defaultdict[str, list[Case]] = defaultdict(list)
    for case in cases:
        found[case.key].append(case)
    for listed in found.values():
        listed.sort(key=lambda case: (case.status not in _TELLS_LIMIT, case.number))
    return sorted(found.values(), key=len, reverse=True)
