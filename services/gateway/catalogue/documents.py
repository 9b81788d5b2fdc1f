"""What is known about documents: which way each operation's go, and which types hold personal data.

The facts stand in `documents.json` with their sources. What no table knows counts as personal.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import orjson

from services.gateway.model.documents import DOWNLOAD, DocumentClass

FILE = Path(__file__).parent / "documents.json"
BY_REPORT, BY_FEED = "by_report", "by_feed"
# The path parameter that names the document whose type decides.
_PARAMETERS = {BY_REPORT: "reportDocumentId", BY_FEED: "feedDocumentId"}


@dataclass(frozen=True, slots=True)
class _Row:
    """One operation: the method that its links are for, and a document class or what decides about it."""

    method: str
    document_class: str


class DocumentTable:
    """The facts about documents."""

    def __init__(
        self,
        *,
        rows: Mapping[str, tuple[str, str]],
        restricted_reports: frozenset[str],
        plain_reports: frozenset[str],
        plain_feeds: frozenset[str],
    ) -> None:
        """Take the facts.

        Args:
            rows: operation → method of its links, and a document class, "by_report" or "by_feed".
            restricted_reports: types for which Amazon wants a restricted data token.
            plain_reports: types without personal data.
            plain_feeds: types whose processing reports hold none.
        """
        self._rows = {name: _Row(method, class_) for name, (method, class_) in rows.items()}
        self._restricted_reports = restricted_reports
        self._plain = {BY_REPORT: plain_reports, BY_FEED: plain_feeds}

    @classmethod
    def load(cls, file: Path = FILE) -> Self:
        """Return the table that is kept beside the catalogue."""
        tables = {name: table["rows"] for name, table in orjson.loads(file.read_bytes()).items()}
        return cls(
            rows={name: (row["method"], row["class"]) for name, row in tables["operations"].items()},
            restricted_reports=frozenset(tables["restricted_reports"]),
            plain_reports=frozenset(tables["plain_reports"]),
            plain_feeds=frozenset(tables["plain_feeds"]),
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def method(self, operation: str) -> str:
        """Return the method for which an operation's links are: reading, unless the table says otherwise."""
        row = self._rows.get(operation)
        return row.method if row else DOWNLOAD

    def type_parameter(self, operation: str) -> str:
        """Return the path parameter that names the document whose type decides; empty when none does."""
        row = self._rows.get(operation)
        return _PARAMETERS.get(row.document_class, "") if row else ""

    def document_class(self, operation: str, type_: str) -> DocumentClass:
        """Return what an operation's documents hold.

        Args:
            operation: one that answers with links.
            type_: of the report or feed; empty when it is not known, or decides nothing.
        """
        row = self._rows.get(operation)
        if row is None:
            return DocumentClass.PERSONAL
        if row.document_class not in _PARAMETERS:
            return DocumentClass(row.document_class)
        if row.document_class == BY_REPORT and type_ in self._restricted_reports:
            return DocumentClass.RESTRICTED
        is_plain = type_ in self._plain[row.document_class]
        return DocumentClass.PLAIN if is_plain else DocumentClass.PERSONAL
