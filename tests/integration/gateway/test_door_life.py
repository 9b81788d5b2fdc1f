"""The door from its first handshake to its last goodbye: load, ending, and certificates that change."""

import asyncio
import dataclasses
import logging
import socket
import ssl

import pytest
import uvloop

import chassis.crypto.tls
import chassis.env
import chassis.errors
from fakes.certificates import Authority
from services.gateway.door import Door
from services.gateway.door.faults import BodyTooLarge
from services.gateway.door.request import Request
from services.gateway.model.calls import Answer
from tests.integration.gateway.door import (
    EVENT,
    LIMITS,
    PATIENCE_S,
    TLS,
    Cover,
    FakeSignals,
    Gate,
    Recorder,
    Script,
    dial,
    everything,
    exchange,
    heard,
    one_answer,
    request,
    rest_of,
    serving,
    under_every_cover,
)

LAST = request("GET /", is_last=True)


# Load


async def test_more_requests_than_served_at_a_time_are_503_at_once_R23() -> None:
    gate = Gate()
    async with serving(gate, dataclasses.replace(LIMITS, requests_max=1)) as door:
        first = asyncio.create_task(exchange(door.port, LAST))
        await gate.is_reached.wait()
        (second,) = heard(await exchange(door.port, LAST))
        assert (second.status, second.code) == (503, "overloaded")
        assert int(second.headers["retry-after"]) >= 1
        gate.may_pass.set()
        assert heard(await first)[0].status == 200
        assert heard(await exchange(door.port, LAST))[0].status == 200


@under_every_cover
async def test_more_connections_than_held_at_a_time_are_told_so_R23(cover: Cover) -> None:
    async with (
        serving(Recorder(), dataclasses.replace(LIMITS, connections_max=1), tls=cover.contexts) as door,
        asyncio.timeout(PATIENCE_S),
    ):
        reader, writer = await dial(door.port, cover.trust)
        writer.write(request("GET /"))
        assert (await one_answer(reader)).status == 200
        (refused,) = heard(await exchange(door.port, LAST, cover.trust))
        assert (refused.status, refused.headers["connection"]) == (503, "close")
        writer.write(LAST)
        assert (await one_answer(reader)).status == 200
        await rest_of(reader)
        writer.close()
        while door._connections:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)
        assert heard(await exchange(door.port, LAST, cover.trust))[0].status == 200


async def test_an_address_in_use_refuses_the_start() -> None:
    async with serving(Recorder()) as door:
        address = chassis.env.Address("127.0.0.1", door.port)
        other = Door(listen=address, tls=None, ways=everything(Recorder()), signals=FakeSignals())
        with pytest.raises(chassis.errors.StartRefused) as caught:
            await other.start()
    assert caught.value.code == "address_unavailable"


async def test_what_the_door_refuses_is_counted_by_its_code() -> None:
    signals = FakeSignals()
    async with serving(Recorder(), signals=signals) as door:
        await exchange(door.port, b"GET / HTTP/1.1\nHost: x\n\n")
        await exchange(door.port, request("POST /", body=bytes(1001)))
        await exchange(door.port, LAST)
    assert signals.refusals == ["malformed_request", "body_too_large"]


async def test_a_request_leaves_one_line_that_tells_more_only_of_what_nobody_foresaw_T28(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def act(asked: Request) -> None:
        match asked.head.target:
            case "/refused":
                raise BodyTooLarge
            case "/mistaken":
                raise ValueError
            case "/broken-off":
                await asked.begin(200, [])
                raise ValueError
        asked.answer(Answer(200, [], b""))

    async with serving(Script(act)) as door:
        with caplog.at_level(logging.INFO):
            for target in ("/served", "/refused", "/mistaken", "/broken-off"):
                await exchange(door.port, request(f"GET {target}", is_last=True))
    told = [vars(record)["sallyport_fields"] for record in caplog.records]
    ends = [
        (record.msg, line["status"], line.get("code"), type(line.get("error")))
        for record, line in zip(caplog.records, told, strict=True)
    ]
    assert ends == [
        ("request_served", 200, None, type(None)),
        ("request_refused", 413, "body_too_large", type(None)),
        ("request_refused", 500, "internal", ValueError),
        ("request_refused", 200, "internal", ValueError),
    ]
    assert {(line["kind"], line["method"]) for line in told} == {(EVENT, "GET")}
    assert all(0 <= line["duration_ms"] < PATIENCE_S * 1000 for line in told)


# Ending


@under_every_cover
async def test_a_request_in_flight_is_finished_while_stopping_R16(cover: Cover) -> None:
    gate = Gate()
    async with serving(gate, tls=cover.contexts) as door, asyncio.timeout(PATIENCE_S):
        port = door.port
        reader, writer = await dial(port, cover.trust)
        writer.write(request("GET /"))
        await gate.is_reached.wait()
        stopping = asyncio.create_task(door.stop(grace_s=PATIENCE_S))
        gate.may_pass.set()
        answer = await one_answer(reader)
        await stopping
        assert (answer.body, answer.headers["connection"]) == (b"done", "close")
        with pytest.raises(ConnectionError):
            await dial(port, cover.trust)
        writer.close()


@under_every_cover
async def test_a_request_half_sent_is_finished_while_stopping_R16(cover: Cover) -> None:
    async with serving(Recorder(), tls=cover.contexts) as door, asyncio.timeout(PATIENCE_S):
        reader, writer = await dial(door.port, cover.trust)
        writer.write(request("POST /", "Content-Length: 3") + b"a")
        idle_reader, idle_writer = await dial(door.port, cover.trust)
        idle_writer.write(request("GET /"))
        assert (await one_answer(idle_reader)).status == 200
        stopping = asyncio.create_task(door.stop(grace_s=PATIENCE_S))
        assert await rest_of(idle_reader) == b""
        writer.write(b"bc")
        answer = await one_answer(reader)
        await stopping
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        writer.close()
        idle_writer.close()


@under_every_cover
async def test_an_answer_that_is_not_taken_yet_is_delivered_while_stopping_R16(cover: Cover) -> None:
    size = 30_000_000
    is_answered = asyncio.Event()

    async def pour(asked: Request) -> None:
        asked.answer(Answer(200, [], bytes(size)))
        is_answered.set()

    async with serving(Script(pour), tls=cover.contexts) as door, asyncio.timeout(PATIENCE_S):
        reader, writer = await dial(door.port, cover.trust, limit=1024)
        writer.write(request("GET /"))
        await is_answered.wait()
        stopping = asyncio.create_task(door.stop(grace_s=PATIENCE_S))
        await asyncio.sleep(0)
        (answer,) = heard(await rest_of(reader))
        writer.close()
        await stopping
    assert len(answer.body) == size


@under_every_cover
async def test_a_request_that_outlasts_the_grace_is_cut_off_and_that_is_told_R16(
    cover: Cover, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    async with serving(gate, tls=cover.contexts) as door:
        asked = asyncio.create_task(exchange(door.port, request("GET /"), cover.trust))
        await gate.is_reached.wait()
        await door.stop(grace_s=0.01)
        assert await asked == b""
    assert [(record.msg, vars(record)["sallyport_fields"]) for record in caplog.records] == [
        ("requests_cut_off", {"count": 1})
    ]


async def test_who_has_come_in_only_after_the_door_began_to_stop_is_not_served_R16() -> None:
    gate = Gate()
    async with serving(gate, tls=TLS.contexts) as door, asyncio.timeout(PATIENCE_S):
        asked = asyncio.create_task(exchange(door.port, request("GET /"), TLS.trust))
        await gate.is_reached.wait()
        with socket.create_connection(("127.0.0.1", door.port)) as late:
            while not door._handshakes:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0)
            stopping = asyncio.create_task(door.stop(grace_s=PATIENCE_S))
            await asyncio.sleep(0)
            reader, writer = await asyncio.open_connection(
                sock=late, ssl=TLS.trust, server_hostname="localhost"
            )
            writer.write(request("GET /late"))
            assert await rest_of(reader) == b""
            writer.close()
        assert not stopping.done()
        gate.may_pass.set()
        await stopping
        assert heard(await asked)[0].status == 200


async def test_a_door_that_has_stopped_looks_at_nothing_any_more_R16() -> None:
    async with serving(Recorder()) as door:
        assert heard(await exchange(door.port, LAST))[0].status == 200
    assert door._next_look is not None
    assert door._next_look.cancelled()


# Certificates


class Shown:
    """A certificate that changes, and what trusts it."""

    def __init__(self) -> None:
        self._authority = Authority()
        self.current = self._authority.issue("localhost")
        self.contexts = chassis.crypto.tls.CurrentContext(
            lambda: self.current, chassis.crypto.tls.public_context
        )
        self.trust = ssl.create_default_context(cadata=self._authority.ca_pem.decode())

    def renew(self) -> None:
        self.current = self._authority.issue("localhost")


async def certificate_at(port: int, trust: ssl.SSLContext, name: str = "localhost") -> str:
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust, server_hostname=name)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return ssl.DER_cert_to_PEM_cert(der)


async def test_a_certificate_changes_under_traffic_without_a_failed_request_R15() -> None:
    shown, statuses = Shown(), []
    async with serving(Recorder(), tls=shown.contexts) as door, asyncio.timeout(PATIENCE_S):

        async def keep_asking() -> None:
            reader, writer = await dial(door.port, shown.trust)
            for _ in range(30):
                writer.write(request("GET /"))
                statuses.append((await one_answer(reader)).status)
            writer.close()

        async def ask_anew() -> None:
            for _ in range(10):
                (answer,) = heard(await exchange(door.port, LAST, shown.trust))
                statuses.append(answer.status)

        async with asyncio.TaskGroup() as group:
            for asking in (keep_asking, keep_asking, ask_anew, ask_anew):
                group.create_task(asking())
            for _ in range(5):
                shown.renew()
                expected = shown.current.certificate_pem.decode()
                assert await certificate_at(door.port, shown.trust) == expected
        trusting = ssl.create_default_context(cadata=shown._authority.ca_pem.decode())
        trusting.check_hostname = False
        assert await certificate_at(door.port, trusting, "") == shown.current.certificate_pem.decode()
    assert statuses == [200] * 80


async def test_large_bodies_pass_through_tls_both_ways() -> None:
    async def act(asked: Request) -> None:
        asked.answer(Answer(200, [], await asked.receive(3_000_000)))

    shown, body = Shown(), bytes(range(256)) * 10_000
    async with serving(Script(act), tls=shown.contexts) as door:
        data = request("POST /", body=body, is_last=True)
        (answer,) = heard(await exchange(door.port, data, shown.trust))
    assert answer.body == body


def old_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-RSA-AES128-SHA")
    return context


async def provoke() -> list[dict[str, object]]:
    """Try every kind of handshake that fails, then a good one; return what the event loop was told of."""
    shown, told = Shown(), list[dict[str, object]]()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    async with serving(Recorder(), tls=shown.contexts) as door, asyncio.timeout(PATIENCE_S):
        for sent in (b"", LAST, b"\x16\x03\x01garbage" * 20, b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03"):
            with socket.create_connection(("127.0.0.1", door.port)) as raw:
                raw.sendall(sent)
                await asyncio.sleep(0)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await dial(door.port, old_context())
        assert heard(await exchange(door.port, LAST, shown.trust))[0].status == 200
    return told


def on_production_loop() -> list[dict[str, object]]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(provoke())


async def test_handshakes_that_fail_leave_no_noise_and_no_harm_T09(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert await asyncio.to_thread(on_production_loop) == []
    assert caplog.records == []
