"""The command line as a program of its own."""

import subprocess
import sys
from pathlib import Path


def test_a_reader_that_goes_early_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('version = 1\n[[allow]]\noperations = ["*"]\n')
    asked = [sys.executable, "-m", "sallyport", "policy", "show", str(file), "--operation", "*"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        assert started.stdout is not None
        assert started.stderr is not None
        started.stdout.close()
        assert (started.stderr.read(), started.wait()) == (b"", 2)
