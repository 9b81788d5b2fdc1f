"""Argon2 itself: its parameters, when a hash is old, and that a crowd waits in a line with an end."""

import asyncio
from collections.abc import Iterator

import pytest

from chassis.secrecy import Secret
from services.auth.model.people_refusals import SignInBusy
from services.auth.passwords import LINE_MAX, WORKERS, Cost, Hasher

QUICK = Cost(passes=1, memory_kib=64, lanes=1)
PASSWORD = Secret("Correct horse 7 battery!")


@pytest.fixture
def hasher() -> Iterator[Hasher]:
    hasher = Hasher(QUICK)
    yield hasher
    hasher.close()


async def test_a_password_is_known_by_its_hash(hasher: Hasher) -> None:
    hashed = await hasher.hash(PASSWORD)
    assert await hasher.verify(hashed, PASSWORD)
    assert not await hasher.verify(hashed, Secret("Correct horse 7 battery?"))
    assert not await hasher.verify(hashed, Secret(""))
    assert hashed != await hasher.hash(PASSWORD)


async def test_hashes_are_made_with_the_work_that_the_standard_asks_for() -> None:
    """Source: RFC 9106, 4: 64 MiB, 3 passes, 4 lanes."""
    hasher = Hasher()
    hashed = await hasher.hash(PASSWORD)
    hasher.close()
    assert hashed.reveal().startswith("$argon2id$v=19$m=65536,t=3,p=4$")


async def test_a_hash_made_with_less_work_is_outdated(hasher: Hasher) -> None:
    hashed = await hasher.hash(PASSWORD)
    assert not hasher.is_outdated(hashed)
    stronger = Hasher(Cost(passes=2, memory_kib=64, lanes=1))
    assert stronger.is_outdated(hashed)
    stronger.close()


async def test_hashing_holds_up_nothing_else(hasher: Hasher) -> None:
    slow = Hasher(Cost(passes=20, memory_kib=8_192, lanes=1))
    hashing = asyncio.create_task(slow.hash(PASSWORD))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 1
    slow.close()
    await hasher.hash(PASSWORD)


async def test_a_crowd_waits_in_a_line_with_an_end_R23(hasher: Hasher) -> None:
    answers = await asyncio.gather(
        *(hasher.hash(PASSWORD) for _ in range(WORKERS + LINE_MAX + 3)), return_exceptions=True
    )
    assert sum(isinstance(answer, SignInBusy) for answer in answers) == 3
    await hasher.hash(PASSWORD)


async def test_whoever_gives_up_leaves_the_line(hasher: Hasher) -> None:
    waiting = [asyncio.create_task(hasher.hash(PASSWORD)) for _ in range(WORKERS + LINE_MAX)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await hasher.hash(PASSWORD)
