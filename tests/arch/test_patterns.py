"""Regular expressions mean the same on every Python that we run on."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("chassis", "services", "sallyport", "simulator")
PARSER = import_module("re._parser")
# Python 3.11.2 takes "/a/" for `(?:/(?!/)[a-z]++)++`; 3.11.7 does not. Source: CPython, gh-106052.
WRONG_IN_EARLY_3_11 = ("POSSESSIVE_REPEAT", "ATOMIC_GROUP")


def patterns(file: Path) -> Iterator[str | bytes]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile":
            pattern = node.args[0]
            if isinstance(pattern, ast.Constant) and isinstance(pattern.value, str | bytes):
                yield pattern.value


@pytest.mark.parametrize("package", PACKAGES)
def test_no_pattern_uses_what_early_releases_of_3_11_match_wrongly(package: str) -> None:
    found = [pattern for file in (ROOT / package).rglob("*.py") for pattern in patterns(file)]
    assert found
    for pattern in found:
        parsed = str(PARSER.parse(pattern))
        assert not any(word in parsed for word in WRONG_IN_EARLY_3_11), pattern
