"""Slow clients at the door: each is cut in its time, and costs the others nothing (T-09, R-25)."""

import asyncio
import dataclasses
from typing import Any

import pytest

from services.gateway.door.faults import ClientGone
from services.gateway.door.limits import Limits
from services.gateway.door.pace import Pace
from services.gateway.door.request import Request
from services.gateway.model.calls import Answer
from tests.integration.gateway.door import (
    LIMITS,
    PATIENCE_S,
    Cover,
    Recorder,
    Script,
    dial,
    exchange,
    heard,
    one_answer,
    request,
    rest_of,
    serving,
    under_every_cover,
)

SHORT_S = 0.05
SLOW_CLIENTS = 500


def limits(**changes: Any) -> Limits:
    return dataclasses.replace(LIMITS, **changes)


@pytest.mark.parametrize("sent", [b"G", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
@under_every_cover
async def test_a_head_that_drips_is_408_and_ends_the_connection_T09(sent: bytes, cover: Cover) -> None:
    async with serving(Recorder(), limits(head_deadline_s=SHORT_S), tls=cover.contexts) as door:
        (answer,) = heard(await exchange(door.port, sent, cover.trust))
    assert (answer.status, answer.code, answer.headers["connection"]) == (408, "request_timeout", "close")


@under_every_cover
async def test_a_second_head_that_drips_is_ended_too_T09(cover: Cover) -> None:
    async with (
        serving(Recorder(), limits(head_deadline_s=SHORT_S), tls=cover.contexts) as door,
        asyncio.timeout(PATIENCE_S),
    ):
        reader, writer = await dial(door.port, cover.trust)
        writer.write(request("GET /"))
        assert (await one_answer(reader)).status == 200
        writer.write(b"GET / HTTP")
        assert (await one_answer(reader)).status == 408
        writer.close()


@under_every_cover
async def test_a_connection_without_a_word_is_closed_without_one_T09(cover: Cover) -> None:
    async with serving(Recorder(), limits(head_deadline_s=SHORT_S), tls=cover.contexts) as door:
        assert await exchange(door.port, b"", cover.trust) == b""


@under_every_cover
async def test_a_connection_that_nobody_uses_is_closed_in_its_time(cover: Cover) -> None:
    async with (
        serving(Recorder(), limits(idle_s_max=SHORT_S), tls=cover.contexts) as door,
        asyncio.timeout(PATIENCE_S),
    ):
        reader, writer = await dial(door.port, cover.trust)
        writer.write(request("GET /"))
        assert (await one_answer(reader)).status == 200
        assert await rest_of(reader) == b""
        writer.close()


UNFINISHED = {
    "small": request("POST /", "Content-Length: 10") + b"1",
    "large": request("POST /", "Content-Length: 100000") + b"1",
    "chunks": request("POST /", "Transfer-Encoding: chunked") + b"5\r\n1",
    "a chunk's size": request("POST /", "Transfer-Encoding: chunked") + b"5",
    "trailers": request("POST /", "Transfer-Encoding: chunked") + b"0\r\na: b\r\n",
}


@pytest.mark.parametrize("data", UNFINISHED.values(), ids=UNFINISHED.keys())
@under_every_cover
async def test_a_body_that_drips_is_408_and_reaches_nobody_T09(data: bytes, cover: Cover) -> None:
    face = Recorder(body_bytes_max=200_000)
    async with serving(face, limits(body_deadline_s=SHORT_S), tls=cover.contexts) as door:
        (answer,) = heard(await exchange(door.port, data, cover.trust))
    assert (answer.status, answer.code, answer.headers["connection"]) == (408, "request_timeout", "close")
    assert not face.seen


@under_every_cover
async def test_a_stream_that_falls_silent_is_ended_T09(cover: Cover) -> None:
    parts: list[bytes] = []

    async def take(asked: Request) -> None:
        parts.extend([part async for part in asked.chunks()])

    async with serving(Script(take), limits(stream_deadline_s=SHORT_S), tls=cover.contexts) as door:
        (answer,) = heard(await exchange(door.port, UNFINISHED["large"], cover.trust))
    assert (answer.status, parts) == (408, [])


def test_a_stream_is_waited_for_longer_the_more_has_moved_and_never_long_at_once_R25() -> None:
    pace = Pace(30.0, 1000)
    assert pace.left_s == 30
    pace.wait(25.0)
    assert pace.left_s == 5
    pace.move(10_000)
    assert pace.left_s == 15
    pace.move(10_000_000)
    assert pace.left_s == 30
    drip = Pace(30.0, 1000)
    for _ in range(5):
        drip.wait(5.99)
        drip.move(1)
    assert drip.left_s < 0.1


@under_every_cover
async def test_a_client_that_does_not_take_its_answer_loses_the_connection_R25(cover: Cover) -> None:
    async def pour(asked: Request) -> None:
        asked.answer(Answer(200, [], bytes(30_000_000)))

    async with (
        serving(Script(pour), limits(answer_deadline_s=SHORT_S), tls=cover.contexts) as door,
        asyncio.timeout(PATIENCE_S),
    ):
        reader, writer = await dial(door.port, cover.trust, limit=1024)
        writer.write(request("GET /"))
        await door.stop(grace_s=PATIENCE_S)
        assert len(await rest_of(reader)) < 30_000_000
        writer.close()


@pytest.mark.parametrize("is_last", [False, True], ids=["kept", "last"])
@under_every_cover
async def test_slow_clients_together_hold_a_bounded_part_of_their_answers_R23(
    is_last: bool, cover: Cover
) -> None:
    size, held_max = 30_000_000, 70_000_000

    async def pour(asked: Request) -> None:
        asked.answer(Answer(200, [], bytes(size)))

    async with (
        serving(Script(pour), limits(unsent_bytes_max=held_max), tls=cover.contexts) as door,
        asyncio.timeout(PATIENCE_S),
    ):
        slow = []
        for _ in range(6):
            reader, writer = await dial(door.port, cover.trust, limit=1024)
            writer.write(request("GET /", is_last=is_last))
            await reader.readexactly(1)
            slow.append((reader, writer))
            assert door.unsent.bytes <= held_max
        quick = heard(await exchange(door.port, request("GET /", is_last=True), cover.trust))
        taken = [1 + len(await rest_of(slow[number][0])) for number in (0, 1, 2, 3)]
        for _, writer in slow:
            writer.close()
    assert [len(answer.body) for answer in quick] == [size]
    assert max(taken) < size, "whoever is behind for longest is cut off"


@under_every_cover
async def test_a_client_that_takes_its_answer_after_all_or_leaves_is_behind_no_more_R23(cover: Cover) -> None:
    async def pour(asked: Request) -> None:
        asked.answer(Answer(200, [], bytes(30_000_000 if asked.head.target == "/large" else 1)))

    async with serving(Script(pour), tls=cover.contexts) as door, asyncio.timeout(PATIENCE_S):
        reader, writer = await dial(door.port, cover.trust, limit=1024)
        writer.write(request("GET /large"))
        await reader.readexactly(1)
        assert door.unsent.bytes > 20_000_000
        await one_answer(reader)
        writer.write(request("GET /"))
        await one_answer(reader)
        assert door.unsent.bytes == 0
        writer.write(request("GET /large"))
        await reader.readexactly(1)
        assert door.unsent.bytes > 20_000_000
        writer.transport.abort()
        await door.stop(grace_s=PATIENCE_S)
        assert door.unsent.bytes == 0


@under_every_cover
async def test_a_client_that_does_not_take_a_stream_is_gone_for_the_face_R25(cover: Cover) -> None:
    written: list[int] = []
    told: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    async def pour(asked: Request) -> None:
        await asked.begin(200, [])
        try:
            for _ in range(100):
                await asked.write(bytes(1_000_000))
                written.append(1)
        except ClientGone as gone:
            told.set_result(gone)
            raise

    async with (
        serving(Script(pour), limits(stream_deadline_s=SHORT_S), tls=cover.contexts) as door,
        asyncio.timeout(PATIENCE_S),
    ):
        reader, writer = await dial(door.port, cover.trust, limit=1024)
        writer.write(request("GET /"))
        await told
        assert len(written) < 50
        assert not (await rest_of(reader)).endswith(b"0\r\n\r\n")
        writer.close()


async def test_many_slow_clients_leave_others_served_and_take_no_place_among_them_R25() -> None:
    """No more requests at once than one; `python -m bench slow` has two thousand, and TLS."""
    face = Recorder()
    kinds = [b"", b"GET / HT", UNFINISHED["small"]]
    async with serving(face, limits(requests_max=1)) as door, asyncio.timeout(PATIENCE_S):
        slow = await asyncio.gather(*(dial(door.port) for _ in range(SLOW_CLIENTS)))
        for number, (_, writer) in enumerate(slow):
            writer.write(kinds[number % len(kinds)])
        for _ in range(20):
            (answer,) = heard(await exchange(door.port, request("GET /", is_last=True)))
            assert answer.status == 200
        for _, writer in slow:
            writer.close()
    assert len(face.seen) == 20


async def test_slow_large_bodies_take_their_own_few_places_and_no_others_R23() -> None:
    face = Recorder(body_bytes_max=200_000)
    async with serving(face, limits(large_bodies_max=2)) as door, asyncio.timeout(PATIENCE_S):
        slow = []
        for _ in range(2):
            reader, writer = await dial(door.port)
            writer.write(request("POST /", "Content-Length: 100000", "Expect: 100-continue"))
            assert (await one_answer(reader)).status == 100
            slow.append(writer)
        (answer,) = heard(
            await exchange(door.port, request("POST /", "Transfer-Encoding: chunked") + b"5\r\n12345\r\n")
        )
        assert (answer.status, answer.code) == (503, "overloaded")
        assert answer.headers["retry-after"]
        (answer,) = heard(await exchange(door.port, request("POST /", body=b"small", is_last=True)))
        assert answer.status == 200
        for writer in slow:
            writer.close()
