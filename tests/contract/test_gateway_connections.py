"""The connections to Amazon: kept, checked, bounded, ended; over real TLS with an origin of our own."""

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from chassis.secrecy import Secret
from services.gateway.amazon import pool
from services.gateway.amazon.answers import HEAD_BYTES_MAX
from services.gateway.amazon.large_answers import LARGE_ANSWERS_MAX, SMALL_BYTES_MAX
from services.gateway.amazon.requests import encode
from services.gateway.model.calls import Region, UpstreamAnswer
from services.gateway.model.faults import (
    DeadlineExceeded,
    UpstreamBusy,
    UpstreamInvalid,
    UpstreamLost,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from tests.contract.amazon_origin import (
    OK,
    PATIENCE_S,
    Origin,
    Real,
    open_origin,
    request,
    saying,
    wire,
)

SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CHUNKED = {"content_length": "", "transfer_encoding": "chunked"}
LARGE = b'"' + b"x" * 4_194_304 + b'"'


@pytest.fixture
async def real(tmp_path: Path) -> AsyncIterator[Real]:
    async with open_origin(tmp_path, Origin({})) as made:
        yield made


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def until(is_so: object, tries: int = 1_000) -> None:
    """Let the loop turn until something is so."""
    for _ in range(tries):
        if is_so():  # type: ignore[operator]
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not come to it")


# --- what is taken


async def test_a_connection_serves_one_call_after_another(real: Real) -> None:
    for _ in range(5):
        await real.send("/ok")
    assert real.origin.connections == [1] * 5


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (CONTINUE * 2 + wire("200 OK"), b"{}"),
        (wire("200 OK", b"2;x=y\r\n{}\r\n0\r\nx-trailer: 1\r\n\r\n", **CHUNKED), b"{}"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
async def test_an_unusual_but_right_answer_is_taken_and_the_connection_kept(
    real: Real, said: bytes, body: bytes
) -> None:
    real.origin.plays["/odd"] = saying(said)
    assert (await real.send("/odd")).body == body
    await real.send("/ok")
    assert real.origin.connections == [1, 1]


async def test_a_trailer_is_no_header(real: Real) -> None:
    trailer = b"0\r\ncontent-type: text/html\r\nx-trailer: 1\r\n\r\n"
    real.origin.plays["/trailer"] = saying(wire("200 OK", trailer, **CHUNKED))
    answer = await real.send("/trailer")
    assert answer.header("content-type") == "application/json"
    assert not answer.header("x-trailer")


async def test_of_a_head_only_what_somebody_reads_is_kept(real: Real) -> None:
    real.origin.plays["/much"] = saying(wire("200 OK", X_Amzn_RequestId="r-1", set_cookie="a=b", server="x"))
    answer = await real.send("/much")
    assert answer.headers == [("content-type", "application/json"), ("x-amzn-requestid", "r-1")]


async def test_a_compressed_body_in_many_pieces_is_put_together(real: Real) -> None:
    whole = b'"' + b"0123456789" * 30_000 + b'"'
    packed = gzip.compress(whole, compresslevel=0)
    pieces = [packed[at : at + 20_000] for at in range(0, len(packed), 20_000)]
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]
    head = wire("200 OK", b"", content_encoding="gzip", **CHUNKED)
    real.origin.plays["/pieces"] = saying(head, *chunks, b"0\r\n\r\n")
    assert (await real.send("/pieces")).body == whole


@pytest.mark.parametrize(
    "said",
    [
        CONTINUE * 5 + wire("200 OK"),
        SWITCH,
        wire("200 OK", content_length=""),
        wire("200 OK", content_length="2, 2"),
        wire("200 OK", Content_Length="2"),
        wire("200 OK", content_encoding="identity", Content_Encoding="identity"),
        wire("200 OK").replace(
            b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\ncontent-encoding: identity\r\n\r\n"
        ),
        wire("200 OK", content_length="+2"),
        wire("200 OK", content_length="99999999999999999999"),
        wire("200 OK", content_length=str(17 * 1_048_576)),
        wire("200 OK", b"2\r\n{}\r\n0\r\n\r\n", content_length="", transfer_encoding="gzip, chunked"),
        wire("200 OK", b"2\r\n{}\r\n0\r\n\r\n", content_length="", transfer_encoding="chunked, chunked"),
        wire("200 OK", b"2\r\n{}\r\n0\r\n\r\n", content_length="", transfer_encoding="xchunked"),
        wire("200 OK", b"-2\r\n{}\r\n0\r\n\r\n", **CHUNKED),
        wire("200 OK").replace(b"HTTP/1.1", b"HTTP/1.0"),
        wire("200 OK").replace(b"HTTP/1.1", b"HTTP/2.0"),
        wire("200 OK").replace(b"\r\n", b"\n"),
        wire("200 OK", x_folded="a\r\n b"),
        wire("200 OK", x_zero="a\0b"),
        wire("200 OK", b"{}", **{f"x_{number}": "1" for number in range(101)}),
        wire("304 Not Modified"),
        wire("199 Early"),
        b"0\r\n\r\n",
        b"",
    ],
)
async def test_an_answer_that_is_odd_in_any_way_is_not_taken_T29(real: Real, said: bytes) -> None:
    async def play(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    real.origin.plays["/odd"] = play
    with pytest.raises(UpstreamInvalid if said else UpstreamLost):
        await real.send("/odd")
    await until(lambda: real.origin.ended)


async def test_a_head_without_an_end_is_cut_off_T29(real: Real) -> None:
    async def play(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nx-endless: ")
        while not writer.is_closing():
            writer.write(b"x" * 16_384)
            await writer.drain()

    real.origin.plays["/endless-head"] = play
    with pytest.raises(UpstreamInvalid):
        await real.send("/endless-head")


@pytest.mark.parametrize(("spare", "is_taken"), [(0, True), (-1, False)])
async def test_a_head_may_be_as_long_as_its_bound_however_long_the_body_T29(
    real: Real, spare: int, *, is_taken: bool
) -> None:
    body = b'"' + b"x" * 2 * HEAD_BYTES_MAX + b'"'
    bare = len(wire("200 OK", body, x_long="x")) - len(body) - 1
    said = wire("200 OK", body, x_long="x" * (HEAD_BYTES_MAX - bare - spare))
    real.origin.plays["/long"] = saying(said)
    if is_taken:
        assert (await real.send("/long")).body == body
    else:
        with pytest.raises(UpstreamInvalid):
            await real.send("/long")


async def test_bytes_after_an_answer_are_nobodys_answer_T29(real: Real) -> None:
    smuggled = wire("200 OK", b'{"of":"another"}')
    real.origin.plays["/two"] = saying(wire("200 OK", b'{"a":1}') + smuggled)
    assert (await real.send("/two")).body == b'{"a":1}'
    assert (await real.send("/ok")).body == b'{"a":1}'
    assert real.origin.connections == [1, 2]


async def test_what_an_idle_connection_says_is_nobodys_answer_T29(real: Real) -> None:
    is_time = asyncio.Event()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await OK(reader, writer)
        await is_time.wait()
        writer.write(wire("200 OK", b'{"of":"another"}'))

    real.origin.plays["/later"] = play
    await real.send("/later")
    is_time.set()
    await until(lambda: real.origin.ended)
    assert (await real.send("/ok")).body == b'{"a":1}'
    assert real.origin.connections == [1, 2]


async def test_an_idle_connection_holds_nothing_of_what_it_was_told(real: Real) -> None:
    packed = gzip.compress(LARGE, compresslevel=0)
    real.origin.plays["/large"] = saying(wire("200 OK", LARGE))
    real.origin.plays["/packed"] = saying(wire("200 OK", packed, content_encoding="gzip"))
    await real.send("/ok")
    tracemalloc.start()
    try:
        for path in ("/large", "/packed"):
            is_whole = (await real.send(path)).body == LARGE
            assert is_whole
            await until(lambda: tracemalloc.get_traced_memory()[0] < len(LARGE) / 10)
    finally:
        tracemalloc.stop()
    assert real.origin.connections == [1, 1, 1]


async def test_an_early_answer_is_taken_and_its_connection_ended(real: Real) -> None:
    async def play(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(wire("413 Too Large", b'{"errors":[]}'))
        await writer.drain()
        await asyncio.Event().wait()

    real.origin.plays["/early"] = play
    asked = request("/early", body=LARGE * 4)
    answer = await real.upstream.send(asked, timeout_s=PATIENCE_S)
    assert answer.status == 413
    await real.send("/ok")
    assert real.origin.connections == [1, 2]


# --- when a connection has ended


async def test_a_connection_that_amazon_ended_is_not_used_again(real: Real) -> None:
    real.origin.is_closing = True
    for _ in range(3):
        await real.send("/ok")
        await until(lambda: real.origin.ended == len(real.origin.heard))
    assert real.origin.connections == [1, 2, 3]


async def test_an_idle_connection_is_ended_before_amazon_does(
    real: Real, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "IDLE_S_MAX", 0.0)
    await real.send("/ok")
    await until(lambda: real.origin.ended)
    await real.send("/ok")
    assert real.origin.connections == [1, 2]


async def test_an_old_connection_is_replaced(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "AGE_S_MAX", 0.0)
    await real.send("/ok")
    await real.send("/ok")
    assert real.origin.connections == [1, 2]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_what_a_kept_connection_lost_is_not_sent_again_R07(real: Real, method: str) -> None:
    async def lost(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    real.origin.plays["/lost"] = lost
    await real.send("/ok")
    with pytest.raises(UpstreamLost):
        await real.upstream.send(replace(request("/lost"), method=method), timeout_s=PATIENCE_S)
    assert real.origin.connections == [1, 1]


# --- bounds


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two connections, and two callers in the queue."""
    monkeypatch.setattr(pool, "CONNECTIONS_MAX", 2)
    monkeypatch.setattr(pool, "WAITING_MAX", 2)


@pytest.fixture
def gate(real: Real) -> asyncio.Event:
    """Opens what /gate waits for."""
    opened = asyncio.Event()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await opened.wait()
        await OK(reader, writer)

    real.origin.plays["/gate"] = play
    return opened


async def started(real: Real, count: int) -> list[asyncio.Task[object]]:
    """Return calls that are under way, or in the queue behind those."""
    tasks: list[asyncio.Task[object]] = [asyncio.create_task(real.send("/gate")) for _ in range(count)]
    await until(lambda: len(real.origin.heard) == min(count, 2), tries=100_000)
    return tasks


async def test_a_kept_connection_keeps_the_time_of_each_of_its_callers_R07(real: Real) -> None:
    real.origin.plays["/silent"] = silence
    await real.send("/ok")
    with pytest.raises(UpstreamTimeout):
        await real.send("/silent", timeout_s=0.05)
    await real.send("/ok")
    assert real.origin.connections == [1, 1, 2]


@pytest.mark.usefixtures("narrow")
async def test_connections_and_callers_in_the_queue_are_bounded_R23(real: Real, gate: asyncio.Event) -> None:
    tasks = await started(real, 4)
    with pytest.raises(UpstreamBusy):
        await real.send("/ok")
    gate.set()
    await asyncio.gather(*tasks)
    assert real.origin.opened == 2


@pytest.mark.usefixtures("narrow", "gate")
async def test_whoever_waits_in_the_queue_for_too_long_has_not_reached_amazon_R07(real: Real) -> None:
    tasks = await started(real, 2)
    with pytest.raises(UpstreamUnreachable):
        await real.send("/ok", timeout_s=0.05)
    assert len(real.origin.heard) == 2
    await cancelled(tasks)


async def cancelled(tasks: list[asyncio.Task[object]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("turns", [*range(12), 50, 400])
async def test_a_caller_that_goes_away_at_any_moment_frees_its_place_R23(
    real: Real, gate: asyncio.Event, turns: int
) -> None:
    tasks = [asyncio.create_task(real.send("/gate")) for _ in range(4)]
    for _ in range(turns):
        await asyncio.sleep(0)
    await cancelled([*tasks])
    gate.set()
    for _ in range(2):
        answers = await asyncio.gather(*(real.send("/ok") for _ in range(2)))
        assert {answer.status for answer in answers} == {200}
    assert real.origin.opened <= 4


@pytest.mark.usefixtures("narrow")
async def test_a_caller_in_the_queue_gets_the_place_of_one_that_failed(real: Real) -> None:
    real.origin.plays["/silent"] = silence
    # Both connections are open, so that none of the time goes into a handshake.
    await asyncio.gather(real.send("/ok"), real.send("/ok"))
    slow = [asyncio.create_task(real.send("/silent", timeout_s=0.1)) for _ in range(2)]
    assert (await real.send("/ok")).status == 200
    for task in slow:
        with pytest.raises(UpstreamTimeout):
            await task


@pytest.mark.usefixtures("narrow")
async def test_a_caller_in_the_queue_is_handed_no_connection_that_spoke_unasked_T29(real: Real) -> None:
    writers: list[asyncio.StreamWriter] = []

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await OK(reader, writer)

    real.origin.plays["/spoke"] = play
    (lent, _), until_s = real.upstream._ways[Region.NA], asyncio.get_running_loop().time() + PATIENCE_S
    first, second = await lent.take(until_s), await lent.take(until_s)
    await first.exchange(encode(request("/spoke"), "localhost"), until_s)
    waiting = asyncio.create_task(lent.take(until_s))
    await asyncio.sleep(0)
    # It lies in the kernel, where the loop has not seen it.
    writers[0].write(wire("200 OK", b'{"of":"another"}'))
    lent.give_back(first)
    third = await waiting
    assert third not in {first, second}
    assert (await third.exchange(encode(request("/ok"), "localhost"), until_s)).body == b'{"a":1}'


@dataclass
class Halves:
    """Plays the first half of a large answer, then waits before it plays the second.

    Attributes:
        begun: how many times the first half was taken.
        go_on: opens the way to the second half.
    """

    begun: int = 0
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def play(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = wire("200 OK", LARGE)
        half = len(said) // 2
        assert half > SMALL_BYTES_MAX
        writer.write(said[:half])
        await writer.drain()
        self.begun += 1
        await self.go_on.wait()
        writer.write(said[half:])


@pytest.fixture
def halves(real: Real) -> Halves:
    """Plays /large."""
    made = Halves()
    real.origin.plays["/large"] = made.play
    return made


async def growing(real: Real, halves: Halves) -> list[asyncio.Task[UpstreamAnswer]]:
    """Return as many calls as may have large answers at a time, each in the middle of its own."""
    tasks = [asyncio.create_task(real.send("/large")) for _ in range(LARGE_ANSWERS_MAX)]
    await until(lambda: halves.begun == LARGE_ANSWERS_MAX, tries=1_000_000)
    return tasks


async def test_so_many_answers_grow_large_at_a_time_and_none_is_lost_R23(real: Real, halves: Halves) -> None:
    first = await growing(real, halves)
    # Larger than what the kernel holds on the way.
    real.origin.plays["/later"] = saying(wire("200 OK", LARGE * 3))
    later = asyncio.create_task(real.send("/later"))
    for _ in range(100):
        assert (await real.send("/ok")).status == 200
    assert not later.done()
    halves.go_on.set()
    assert {(await each).body for each in first} == {LARGE}
    assert (await later).body == LARGE * 3


async def test_a_caller_whose_answer_may_not_grow_is_told_in_time_and_not_that_amazon_was_slow_R23(
    real: Real, halves: Halves
) -> None:
    first = await growing(real, halves)
    # So that none of the time goes into a handshake.
    await real.send("/ok")
    with pytest.raises(DeadlineExceeded):
        await real.send("/large", timeout_s=1.0)
    for task in first:
        task.cancel()
    await asyncio.gather(*first, return_exceptions=True)
    halves.go_on.set()
    again = await asyncio.gather(*(real.send("/large") for _ in range(LARGE_ANSWERS_MAX + 1)))
    assert {each.body for each in again} == {LARGE}


# --- what is written


@pytest.mark.parametrize(
    "broken",
    [
        replace(request("/a"), headers=[("x", "a\r\nx-amz-access-token: b")]),
        replace(request("/a"), headers=[("x\n", "a")]),
        replace(request("/a"), token=Secret("a\nb")),
        replace(request("/a"), token=Secret("a\0b")),
        request("/a b"),
        request("/a", query="a=b HTTP/1.1"),
        request("/a", query="a=b\r\n"),
    ],
)
def test_no_part_of_a_request_can_begin_another_line_T09(broken: object) -> None:
    with pytest.raises(ValueError, match="no "):
        encode(broken, "amazon.example")  # type: ignore[arg-type]


def test_a_request_without_a_body_says_so_where_amazon_wants_it() -> None:
    assert b"content-length" not in encode(request("/a"), "amazon.example")
    assert b"\r\ncontent-length: 0\r\n" in encode(replace(request("/a"), method="POST"), "amazon.example")
