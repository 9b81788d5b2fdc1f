"""The verb about people: what may be asked for, and how a row of the review is written."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

import sallyport.cli
from sallyport.people import commands, rows
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
    assert commands._invite(options, NOBODY_IS_ASKED) == commands.EXIT_UNUSABLE
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
