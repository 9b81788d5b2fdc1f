"""docs/threats.md tells the truth: what it calls shown has a test, and no test names what is not listed."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(
    r"^\| (?P<letter>[TR])-(?P<number>\d{2}) \|.*\| (?P<state>shown|partly|later)[^|]*\|$", re.MULTILINE
)
NAMED = re.compile(r"(?<![A-Za-z0-9])_?([TR])-?(\d{2})(?![0-9])")


def _states() -> dict[str, str]:
    text = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
    return {f"{row['letter']}-{row['number']}": row["state"] for row in ROW.finditer(text)}


def _named() -> Iterator[str]:
    for path in (ROOT / "tests").rglob("test_*.py"):
        for sentence in re.findall(
            r"def (test_\w+)|class (\w+)|\"\"\"(.*?)\"\"\"", path.read_text(), re.DOTALL
        ):
            for letter, number in NAMED.findall(" ".join(sentence).replace("_", " ")):
                yield f"{letter}-{number}"


def test_every_threat_and_promise_is_listed_once() -> None:
    expected = [f"T-{number:02}" for number in range(1, 36)] + [f"R-{number:02}" for number in range(1, 29)]
    assert list(_states()) == expected


def test_what_is_called_shown_or_partly_is_named_by_a_test() -> None:
    named = set(_named())
    assert [number for number, state in _states().items() if state != "later" and number not in named] == []


def test_no_test_names_what_is_not_listed() -> None:
    assert sorted(set(_named()) - set(_states())) == []
