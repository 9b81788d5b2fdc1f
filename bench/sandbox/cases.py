"""Amazon's static sandbox cases as calls that a desktop makes, and what Amazon answers to each.

Read from the models of amzn/selling-partner-api-models as they are; this reader and the simulated Amazon's
share nothing, so neither can hide a mistake of the other's.

Source: SP-API documentation, "Selling Partner API Sandbox"; the models' `x-amzn-api-sandbox` members.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# What a case without parameters says in its place; some cases leave a path's parameter out.
LEFT_OUT = "left-out"

_CASES = "x-amzn-api-sandbox"
_BODY = "body"
# HTTP has no body in such an answer, whatever the case says.
_BODILESS = frozenset({204, 304})
# Some cases of such operations name a body, and mean none.
_WITHOUT_BODY = ("GET ", "DELETE ")

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        operation: by the gateway's name, e.g. "ordersV0.getOrder".
        key: method and path template.
        number: its place among the operation's cases, from 0.
        target: path and query.
        body: sent along; empty for none.
        answer: Amazon's; empty for none.
        is_shadowed: an earlier case of the operation has the same request, so Amazon answers that one.
    """

    operation: str
    key: str
    number: int
    target: str
    body: bytes = field(repr=False)
    status: int
    answer: bytes = field(repr=False)
    is_shadowed: bool = False

    @property
    def has_bare_path(self) -> bool:
        """Whether the path lacks a name that it needs."""
        return self.target.partition("?")[0].endswith("/") or "//" in self.target.partition("?")[0]

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.key.partition(" ")[0]

    @property
    def is_success(self) -> bool:
        """Whether Amazon does what is asked."""
        return 200 <= self.status < 300


def load(folder: Path) -> list[Case]:
    """Return every case of the models in a folder, or in folders directly below it, in a fixed order."""
    found: list[Case] = []
    for file in sorted({*folder.glob("*.json"), *folder.glob("*/*.json")}):
        model = json.loads(file.read_bytes())
        for path, methods in sorted(model.get("paths", {}).items()):
            for method in METHODS:
                if node := methods.get(method.lower()):
                    found += _shadowed(_of_operation(file.stem, f"{method} {path}", node))
    return found


def _shadowed(cases: Iterator[Case]) -> Iterator[Case]:
    seen: set[tuple[str, bytes]] = set()
    for case in cases:
        request = (case.target, case.body)
        yield replace(case, is_shadowed=request in seen)
        seen.add(request)


def _of_operation(api: str, key: str, node: Document) -> Iterator[Case]:
    joined = {
        each["name"]: each.get("collectionFormat", "csv") != "multi"
        for each in node.get("parameters", ())
        if each.get("type") == "array"
    }
    rows = ((int(status), row) for status, response in node["responses"].items() for row in _rows(response))
    for number, (status, row) in enumerate(rows):
        named = dict((row.get("request") or {}).get("parameters") or {})
        told = named.pop(_BODY, None)
        values = {name: each["value"] for name, each in named.items()}
        yield Case(
            operation=f"{api}.{node['operationId']}",
            key=key,
            number=number,
            target=_target(key.partition(" ")[2], values, joined),
            body=b"" if told is None or key.startswith(_WITHOUT_BODY) else _json(told.get("value", told)),
            status=status,
            answer=_answer(status, row.get("response")),
        )


def _rows(response: Document) -> Iterator[Document]:
    for holder in (response, response.get("schema", {}), response.get("examples", {})):
        sandbox = holder.get(_CASES, {})
        yield from sandbox.get("static", ()) if isinstance(sandbox, dict) else ()


def _target(template: str, values: Mapping[str, Any], joined: Mapping[str, bool]) -> str:
    rest = dict(values)
    segments = [
        quote(_text(rest.pop(each[1:-1], LEFT_OUT)), safe="") if each.startswith("{") else each
        for each in template.split("/")
    ]
    pairs: list[tuple[str, str]] = []
    for name, value in rest.items():
        listed = value if isinstance(value, list) else [value]
        texts = [_text(each) for each in listed]
        pairs += [(name, ",".join(texts))] if joined.get(name) else [(name, text) for text in texts]
    query = urlencode(pairs, quote_via=quote)
    return "/".join(segments) + (f"?{query}" if query else "")


def _answer(status: int, response: Any) -> bytes:
    return b"" if status in _BODILESS or response in (None, "") else _json(response)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
