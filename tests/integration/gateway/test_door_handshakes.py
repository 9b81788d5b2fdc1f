"""Newcomers with TLS: how long they may take, what holds inside, and who hears of those who fail."""

import asyncio
import contextlib
import dataclasses
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable

import pytest

from services.gateway.door import Door, limits
from services.gateway.door.limits import Limits
from services.gateway.door.request import Face, Request
from tests.integration.gateway.door import (
    LIMITS,
    PATIENCE_S,
    TLS,
    Gate,
    MakeLoop,
    Recorder,
    Script,
    calling,
    dial,
    exchange,
    heard,
    on,
    on_every_loop,
    read_all,
    request,
    rest_of,
    serving,
)
from tests.unit.gateway.doors import tls

LAST = request("GET /", is_last=True)
# A name that no certificate can have: the first byte is not ASCII.
NOT_A_NAME = b"\xffocalhost"


@contextlib.asynccontextmanager
async def serving_tls(face: Face, limits: Limits = LIMITS) -> AsyncIterator[Door]:
    async with serving(face, limits, tls=TLS.contexts) as door:
        yield door


def hello() -> bytes:
    """Return the first words of a handshake."""
    _, trust = tls()
    sent = ssl.MemoryBIO()
    shaking = trust.wrap_bio(ssl.MemoryBIO(), sent, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        shaking.do_handshake()
    return sent.read()


@on_every_loop
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_client_of_each_version_is_answered(loop: MakeLoop, version: ssl.TLSVersion) -> None:
    _, trust = tls()
    trust = ssl.create_default_context(cadata=trust.get_ca_certs(binary_form=True)[0])
    trust.minimum_version = trust.maximum_version = version

    async def work() -> None:
        async with serving_tls(Recorder()) as door:
            (answer,) = heard(await exchange(door.port, LAST, trust))
            assert answer.status == 200

    await on(loop, work)


@on_every_loop
@pytest.mark.parametrize("said", [b"", hello()[:40]], ids=["nothing", "half a word"])
async def test_a_handshake_that_takes_too_long_ends_R25(
    loop: MakeLoop, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HANDSHAKE_DEADLINE_S", 0.01)

    async def work() -> None:
        async with serving_tls(Recorder()) as door:
            reader, writer = await dial(door.port)
            writer.write(said)
            assert await rest_of(reader) == b""
            writer.close()

    await on(loop, work)


@on_every_loop
async def test_what_is_sent_ahead_waits_outside_and_is_answered_in_its_turn_R23(loop: MakeLoop) -> None:
    async def work() -> None:
        gate, ahead = Gate(), [request(f"GET /{number}", "X: " + "x" * 1000) for number in range(200)]
        async with serving_tls(gate) as door:
            reader, writer = await dial(door.port, TLS.trust)
            writer.write(request("GET /") + b"".join(ahead) + LAST)
            await gate.is_reached.wait()
            (connection,) = door._connections
            while not connection._is_reading_paused:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0)
            gate.may_pass.set()
            assert len(heard(await rest_of(reader))) == len(ahead) + 2
            writer.close()

    await on(loop, work)


@on_every_loop
async def test_a_connection_that_ends_while_much_is_unread_is_gone_with_its_client(loop: MakeLoop) -> None:
    async def work() -> None:
        gate = Gate()
        async with serving_tls(gate) as door:
            reader, writer = await dial(door.port, TLS.trust)
            writer.write(LAST + bytes(limits.READ_AHEAD_BYTES_MAX + 1))
            await gate.is_reached.wait()
            (connection,) = door._connections
            while not connection._is_reading_paused:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0)
            began_s = asyncio.get_running_loop().time()
            gate.may_pass.set()
            assert len(heard(await rest_of(reader))) == 1
            writer.close()
            while door._connections:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0)
            assert asyncio.get_running_loop().time() - began_s < limits.CLOSE_S_MAX

    await on(loop, work)


@on_every_loop
async def test_half_an_answer_is_cut_off_with_the_door_and_does_not_look_whole_R16(loop: MakeLoop) -> None:
    async def work() -> None:
        is_begun = asyncio.Event()

        async def act(asked: Request) -> None:
            await asked.begin(200, [])
            await asked.write(b"half")
            is_begun.set()
            await asyncio.Event().wait()

        async with serving_tls(Script(act)) as door:
            reader, writer = await dial(door.port, TLS.trust)
            writer.write(request("GET /"))
            await is_begun.wait()
            await door.stop(grace_s=0)
            _, _, body = (await rest_of(reader)).partition(b"\r\n\r\n")
            assert body == b"4\r\nhalf\r\n"
            writer.close()

    await on(loop, work)


@on_every_loop
async def test_an_answer_that_would_end_with_its_connection_does_not_look_whole_when_it_broke_off(
    loop: MakeLoop,
) -> None:
    async def act(asked: Request) -> None:
        await asked.begin(200, [])
        await asked.write(b"half")
        raise ValueError

    def call(port: int) -> bytes:
        with calling(port) as secured:
            secured.sendall(b"GET / HTTP/1.0\r\n\r\n")
            came = bytearray()
            with pytest.raises(ssl.SSLEOFError):
                read_all(secured, came)
            return bytes(came)

    async def work() -> None:
        async with serving_tls(Script(act)) as door:
            assert (await asyncio.to_thread(call, door.port)).endswith(b"\r\n\r\nhalf")

    await on(loop, work)


@on_every_loop
@pytest.mark.parametrize("says_goodbye", [True, False], ids=["goodbye", "end of file"])
async def test_a_client_that_sends_no_more_before_its_answer_is_gone(
    loop: MakeLoop, *, says_goodbye: bool
) -> None:
    async def work() -> None:
        gate = Gate()

        def call(port: int, wait: Callable[[], None]) -> None:
            with calling(port) as secured:
                secured.sendall(request("GET /"))
                wait()
                secured.unwrap() if says_goodbye else secured.shutdown(socket.SHUT_WR)
                read_all(secured, bytearray())

        async with serving_tls(gate) as door:
            inside = asyncio.get_running_loop()

            def wait() -> None:
                asyncio.run_coroutine_threadsafe(gate.is_reached.wait(), inside).result(PATIENCE_S)

            await asyncio.to_thread(call, door.port, wait)
            while door._connections:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0)
            gate.may_pass.set()
            await door.stop(grace_s=PATIENCE_S)

    await on(loop, work)


@on_every_loop
async def test_who_is_one_too_many_and_says_no_goodbye_is_gone_in_its_time_R23(
    loop: MakeLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REFUSAL_S_MAX", 0.01)

    def call(port: int, said: bytes) -> None:
        with calling(port) as secured:
            secured.sendall(said)
            with socket.socket(fileno=secured.detach()) as below:
                below.settimeout(PATIENCE_S)
                read_all(below, bytearray())
                assert below.recv(1) == b""

    async def work() -> None:
        none = dataclasses.replace(LIMITS, connections_max=0)
        async with serving_tls(Recorder(), none) as door:
            for said in (b"", LAST):
                await asyncio.to_thread(call, door.port, said)

    await on(loop, work)


@on_every_loop
async def test_nothing_that_is_sent_waits_for_more_to_send(loop: MakeLoop) -> None:
    async def work() -> None:
        gate = Gate()
        async with serving_tls(gate) as door:
            _, writer = await dial(door.port, TLS.trust)
            writer.write(LAST)
            await gate.is_reached.wait()
            (connection,) = door._connections
            sock = connection.transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            gate.may_pass.set()
            writer.close()

    await on(loop, work)


# Noise


@on_every_loop
async def test_only_strangers_who_fail_are_kept_quiet_about_T28(
    loop: MakeLoop, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    async def work() -> None:
        inside = asyncio.get_running_loop()
        inside.set_exception_handler(lambda _, context: told.append(context["message"]))
        async with serving_tls(Recorder()) as door:
            for words in (b"", b"\x16", hello().replace(b"localhost", NOT_A_NAME), LAST):
                reader, writer = await dial(door.port)
                writer.write(words)
                writer.write_eof()
                await rest_of(reader)
                writer.close()
            inside.call_exception_handler({"message": "SSL handshake failed", "exception": ValueError()})
            inside.call_exception_handler({"message": "a callback failed", "exception": ConnectionResetError})
            logging.getLogger("aiofastnet").warning("something else")
        inside.call_exception_handler({"message": "SSL handshake failed", "exception": ConnectionResetError})

    with caplog.at_level(logging.WARNING):
        await on(loop, work)
    assert told == ["SSL handshake failed", "a callback failed", "SSL handshake failed"]
    assert caplog.messages == ["something else"]
