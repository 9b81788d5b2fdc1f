"""One whole stack for the stories: every process real, started once, each test with a seller of its own."""

import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from shutil import rmtree

import pytest

import sallyport.stack
from sallyport.demo.scene import Scene
from sallyport.demo.stage import set_stage
from sallyport.layout import Layout
from sallyport.stack import Stack

PORTS_IN_A_ROW = 20
BASE_PORTS = range(20_000, 30_000, PORTS_IN_A_ROW)

SCENES = 48
"""Seller accounts of the simulated Amazon, one for each scene."""

APART = range(SCENES, SCENES + 24)
"""Further accounts, for tests that need several at once."""

_accounts = count()


@pytest.fixture(scope="session")
def layout() -> Iterator[Layout]:
    """A state folder that the database's system user can reach, and ports that nobody uses."""
    folder = Path(tempfile.mkdtemp(prefix="sallyport-e2e-"))
    folder.chmod(0o711)
    yield Layout(folder, _free_base_port(), is_tapped=True)
    rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
async def stack(layout: Layout) -> AsyncIterator[Stack]:
    """The stack of `sallyport demo`."""
    async with sallyport.stack.open_stack(layout, _say_nothing, sellers=APART.stop) as opened:
        yield opened


@pytest.fixture
async def scene(stack: Stack) -> AsyncIterator[Scene]:
    """A stage with a seller account that no other test has touched."""
    async with set_stage(stack, account=next(_accounts)) as opened:
        yield opened


def _say_nothing(_part: str, _event: str) -> None:
    """Tests have their own progress."""


def _free_base_port() -> int:
    for base_port in BASE_PORTS:
        if all(_is_free(port) for port in range(base_port, base_port + PORTS_IN_A_ROW)):
            return base_port
    raise RuntimeError("no free ports in a row")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
