import argparse
from pathlib import Path

import pytest

import sallyport.audit.commands
import sallyport.audit.export
from tests.unit.sallyport.test_audit_verify import OTHER_KEY, export


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    sallyport.audit.commands.add_commands(parser.add_subparsers(required=True))
    options = parser.parse_args(["audit", *arguments])
    code: int = options.verb(options)
    return code


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "audit.ndjson"
    path.write_bytes(b"".join(export()[0]))
    return path


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.write_text(export()[1])
    return path


def test_an_intact_log_exits_zero_and_shows_counts_and_the_last_checkpoint_T22(
    log: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("verify", str(log), "--public-key", str(key)) == 0
    shown = capsys.readouterr().out
    assert "INTACT: 10 records, 4 checkpoints" in shown
    assert "last checkpoint: record 10, signed 2026-11-22T12:00:00.000000Z" in shown


def test_one_changed_byte_exits_one_and_names_record_and_line_T22(
    log: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = log.read_bytes().split(b"\n")
    lines[2] = lines[2].replace(b"getOrderAddress", b"getOrderAddresS")
    log.write_bytes(b"\n".join(lines))
    assert run("verify", str(log), "--public-key", str(key)) == 1
    assert "REJECTED at line 3, record 2: broken_hash" in capsys.readouterr().out


def test_another_key_exits_one(log: Path, key: Path) -> None:
    key.write_text(OTHER_KEY)
    assert run("verify", str(log), "--public-key", str(key)) == 1


def test_a_log_that_does_not_reach_what_is_known_exits_one_T22(log: Path, key: Path) -> None:
    assert run("verify", str(log), "--public-key", str(key), "--at-least", "10") == 0
    assert run("verify", str(log), "--public-key", str(key), "--at-least", "11") == 1


def test_an_endless_line_is_rejected_without_being_read_whole_T10(
    log: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.write_bytes(b"x" * 10_000_000)
    assert run("verify", str(log), "--public-key", str(key)) == 1
    assert "line 1, record 1: malformed_line" in capsys.readouterr().out


@pytest.mark.parametrize("missing", ["log", "key", "garbage key"])
def test_what_cannot_be_read_exits_two(missing: str, log: Path, key: Path) -> None:
    if missing == "garbage key":
        key.write_bytes(b"\xff\xfe")
    else:
        {"log": log, "key": key}[missing].unlink()
    assert run("verify", str(log), "--public-key", str(key)) == 2


@pytest.mark.parametrize(
    "arguments", [[], ["verify"], ["export"], ["verify", "x", "--public-key", "y", "--from-sequence", "0"]]
)
def test_wrong_usage_exits_two(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run(*arguments)
    assert stop.value.code == 2


def test_an_export_without_a_connection_exits_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "audit.ndjson"
    assert run("export", "--out", str(out), "--state-folder", str(tmp_path / "absent")) == 2
    monkeypatch.setenv("SALLYPORT_TELEMETRY_ADDRESS", "nowhere")
    assert run("export", "--out", str(out)) == 2
    assert "SALLYPORT_VAULT_ADDRESS" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("is_link", [True, False])
def test_nothing_that_lies_where_an_export_is_being_written_is_written_through(
    tmp_path: Path, *, is_link: bool
) -> None:
    out, theirs = tmp_path / "audit.ndjson", tmp_path / "theirs"
    theirs.write_text("theirs")
    part = tmp_path / "audit.ndjson.part"
    if is_link:
        part.symlink_to(theirs)
    else:
        part.hardlink_to(theirs)
    with sallyport.audit.export._whole_file(out) as file:
        file.write(b"ours")
    assert (out.read_bytes(), theirs.read_text()) == (b"ours", "theirs")
    assert not out.is_symlink()
    assert out.stat().st_mode & 0o077 == 0
