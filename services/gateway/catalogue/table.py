"""The catalogue in memory: which operation a method and path name, and what is known about it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import orjson

from services.gateway.model.faults import OperationNotAllowed
from services.gateway.model.masking import Mask
from services.gateway.model.operations import Operation, TokenRule
from services.gateway.model.quota import BURST_DEFAULT, RATE_PER_S_DEFAULT

FILE = Path(__file__).parent / "operations.json"


class Catalogue:
    """Every operation that exists, found by walking a tree of path segments."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        """Build the tree.

        Args:
            operations: no two with the same method and path template.

        Raises:
            ValueError: two operations cannot be told apart.
        """
        self._operations = tuple(operations)
        self._root = _Node()
        for operation in operations:
            node = self._root
            for segment in operation.path.split("/")[1:]:
                node = node.below(segment)
            if operation.method in node.operations:
                raise ValueError(f"two operations for {operation.key}")
            node.operations[operation.method] = operation

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
        for node in _ends(self._root, segments):
            operation = node.operations.get(method)
            if operation is not None:
                return operation, _parameters(operation, segments)
        raise OperationNotAllowed


class _Node:
    """One place in the tree: what literal or parameter may follow, and what ends here."""

    __slots__ = ("literals", "operations", "parameter")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.operations: dict[str, Operation] = {}

    def below(self, segment: str) -> "_Node":
        """Return the node that a segment of a template leads to, made when it is new."""
        if not segment.startswith("{"):
            return self.literals.setdefault(segment, _Node())
        self.parameter = self.parameter or _Node()
        return self.parameter


def _ends(node: _Node, segments: Sequence[str]) -> Iterator[_Node]:
    """Yield the nodes that segments lead to, the most literal first."""
    if not segments:
        yield node
        return
    literal = node.literals.get(segments[0])
    if literal is not None:
        yield from _ends(literal, segments[1:])
    if node.parameter is not None:
        yield from _ends(node.parameter, segments[1:])


def _parameters(operation: Operation, segments: Sequence[str]) -> dict[str, str]:
    template = operation.path.split("/")[1:]
    return {name[1:-1]: value for name, value in zip(template, segments, strict=True) if name.startswith("{")}


def _operation(row: Mapping[str, Any]) -> Operation:
    restricted = row["restricted"] or {"token": TokenRule.ORDINARY, "data": ()}
    pii = _by_class(row["pii"])
    paths = [path for listed in pii.values() for path in listed]
    return Operation(
        operation_id=row["operation_id"],
        api=row["api"],
        version=row["version"],
        method=row["method"],
        path=row["path"],
        rate_per_s=RATE_PER_S_DEFAULT if row["rate_per_s"] is None else row["rate_per_s"],
        burst=BURST_DEFAULT if row["burst"] is None else row["burst"],
        token=TokenRule(restricted["token"]),
        data_elements=tuple(restricted["data"]),
        pii=pii,
        pii_request=_by_class(row["pii_request"]),
        document_links=tuple(row["document_links"]),
        grantless_scope=row["grantless"] or "",
        query=frozenset(row["query"]),
        headers=frozenset(name.lower() for name in row["headers"]),
        mask=Mask(paths) if paths else None,
        is_rate_stated=row["rate_per_s"] is not None,
    )


def _by_class(listed: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {kind: tuple(paths) for kind, paths in listed.items()}
