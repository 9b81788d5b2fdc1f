"""Core logic takes time, chance and connections from outside, so that a seed decides a whole run (R-27)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ("*/model", "*/service", "gateway/forward")
FILES = sorted(file for each in CORE for file in (ROOT / "services").glob(f"{each}/**/*.py"))

MODULES = {"os", "random", "secrets", "socket", "ssl", "threading", "time"}
NAMES = {"getnode", "uuid1", "uuid4"}
# The last two parts of what is called.
CALLS = {
    *("date.today", "datetime.now", "datetime.today", "datetime.utcnow"),
    *("asyncio.open_connection", "asyncio.start_server", "asyncio.to_thread"),
    *("get_event_loop().time", "get_running_loop().time", "loop.time", "_loop.time"),
    *(f"uuid.{name}" for name in NAMES),
}


def own_sources(source: str) -> Iterator[str]:
    """Yield what a module takes of the process's own time, chance or connections."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.partition(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom):
            names = {each.name for each in node.names}
            if node.module in MODULES or (node.module == "uuid" and names & NAMES):
                yield f"{node.module}: {sorted(names)}"
        elif isinstance(node, ast.Call):
            called, arguments = ast.unparse(node.func), [ast.unparse(each) for each in node.args]
            is_pause = called == "asyncio.sleep" and arguments != ["0"]
            if is_pause or ".".join(called.split(".")[-2:]) in CALLS:
                yield called


def test_core_logic_reads_no_clock_chance_or_socket_of_its_own_R27() -> None:
    assert len(FILES) > 100
    found = {
        str(file.relative_to(ROOT)): taken
        for file in FILES
        if (taken := list(own_sources(file.read_text(encoding="utf-8"))))
    }
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "import os.path",
        "from random import choice",
        "from uuid import UUID, uuid4",
        "event_id = uuid.uuid4()",
        "now = datetime.now(UTC)",
        "now = datetime.datetime.now()",
        "today = date.today()",
        "await asyncio.sleep(1)",
        "now_s = asyncio.get_running_loop().time()",
        "now_s = self._loop.time()",
    ],
)
def test_what_would_make_two_runs_differ_is_found_R27(source: str) -> None:
    assert list(own_sources(source))


@pytest.mark.parametrize(
    "source", ["await asyncio.sleep(0)", "now = self._clock.now()", "uuid.uuid5(RESOLUTIONS, name)"]
)
def test_what_is_handed_in_or_the_same_each_time_is_not_meant(source: str) -> None:
    assert not list(own_sources(source))
