"""Runs a library's program as a process of its own, set up as docs/libraries.md says, behind its own tap.

The wire tap is the gateway for that program alone, so that what one library sends and is answered can be told
apart from what the others do at the same time.
"""

import asyncio
import json
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sallyport.demo.scene import Program
from sallyport.demo.wiretap import Wiretap
from tests.e2e.npm import installed, lay_out

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PAGE = ROOT / "docs" / "libraries.md"
BLOCK = re.compile(r"^```(python|js) (\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REQUEST = re.compile(rb"(GET|POST|PUT|PATCH|DELETE) (/\S*) HTTP/1\.1\r\n")
STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3}) ")
TOKEN = re.compile(rb"\r\nx-amz-access-token: *([^\r]+)\r\n", re.IGNORECASE)
SUFFIXES = {"python": "py", "js": "mjs"}
# How each library's HTTP client is told of an authority of one's own.
TRUST = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
VERB_S_MAX = 45.0
LINE_BYTES_MAX = 1_048_576


@dataclass(frozen=True)
class Library:
    """One library; `name` is that of its program and of its block on the page.

    Attributes:
        language: "python" or "js".
        verbs: what the program can do beside what each can.
    """

    name: str
    language: str
    verbs: frozenset[str]

    def command(self) -> tuple[str, ...]:
        """Return what runs the program."""
        if self.language == "js":
            return "node", f"{self.name}.mjs"
        return sys.executable, "-W", "ignore", "-m", f"tests.e2e.libraries.{self.name}"


@dataclass(frozen=True)
class Seen:
    """What became of one errand.

    Attributes:
        value: what the library returned; None when it raised.
        raised: name and text of what it raised; empty when it returned.
        requests: method and target of what it sent, in order.
        statuses: what it was answered.
    """

    value: Any
    raised: str
    requests: tuple[tuple[str, str], ...] = field(repr=False)
    statuses: tuple[int, ...]

    def paths(self) -> list[str]:
        """Return the path of each request, in order."""
        return [target.partition("?")[0] for _, target in self.requests]


class RunningProgram:
    """A library's program that waits for errands.

    An errand's record begins where the one before ended: a library that gets its token while it is being
    constructed, as the program starts, does so for the first errand.
    """

    def __init__(self, process: asyncio.subprocess.Process, tap: Wiretap, *, already_heard: int) -> None:
        self._process = process
        self._tap = tap
        self._heard = already_heard

    def statuses(self) -> tuple[int, ...]:
        """Return what the program has been answered so far."""
        return _statuses(self._tap.captured())

    def tokens(self) -> set[str]:
        """Return every access token that the program has shown so far."""
        return {found.decode() for found in TOKEN.findall(self._tap.captured())}

    async def do(self, verb: str, **asked: object) -> Seen:
        """Return what became of an errand.

        Raises:
            AssertionError: the program ended; the text is its last words.
            TimeoutError: it took longer than VERB_S_MAX.
        """
        told = await self._ask({"do": verb, **asked})
        heard = self._tap.captured()[self._heard :]
        self._heard += len(heard)
        raised = told.get("raised", {})
        return Seen(
            value=told.get("seen"),
            raised=" ".join(raised.values()),
            requests=tuple((found[1].decode(), found[2].decode()) for found in REQUEST.finditer(heard)),
            statuses=_statuses(heard),
        )

    async def _ask(self, errand: Mapping[str, object]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._process.stdin.write(json.dumps(errand).encode() + b"\n")
        async with asyncio.timeout(VERB_S_MAX):
            line = await self._process.stdout.readline()
        if not line:
            raise AssertionError((await self._process.stderr.read())[-4_000:].decode(errors="replace"))
        return dict(json.loads(line))


@asynccontextmanager
async def running(
    library: Library, device: Program, tap: Wiretap, *, gateway: str, ca_file: Path
) -> AsyncIterator[RunningProgram]:
    """Give a library's program, running.

    Args:
        library: which.
        device: its credentials.
        tap: where it meets the gateway.
        gateway: the tap's origin.
        ca_file: who vouches for the certificate there.
    """
    already_heard = len(tap.captured())
    modules = await installed(HERE) if library.language == "js" else None
    with tempfile.TemporaryDirectory() as folder:
        if modules is not None:
            lay_out(folder, HERE, modules)
        _lay_out_settings(Path(folder), library)
        process = await asyncio.create_subprocess_exec(
            *library.command(),
            cwd=folder if modules is not None else ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_BYTES_MAX,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": folder,
                **{
                    name: str(ca_file)
                    for name in ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
                },
                "GATEWAY": gateway,
                "DEVICE_ID": device.device_id,
                "REFRESH_TOKEN": device.refresh_token,
            },
        )
        try:
            yield RunningProgram(process, tap, already_heard=already_heard)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


def _statuses(heard: bytes) -> tuple[int, ...]:
    return tuple(int(status) for status in STATUS.findall(heard))


def blocks() -> dict[str, tuple[str, str]]:
    """Return language and text of each named code block on the page."""
    found = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    return {name: (language, text) for language, name, text in found}


def _lay_out_settings(folder: Path, library: Library) -> None:
    written = blocks()
    names = {library.name: "settings", "gateway_agent": "gateway_agent"}
    for name, stem in names.items():
        language, text = written[name]
        (folder / f"{stem}.{SUFFIXES[language]}").write_text(text, encoding="utf-8")
