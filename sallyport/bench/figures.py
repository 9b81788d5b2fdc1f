"""The arithmetic and its presentation: one value a round, medians, spreads, ratios round by round."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

NOT_INSTALLED = "not installed"
SMALL = 10.0


@dataclass(frozen=True)
class Series:
    """One value for each round, in the rounds' order; at least one."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("a series has at least one round")

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Return the series of these rounds."""
        return cls(tuple(values))

    @property
    def median(self) -> float:
        """The middle round's value."""
        return statistics.median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        """The lowest and the highest round's value."""
        return min(self.values), max(self.values)

    def over(self, other: "Series") -> "Series":
        """Return, round by round, how many times `other` this is.

        Raises:
            ValueError: the rounds are not the same.
        """
        return Series(tuple(mine / theirs for mine, theirs in zip(self.values, other.values, strict=True)))

    def __str__(self) -> str:
        low, high = self.spread
        if low == high:
            return _plain(low)
        return f"{_plain(self.median)} ({_plain(low)} to {_plain(high)})"


def ratio(mine: Series | None, theirs: Series | None) -> str:
    """Return `mine` over `theirs` as a cell; a side that was not measured is said, never guessed."""
    if mine is None or theirs is None:
        return NOT_INSTALLED
    return str(mine.over(theirs))


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a Markdown table's lines; the first column holds words, the others numbers."""
    yield f"\n## {title}\n"
    yield _line(header)
    yield _line(["---", *["---:"] * (len(header) - 1)])
    for row in rows:
        yield _line(row)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(value: float) -> str:
    """Return three digits of a small number, and all of a large one."""
    return f"{value:.3g}" if abs(value) < SMALL else f"{value:,.0f}"
