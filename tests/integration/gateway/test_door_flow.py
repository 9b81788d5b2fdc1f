"""Requests and answers at the door: in order, in streams, however their bytes are cut."""

import asyncio
import dataclasses
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.gateway.door import limits
from services.gateway.door.request import Request
from services.gateway.model.calls import Answer
from services.gateway.model.fields import Fields
from tests.integration.gateway.door import (
    COVERS,
    LIMITS,
    PATIENCE_S,
    Cover,
    Gate,
    Heard,
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

LAST = request("GET /last", is_last=True)


async def test_every_answer_has_the_security_headers_and_one_length() -> None:
    async with serving(Recorder()) as door:
        data = await exchange(door.port, LAST)
    (answer,) = heard(data)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "deny"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["server"] == "sallyport"
    assert answer.headers["date"].endswith("gmt")
    assert data.lower().count(b"content-length") == 1


async def test_a_face_may_decide_a_header_itself_and_end_no_line_early() -> None:
    async def act(asked: Request) -> None:
        is_bad = asked.head.target == "/bad"
        value = "a\r\nset-cookie: b" if is_bad else "private"
        asked.answer(Answer(200, [("Cache-Control", value)], b""))

    async with serving(Script(act)) as door:
        good, bad = heard(await exchange(door.port, request("GET /") + request("GET /bad", is_last=True)))
    assert good.headers["cache-control"] == "private"
    assert (bad.status, "set-cookie" in bad.headers) == (500, False)


async def test_head_says_the_length_and_sends_nothing_of_it() -> None:
    async with serving(Recorder()) as door:
        data = await exchange(door.port, request("HEAD /") + LAST)
    first, second = heard(data, ["HEAD", "GET"])
    assert int(first.headers["content-length"]) > 0
    assert second.status == 200


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_without_a_body_has_no_framing(status: int) -> None:
    async def act(asked: Request) -> None:
        await asked.begin(status, [])
        await asked.end()

    async with serving(Script(act)) as door:
        (answer,) = heard(await exchange(door.port, LAST), ["HEAD"])
    assert not {"content-length", "transfer-encoding"} & answer.headers.keys()


@under_every_cover
async def test_a_client_that_asks_whether_to_go_on_hears_so_when_its_body_is_read(cover: Cover) -> None:
    face = Recorder()
    async with serving(face, tls=cover.contexts) as door, asyncio.timeout(PATIENCE_S):
        reader, writer = await dial(door.port, cover.trust)
        writer.write(request("POST /", "Content-Length: 3", "Expect: 100-continue"))
        assert (await one_answer(reader)).status == 100
        writer.write(b"abc")
        assert (await one_answer(reader)).status == 200
        writer.close()
    assert face.seen == [("POST", "/", b"abc")]


async def test_a_client_that_asks_whether_to_go_on_and_does_not_wait_hears_its_answer_alone() -> None:
    """RFC 9110, 10.1.1: who has begun to send the body needs no word to go on."""
    async with serving(Recorder()) as door:
        data = request("POST /", "Expect: 100-continue", body=b"abc", is_last=True)
        (answer,) = heard(await exchange(door.port, data))
    assert answer.status == 200


@under_every_cover
async def test_a_client_that_goes_on_sending_a_refused_body_hears_so_T09(cover: Cover) -> None:
    patient = dataclasses.replace(LIMITS, linger_s_max=PATIENCE_S)
    async with serving(Recorder(), patient, tls=cover.contexts) as door, asyncio.timeout(PATIENCE_S):
        reader, writer = await dial(door.port, cover.trust)
        writer.write(request("POST /", "Content-Length: 20000000"))
        for _ in range(200):
            writer.write(bytes(100_000))
            await writer.drain()
        answer = await one_answer(reader)
        assert (answer.status, answer.headers["connection"]) == (413, "close")
        writer.close()


async def test_a_client_that_asks_is_not_told_to_go_on_when_nobody_reads_T09() -> None:
    async with serving(Recorder()) as door:
        data = request("POST /", "Content-Length: 5000", "Expect: 100-continue")
        (answer,) = heard(await exchange(door.port, data))
    assert (answer.status, answer.headers["connection"]) == (413, "close")


@under_every_cover
async def test_pipelined_requests_are_answered_in_their_order_one_at_a_time(cover: Cover) -> None:
    running, most = 0, 0

    async def act(asked: Request) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        asked.answer(Answer(200, [], asked.head.target.encode()))

    async with serving(Script(act), tls=cover.contexts) as door:
        data = b"".join(request(f"GET /{number}") for number in range(300)) + LAST
        answers = heard(await exchange(door.port, data, cover.trust))
    assert [answer.body for answer in answers] == [b"/%d" % number for number in range(300)] + [b"/last"]
    assert most == 1


@under_every_cover
async def test_reading_pauses_while_more_is_sent_than_is_served_R23(cover: Cover) -> None:
    gate, size = Gate(), 8_000_000
    async with serving(gate, tls=cover.contexts) as door, asyncio.timeout(PATIENCE_S):
        _, writer = await dial(door.port, cover.trust)
        flood = b"".join(request(f"GET /{number}") for number in range(1000))
        writer.write(flood * (size // len(flood)))
        await gate.is_reached.wait()
        (connection,) = door._connections
        while not connection._is_reading_paused:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(connection._unread) < limits.READ_AHEAD_BYTES_MAX + 300_000
        writer.transport.abort()


@under_every_cover
async def test_a_request_in_http_1_0_is_answered_and_not_kept(cover: Cover) -> None:
    async def act(asked: Request) -> None:
        await asked.begin(200, [])
        await asked.write(b"until")
        await asked.write(b" the end")
        await asked.end()

    async with serving(Script(act), tls=cover.contexts) as door:
        head = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\nKeep-Alive: 300\r\n\r\n"
        (answer,) = heard(await exchange(door.port, head + LAST, cover.trust))
    assert answer.body == b"until the end"
    assert "transfer-encoding" not in answer.headers


async def test_no_head_is_known_for_longer_than_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEADS_KNOWN_S_MAX", 0.01)
    seen: list[Fields] = []

    async def act(asked: Request) -> None:
        seen.append(asked.head.fields)
        asked.answer(Answer(200, [], b""))

    async with serving(Script(act)) as door, asyncio.timeout(PATIENCE_S):
        reader, writer = await dial(door.port)
        while not seen or seen[-1] is seen[0]:
            writer.write(request("GET /", "x-amz-access-token: t"))
            await one_answer(reader)
        writer.close()


# Streams


@under_every_cover
async def test_a_stream_goes_both_ways_as_it_comes(cover: Cover) -> None:
    async def act(asked: Request) -> None:
        await asked.begin(200, [("content-type", "text/plain")])
        async for part in asked.chunks():
            await asked.write(part.upper())
        await asked.end()

    async with serving(Script(act), tls=cover.contexts) as door, asyncio.timeout(PATIENCE_S):
        reader, writer = await dial(door.port, cover.trust)
        writer.write(request("PUT /", "Transfer-Encoding: chunked"))
        await reader.readuntil(b"\r\n\r\n")
        for word in (b"one", b"two", b"three"):
            writer.write(b"%x;name=value\r\n%b\r\n" % (len(word), word))
            assert await reader.readuntil(b"\r\n") == b"%x\r\n" % len(word)
            assert await reader.readuntil(b"\r\n") == word.upper() + b"\r\n"
        writer.write(b"0\r\nX-Trailer: a\r\n\r\n")
        assert await reader.readexactly(5) == b"0\r\n\r\n"
        writer.close()


@pytest.mark.parametrize("headers", [[], [("content-length", "6")]], ids=["in chunks", "of a length"])
async def test_a_stream_ends_where_its_face_says_so_and_the_next_answer_follows(
    headers: list[tuple[str, str]],
) -> None:
    async def act(asked: Request) -> None:
        await asked.begin(200, headers)
        for part in (b"one", b"", b"two"):
            await asked.write(part)
        await asked.end()

    async with serving(Script(act)) as door:
        answers = heard(await exchange(door.port, request("GET /") + LAST))
    assert [answer.body for answer in answers] == [b"onetwo", b"onetwo"]


@under_every_cover
async def test_a_face_that_stops_reading_makes_the_client_stop_R23(cover: Cover) -> None:
    gate, begun = asyncio.Event(), asyncio.Event()
    sizes: list[int] = []

    async def act(asked: Request) -> None:
        async for part in asked.chunks():
            sizes.append(len(part))
            begun.set()
            await gate.wait()
        asked.answer(Answer(200, [], str(sum(sizes)).encode()))

    async with serving(Script(act), tls=cover.contexts) as door, asyncio.timeout(PATIENCE_S):
        reader, writer = await dial(door.port, cover.trust)
        writer.write(request("PUT /", "Content-Length: 20000000"))
        writer.write(bytes(20_000_000))
        await begun.wait()
        for _ in range(1000):
            await asyncio.sleep(0)
        (connection,) = door._connections
        assert len(sizes) == 1
        assert len(connection._unread) < limits.READ_AHEAD_BYTES_MAX + 300_000
        gate.set()
        assert (await one_answer(reader)).body == b"20000000"
        writer.close()


@under_every_cover
async def test_a_pause_in_the_middle_of_a_chunks_size_ends_R23(cover: Cover) -> None:
    gate, begun = asyncio.Event(), asyncio.Event()

    async def act(asked: Request) -> None:
        size = 0
        async for part in asked.chunks():
            size += len(part)
            begun.set()
            await gate.wait()
        asked.answer(Answer(200, [], str(size).encode()))

    async with serving(Script(act), tls=cover.contexts) as door, asyncio.timeout(PATIENCE_S):
        reader, writer = await dial(door.port, cover.trust)
        writer.write(request("PUT /", "Transfer-Encoding: chunked") + b"1\r\nx\r\n")
        await begun.wait()
        (connection,) = door._connections
        writer.write(b"20000\r\n" + bytes(0x20000) + b"\r\n5")
        while not connection._is_reading_paused:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)
        await writer.drain()
        gate.set()
        writer.write(b"\r\nhello\r\n0\r\n\r\n")
        assert (await one_answer(reader)).body == str(1 + 0x20000 + 5).encode()
        writer.close()


@under_every_cover
async def test_a_client_that_stops_reading_makes_the_face_stop_R23(cover: Cover) -> None:
    written: list[int] = []
    begun = asyncio.Event()

    async def act(asked: Request) -> None:
        await asked.begin(200, [("Content-Length", "40000000")])
        for _ in range(400):
            await asked.write(bytes(100_000))
            written.append(1)
            begun.set()
        await asked.end()

    async with serving(Script(act), tls=cover.contexts) as door, asyncio.timeout(PATIENCE_S):
        reader, writer = await dial(door.port, cover.trust, limit=1024)
        writer.write(request("GET /", is_last=True))
        await begun.wait()
        for _ in range(1000):
            await asyncio.sleep(0)
        assert len(written) < 100
        (answer,) = heard(await rest_of(reader))
        assert (len(answer.body), len(written)) == (40_000_000, 400)
        writer.close()


@pytest.mark.parametrize("kind", ["raises", "ends early", "runs over", "forgets to end"])
@under_every_cover
async def test_half_an_answer_is_broken_off_and_never_looks_whole(kind: str, cover: Cover) -> None:
    async def act(asked: Request) -> None:
        await asked.begin(200, [("content-length", "10")] if kind in {"ends early", "runs over"} else [])
        await asked.write(b"half an" if kind != "runs over" else b"more than ten")
        if kind == "raises":
            raise ValueError("Jane Doe")
        if kind != "forgets to end":
            await asked.end()

    async with serving(Script(act), tls=cover.contexts) as door:
        data = await exchange(door.port, request("GET /") + LAST, cover.trust)
    assert data.count(b"HTTP/1.1") <= 1
    assert not data.endswith(b"\r\n0\r\n\r\n")
    assert b"Jane" not in data


async def test_a_face_that_forgets_to_answer_is_a_mistake_of_ours() -> None:
    async def act(_asked: Request) -> None:
        pass

    async with serving(Script(act)) as door:
        (answer,) = heard(await exchange(door.port, LAST))
    assert answer.status == 500


async def test_nothing_can_be_written_behind_the_end_of_an_answer() -> None:
    refused: list[str] = []

    async def act(asked: Request) -> None:
        await asked.begin(200, [])
        await asked.end()
        with pytest.raises(RuntimeError):
            await asked.write(b"into another's answer")
        with pytest.raises(RuntimeError):
            await asked.end()
        with pytest.raises(RuntimeError):
            asked.answer(Answer(200, [], b"twice"))
        refused.append(asked.head.target)

    async with serving(Script(act)) as door:
        first, second = heard(await exchange(door.port, request("GET /") + LAST))
    assert (first.body, second.body) == (b"", b"")
    assert refused == ["/", "/last"]


async def test_more_streams_than_held_at_a_time_are_503_R23() -> None:
    gate = Gate()

    async def act(asked: Request) -> None:
        await asked.begin(200, [])
        await gate.handle(asked) if asked.head.target == "/wait" else None
        await asked.end()

    async with serving(Script(act), dataclasses.replace(LIMITS, streams_max=1)) as door:
        first = asyncio.create_task(exchange(door.port, request("GET /wait", is_last=True)))
        await gate.is_reached.wait()
        (answer,) = heard(await exchange(door.port, LAST))
        assert (answer.status, answer.code) == (503, "overloaded")
        first.cancel()


# However it is cut

TARGETS = st.sampled_from(["/", "/orders/v0/orders?MarketplaceIds=A%2CB", "/a%2Fb", "//x"])
BODIES = st.binary(max_size=40)


@st.composite
def requests(draw: st.DrawFn) -> tuple[bytes, tuple[str, str, bytes]]:
    """Draw a request as bytes, and what a face sees of it."""
    method, target, body = draw(st.sampled_from(["GET", "POST", "PUT"])), draw(TARGETS), draw(BODIES)
    if not draw(st.booleans()):
        return request(f"{method} {target}", "X-A: b", body=body), (method, target, body)
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=3)))
    parts = [body[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    chunks = b"".join(b"%X\r\n%b\r\n" % (len(part), part) for part in parts if part)
    trailer = draw(st.sampled_from([b"", b"X-Trailer: a\r\n"]))
    data = request(f"{method} {target}", "Transfer-Encoding: chunked") + chunks + b"0\r\n" + trailer + b"\r\n"
    return data, (method, target, body)


def told(answers: Sequence[Heard]) -> list[bytes]:
    return [answer.body for answer in answers]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(requests(), min_size=1, max_size=4), st.data())
async def test_any_cut_of_the_bytes_gives_the_same_requests_and_answers(
    drawn: list[tuple[bytes, tuple[str, str, bytes]]], data: st.DataObject
) -> None:
    whole, cut = Recorder(), Recorder()
    stream = b"".join(each for each, _ in drawn) + LAST
    seen = [each for _, each in drawn] + [("GET", "/last", b"")]
    marks = sorted(data.draw(st.sets(st.integers(1, len(stream) - 1), max_size=8)))
    cover = data.draw(st.sampled_from(list(COVERS.values())))
    async with serving(whole) as door:
        expected = told(heard(await exchange(door.port, stream)))
    async with serving(cut, tls=cover.contexts) as door, asyncio.timeout(PATIENCE_S):
        reader, writer = await dial(door.port, cover.trust)
        for begin, end in zip([0, *marks], [*marks, len(stream)], strict=True):
            writer.write(stream[begin:end])
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        got = told(heard(await rest_of(reader)))
        writer.close()
    assert whole.seen == cut.seen == seen
    assert got == expected
