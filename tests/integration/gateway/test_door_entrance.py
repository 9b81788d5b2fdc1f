"""Newcomers at the door: one at a time, in the order of their coming, and others between them (R-25)."""

import asyncio
import dataclasses
import os
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from services.gateway.door import limits
from services.gateway.door.entrance import Entrance, Turnstile
from services.gateway.door.request import Request
from services.gateway.model.calls import Answer
from tests.integration.gateway.door import (
    LIMITS,
    LOOPBACK,
    PATIENCE_S,
    TLS,
    MakeLoop,
    Recorder,
    Script,
    dial,
    exchange,
    heard,
    on,
    on_every_loop,
    one_answer,
    request,
    rest_of,
    serving,
)

NEWCOMERS = 60
# The door and its callers share a loop here: a call takes a handful of its turns.
NEWCOMERS_DURING_A_CALL_MAX = 20
LAST = request("GET /", is_last=True)


class Turns:
    """Counts the turns of the event loop, and notes in which of them something happened."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._number = 0
        self._handle = self._loop.call_soon(self._turn)
        self.noted: list[int] = []

    def note(self) -> None:
        self.noted.append(self._number)

    def stop(self) -> None:
        self._handle.cancel()

    def _turn(self) -> None:
        self._number += 1
        self._handle = self._loop.call_soon(self._turn)


class Admitted:
    """Keeps the sockets that an entrance lets in, and tells when there are enough of them."""

    def __init__(self, count: int = 1) -> None:
        self.sockets: list[socket.socket] = []
        self.turns = Turns()
        self.are_all_in = asyncio.Event()
        self._count = count

    def take(self, newcomer: socket.socket) -> None:
        self.sockets.append(newcomer)
        self.turns.note()
        if len(self.sockets) == self._count:
            self.are_all_in.set()


@asynccontextmanager
async def entrance(admitted: Admitted) -> AsyncIterator[Entrance]:
    opened = Entrance(admitted.take)
    await opened.open(LOOPBACK)
    try:
        yield opened
    finally:
        opened.close()
        admitted.turns.stop()
        for each in admitted.sockets:
            each.close()


@contextmanager
def knocking(port: int, count: int) -> Iterator[list[socket.socket]]:
    """Knock so often; who knocks is connected as far as the kernel goes."""
    sockets = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) for _ in range(count)]
    try:
        yield sockets
    finally:
        for each in sockets:
            each.close()


# At the entrance


@on_every_loop
async def test_those_who_knock_at_once_come_in_one_a_turn_and_in_their_order_R25(loop: MakeLoop) -> None:
    async def work() -> None:
        admitted = Admitted(NEWCOMERS)
        async with entrance(admitted) as door:
            with knocking(door.port, NEWCOMERS) as sockets:
                await admitted.are_all_in.wait()
                assert [each.getpeername() for each in admitted.sockets] == [
                    each.getsockname() for each in sockets
                ]
        assert len(set(admitted.turns.noted)) == NEWCOMERS

    await on(loop, work)


async def test_who_waits_outside_is_sent_away_when_the_entrance_closes_R16() -> None:
    admitted = Admitted(2)
    async with entrance(admitted) as door:
        with knocking(door.port, 1) as (waiting,):
            door.close()
            with pytest.raises(ConnectionResetError):
                waiting.recv(1)
    assert not admitted.sockets


async def test_an_entrance_that_is_woken_for_nobody_waits_for_nobody_R25(
    caplog: pytest.LogCaptureFixture,
) -> None:
    admitted = Admitted()
    async with entrance(admitted) as door, asyncio.timeout(PATIENCE_S):
        (listening,) = door._listening
        assert not listening.getblocking(), "or the whole gateway would wait"
        door._accept(listening)
        with knocking(door.port, 1):
            await admitted.are_all_in.wait()
    assert caplog.records == []


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """Have the system refuse every new descriptor."""
    was = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, was[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, was)


async def test_a_newcomer_for_whom_no_descriptor_is_left_comes_in_when_there_is_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(limits, "ACCEPT_RETRY_S", 0.01)
    admitted = Admitted()
    async with entrance(admitted) as door, asyncio.timeout(PATIENCE_S):
        with knocking(door.port, 1):
            with no_descriptor_left():
                while not caplog.records:  # noqa: ASYNC110 - the log has no event
                    await asyncio.sleep(0)
            assert not admitted.sockets
            await admitted.are_all_in.wait()
    assert "connection_not_accepted" in caplog.text


async def test_a_turnstile_lets_one_through_a_turn_and_the_first_at_once() -> None:
    turnstile, turns, passed, are_through = Turnstile(), Turns(), list[int](), asyncio.Event()

    def go_on(number: int) -> None:
        passed.append(number)
        turns.note()
        if number == NEWCOMERS - 1:
            are_through.set()

    for number in range(NEWCOMERS):
        turnstile.queue(lambda number=number: go_on(number))  # type: ignore[misc]
    assert passed == [0]
    async with asyncio.timeout(PATIENCE_S):
        await are_through.wait()
    turns.stop()
    assert passed == list(range(NEWCOMERS))
    assert len(set(turns.noted)) == NEWCOMERS


# Behind it


@on_every_loop
async def test_calls_are_answered_between_the_newcomers_of_a_wave_R25(loop: MakeLoop) -> None:
    async def work() -> None:
        newcomers, by_call = 0, list[int]()

        async def count(asked: Request) -> None:
            nonlocal newcomers
            if asked.head.target == "/new":
                newcomers += 1
            asked.answer(Answer(200, [], b"done"))

        async with serving(Script(count), tls=TLS.contexts) as door:
            reader, writer = await dial(door.port, TLS.trust)
            wave = asyncio.gather(
                *(exchange(door.port, request("GET /new", is_last=True), TLS.trust) for _ in range(NEWCOMERS))
            )
            while not wave.done():
                before = newcomers
                writer.write(request("GET /"))
                answer = await one_answer(reader)
                assert answer.status == 200
                by_call.append(newcomers - before)
            writer.close()
            assert {heard(data)[0].status for data in await wave} == {200}
        assert newcomers == NEWCOMERS
        assert max(by_call) <= NEWCOMERS_DURING_A_CALL_MAX

    await on(loop, work)


async def test_a_handshake_under_way_takes_a_place_among_the_connections_R23() -> None:
    one = dataclasses.replace(LIMITS, connections_max=1)
    async with serving(Recorder(), one, tls=TLS.contexts) as door:
        with knocking(door.port, 1):
            (refused,) = heard(await exchange(door.port, LAST, TLS.trust))
    assert refused.status == 503


@on_every_loop
async def test_a_handshake_that_fails_gives_its_place_back_R23(loop: MakeLoop) -> None:
    async def work() -> None:
        one = dataclasses.replace(LIMITS, connections_max=1)
        async with serving(Recorder(), one, tls=TLS.contexts) as door:
            await exchange(door.port, b"no handshake\r\n\r\n")
            (answer,) = heard(await exchange(door.port, LAST, TLS.trust))
        assert answer.status == 200

    await on(loop, work)


@on_every_loop
async def test_a_handshake_under_way_ends_with_the_door_R16(loop: MakeLoop) -> None:
    async def work() -> None:
        async with serving(Recorder(), tls=TLS.contexts) as door:
            reader, writer = await dial(door.port)
            writer.write(b"\x16")
            while not door._handshakes:  # noqa: ASYNC110 - nobody else is told
                await asyncio.sleep(0)
        assert await rest_of(reader) == b""
        writer.close()

    await on(loop, work)
