"""The access review as a file: CSV for spreadsheets, in which no cell is run as a formula (T-30), or JSON.

Rows are written as they come, so a review of everybody needs no more memory than one row. A review that broke
off leaves no file, because half of one is none.
"""

import json
import os
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime
from pathlib import Path

import services.gateway.web.sheets
from sallyport.people import rows
from wire.auth.v1.people_pb2 import AccessRow

CSV = "csv"
JSON = "json"
FORMATS = (CSV, JSON)
HEAD = (*services.gateway.web.sheets.ACCESS_HEAD, "reviewed_at")


async def write(review: AsyncIterator[AccessRow], out: Path, *, form: str, reviewed_at: datetime) -> int:
    """Write a review to a file that is not there yet and that only its owner reads; return how many rows.

    Args:
        review: its rows.
        out: where to.
        form: one of FORMATS.
        reviewed_at: the day and time that every row names.

    Raises:
        OSError: there is such a file, or it cannot be written.
        SallyportError: the review broke off.
    """
    day = f"{reviewed_at:%Y-%m-%dT%H:%M:%SZ}"
    begin, line, end = _csv() if form == CSV else _json()
    count = 0
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        try:
            file.write(begin)
            async for row in review:
                file.write(line(count, (*rows.cells(row), day)))
                count += 1
            file.write(end)
        except BaseException:
            _discard(out)
            raise
    return count


def _discard(out: Path) -> None:
    out.unlink()


Lines = tuple[bytes, Callable[[int, Iterable[str]], bytes], bytes]


def _csv() -> Lines:
    return services.gateway.web.sheets.line(HEAD), _csv_line, b""


def _csv_line(_count: int, cells: Iterable[str]) -> bytes:
    return services.gateway.web.sheets.line(cells)


def _json() -> Lines:
    return b"[", _json_line, b"\n]\n"


def _json_line(count: int, cells: Iterable[str]) -> bytes:
    comma = "," if count else ""
    return f"{comma}\n{json.dumps(dict(zip(HEAD, cells, strict=True)), ensure_ascii=False)}".encode()
