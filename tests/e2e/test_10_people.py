"""The operators' verb for people, on the whole stack: the first of the staff come in, and a leaver is out."""

import asyncio
import csv
import io
import re
import sys
from pathlib import Path

from sallyport.demo.scene import Scene
from sallyport.demo.signing_in import come_in, sign_in
from sallyport.stack import Stack


async def people(stack: Stack, *words: str) -> tuple[int | None, str]:
    """Return the exit code of `sallyport people` and all that it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sallyport", "people", *words),
        *("--state-folder", str(stack.layout.folder)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_somebody_of_the_staff_comes_in_is_reviewed_and_leaves(scene: Scene, tmp_path: Path) -> None:
    code, said = await people(scene.stack, "invite", "=Sam Staff", "--role", "auditor")
    assert code == 0
    found = re.search(r"person (\S+)\n.*: (/portal/enter/\S+)", said)
    assert found is not None
    user_id, path = found.groups()
    login = await come_in(scene.browser, scene.stack.layout.public_url + path)
    assert (await sign_in(scene.browser, scene.stack.layout.public_url, login)).url.endswith(
        "sellers?notice=welcome"
    )

    table = tmp_path / "review.csv"
    assert (await people(scene.stack, "export", "--out", str(table)))[0] == 0
    rows = {row["user_id"]: row for row in csv.DictReader(io.StringIO(table.read_text("utf-8")))}
    mine = rows[user_id]
    assert (mine["user"], mine["role"], mine["signs_in_with"]) == ("'=Sam Staff", "auditor", "password")
    assert table.stat().st_mode & 0o077 == 0
    assert (await people(scene.stack, "export", "--out", str(table)))[0] == 2

    code, said = await people(scene.stack, "remove", user_id, "--reason", "left the company")
    assert (code, said) == (0, "Out at once: 2 sessions and 0 desktops ended with it\n")
    assert "/portal/sign-in" in (await scene.open("/portal/sellers")).url
    assert (await people(scene.stack, "remove", user_id, "--reason", "left the company"))[0] == 1
