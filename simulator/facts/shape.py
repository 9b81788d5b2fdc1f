"""The bare shape of an answer: names and kinds of its members, from a schema of Amazon's models.

A kind is one of `text`, `time`, `date`, `whole`, `number`, `truth`, `link` (to a document in Amazon's
storage), or `=WORD` for the first word of a closed list. An object is an object of shapes, an array an array
of one shape.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

LINK = "link"
DEPTH_MAX = 12
# Down to here, an object of which nothing is required shows all its members.
DEPTH_OPEN = 2
# An object shows no more members than so many.
MEMBERS_MAX = 24

# Members that hold a presigned link, alone or under the definition that they stand in.
# Source: the models' descriptions of these members.
_LINKS = frozenset(
    {
        "documentUrl",
        "downloadUrl",
        "DownloadURL",
        "invoiceDocumentUrl",
        "invoicesDocumentUrl",
        "labelDownloadURL",
        "printableDocumentsUrl",
        "rmaPageURL",
        "deliveryPhotoUrl",
    }
)
_LINKS_PLACED = frozenset(
    {
        ("CreateFeedDocumentResponse", "url"),
        ("DeliveryDocument", "url"),
        ("DocumentDownload", "uri"),
        ("DocumentV2", "url"),
        ("FeedDocument", "url"),
        ("ReportDocument", "url"),
        ("ServiceDocumentUploadDestination", "url"),
        ("UploadDestination", "url"),
    }
)
_KINDS = {"integer": "whole", "number": "number", "boolean": "truth"}

Schema = Mapping[str, Any]


class Shaper:
    """Reads the schemas of one model."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions

    def of(self, schema: Schema, depth: int = 0) -> Any:
        """Return the shape of a value that a schema describes."""
        name, schema = self._resolved(schema)
        members = dict(self._members(schema))
        if members:
            return self._object(name, members, required=set(self._required(schema)), depth=depth)
        if schema.get("type") == "array":
            items = schema.get("items") or {}
            return [self.of(items, depth + 1)] if depth < DEPTH_MAX else []
        if schema.get("type") == "object" or "additionalProperties" in schema:
            return {}
        return _plain(schema)

    def _object(
        self, name: str, members: Mapping[str, Schema], *, required: set[str], depth: int
    ) -> dict[str, Any]:
        """Return the members that must be there, or all where none must, and those that lead to a link."""
        if depth >= DEPTH_MAX:
            return {}
        is_open = depth <= DEPTH_OPEN and not required
        shown: dict[str, Any] = {}
        for each, schema in members.items():
            part = LINK if _is_link(name, each) else self.of(schema, depth + 1)
            if each in required or (is_open and each != "errors") or _leads_to_link(part):
                shown[each] = part
        return dict(itertools.islice(shown.items(), MEMBERS_MAX))

    def _resolved(self, schema: Schema) -> tuple[str, Schema]:
        name = ""
        while "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            schema = self._definitions[name]
        return name, schema

    def _members(self, schema: Schema) -> Iterator[tuple[str, Schema]]:
        for part in schema.get("allOf", ()):
            yield from self._members(self._resolved(part)[1])
        yield from schema.get("properties", {}).items()

    def _required(self, schema: Schema) -> Iterator[str]:
        for part in schema.get("allOf", ()):
            yield from self._required(self._resolved(part)[1])
        yield from schema.get("required", ())


def _leads_to_link(part: Any) -> bool:
    if isinstance(part, dict | list):
        return any(map(_leads_to_link, part.values() if isinstance(part, dict) else part))
    return bool(part == LINK)


def _is_link(name: str, member: str) -> bool:
    return member in _LINKS or (name, member) in _LINKS_PLACED


def _plain(schema: Schema) -> str:
    if words := schema.get("enum"):
        return f"={words[0]}"
    given = {"date-time": "time", "date": "date"}.get(schema.get("format", ""))
    return given or _KINDS.get(schema.get("type", ""), "text")
