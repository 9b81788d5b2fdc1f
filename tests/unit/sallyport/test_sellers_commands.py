"""The verb about sellers: what may be asked for, and how a seller is written for people and for programs."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import sallyport.cli
from sallyport import console
from sallyport.sellers import rows
from wire.auth.v1.sellers_pb2 import KnownSeller, Offboarding

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SELLER_ID = "01935e2a-0000-7000-8000-000000000001"


def seller(offboarding: Offboarding | None = None) -> KnownSeller:
    return KnownSeller(
        seller_id=SELLER_ID,
        name="" if offboarding else "Blue Lamp Trading",
        created_at=NOW - timedelta(days=400),
        active_consents=0 if offboarding else 2,
        active_devices=0 if offboarding else 3,
        offboarding=offboarding,
    )


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("offboard",),
        ("offboard", SELLER_ID),
        ("offboard", SELLER_ID, "--reason", "ended", "--wait", "-1"),
        ("offboard", SELLER_ID, "--reason", "ended", "--wait", "3601"),
        ("offboard", SELLER_ID, "--reason", "ended", "--wait", "soon"),
        ("offboard", SELLER_ID, "--reason", "ended", "--wait", "nan"),
        ("create",),
    ],
)
def test_half_an_order_exits_two(words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        sallyport.cli.parser().parse_args(["sellers", *words])
    assert ended.value.code == 2


@pytest.mark.parametrize(
    "words",
    [("list",), ("create", "Blue Lamp Trading"), ("offboard", SELLER_ID, "--reason", "ended", "--yes")],
)
def test_without_a_way_to_auth_it_exits_two_and_says_why(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = sallyport.cli.main(["sellers", *words, "--state-folder", str(tmp_path / "none")])
    assert code == console.EXIT_UNUSABLE
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("sallyport sellers: ")


def test_a_line_of_the_list_fits_its_head() -> None:
    line = rows.line(seller())
    assert line.endswith("2025-10-18  Blue Lamp Trading")
    assert line.split()[:3] == [SELLER_ID, "2", "3"]
    assert rows.HEAD.index("NAME") == line.index("Blue Lamp Trading")


@pytest.mark.parametrize(
    ("finished_at", "said"), [(None, "destruction under way"), (NOW + timedelta(minutes=6), "all destroyed")]
)
def test_who_left_is_listed_without_a_name_and_how_far_it_is_T18(
    finished_at: datetime | None, said: str
) -> None:
    left = seller(Offboarding(closed_at=NOW, finished_at=finished_at))
    assert rows.line(left).endswith(f"{rows.NAMELESS}  left 2026-11-22, {said}")


def test_programs_read_every_step_and_null_where_none_was_taken() -> None:
    left = seller(Offboarding(closed_at=NOW, key_destroyed_at=NOW, erased_at=NOW, receipt_id="r-1"))
    assert json.loads(json.dumps(rows.facts(left))) == {
        "seller_id": SELLER_ID,
        "name": None,
        "created_at": "2025-10-18T12:00:00+00:00",
        "active_consents": 0,
        "active_devices": 0,
        "offboarding": {
            "closed_at": "2026-11-22T12:00:00+00:00",
            "key_destroyed_at": "2026-11-22T12:00:00+00:00",
            "erased_at": "2026-11-22T12:00:00+00:00",
            "finished_at": None,
            "receipt_id": "r-1",
        },
    }
    assert rows.facts(seller())["offboarding"] is None
