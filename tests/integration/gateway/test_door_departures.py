"""Clients that leave before their answer: what they asked for is given up, unless it changes something."""

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable

import pytest

from services.gateway.door.faults import ClientGone, MalformedRequest
from services.gateway.door.request import Request
from services.gateway.model.calls import Answer
from tests.integration.gateway.door import (
    LIMITS,
    PATIENCE_S,
    Cover,
    Script,
    dial,
    exchange,
    heard,
    request,
    serving,
    under_every_cover,
)


class Work:
    """A face that works until it is let go, and keeps what became of it."""

    def __init__(self) -> None:
        self.is_reached = asyncio.Event()
        self.may_pass = asyncio.Event()
        self.end: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def handle(self, asked: Request) -> None:
        self.is_reached.set()
        try:
            await self.may_pass.wait()
        except asyncio.CancelledError:
            self.end.set_result("given up")
            raise
        self.end.set_result("finished")
        asked.answer(Answer(200, [], b"done"))


async def leave(port: int, work: Work, sent: bytes) -> None:
    """Ask, and be gone as soon as somebody works on it."""
    _, writer = await dial(port)
    writer.write(sent)
    await work.is_reached.wait()
    writer.transport.abort()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_read_is_given_up_when_its_client_leaves_R23(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work()
    with caplog.at_level(logging.INFO):
        async with asyncio.timeout(PATIENCE_S), serving(work) as door:
            await leave(door.port, work, request(f"{method} /"))
            assert await work.end == "given up"
            while door._requests:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0)
    assert [record.msg for record in caplog.records] == ["request_abandoned"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_an_effect_goes_on_when_its_client_leaves_and_is_not_told_as_answered_R01(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work()
    with caplog.at_level(logging.INFO):
        async with asyncio.timeout(PATIENCE_S), serving(work) as door:
            await leave(door.port, work, request(f"{method} /"))
            while door._connections:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0)
            work.may_pass.set()
            assert await work.end == "finished"
            while door._requests:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0)
    assert [record.msg for record in caplog.records] == ["request_abandoned"]


async def test_the_place_of_a_client_that_left_is_free_again_R23() -> None:
    work = Work()
    async with (
        asyncio.timeout(PATIENCE_S),
        serving(work, dataclasses.replace(LIMITS, requests_max=1)) as door,
    ):
        await leave(door.port, work, request("GET /"))
        await work.end
        work.end = asyncio.get_running_loop().create_future()
        work.may_pass.set()
        (answer,) = heard(await exchange(door.port, request("GET /", is_last=True)))
    assert answer.status == 200


def fate(of: Callable[[Request], Awaitable[object]]) -> tuple[Script, asyncio.Future[BaseException | None]]:
    """Return a face that does something with its request, and what it raised at the end."""
    raised: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()

    async def act(asked: Request) -> None:
        try:
            await of(asked)
        except Exception as error:
            raised.set_result(error)
            raise
        raised.set_result(None)

    return Script(act), raised


@under_every_cover
async def test_a_body_whose_sender_leaves_in_the_middle_of_it_is_none_T09(cover: Cover) -> None:
    is_read = asyncio.Event()

    async def take(asked: Request) -> None:
        async for _ in asked.chunks():
            is_read.set()

    face, raised = fate(take)
    async with asyncio.timeout(PATIENCE_S), serving(face, tls=cover.contexts) as door:
        _, writer = await dial(door.port, cover.trust)
        writer.write(request("PUT /", "Content-Length: 100000") + b"1")
        await is_read.wait()
        writer.transport.abort()
        assert isinstance(await raised, MalformedRequest)


@under_every_cover
async def test_a_face_whose_client_leaves_in_the_middle_of_an_answer_hears_so_R23(cover: Cover) -> None:
    async def pour(asked: Request) -> None:
        await asked.begin(200, [])
        while True:
            await asked.write(bytes(100_000))

    face, raised = fate(pour)
    async with asyncio.timeout(PATIENCE_S), serving(face, tls=cover.contexts) as door:
        reader, writer = await dial(door.port, cover.trust, limit=1024)
        writer.write(request("POST /"))
        await reader.readexactly(1)
        writer.transport.abort()
        assert isinstance(await raised, ClientGone)
