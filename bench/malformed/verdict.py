"""What was promised of 100,000 malformed requests, what was seen, and whether the two agree."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from bench.malformed.exchange import Ending
from sallyport.bench.figures import table

ERRORS_PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
ROW = re.compile(r"^\| `([a-z_]+)` \| ([0-9, ]+) \|", re.MULTILINE)
# How a refusal begins that has the shape of Amazon's storage.
STORAGES = re.compile(rb"\A<\?xml [^>]+>\n<Error><Code>([a-z_]+)</Code>")
INTERNAL = 500
"""The one status of 5xx that is a mistake of the gateway's, whatever its code."""
EXAMPLES_MAX = 10
EXAMPLE_BYTES = 300
MEMORY_GROWTH_BYTES_MAX = 96 * 1_048_576
"""How much larger the gateway may be at the end than after the warm-up: its bounded caches fill, and Python
collects cycles rarely and then all at once: a saw-tooth, seen 60 MiB high over 30,000 requests."""


@dataclass
class Tally:
    """What became of every attempt."""

    documented: Mapping[str, frozenset[int]]
    outcomes: Counter[str] = field(default_factory=Counter)
    by_family: Counter[tuple[str, str]] = field(default_factory=Counter)
    undocumented: list[Ending] = field(default_factory=list)
    missing: list[Ending] = field(default_factory=list)
    anothers: list[Ending] = field(default_factory=list)

    def add(self, ending: Ending) -> None:
        """Count one attempt."""
        self.outcomes[ending.outcome] += 1
        kind = f"{ending.outcome[0]}xx" if ending.answer else "none"
        self.by_family[ending.attempt.family, kind] += 1
        if ending.is_missing:
            self.missing.append(ending)
        if ending.is_anothers:
            self.anothers.append(ending)
        if ending.answer and ending.answer.status >= 500 and not self._is_documented(ending):
            self.undocumented.append(ending)

    def _is_documented(self, ending: Ending) -> bool:
        if ending.answer is None or ending.answer.status == INTERNAL:
            return False
        return ending.answer.status in self.documented.get(code_of(ending.answer.body), frozenset())


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """What the gateway was like, before and after.

    Attributes:
        memory_bytes: resident, after the warm-up and at the end.
        starts: how often it was started; 1 when it never ended.
        crashes: unforeseen errors in its log.
        is_serving: a valid request still gets its answer.
    """

    memory_bytes: tuple[int, int]
    starts: int
    crashes: int
    is_serving: bool


def documented_statuses() -> dict[str, frozenset[int]]:
    """Return the statuses of each code on the page of errors."""
    rows = ROW.findall(ERRORS_PAGE.read_text(encoding="utf-8"))
    return {code: frozenset(map(int, statuses.split(","))) for code, statuses in rows}


def code_of(body: bytes) -> str:
    """Return the stable code of a refusal, in whichever shape it is told; empty when there is none."""
    storages = STORAGES.search(body)
    if storages is not None:
        return storages[1].decode()
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(told, dict):
        return ""
    errors = told.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return str(errors[0].get("details", "")).partition(":")[0]
    return str(told.get("code", ""))


def broken_promises(tally: Tally, gateway: Gateway) -> list[str]:
    """Return what was promised and not kept."""
    before, after = gateway.memory_bytes
    promises = (
        (not tally.undocumented, f"{len(tally.undocumented)} answers of 5xx that no page documents"),
        (not tally.missing, f"{len(tally.missing)} sound requests without an answer"),
        (not tally.anothers, f"{len(tally.anothers)} answers that belonged to another request"),
        (gateway.starts == 1, f"{gateway.starts - 1} ends of the gateway"),
        (gateway.crashes == 0, f"{gateway.crashes} unforeseen errors in the gateway's log"),
        (after - before <= MEMORY_GROWTH_BYTES_MAX, f"memory grew by {_mebibytes(after - before)}"),
        (gateway.is_serving, "a valid request is not served any more"),
    )
    return [text for is_kept, text in promises if not is_kept]


def lines(tally: Tally, gateway: Gateway, elapsed_s: float) -> Iterator[str]:
    """Yield the report."""
    total = tally.outcomes.total()
    yield f"{total:,} malformed requests in {elapsed_s:.0f} s ({total / elapsed_s:,.0f} a second)"
    rows = [(outcome, f"{count:,}") for outcome, count in sorted(tally.outcomes.items())]
    yield from table("By status", ("", "requests"), rows)
    kinds = ("2xx", "3xx", "4xx", "5xx", "none")
    families = sorted({family for family, _ in tally.by_family})
    yield from table(
        "By what was wrong",
        ("", *kinds),
        [(family, *(f"{tally.by_family[family, kind]:,}" for kind in kinds)) for family in families],
    )
    before, after = gateway.memory_bytes
    yield f"\nGateway: {_mebibytes(before)} after the warm-up, {_mebibytes(after)} at the end"
    yield f"(bound: {_mebibytes(MEMORY_GROWTH_BYTES_MAX)} more);"
    yield f"unforeseen errors {gateway.crashes}, ends {gateway.starts - 1}"
    for name in ("undocumented", "missing", "anothers"):
        yield from _examples(name, getattr(tally, name))


def _examples(name: str, endings: list[Ending]) -> Iterator[str]:
    for ending in endings[:EXAMPLES_MAX]:
        told = ending.answer.body[:EXAMPLE_BYTES] if ending.answer else b""
        yield f"{name}: {ending.attempt.family} -> {ending.outcome} {told!r}"
        yield f"    {ending.attempt.sent[:EXAMPLE_BYTES]!r}"


def _mebibytes(size: int) -> str:
    return f"{size / 1_048_576:.0f} MiB"
