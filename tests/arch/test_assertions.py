"""Every test says what it expects, itself or through what it calls."""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
# The invariants and rules of a state machine assert for it.
STATE_MACHINE = "run_state_machine_as_test"

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions() -> Iterator[tuple[Path, Function]]:
    for path in TESTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, Function):
                yield path, node


def called(function: Function) -> Iterator[str]:
    """Yield the names of what a function calls."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr


def asserts(function: Function) -> bool:
    is_stated = any(isinstance(node, ast.Assert) for node in ast.walk(function))
    return is_stated or not {"raises", "fail", STATE_MACHINE}.isdisjoint(called(function))


def test_every_test_asserts_or_calls_what_does() -> None:
    found = list(functions())
    asserting = {function.name for _, function in found if asserts(function)}
    silent = [
        f"{path.relative_to(TESTS)}: {function.name}"
        for path, function in found
        if function.name.startswith("test_")
        and function.name not in asserting
        and asserting.isdisjoint(called(function))
    ]
    assert not silent
