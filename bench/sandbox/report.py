"""What a replay showed, in lines to print."""

from collections import Counter
from collections.abc import Iterator, Sequence

from bench.sandbox.verdict import Kind, Verdict

WRONGS_SHOWN_MAX = 100


def lines(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield counts of the whole, then each case that is wrong, with what is wrong about it."""
    counts = Counter((each.kind, each.reason if each.kind is not Kind.WRONG else "") for each in verdicts)
    yield f"{len(verdicts)} cases of Amazon's sandbox, each as two devices"
    for (kind, reason), count in sorted(counts.items()):
        yield f"{count:5}  {kind.value}{': ' + reason if reason else ''}"
    wrongs = sorted(
        (each for each in verdicts if each.kind is Kind.WRONG),
        key=lambda each: (each.case.key, each.case.number),
    )
    for each in wrongs[:WRONGS_SHOWN_MAX]:
        yield f"{each.case.operation} case {each.case.number} ({each.case.status}): {each.reason}"
    if len(wrongs) > WRONGS_SHOWN_MAX:
        yield f"and {len(wrongs) - WRONGS_SHOWN_MAX} more"


def is_held(verdicts: Sequence[Verdict]) -> bool:
    """Return whether every case is as it should be, and there was one."""
    return bool(verdicts) and all(each.kind is not Kind.WRONG for each in verdicts)
