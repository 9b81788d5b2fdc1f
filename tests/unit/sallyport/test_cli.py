"""The command line: as a program of its own, and where stacks lie."""

import subprocess
import sys
from pathlib import Path

import pytest

from sallyport.cli import main


@pytest.mark.parametrize("port", ["0", "65517", "-1", "x", "8443.0"])
def test_ports_that_there_are_not_are_refused_before_anything_starts(
    port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in ("run", "demo"):
        with pytest.raises(SystemExit) as ended:
            main([verb, "--base-port", port])
        assert ended.value.code == 2
        assert "not a whole number from 1 to 65516" in capsys.readouterr().err


def test_a_reader_that_goes_early_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('version = 1\n[[allow]]\noperations = ["*"]\n')
    asked = [sys.executable, "-m", "sallyport", "policy", "show", str(file), "--operation", "*"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        assert started.stdout is not None
        assert started.stderr is not None
        started.stdout.close()
        assert (started.stderr.read(), started.wait()) == (b"", 2)
