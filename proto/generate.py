"""Generate the stubs in `wire/` from `proto/wire/`, or check that those checked in are up to date.

python -m proto.generate            writes wire/
python -m proto.generate --check    compares, writes nothing, exits 1 on a difference
"""

import argparse
import filecmp
import os
import sys
import tempfile
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "proto"
GOOGLE = Path(grpc_tools.__file__).parent / "_proto"
PLUGINS = Path(sys.executable).parent


def generate(target: Path) -> None:
    """Write the stubs of every contract below `target`.

    Raises:
        SystemExit: the compiler refused a contract; its own message is on stderr.
    """
    contracts = sorted(str(path) for path in (SOURCES / "wire").rglob("*.proto"))
    os.environ["PATH"] = f"{PLUGINS}{os.pathsep}{os.environ.get('PATH', '')}"
    outputs = [f"--{kind}_out={target}" for kind in ("python", "pyi", "grpc_python", "mypy_grpc")]
    status = protoc.main(["protoc", f"-I{SOURCES}", f"-I{GOOGLE}", *outputs, *contracts])
    if status != 0:
        sys.exit(status)
    for folder in {target / "wire", *(target / "wire").rglob("*/")}:
        if folder.is_dir() and folder.name != "__pycache__":
            (folder / "__init__.py").touch()


def differences(fresh: Path, kept: Path) -> list[str]:
    """Return the stub files, relative and sorted, that differ or exist on one side only."""
    names = {
        path.relative_to(side)
        for side in (fresh, kept)
        for path in side.rglob("*.py*")
        if path.suffix in {".py", ".pyi"}
    }
    return sorted(str(name) for name in names if not _is_same(fresh / name, kept / name))


def _is_same(fresh: Path, kept: Path) -> bool:
    return fresh.exists() and kept.exists() and filecmp.cmp(fresh, kept, shallow=False)


def main() -> int:
    """Generate or check; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m proto.generate", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with wire/ instead of writing it")
    if not parser.parse_args().check:
        generate(ROOT)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        stale = differences(Path(folder) / "wire", ROOT / "wire")
    for name in stale:
        print(f"wire/{name} is not what its contract generates: run `make proto`", file=sys.stderr)  # noqa: T201
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
