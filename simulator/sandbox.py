"""Amazon's static sandbox: the cases that stand in its models, answered when a request matches one exactly.

A case names parameters of the path, the query and the body with their values. A request matches when it has
these values and no other parameter that the operation's cases name. Without a models folder there are none.

Source: SP-API documentation, "Selling Partner API Sandbox"; the models' `x-amzn-api-sandbox` members.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator import exchange
from simulator.exchange import Answer, Request
from simulator.operations import OPERATIONS, Operation

MODEL_BYTES_MAX = 16 * 1_048_576
NO_MATCH = "Could not match input arguments"

_CASES = "x-amzn-api-sandbox"
_NOTHING = object()
# Names data sets that are wanted. Who may see less asks for less, and Amazon's cases have no answer to that.
INCLUDED = "includedData"


class ModelsInvalid(ValueError):
    """The models folder cannot be used; the text says why."""


@dataclass(frozen=True)
class Case:
    """One case: what a request must carry, and the answer.

    `body` is None when there is none. `answer` is None or empty for an answer without a body.
    """

    status: int
    values: Mapping[str, Any]
    body: Any
    answer: Any = field(repr=False)

    def fits(self, asked: "Asked", *, is_narrowed: bool) -> bool:
        """Return whether a request is this case's; with `is_narrowed`, one for fewer data sets counts too."""
        values = {
            name: value
            for name, value in self.values.items()
            if not (is_narrowed and name == INCLUDED and asked.includes_less(value))
        }
        given = {**asked.path, **asked.query}
        if asked.query.keys() - self.values.keys() or values.keys() - given.keys():
            return False
        return self.body == asked.body and all(_is_same(value, given[name]) for name, value in values.items())


@dataclass(frozen=True)
class Asked:
    """What a request carries: values of path and of query by name, and its body's JSON value or None.

    Of the query only parameters count that some case of the operation names. A path's are always there, so a
    case need not name them. An empty body is as good as none.
    """

    path: Mapping[str, Sequence[str]]
    query: Mapping[str, Sequence[str]]
    body: Any

    def includes_less(self, value: Any) -> bool:
        """Return whether the data sets asked for are some of a case's."""
        asked = {part for each in self.query.get(INCLUDED, ()) for part in each.split(",")}
        return isinstance(value, list) and asked < set(value)


class Sandbox:
    """Every case there is, by operation."""

    def __init__(self, cases: Mapping[str, Sequence[Case]] | None = None) -> None:
        self._cases = cases or {}

    def learn(self, other: "Sandbox") -> None:
        """Take another sandbox's cases in place of the own ones."""
        self._cases = other._cases  # noqa: SLF001 - another of the same class

    @property
    def count(self) -> int:
        """How many cases there are."""
        return sum(map(len, self._cases.values()))

    def case(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Answer | None:
        """Return the answer of the first case that a request matches, or None."""
        cases = self._cases.get(operation.name, ())
        if not cases:
            return None
        names = {name for case in cases for name in case.values}
        query: dict[str, list[str]] = {}
        for name, value in request.query:
            if name in names:
                query.setdefault(name, []).append(value)
        path = {name: [value] for name, value in parameters.items()}
        asked = Asked(path, query, _value(request.body) or None)
        exact = (case for case in cases if case.fits(asked, is_narrowed=False))
        narrowed = (case for case in cases if case.fits(asked, is_narrowed=True))
        found = _fullest(exact) or _fullest(narrowed)
        return _answer(found) if found else None

    def check_free(self, operation: Operation) -> None:
        """Return unless the operation is one whose answers are cases only.

        Raises:
            Refusal: 400, no case matched.
        """
        if operation.name in self._cases:
            raise exchange.Refusal(400, "InvalidInput", NO_MATCH)


def _fullest(fitting: Iterator[Case]) -> Case | None:
    """Return the case that says most; of equals, the first."""
    return max(fitting, key=lambda case: len(case.values), default=None)


def load(folder: Path) -> Sandbox:
    """Return the cases of every model in a folder, or in folders directly below it.

    Raises:
        ModelsInvalid: a file is no model, or there is none.
    """
    names = {(each.method, each.path, each.name.partition(".")[0]): each.name for each in OPERATIONS}
    cases: dict[str, list[Case]] = {}
    for api, model in _models(folder):
        for path, methods in model["paths"].items():
            for method, node in methods.items():
                name = names.get((method.upper(), path, api))
                if name is not None and (found := list(_cases(node))):
                    cases[name] = found
    if not cases:
        raise ModelsInvalid(f"{folder} holds no model with sandbox cases")
    return Sandbox(cases)


def _models(folder: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for file in sorted({*folder.glob("*.json"), *folder.glob("*/*.json")}):
        try:
            if file.stat().st_size > MODEL_BYTES_MAX:
                raise ModelsInvalid(f"{file} is larger than {MODEL_BYTES_MAX} bytes")
            model = json.loads(file.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise ModelsInvalid(f"{file} is not JSON that can be read") from error
        if isinstance(model, dict) and isinstance(model.get("paths"), dict):
            yield file.stem, model


def _cases(node: Mapping[str, Any]) -> Iterator[Case]:
    """Yield an operation's cases: wherever its responses hold some, and however Amazon spelled them."""
    for status, response in node.get("responses", {}).items():
        held = (
            response.get(_CASES),
            response.get("schema", {}).get(_CASES),
            response.get("examples", {}).get(_CASES),
        )
        for sandbox in held:
            for row in _listed(sandbox):
                yield _case(int(status), row)


def _listed(sandbox: Any) -> Iterable[Mapping[str, Any]]:
    listed = sandbox.get("static", ()) if isinstance(sandbox, dict) else ()
    return listed if isinstance(listed, list) else ()


def _case(status: int, row: Mapping[str, Any]) -> Case:
    named = dict(row.get("request", {}).get("parameters", {}))
    told = named.pop("body", None)
    # Some cases give a body without the word "value" around it.
    body = (told.get("value", told) if isinstance(told, dict) else told) or None
    values = {name: each.get("value") for name, each in named.items()}
    return Case(status, values, body, row.get("response"))


def _value(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return _NOTHING


def _is_same(value: Any, given: Sequence[str]) -> bool:
    """Return whether a parameter was given with a case's value; arrays come comma-joined or repeated."""
    if isinstance(value, list):
        return [_text(each) for each in value] == [part for each in given for part in each.split(",")]
    return [_text(value)] == list(given)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _answer(case: Case) -> Answer:
    # HTTP has no body with 204, whatever a case says.
    if case.answer in (None, "") or case.status == 204:
        return Answer(case.status)
    return exchange.json_answer(case.status, case.answer)
