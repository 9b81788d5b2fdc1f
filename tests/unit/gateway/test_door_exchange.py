"""Streams at the door: whoever moves their bytes is waited for, however long all of it takes (R-25)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from chassis.errors import SallyportError
from chassis.web import Places
from services.gateway.door.bodies import Body
from services.gateway.door.exchange import Exchange
from services.gateway.door.heads import Framing
from services.gateway.door.limits import STREAM_BYTES_PER_S_MIN, STREAM_DEADLINE_S, Limits
from services.gateway.door.pace import Pace
from services.gateway.door.ports import Follower
from services.gateway.door.request import Head
from services.gateway.model.fields import Fields

# Each part takes nearly as long as may be waited at once, and earns it back.
WAIT_S = STREAM_DEADLINE_S - 1
PARTS = 10
PART = bytes(int(WAIT_S * STREAM_BYTES_PER_S_MIN))


@dataclass
class FakeHouse:
    limits: Limits = field(default_factory=Limits)
    large_bodies: Places = field(default_factory=lambda: Places(1))
    streams: Places = field(default_factory=lambda: Places(1))
    is_strict_transport: bool = True
    is_draining: bool = False

    def last_words(self, error: SallyportError) -> bytes:
        raise error


@dataclass
class SlowLine:
    """A client that sends and takes one part after another, each in its time; keeps what was left of it."""

    came_from: str = "127.0.0.1"
    has_unread: bool = False
    left_s: list[float] = field(default_factory=list)

    @property
    def transport(self) -> asyncio.Transport:
        raise NotImplementedError

    def follow(self, follower: Follower) -> None:
        raise NotImplementedError

    async def read(self, body: Body, patience: Pace) -> bytes:
        self._let_pass(patience)
        return body.take(PART)[0]

    def write(self, data: bytes) -> None:
        assert data

    async def drain(self, patience: Pace) -> None:
        self._let_pass(patience)

    def end_turn(self, *, is_last: bool, is_lingering: bool) -> None:
        assert (is_last, is_lingering) == (False, False)

    def abort(self) -> None:
        raise NotImplementedError

    def _let_pass(self, patience: Pace) -> None:
        self.left_s.append(patience.left_s)
        patience.wait(WAIT_S)


def asked(line: SlowLine, length: int = 0) -> Exchange:
    framing = Framing(length, is_kept=True, is_old=False, expects_continue=False)
    return Exchange(line, FakeHouse(), head=Head("PUT", "/", Fields([])), framing=framing)


async def taken(line: SlowLine) -> None:
    exchange = asked(line, length=PARTS * len(PART))
    assert [len(part) async for part in exchange.chunks()] == [len(PART)] * PARTS


async def given(line: SlowLine) -> None:
    exchange = asked(line)
    await exchange.begin(200, [])
    for _ in range(PARTS):
        await exchange.write(PART)
    await exchange.end()


@pytest.mark.parametrize("moved", [taken, given])
async def test_a_stream_that_moves_is_waited_for_however_long_all_of_it_takes_R25(
    moved: Callable[[SlowLine], Awaitable[None]],
) -> None:
    line = SlowLine()
    await moved(line)
    assert len(line.left_s) >= PARTS
    assert set(line.left_s) == {STREAM_DEADLINE_S}
