"""How far a rotation has come, as lines, as JSON, and as the exit code of the command."""

import json

import pytest

import sallyport.cli
import sallyport.keys.commands
from sallyport.keys.progress import Bar, Json, Lines, clock, facts, line
from wire.auth.v1.keys_pb2 import RotateKeysRequest, RotationProgress

HALF = RotationProgress(keys=10, keys_rewrapped=4, values=200, values_done=99, values_damaged=1)
REWRAPPED = RotationProgress(keys=10, keys_rewrapped=10, values=200, values_done=205, closes_in_s=290)
CLOSED = RotationProgress(keys=10, keys_rewrapped=10, keys_closed=10, values=200, values_done=205)


def test_a_line_says_how_far_it_is_and_how_long_it_takes() -> None:
    assert line(HALF, 65.0) == "  4 of 10 keys, 100 of 200 values, about 1:05 left"
    assert line(REWRAPPED, 65.0) == "  10 of 10 keys, all values are sealed anew"


def test_in_the_very_beginning_no_end_is_foretold() -> None:
    assert (
        line(RotationProgress(keys=10, values=200, values_done=1), 1.0) == "  0 of 10 keys, 1 of 200 values"
    )
    assert line(RotationProgress(keys=10), 1.0) == "  0 of 10 keys, 0 of 0 values"


def test_programs_read_every_number() -> None:
    assert facts(HALF)["values_done"] == 99
    assert (facts(HALF)["closes_in_s"], facts(REWRAPPED)["closes_in_s"]) == (None, 290)


@pytest.mark.parametrize(
    ("span_s", "text"), [(0.0, "0:00"), (59.6, "1:00"), (300.0, "5:00"), (7205.0, "120:05")]
)
def test_spans_are_minutes_and_seconds(span_s: float, text: str) -> None:
    assert clock(span_s) == text


def test_lines_are_not_printed_faster_than_people_read(capsys: pytest.CaptureFixture[str]) -> None:
    with Lines() as lines:
        for progress in (HALF, HALF, HALF, REWRAPPED):
            lines.show(progress)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_json_is_one_object_per_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Json() as display:
        display.show(HALF)
        display.show(CLOSED)
    told = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert told == [facts(HALF), facts(CLOSED)]


@pytest.mark.parametrize(
    ("progress", "phase", "told"),
    [
        (RotationProgress(), "settling", "0 of 0 keys"),
        (HALF, "sealing anew", "4 of 10 keys 100/200 values"),
        (REWRAPPED, "settling", "10 of 10 keys 200/200 values"),
    ],
)
def test_a_bar_shows_how_far_it_is(
    capsys: pytest.CaptureFixture[str], progress: RotationProgress, phase: str, told: str
) -> None:
    with Bar() as bar:
        bar.show(HALF)
        bar.show(progress)
    shown = capsys.readouterr().out
    assert phase in shown
    assert told in shown


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--all"], RotateKeysRequest(all=True)),
        (["--staff"], RotateKeysRequest(staff=True)),
        (["--seller", "s"], RotateKeysRequest(seller_id="s")),
        (["--application", "a"], RotateKeysRequest(application_id="a")),
    ],
)
def test_the_command_line_says_whose_keys(words: list[str], wanted: RotateKeysRequest) -> None:
    options = sallyport.cli.parser().parse_args(["keys", "rotate", *words])
    assert sallyport.keys.commands._wanted(options) == wanted


@pytest.mark.parametrize("words", [[], ["--all", "--staff"]])
def test_whose_keys_must_be_said_once(words: list[str]) -> None:
    with pytest.raises(SystemExit):
        sallyport.cli.parser().parse_args(["keys", "rotate", *words])


def test_the_summary_says_what_is_still_to_come() -> None:
    assert sallyport.keys.commands._summary(REWRAPPED)[-1].endswith("in about 4:50 minutes")
    assert sallyport.keys.commands._summary(CLOSED)[-1].endswith("does not open any more")
    assert sallyport.keys.commands._summary(RotationProgress()) == ["nothing to do"]
