"""docs/errors.md lists every error code with its status and words, and none that there is not."""

import importlib
import pkgutil
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest

import chassis
import chassis.errors
import services

PAGE = Path(__file__).resolve().parents[2] / "docs" / "errors.md"
ROW = re.compile(r"^\| `([a-z_]+)` \| (\d{3}(?:, \d{3})*) \| (.+) \| [^|]+ \|$", re.MULTILINE)

Reasons = Sequence[type[chassis.errors.SallyportError]]
Rows = Sequence[tuple[str, str, str]]


def _load(package: ModuleType) -> None:
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _reasons(kind: type[chassis.errors.SallyportError]) -> Iterator[type[chassis.errors.SallyportError]]:
    for reason in kind.__subclasses__():
        yield reason
        yield from _reasons(reason)


@pytest.fixture(scope="module")
def reasons() -> Reasons:
    """Every reason that a refusal may have."""
    _load(chassis)
    _load(services)
    return [
        reason
        for reason in _reasons(chassis.errors.SallyportError)
        if reason.__module__.startswith(("chassis.", "services."))
    ]


@pytest.fixture(scope="module")
def rows() -> Rows:
    """The page's rows: code, statuses, words."""
    return ROW.findall(PAGE.read_text(encoding="utf-8"))


def test_the_page_lists_every_code_with_its_status(reasons: Reasons, rows: Rows) -> None:
    statuses: dict[str, set[int]] = {}
    for reason in reasons:
        statuses.setdefault(reason.code, set()).add(reason.http_status)
    coded = {code: ", ".join(str(status) for status in sorted(found)) for code, found in statuses.items()}
    assert {code: status for code, status, _ in rows} == coded


def test_the_page_says_what_the_refusals_say(reasons: Reasons, rows: Rows) -> None:
    words: dict[str, set[str]] = {}
    for reason in reasons:
        words.setdefault(reason.code, set()).add(reason.text)
    assert {code: set(told.split(" / ")) for code, _, told in rows} == words


def test_the_page_is_in_the_order_of_the_alphabet(rows: Rows) -> None:
    codes = [code for code, _, _ in rows]
    assert codes == sorted(set(codes))
