"""Where customers' data stand in an operation's answers, and what the gateway refuses by design."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

import services.gateway.catalogue.build

# Shorter texts, such as a country's code, also stand where nobody's data do.
TELLING_SIZE = 6

Values = list[tuple[str, Any]]


@dataclass(frozen=True)
class Facts:
    """What is known of one operation.

    Attributes:
        customer_paths: JSONPaths of customers' members in answers.
        link_paths: JSONPaths of links to documents.
        is_grantless: whether only the application itself calls it.
        buyer_paths: JSONPaths of what are, or may be, links to what buyers handed in.
    """

    customer_paths: frozenset[str]
    link_paths: frozenset[str]
    is_grantless: bool
    buyer_paths: frozenset[str] = frozenset()


NOTHING_KNOWN = Facts(frozenset(), frozenset(), is_grantless=False)


def load(operations_file: Path | None = None) -> Mapping[str, Facts]:
    """Return the facts by method and path template.

    Args:
        operations_file: another list of customers' members, made from the same models by other rules; what
            either list names counts.
    """
    known = {
        f"{row['method']} {row['path']}": Facts(
            customer_paths=frozenset(path for paths in row["pii"].values() for path in paths),
            link_paths=frozenset(row["document_links"]),
            is_grantless=row["grantless"] is not None,
            buyer_paths=frozenset(path for paths in row["buyer_links"].values() for path in paths),
        )
        for row in orjson.loads(services.gateway.catalogue.build.CATALOGUE.read_bytes())
    }
    others = orjson.loads(operations_file.read_bytes())["operations"] if operations_file else []
    for row in others:
        key, customer = f"{row['method']} {row['path']}", row.get("pii", {}).get("customer", {})
        paths = {path for paths in customer.values() for path in paths}
        known[key] = replace(known[key], customer_paths=known[key].customer_paths | paths)
    return known


def values(document: Any, path: str = "$") -> Iterator[tuple[str, Any]]:
    """Yield every plain value of a document with its path, entries of lists as `[*]`."""
    if isinstance(document, dict):
        for name, member in document.items():
            yield from values(member, f"{path}.{name}")
    elif isinstance(document, list):
        for entry in document:
            yield from values(entry, f"{path}[*]")
    else:
        yield path, document


def customers_values(document: Any, paths: frozenset[str]) -> tuple[Values, set[str]]:
    """Return the values at customers' members or below, and the telling texts that stand nowhere else."""
    inside: Values = []
    outside: set[str] = set()
    for path, value in values(document):
        if any(path == each or path.startswith((f"{each}.", f"{each}[")) for each in paths):
            inside.append((path, value))
        elif isinstance(value, str):
            outside.add(value)
    texts = {value for _, value in inside if isinstance(value, str) and len(value) >= TELLING_SIZE}
    return inside, {text for text in texts if not any(text in other for other in outside)}
