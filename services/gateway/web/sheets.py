"""Tables for people's spreadsheets, where a cell may be taken for a formula unless it is prevented (T-30)."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime

from services.gateway.model.members import AccessRow

# Tells spreadsheets that the text is UTF-8.
MARK = "\ufeff"
# A cell that begins so is run as a formula by one spreadsheet or another.
# Source: OWASP, "CSV Injection".
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
TEXT_MARK = "'"

ACCESS_HEAD = (
    "seller_id",
    "seller",
    "user_id",
    "user",
    "role",
    "signs_in_with",
    "since",
    "last_used",
    "device_id",
    "device",
    "scopes",
)


def line(cells: Iterable[str]) -> bytes:
    """Return one line of a table; every cell is text, whatever it looks like."""
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(
        [_plain(cell) for cell in cells]
    )
    return written.getvalue().encode("utf-8", "replace")


def access_cells(row: AccessRow) -> tuple[str, ...]:
    """Return one row of an access review, in the order of ACCESS_HEAD."""
    return (
        row.seller_id,
        row.seller_name,
        row.user_id,
        row.user_name,
        row.role.value,
        " ".join(row.credentials),
        _moment(row.since),
        _moment(row.used_at),
        row.device_id,
        row.device_name,
        " ".join(row.scopes),
    )


def _plain(cell: str) -> str:
    return TEXT_MARK + cell if cell.lstrip(" ").startswith(FORMULA_STARTS) else cell


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else ""
