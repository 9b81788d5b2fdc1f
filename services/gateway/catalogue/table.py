"""The catalogue in memory: which operation a method and path name, and what is known about it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from services.gateway.model.faults import OperationNotAllowed
from services.gateway.model.masking import Mask
from services.gateway.model.operations import Operation, TokenRule
from services.gateway.model.quota import BURST_DEFAULT, RATE_PER_S_DEFAULT
from services.gateway.model.targets import PATH_SEGMENTS_MAX

FILE = Path(__file__).parent / "operations.json"
# Whose last parameter takes what is left of a path, however many segments that is.
# Source: Uploads API model, `x-amazon-spds-greedy-path-parameter`, which no other parameter has.
GREEDY_PATHS = frozenset({"/uploads/2020-11-01/uploadDestinations/{resource}"})


@dataclass(frozen=True, slots=True)
class _Route:
    """How an operation is reached.

    Attributes:
        template: the segments of its path; None for a parameter, or one segment of a greedy one.
        parameters: the place and the name of each parameter.
        is_greedy: whether the last one takes what is left of the path.
    """

    operation: Operation
    template: tuple[str | None, ...]
    parameters: tuple[tuple[int, str], ...]
    is_greedy: bool = False

    def named(self, segments: Sequence[str]) -> Mapping[str, str]:
        """Return the path parameters by name."""
        found = {name: segments[at] for at, name in self.parameters}
        if self.is_greedy:
            at, name = self.parameters[-1]
            found[name] = "/".join(segments[at:])
        return found


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the first segments of a path lead.

    Attributes:
        ends: what ends here, by method.
        literals: where the next segment leads, by those that templates name.
        other: where any other segment leads; None for nowhere.
    """

    ends: Mapping[str, _Route]
    literals: "Mapping[str, _Place]"
    other: "_Place | None"


class Catalogue:
    """Every operation that exists, found by walking a tree of path segments, one step for each."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        """Build the tree.

        Args:
            operations: no two with the same method and path template.

        Raises:
            ValueError: two operations cannot be told apart.
        """
        self._operations = tuple(operations)
        routes = [route for operation in operations for route in _routes(operation)]
        if len({(route.operation.method, route.template) for route in routes}) < len(routes):
            raise ValueError("two operations have one method and path")
        self._root = _place(sorted(routes, key=_parametric), 0)

    @classmethod
    def load(cls, file: Path = FILE) -> Self:
        """Return the catalogue that `build.py` made."""
        return cls([_operation(row) for row in orjson.loads(file.read_bytes())])

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._operations)

    def match(self, method: str, segments: Sequence[str]) -> tuple[Operation, Mapping[str, str]]:
        """Return the operation that a call names, and its path parameters by name.

        A literal segment goes before a parameter, as in Amazon's own paths.

        Args:
            method: upper case.
            segments: decoded, as in `targets.Target`.

        Raises:
            OperationNotAllowed: there is none.
        """
        place = self._root
        for segment in segments:
            following = place.literals.get(segment, place.other)
            if following is None:
                raise OperationNotAllowed
            place = following
        route = place.ends.get(method)
        if route is None:
            raise OperationNotAllowed
        return route.operation, route.named(segments) if route.parameters else {}


def _routes(operation: Operation) -> Iterator[_Route]:
    """Yield how an operation is reached: in one way, but for a greedy path, which has one for each length."""
    segments = operation.path.split("/")[1:]
    names = {at: segment[1:-1] for at, segment in enumerate(segments) if segment.startswith("{")}
    template = tuple(None if at in names else segment for at, segment in enumerate(segments))
    is_greedy = operation.path in GREEDY_PATHS
    lengths = range(len(template), PATH_SEGMENTS_MAX + 1 if is_greedy else len(template) + 1)
    for length in lengths:
        longer = template + (None,) * (length - len(template))
        yield _Route(operation, longer, tuple(names.items()), is_greedy)


def _parametric(route: _Route) -> list[bool]:
    """Return which segments are parameters: what sorts the most literal templates first."""
    return [segment is None for segment in route.template]


def _place(routes: Sequence[_Route], depth: int) -> _Place:
    """Return where the segments lead that all of some routes begin with.

    A literal leads to the routes with a parameter in its place too, so that nobody has to turn back.

    Args:
        routes: the most literal first; of two that end in one place the first is found.
        depth: how many segments that is.
    """
    ends = {route.operation.method: route for route in reversed(routes) if len(route.template) == depth}
    further = [route for route in routes if len(route.template) > depth]
    open_ = [route for route in further if route.template[depth] is None]
    literals = {
        literal: [route for route in further if route.template[depth] in {literal, None}]
        for literal in {route.template[depth] for route in further}
        if literal is not None
    }
    return _Place(
        ends=ends,
        literals={literal: _place(fitting, depth + 1) for literal, fitting in literals.items()},
        other=_place(open_, depth + 1) if open_ else None,
    )


def _operation(row: Mapping[str, Any]) -> Operation:
    restricted = row["restricted"] or {"token": TokenRule.ORDINARY, "data": ()}
    pii = _tuples(row["pii"])
    paths = [path for listed in pii.values() for path in listed]
    return Operation(
        operation_id=row["operation_id"],
        api=row["api"],
        version=row["version"],
        method=row["method"],
        path=row["path"],
        is_read=row["is_read"],
        rate_per_s=RATE_PER_S_DEFAULT if row["rate_per_s"] is None else row["rate_per_s"],
        burst=BURST_DEFAULT if row["burst"] is None else row["burst"],
        token=TokenRule(restricted["token"]),
        data_elements=tuple(restricted["data"]),
        pii=pii,
        unmaskable=frozenset(row["unmaskable"]),
        pii_request=_tuples(row["pii_request"]),
        document_links=tuple(row["document_links"]),
        buyer_links=_tuples(row["buyer_links"]),
        grantless_scope=row["grantless"] or "",
        query=frozenset(row["query"]),
        headers=frozenset(name.lower() for name in row["headers"]),
        mask=Mask(paths, row["unmaskable"]) if paths else None,
        is_rate_stated=row["rate_per_s"] is not None,
    )


def _tuples(listed: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {kind: tuple(paths) for kind, paths in listed.items()}
