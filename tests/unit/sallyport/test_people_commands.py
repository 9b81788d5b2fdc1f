"""The verb about people: what may be asked for, and how a row of the review is written."""

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

import sallyport.cli
from chassis.errors import Unavailable
from sallyport import console
from sallyport.people import commands, rows, sheets
from wire.auth.v1 import auth_pb2, people_pb2

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOBODY_IS_ASKED = cast("Any", None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--role", "owner"), "Without --seller, people are staff: support or security or auditor"),
        (("--role", "auditor", "--seller", "s-1"), "A seller's people are owner or member"),
    ],
)
def test_a_role_of_the_other_side_is_refused_before_anybody_is_asked(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = sallyport.cli.parser().parse_args(["people", "invite", "Sam", *words])
    assert commands._invite(options, NOBODY_IS_ASKED) == console.EXIT_UNUSABLE
    assert capsys.readouterr().err == f"sallyport people: {said}\n"


def test_a_row_says_everything_and_nothing_where_there_is_nothing() -> None:
    row = people_pb2.AccessRow(
        seller_id="s-1",
        seller_name="Blue Lamp Trading",
        user_id="u-1",
        user_name="Anna Berg",
        role=auth_pb2.ROLE_OWNER,
        credentials=["passkey", "password"],
        since=NOW,
    )
    assert rows.cells(row) == (
        "s-1",
        "Blue Lamp Trading",
        "u-1",
        "Anna Berg",
        "owner",
        "passkey password",
        "2026-11-22T12:00:00Z",
        "",
        "",
        "",
        "",
    )


async def told(*names: str, breaks_off: bool = False) -> AsyncIterator[people_pb2.AccessRow]:
    for name in names:
        yield people_pb2.AccessRow(user_id="u-1", user_name=name, role=auth_pb2.ROLE_AUDITOR, since=NOW)
    if breaks_off:
        raise Unavailable


async def test_a_review_is_a_table_that_runs_nothing_and_names_its_day_T30(tmp_path: Path) -> None:
    out = tmp_path / "review.csv"
    names = ("=HYPERLINK(1)", 'Anna, "Berg"\r\n@SUM')
    assert await sheets.write(told(*names), out, form="csv", reviewed_at=NOW) == 2
    first, second = csv.DictReader(io.StringIO(out.read_bytes().decode("utf-8-sig"), newline=""))
    assert (first["user"], second["user"]) == ("'=HYPERLINK(1)", names[1])
    assert {first["reviewed_at"], second["reviewed_at"]} == {"2026-11-22T12:00:00Z"}
    assert out.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("names", [(), ("Anna",), ("=1+1", "Bärbel")])
async def test_a_review_is_json_as_it_was_told(tmp_path: Path, names: tuple[str, ...]) -> None:
    out = tmp_path / "review.json"
    await sheets.write(told(*names), out, form="json", reviewed_at=NOW)
    read = json.loads(out.read_text("utf-8"))
    assert [(row["user"], row["role"], row["reviewed_at"]) for row in read] == [
        (name, "auditor", "2026-11-22T12:00:00Z") for name in names
    ]


@pytest.mark.parametrize("form", sheets.FORMATS)
async def test_half_a_review_leaves_no_file_and_no_review_is_written_over(tmp_path: Path, form: str) -> None:
    out = tmp_path / "review"
    with pytest.raises(Unavailable):
        await sheets.write(told("Anna", breaks_off=True), out, form=form, reviewed_at=NOW)
    assert not out.exists()
    await sheets.write(told("Anna"), out, form=form, reviewed_at=NOW)
    kept = out.read_bytes()
    with pytest.raises(FileExistsError):
        await sheets.write(told("Ben"), out, form=form, reviewed_at=NOW)
    assert out.read_bytes() == kept
