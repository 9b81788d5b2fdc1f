"""Installs the packages that JavaScript programs of the tests stand on, once for each lock."""

import asyncio
import hashlib
import shutil
import tempfile
from pathlib import Path

import pytest

CACHE = Path(__file__).parents[2] / ".sallyport" / "clients"
INSTALLED = ("package.json", "package-lock.json", ".npmrc")
INSTALL_S_MAX = 100.0


async def installed(programs: Path) -> Path:
    """Return a folder with the packages of a folder of programs."""
    if shutil.which("npm") is None:
        pytest.fail("the JavaScript clients need Node.js 20 or newer with npm")
    lock = (programs / "package-lock.json").read_bytes()
    folder = CACHE / hashlib.sha256(lock).hexdigest()[:16]
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        making = tempfile.mkdtemp(dir=CACHE)
        for name in INSTALLED:
            shutil.copy(programs / name, making)
        await _install(making)
        _keep(making, folder)
    return folder


def lay_out(folder: str, programs: Path, modules: Path) -> None:
    """Put a folder of programs into an empty one, with their packages at hand."""
    for script in programs.glob("*.mjs"):
        shutil.copy(script, folder)
    Path(folder, "node_modules").symlink_to(modules / "node_modules")


def _keep(making: str, folder: Path) -> None:
    try:
        Path(making).rename(folder)
    except OSError:
        # Somebody else was faster; theirs is as good.
        shutil.rmtree(making)


async def _install(folder: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(INSTALL_S_MAX):
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode(errors="replace")
