"""The command line: as a program of its own, and where stacks lie."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sallyport.cli import main
from sallyport.layout import LOOPBACK
from sallyport.run import hold, until_interrupted
from tests.unit.sallyport.state import state_folder

# Of the event loop, until it has heard of a signal.
TURNS = 20


@pytest.mark.parametrize("port", ["0", "65517", "-1", "x", "8443.0"])
def test_ports_that_there_are_not_are_refused_before_anything_starts(
    port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in ("run", "demo"):
        with pytest.raises(SystemExit) as ended:
            main([verb, "--base-port", port])
        assert ended.value.code == 2
        assert "not a whole number from 1 to 65516" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["run", "demo"])
def test_a_port_that_is_taken_is_named_before_anything_starts(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "state"
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        first = min(port, 65_516)
        assert main([verb, "--state-folder", str(folder), "--base-port", str(first)]) == 2
    shown = capsys.readouterr()
    assert "cannot be had" in shown.err
    assert "--base-port" in shown.err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("verb", ["run", "demo", "sellers list"])
@pytest.mark.parametrize("name", ["", " "])
def test_a_state_folder_without_a_name_is_not_the_one_where_somebody_stands(
    verb: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main([*verb.split(), "--state-folder", name])
    assert ended.value.code == 2
    assert "names no folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", ["run", "demo"])
def test_a_state_folder_that_is_a_file_is_told(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "state"
    file.write_text("mine")
    assert main([verb, "--state-folder", str(file)]) == 2
    assert f"--state-folder {file}: File exists" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["run", "demo"])
def test_a_state_folder_serves_one_stack_at_a_time(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with hold(tmp_path):
        assert main([verb, "--state-folder", str(tmp_path)]) == 2
        assert f"{tmp_path} is in use by another `sallyport`" in capsys.readouterr().err
    with hold(tmp_path):
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keep", [[], ["--keep"]])
def test_a_demonstration_touches_no_folder_that_holds_something_else(
    keep: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "thesis.txt"
    mine.write_text("three years of work")
    assert main(["demo", "--state-folder", str(tmp_path), *keep]) == 2
    assert "holds what no demonstration left there" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]
    assert mine.read_text() == "three years of work"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("sellers", "list", "--yaml"), "not known here: --yaml;"),
        (("application", "secret", "paste", "hunter2-hunter2"), "not known here: 1 word too many;"),
        (("webhook", "status", "--secret=hunter2-hunter2", "x", "y"), "--secret, 2 words too many;"),
    ],
)
def test_words_that_nobody_takes_are_told_without_values_T28(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    complaint = capsys.readouterr().err
    assert told in complaint
    assert "hunter2" not in complaint


async def test_a_stack_that_is_told_twice_to_end_still_stops_in_order() -> None:
    """As somebody impatient does, and `timeout`, which tells a program and then its whole group."""
    told = []

    async def serve() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
            await asyncio.Event().wait()
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.raise_signal(number)
                for _ in range(TURNS):
                    await asyncio.sleep(0)
                told.append(number)

    async with asyncio.timeout(5):
        await until_interrupted(serve())
    assert told == [signal.SIGINT, signal.SIGTERM]


@pytest.fixture
def showing(tmp_path: Path) -> list[str]:
    """A command that says a lot on standard output."""
    file = tmp_path / "policy.toml"
    file.write_text('version = 1\n[[allow]]\noperations = ["*"]\n')
    return [sys.executable, "-m", "sallyport", "policy", "show", str(file), "--operation", "*"]


def test_a_reader_that_goes_early_is_no_mistake(showing: list[str]) -> None:
    with subprocess.Popen(showing, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        assert started.stdout is not None
        assert started.stderr is not None
        started.stdout.close()
        assert (started.stderr.read(), started.wait()) == (b"", 2)


def test_output_that_finds_no_room_is_told_once(showing: list[str]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = subprocess.run(showing, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (2, "sallyport: [Errno 28] No space left on device\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["policy", "show", "policy.toml", "--operation", "*"], (0, "")),
        (
            ["application", "secret", "paste", "--state-folder", "."],
            (2, "sallyport application: no client secret was given on standard input\n"),
        ),
        (
            ["sellers", "list", "--state-folder", "."],
            (2, "sallyport sellers: config_invalid: . is not the state folder of a `sallyport run`: "),
        ),
    ],
)
def test_closed_streams_are_empty_ones(words: list[str], told: tuple[int, str], tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text('version = 1\n[[allow]]\noperations = ["*"]\n')
    if words[0] == "application":
        state_folder(tmp_path)
    closing = ["sh", "-c", 'exec "$@" <&- >&-', "sh", sys.executable, "-m", "sallyport"]
    here = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        [*closing, *words], cwd=tmp_path, env=here, stderr=subprocess.PIPE, text=True, check=False
    )
    assert ended.returncode == told[0]
    assert ended.stderr.startswith(told[1])
    assert "Traceback" not in ended.stderr


def test_words_that_are_no_text_are_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"n\xff")).write_text("no policy")
    asked = [sys.executable, "-m", "sallyport", "policy", "check", os.fsdecode(b"n\xff")]
    here = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "utf-8:strict"}
    ended = subprocess.run(asked, cwd=tmp_path, env=here, stderr=subprocess.PIPE, text=True, check=False)
    told = "sallyport: what was given, or is to be shown, is no text in utf-8\n"
    assert (ended.returncode, ended.stderr) == (2, told)
