"""Runs the JavaScript clients of `clients/` as processes of their own, with a person who approves."""

import asyncio
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sallyport.demo.scene import Scene

CLIENTS = Path(__file__).parent / "clients"
CACHE = Path(__file__).parents[2] / ".sallyport" / "clients"
INSTALLED = ("package.json", "package-lock.json", ".npmrc")
INSTALL_S_MAX = 100.0
STORY_S_MAX = 60.0
LINE_BYTES_MAX = 65_536

Errand = Callable[[dict[str, str]], Awaitable[None]]


async def installed() -> Path:
    """Return a folder with the clients and what they stand on; made once for each lock."""
    if shutil.which("npm") is None:
        pytest.fail("the strict OAuth clients need Node.js 20 or newer with npm")
    lock = (CLIENTS / "package-lock.json").read_bytes()
    folder = CACHE / hashlib.sha256(lock).hexdigest()[:16]
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        making = tempfile.mkdtemp(dir=CACHE)
        for name in INSTALLED:
            shutil.copy(CLIENTS / name, making)
        await _install(making)
        _keep(making, folder)
    return folder


async def run_story(story: str, scene: Scene, errand: Errand, **settings: object) -> dict[str, Any]:
    """Return what a client's story tells at its end, after it had its person run its errands."""
    modules = await installed()
    told = {"issuer": scene.stack.layout.public_url, "clientId": "desktop", **settings}
    with tempfile.TemporaryDirectory() as folder:
        _lay_out(folder, modules)
        process = await asyncio.create_subprocess_exec(
            *("node", f"{story}.mjs", json.dumps(told)),
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_BYTES_MAX,
            env={
                "PATH": os.environ["PATH"],
                "NODE_EXTRA_CA_CERTS": str(scene.stack.ground.folder.services_ca_file),
            },
        )
        try:
            async with asyncio.timeout(STORY_S_MAX):
                return await _listen(process, errand)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def approve(scene: Scene, errand: dict[str, str]) -> None:
    """Do in the browser what a desktop asks its person to do."""
    if "approve" in errand:
        page = await scene.browser.open(errand["approve"])
        await scene.browser.submit(page, page.form("/oauth/authorize"), device_name="Strict client")
        return
    page = await scene.browser.open(errand["at"])
    if not urlsplit(errand["at"]).query:
        page = await scene.browser.submit(page, page.form("/device"), user_code=errand["letIn"])
    assert errand["letIn"] in page.text
    done = await scene.browser.submit(page, page.form("/device/allow"), device_name="Strict client")
    assert "is let in" in done.text


def _keep(making: str, folder: Path) -> None:
    try:
        Path(making).rename(folder)
    except OSError:
        # Somebody else was faster; theirs is as good.
        shutil.rmtree(making)


def _lay_out(folder: str, modules: Path) -> None:
    for script in CLIENTS.glob("*.mjs"):
        shutil.copy(script, folder)
    Path(folder, "node_modules").symlink_to(modules / "node_modules")


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


async def _listen(process: asyncio.subprocess.Process, errand: Errand) -> dict[str, Any]:
    assert process.stdout is not None
    assert process.stderr is not None
    async for line in process.stdout:
        told = json.loads(line)
        if "seen" in told:
            await process.wait()
            return dict(told["seen"])
        await errand(told["ask"])
    complaint = await process.stderr.read()
    raise AssertionError(complaint.decode(errors="replace")[-4_000:])
