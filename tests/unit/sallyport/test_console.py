"""What every task of the console says when it cannot connect, or cannot read what it was given."""

import argparse
import logging
import os
from pathlib import Path

import pytest

import chassis.vault
from sallyport import console
from sallyport.access import SETTINGS, Config
from sallyport.cli import main
from tests.unit.sallyport.state import state_folder

CONNECTING = (
    ("application", "show"),
    ("audit", "export", "--out", "audit.ndjson"),
    ("keys", "status"),
    ("people", "remove", "somebody", "--reason", "left"),
    ("sellers", "list"),
    ("webhook", "status"),
)


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that says nothing of Sallyport's."""
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)


@pytest.mark.usefixtures("unset")
@pytest.mark.parametrize("words", CONNECTING)
def test_without_any_connection_both_ways_to_give_one_are_named(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith(f"sallyport {words[0]}: ")
    assert "--state-folder .sallyport" in complaint
    assert "SALLYPORT_AUTH_ADDRESS is required" in complaint


@pytest.mark.parametrize("words", CONNECTING)
@pytest.mark.parametrize("kept", [None, b"\xff\xfe=1"])
def test_another_folder_is_no_state_folder(
    words: tuple[str, ...], kept: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if kept is not None:
        (tmp_path / "console.env").write_bytes(kept)
    assert main([*words, "--state-folder", str(tmp_path)]) == 2
    assert f"{tmp_path} is not the state folder of a `sallyport run`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("application", "secret", "rotate", "--wait-s", "soon"), "a number of seconds from 1 to 86400"),
        (("application", "secret", "paste", "--expires-at", "soon"), "a time such as 2027-05-21"),
        (
            ("sellers", "offboard", "x", "--reason", "y", "--wait", "nan"),
            "a number of seconds from 0 to 3600",
        ),
        (("audit", "export", "--out", "x", "--from-sequence", "0"), "a whole number from 1 on"),
    ],
)
def test_a_value_that_cannot_be_is_answered_with_what_can(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert f"not {said}" in capsys.readouterr().err


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, key = tmp_path / "audit.ndjson", tmp_path / "key.pem"
    assert main(["audit", "verify", str(log), "--public-key", str(key)]) == 2
    assert f"{log}: No such file or directory" in capsys.readouterr().err
    log.write_bytes(b"")
    key.write_bytes(b"\xff")
    assert main(["audit", "verify", str(log), "--public-key", str(key)]) == 2
    assert f"{key}: not a public key in PEM form" in capsys.readouterr().err


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder as `sallyport run` leaves it; nobody listens there."""
    return state_folder(tmp_path)


def test_what_is_logged_again_and_again_is_told_once_in_words(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def wait(_options: argparse.Namespace, _config: Config) -> int:
        for _ in range(100):
            logging.getLogger("chassis.vault").warning("key_service_awaited")
        raise chassis.vault.KeyServiceUnavailable

    assert console.tried("keys", wait)(argparse.Namespace(state_folder=state)) == console.EXIT_REFUSED
    waiting, ended = capsys.readouterr().err.splitlines()
    assert waiting.endswith("the key service does not answer; waiting for it, half a minute at most")
    assert ended.startswith("sallyport keys: key_service_unavailable: ")
    assert ended.endswith(f"Is the `sallyport run` of {state} up?")


def test_whoever_is_interrupted_while_waiting_hears_that_the_services_go_on(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def wait(_options: argparse.Namespace, _config: Config) -> int:
        raise KeyboardInterrupt

    assert console.tried("keys", wait)(argparse.Namespace(state_folder=state)) == 130
    assert capsys.readouterr().err.startswith("sallyport keys: interrupted; ")


def test_an_export_takes_the_place_of_nothing_but_a_file_and_asks_nobody_before(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe, folder = state / "pipe", state / "folder"
    os.mkfifo(pipe)
    folder.mkdir()
    log = state / "audit.ndjson"
    for words in (["--out", str(pipe)], ["--out", str(log), "--public-key-out", str(folder)]):
        assert main(["audit", "export", *words, "--state-folder", str(state)]) == 2
        assert f"{words[-1]}: something other than a file is there" in capsys.readouterr().err
    assert pipe.is_fifo()
    assert sorted(each.name for each in state.iterdir()) == ["console.env", "folder", "pipe"]


def test_a_log_and_its_key_are_two_files_and_a_key_is_never_standard_output(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = str(state / "both")
    words = ["audit", "export", "--state-folder", str(state), "--out", both, "--public-key-out"]
    assert main([*words, both]) == 2
    assert f"--out and --public-key-out: both would be {both}" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main([*words, "-"])
    assert ended.value.code == 2
    assert "only the log goes to standard output" in capsys.readouterr().err
    assert [each.name for each in state.iterdir()] == ["console.env"]


def test_an_export_to_standard_output_that_fails_makes_no_file_and_says_nothing_there(
    state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(state)
    assert main(["audit", "export", "--out", "-", "--state-folder", str(state)]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.startswith("sallyport audit: ")) == ("", True)
    assert [each.name for each in state.iterdir()] == ["console.env"]


def test_a_file_that_cannot_be_made_is_named_as_it_was_given(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = state / "nowhere" / "audit.ndjson"
    assert main(["audit", "export", "--out", str(out), "--state-folder", str(state)]) == 2
    assert f"{out}: No such file or directory" in capsys.readouterr().err


def test_of_two_files_the_one_to_be_written_is_named() -> None:
    error = IsADirectoryError(21, "Is a directory", "log.part", None, "log")
    assert console.reason(error) == "log: Is a directory"


def test_a_reader_that_goes_early_is_left_to_the_command_line(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def show(_options: argparse.Namespace, _config: Config) -> int:
        raise BrokenPipeError(32, "Broken pipe")

    with pytest.raises(BrokenPipeError):
        console.tried("sellers", show)(argparse.Namespace(state_folder=state))
    assert capsys.readouterr().err == ""
