"""`sallyport simulate`: what it prints, and exit codes that a script can trust."""

import argparse
import signal
from pathlib import Path

import pytest

import sallyport.simulate.command
import tests.unit.sallyport.test_simulate_broken as broken
from sallyport import console
from sallyport.simulate.engines import Engines


def simulate(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    sallyport.simulate.command.add_command(parser.add_subparsers())
    options = parser.parse_args(["simulate", *arguments])
    code: int = options.verb(options)
    return code


def test_a_run_that_holds_is_told_in_full(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    assert simulate("--seed", "3", "--fault-rate", "0", f"--trace={trace}") == console.EXIT_OK
    told = capsys.readouterr().out
    assert told.startswith("seed 3, 0 of all steps faulty\n")
    assert "one_refresh_in_flight" in told
    assert "VIOLATED" not in told
    assert "gateway telemetry.Append ok" in trace.read_text()


def test_a_violation_says_how_to_have_it_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = broken.CASES["an eraser that never runs"].break_
    monkeypatch.setattr(sallyport.simulate.command, "Engines", idle)
    assert simulate("--seed", "4", "--fault-rate", "0") == console.EXIT_REFUSED
    told = capsys.readouterr().out
    assert "VIOLATED erasure_proven" in told
    assert "is due and not erased" in told
    assert told.endswith("sallyport simulate --seed 4 --fault-rate 0\n")


def test_several_seeds_take_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate("--seed", "5", "--seeds", "2", "--fault-rate", "0") == console.EXIT_OK
    *runs, summary = capsys.readouterr().out.splitlines()
    assert [run.split()[1] for run in runs] == ["5", "6"]
    assert summary.startswith("2 runs, ")
    assert summary.endswith("all held")


def test_whoever_interrupts_has_the_run_to_its_end_and_the_summary(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(Engines):
        """Engines of a run in which somebody presses Ctrl-C."""

        def __init__(self) -> None:
            super().__init__()
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(sallyport.simulate.command, "Engines", Interrupted)
    assert simulate("--seed", "5", "--seeds", "9", "--fault-rate", "0") == console.EXIT_INTERRUPTED
    shown = capsys.readouterr()
    first, summary = shown.out.splitlines()
    assert first.split()[1] == "5"
    assert summary.startswith("1 run, ")
    assert shown.err == "sallyport simulate: ends after this run; Ctrl-C again ends it at once\n"
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    "arguments",
    [
        ("--seed", "-1"),
        ("--seed", "one"),
        ("--seeds", "0"),
        ("--fault-rate", "1.5"),
        ("--fault-rate", "nan"),
    ],
)
def test_what_cannot_be_tried_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as refusal:
        simulate(*arguments)
    assert refusal.value.code == console.EXIT_UNUSABLE


def test_a_trace_is_of_one_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert simulate("--seeds", "2", f"--trace={tmp_path}/trace") == console.EXIT_UNUSABLE
    assert "single seed" in capsys.readouterr().err


def test_a_trace_that_cannot_be_written_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert simulate("--fault-rate", "0", f"--trace={tmp_path}/none/trace") == console.EXIT_UNUSABLE
    assert f"cannot be written: {tmp_path}/none/trace: " in capsys.readouterr().err
