"""docs/errors.md lists every error code that the code has, with its status, and none that it has not."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import chassis
import chassis.errors
import services

PAGE = Path(__file__).resolve().parents[2] / "docs" / "errors.md"
ROW = re.compile(r"^\| `([a-z_]+)` \| (\d{3}(?:, \d{3})*) \|", re.MULTILINE)


def _load(package: ModuleType) -> None:
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _reasons(kind: type[chassis.errors.SallyportError]) -> Iterator[type[chassis.errors.SallyportError]]:
    for reason in kind.__subclasses__():
        yield reason
        yield from _reasons(reason)


def _coded() -> dict[str, str]:
    _load(chassis)
    _load(services)
    statuses: dict[str, set[int]] = {}
    for reason in _reasons(chassis.errors.SallyportError):
        if reason.__module__.startswith(("chassis.", "services.")):
            statuses.setdefault(reason.code, set()).add(reason.http_status)
    return {code: ", ".join(str(status) for status in sorted(found)) for code, found in statuses.items()}


def test_the_page_lists_every_code_with_its_status() -> None:
    assert dict(ROW.findall(PAGE.read_text(encoding="utf-8"))) == _coded()
