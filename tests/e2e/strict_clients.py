"""Runs the JavaScript clients of `clients/` as processes of their own, with a person who approves."""

import asyncio
import json
import os
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sallyport.demo.scene import Scene
from tests.e2e.npm import installed, lay_out

CLIENTS = Path(__file__).parent / "clients"
STORY_S_MAX = 60.0
LINE_BYTES_MAX = 65_536

Errand = Callable[[dict[str, str]], Awaitable[None]]


async def run_story(story: str, scene: Scene, errand: Errand, **settings: object) -> dict[str, Any]:
    """Return what a client's story tells at its end, after it had its person run its errands."""
    modules = await installed(CLIENTS)
    told = {"issuer": scene.stack.layout.public_url, "clientId": "desktop", **settings}
    with tempfile.TemporaryDirectory() as folder:
        lay_out(folder, CLIENTS, modules)
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
