"""Reads Amazon's model files (Swagger 2.0) and walks the bodies that their operations describe.

Build-time only. The models are data, read as they are published; nothing is executed from them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

METHODS = ("get", "put", "post", "delete", "patch", "head")

# A body nested deeper than this is a mistake in the model, or in the walk.
DEPTH_MAX = 64

# The form of a leaf that a model closes: an enumeration, a truth, a point in time.
CLOSED = "closed"
# How a path names the members of an object whose names the model does not know.
ANY_MEMBER = ".*"

_LAST_NAME = re.compile(r"[A-Za-z0-9_-]+(?=(?:\[\*\]|\.\*)*\Z)")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_TIMES = frozenset({"date", "date-time"})


@dataclass(frozen=True, slots=True)
class Leaf:
    """One member of a body that holds a value rather than other members.

    Attributes:
        path: JSONPath of members and `[*]`, e.g. "$.payload.Orders[*].BuyerInfo.BuyerName".
        trail: names on the way in lower case, members' and definitions' (`#name`), outermost first.
        form: its type in the model; CLOSED when only Amazon's own words, or a point in time, can stand there.
        text: what the model says about it; may be empty.
        pattern: of the texts that its model allows; empty for any.
    """

    path: str
    trail: tuple[str, ...]
    form: str = ""
    text: str = ""
    pattern: str = ""

    @property
    def field(self) -> str:
        """The leaf's own name; empty for a body that is itself a value."""
        return next((name for name in reversed(self.trail) if name[0] != "#"), "")

    @property
    def places(self) -> tuple[str, ...]:
        """What the leaf stands in, outermost first."""
        end = max((at for at, name in enumerate(self.trail) if name[0] != "#"), default=0)
        return self.trail[:end]

    @property
    def words(self) -> frozenset[str]:
        """The words of the leaf's own name, in lower case: "buyerTaxID" has buyer, tax and id."""
        spelled = _LAST_NAME.search(self.path)
        return frozenset(word.lower() for word in _WORD.findall(spelled[0] if spelled else ""))

    @property
    def holders(self) -> frozenset[str]:
        """The member and the definition that hold the leaf most closely."""
        inward = self.places[::-1]
        member = next((name for name in inward if name[0] != "#"), "")
        definition = next((name for name in inward if name[0] == "#"), "")
        return frozenset({member, definition})


@dataclass(frozen=True, slots=True)
class ModelOperation:
    """One operation as its model describes it."""

    api: str
    version: str
    method: str
    path: str
    node: Mapping[str, Any]
    parameters: tuple[Mapping[str, Any], ...]
    definitions: Mapping[str, Any]

    @property
    def operation_id(self) -> str:
        """Amazon's name for it; not unique, not even within one model."""
        return str(self.node["operationId"])

    def named(self, place: str) -> list[str]:
        """Return the names of the parameters in "query" or "header", sorted."""
        return sorted({each["name"] for each in self.parameters if each["in"] == place})

    def answer_leaves(self) -> list[Leaf]:
        """Return every leaf of the bodies of 2xx answers, each path once."""
        answers = self.node["responses"].items()
        return self._leaves(
            [node["schema"] for status, node in answers if status[0] == "2" and "schema" in node]
        )

    def request_leaves(self) -> list[Leaf]:
        """Return every leaf of the request's body; a query parameter counts as `?name`."""
        bodies = self._leaves([each["schema"] for each in self.parameters if each["in"] == "body"])
        return bodies + self.parameter_leaves("query")

    def parameter_leaves(self, place: str) -> list[Leaf]:
        """Return a leaf `?name` for each parameter in "query", "header" or "path", sorted by name."""
        known = {each["name"]: each for each in self.parameters if each["in"] == place}
        return [
            Leaf(f"?{name}", (name.lower(),), _form(node), _text(node))
            for name, node in sorted(known.items())
        ]

    def _leaves(self, schemas: Sequence[Mapping[str, Any]]) -> list[Leaf]:
        found = {leaf.path: leaf for schema in schemas for leaf in self._walk(schema, Leaf("$", ()))}
        return list(found.values())

    def _walk(self, schema: Mapping[str, Any], at: Leaf) -> Iterator[Leaf]:
        if len(at.trail) > DEPTH_MAX:
            raise ValueError(f"{self.api}: a body nests deeper than {DEPTH_MAX}")
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[-1]
            mark = f"#{name.lower()}"
            if mark not in at.trail:  # a definition within itself describes nothing new
                inner = Leaf(at.path, (*at.trail, mark), text=_text(schema) or at.text)
                yield from self._walk(self.definitions[name], inner)
            return
        text = _text(schema) or at.text
        if "items" in schema:
            yield from self._walk(schema["items"], Leaf(f"{at.path}[*]", at.trail, text=text))
            return
        if isinstance(schema.get("additionalProperties"), Mapping):
            inner = Leaf(f"{at.path}{ANY_MEMBER}", at.trail, text=text)
            yield from self._walk(schema["additionalProperties"], inner)
        parts, members = schema.get("allOf", ()), schema.get("properties", {})
        for part in parts:
            yield from self._walk(part, at)
        for name, member in members.items():
            yield from self._walk(member, Leaf(f"{at.path}.{name}", (*at.trail, name.lower())))
        if not parts and not members:
            yield Leaf(at.path, at.trail, _form(schema), text, str(schema.get("pattern", "")))


def read(folder: Path) -> list[ModelOperation]:
    """Return every operation of every model in a folder's tree, in a stable order.

    Args:
        folder: holds `<name>-model/<api>.json` files as Amazon publishes them.
    """
    operations = [each for file in sorted(folder.glob("*/*.json")) for each in _read_model(file)]
    return sorted(operations, key=lambda each: (each.api.lower(), each.path, each.method))


def _read_model(file: Path) -> Iterator[ModelOperation]:
    model = orjson.loads(file.read_bytes())
    for path, item in model["paths"].items():
        for method in METHODS:
            if method in item:
                node = item[method]
                parameters = [*item.get("parameters", ()), *node.get("parameters", ())]
                yield ModelOperation(
                    api=file.stem,
                    version=model["info"]["version"],
                    method=method.upper(),
                    path=model.get("basePath", "").rstrip("/") + path,
                    node=node,
                    parameters=tuple(_resolved(model, each) for each in parameters),
                    definitions=model.get("definitions", {}),
                )


def _form(schema: Mapping[str, Any]) -> str:
    """Return the form of what a schema, or a parameter, describes."""
    items = schema.get("items", {})
    is_closed = "enum" in schema or "enum" in items or schema.get("type") == "boolean"
    return CLOSED if is_closed or schema.get("format") in _TIMES else str(schema.get("type", ""))


def _text(schema: Mapping[str, Any]) -> str:
    return str(schema.get("description", ""))


def _resolved(model: Mapping[str, Any], parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in parameter:
        return parameter
    resolved: Mapping[str, Any] = model["parameters"][parameter["$ref"].rsplit("/", 1)[-1]]
    return resolved
