"""The HTTP edge over real sockets: what strangers may send, and what they get back."""

import asyncio
import gzip
import json
import logging
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chassis.crypto.tls
import chassis.env
import chassis.errors
import chassis.metrics
import chassis.trace
import chassis.web
from fakes.certificates import Authority

LOOPBACK = chassis.env.Address("127.0.0.1", 0)
BODY_BYTES_MAX = 1000
# Long enough for any answer on a busy machine, short beside the test's own time-out.
PATIENCE_S = 30.0


class TooPoor(chassis.errors.LimitExceeded):
    code = "too_poor"
    text = "The budget is used up."


@dataclass
class Answer:
    """What came back over a raw connection, headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


def parsed(data: bytes) -> Answer:
    head, _, body = data.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return Answer(int(status_line.split(" ")[1]), headers, body)


async def exchange(port: int, data: bytes, tls: ssl.SSLContext | None = None) -> bytes:
    """Send bytes and return everything that comes until the other side closes."""
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=tls, server_hostname="localhost" if tls else None
        )
        try:
            writer.write(data)
            await writer.drain()
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """Read to the end, however abrupt it is."""
    parts = []
    try:
        while part := await reader.read(1 << 20):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


async def ask(port: int, start: str, *lines: str, body: bytes = b"", is_kept: bool = False) -> Answer:
    """Send one well-formed request; unless kept, ask for the connection to end."""
    head = [f"{start} HTTP/1.1", "Host: x", *lines]
    if not is_kept:
        head.append("Connection: close")
    if body:
        head.append(f"Content-Length: {len(body)}")
    return parsed(await exchange(port, "\r\n".join([*head, "", ""]).encode() + body))


async def echo(request: web.Request) -> web.Response:
    body = await request.read()
    return web.json_response({"method": request.method, "size": len(body), "id": chassis.trace.request_id()})


async def fail(_request: web.Request) -> web.Response:
    raise ValueError("Jane Doe, Atzr|abc")


async def refuse(_request: web.Request) -> web.Response:
    raise TooPoor(retry_after_s=2.2)


async def redirect(_request: web.Request) -> web.Response:
    raise web.HTTPSeeOther("/elsewhere")


async def break_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"half an answer")
    raise ValueError("Jane Doe")


def in_own_shape(_request: web.Request, error: chassis.errors.SallyportError) -> web.Response:
    return web.json_response({"errors": [{"code": error.code}]}, status=error.http_status)


ROUTES = (
    chassis.web.Route("POST", "/echo", echo, "test.echo.sent"),
    chassis.web.Route("GET", "/fail", fail, "test.fail.read"),
    chassis.web.Route("GET", "/refuse", refuse, "test.refuse.read"),
    chassis.web.Route("GET", "/redirect", redirect, "test.redirect.read"),
    chassis.web.Route("GET", "/half", break_off, "test.half.read"),
)
CATCH_ALL = chassis.web.Route("*", "/{path:.*}", echo, "test.any.sent", render_error=in_own_shape)


@asynccontextmanager
async def serving(
    routes: Sequence[chassis.web.Route] = ROUTES,
    limits: chassis.web.Limits | None = None,
    certificates: chassis.crypto.tls.CurrentContext | None = None,
    *,
    body_bytes_max: int = BODY_BYTES_MAX,
) -> AsyncIterator[chassis.web.Site]:
    site = chassis.web.Site(
        listen=LOOPBACK,
        tls=certificates,
        routes=routes,
        body_bytes_max=body_bytes_max,
        limits=limits or chassis.web.Limits(),
    )
    await site.start()
    try:
        yield site
    finally:
        await site.stop(grace_s=0)


@pytest.fixture(scope="module")
async def port() -> AsyncIterator[int]:
    async with serving() as site:
        yield site.port


# Errors


async def test_a_refusal_is_a_problem_document_that_says_its_reason(port: int) -> None:
    answer = await ask(port, "GET /refuse", "X-Request-Id: request-1")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "3"
    assert answer.document == {
        "type": "urn:sallyport:error:too_poor",
        "title": "Too Many Requests",
        "status": 429,
        "code": "too_poor",
        "detail": "The budget is used up.",
        "request_id": "request-1",
    }


async def test_what_nobody_foresaw_is_shown_as_internal_and_told_only_to_the_log_T28(
    port: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = await ask(port, "GET /fail", "X-Request-Id: request-2")
    assert (answer.status, answer.document["code"]) == (500, "internal")
    assert answer.document["request_id"] == answer.headers["x-request-id"] == "request-2"
    assert b"Jane" not in answer.body
    (record,) = [record for record in caplog.records if record.name == "sallyport.web"]
    assert record.levelno == logging.ERROR
    assert isinstance(vars(record)["sallyport_fields"]["error"], ValueError)


async def test_every_request_leaves_one_line_with_its_event_kind_and_never_its_path(
    port: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, logger="sallyport.web"):
        await ask(port, "POST /echo?token=Atza|abc", body=b"body")
        await ask(port, "GET /nothing/here")
    told = [vars(record)["sallyport_fields"] for record in caplog.records if record.name == "sallyport.web"]
    assert [(line["kind"], line["status"]) for line in told] == [
        ("test.echo.sent", 200),
        ("web.path.refused", 404),
    ]
    assert "Atza" not in str(told)
    assert "nothing" not in str(told)


@pytest.mark.parametrize(
    ("start", "status", "code"),
    [("GET /nowhere", 404, "not_found"), ("DELETE /echo", 405, "method_not_allowed")],
)
async def test_paths_and_methods_without_a_route_are_problems(
    port: int, start: str, status: int, code: str
) -> None:
    answer = await ask(port, start)
    assert (answer.status, answer.document["code"]) == (status, code)


async def test_a_route_may_give_errors_its_own_shape() -> None:
    route = chassis.web.Route("GET", "/refuse", refuse, "test.refuse.read", render_error=in_own_shape)
    async with serving([route]) as site:
        answer = await ask(site.port, "GET /refuse")
    assert answer.document == {"errors": [{"code": "too_poor"}]}
    assert answer.headers["retry-after"] == "3"


async def test_half_an_answer_is_broken_off_and_never_completed(port: int) -> None:
    data = await exchange(port, b"GET /half HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"half an answer" in data
    assert not data.endswith(b"0\r\n\r\n")
    assert b"Jane" not in data


async def test_a_raised_redirect_is_an_answer(port: int) -> None:
    answer = await ask(port, "GET /redirect")
    assert (answer.status, answer.headers["location"]) == (303, "/elsewhere")


# Every answer


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_a_catch_all_takes_any_method_that_no_other_route_takes(method: str) -> None:
    async with serving([*ROUTES, CATCH_ALL]) as site:
        answer = await ask(site.port, f"{method} /orders/v0/orders?x=1")
        assert answer.document["method"] == method
        assert (await ask(site.port, "GET /refuse")).status == 429


async def test_a_bad_request_id_is_replaced(port: int) -> None:
    answer = await ask(port, "POST /echo", "X-Request-Id: <script>")
    assert answer.document["id"] == answer.headers["x-request-id"]
    assert chassis.trace.REQUEST_ID_FORM.fullmatch(answer.document["id"])


@pytest.mark.parametrize("start", ["POST /echo", "GET /fail", "GET /nowhere"])
async def test_every_answer_has_the_security_headers_and_hides_the_server(port: int, start: str) -> None:
    headers = (await ask(port, start)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "deny"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["cache-control"] == "no-store"
    assert headers["server"] == "sallyport"
    assert "strict-transport-security" not in headers


async def test_a_handler_may_decide_a_security_header_itself() -> None:
    async def cached(_request: web.Request) -> web.Response:
        return web.Response(headers={"Cache-Control": "private, max-age=60"})

    async with serving([chassis.web.Route("GET", "/", cached, "test.page.read")]) as site:
        answer = await ask(site.port, "GET /")
    assert answer.headers["cache-control"] == "private, max-age=60"


# Strangers (T-09, T-10)


async def test_a_body_within_bounds_reaches_the_handler_whole(port: int) -> None:
    answer = await ask(port, "POST /echo", body=b"x" * BODY_BYTES_MAX)
    assert answer.document["size"] == BODY_BYTES_MAX


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (["Content-Length: 1001"], b"x" * 1001),
        (["Content-Length: 99999999999"], b""),
        (["Transfer-Encoding: chunked"], b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n"),
        (["Content-Encoding: gzip", "Transfer-Encoding: chunked"], b""),
    ],
    ids=["declared", "declared-absurdly", "chunked", "bomb"],
)
async def test_a_body_beyond_its_bound_is_413_and_ends_the_connection_T09(
    port: int, headers: list[str], body: bytes
) -> None:
    if not body and "gzip" in headers[0]:
        bomb = gzip.compress(bytes(10_000_000))
        body = f"{len(bomb):x}\r\n".encode() + bomb + b"\r\n0\r\n\r\n"
    head = "\r\n".join(["POST /echo HTTP/1.1", "Host: x", *headers, "", ""]).encode()
    answer = parsed(await exchange(port, head + body))
    assert (answer.status, answer.document["code"]) == (413, "body_too_large")
    assert answer.headers["connection"] == "close"


async def test_a_body_that_drips_is_408_and_ends_the_connection_T09() -> None:
    async with serving(limits=chassis.web.Limits(body_deadline_s=0.05)) as site:
        answer = parsed(
            await exchange(site.port, b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nx")
        )
    assert (answer.status, answer.document["code"]) == (408, "request_timeout")


async def test_a_head_that_drips_is_408_and_ends_the_connection_T09() -> None:
    async with serving(limits=chassis.web.Limits(head_deadline_s=0.05)) as site:
        answer = parsed(await exchange(site.port, b"GET /refuse HTTP/1.1\r\nHost: x\r\nX-Slow: "))
    assert (answer.status, answer.headers["connection"]) == (408, "close")


async def test_a_second_head_that_drips_is_ended_too_T09() -> None:
    request = b"POST /echo HTTP/1.1\r\nHost: x\r\n\r\n"
    async with serving(limits=chassis.web.Limits(head_deadline_s=0.05)) as site, asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(request)
        assert b" 200 " in await reader.readline()
        await reader.readuntil(b"}")
        writer.write(request[:20])
        assert b" 408 " in await reader.read()
        writer.close()


async def test_a_connection_without_a_word_is_closed_T09() -> None:
    async with serving(limits=chassis.web.Limits(head_deadline_s=0.05)) as site:
        assert await exchange(site.port, b"") == b""


async def test_a_slow_body_is_not_taken_for_a_slow_head_T09() -> None:
    limits = chassis.web.Limits(head_deadline_s=0.05, body_deadline_s=0.3)
    async with serving(limits=limits) as site:
        answer = parsed(
            await exchange(site.port, b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nx")
        )
    assert answer.document["code"] == "request_timeout"


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 9000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: " % n + b"x" * 4000 + b"\r\n" for n in range(20)),
    ],
    ids=["line", "field", "whole"],
)
async def test_a_head_beyond_its_bounds_is_431_T09(port: int, head: bytes) -> None:
    assert parsed(await exchange(port, head)).status == 431


@pytest.mark.parametrize(
    "data",
    [
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length : 3\r\n\r\nabc",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03Jane\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
    ],
    ids=["two-framings", "two-lengths", "bad-chunk", "minus", "blank", "bad-gzip", "tls", "version", "nul"],
)
async def test_what_is_not_one_clear_request_is_400_and_ends_the_connection_T09(
    port: int, data: bytes
) -> None:
    answer = parsed(await exchange(port, data))
    assert (answer.status, answer.document["code"]) == (400, "malformed_request")
    assert answer.headers["connection"] == "close"
    assert answer.document["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["server"] == "sallyport"
    assert b"Jane" not in answer.body


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300)
    | st.builds(
        lambda tail: b"POST /echo HTTP/1.1\r\nHost: x\r\n" + tail + b"\r\n\r\n", st.binary(max_size=60)
    ),
)
async def test_no_bytes_make_a_5xx_T10(port: int, data: bytes) -> None:
    answer = await exchange(port, data + b"\r\n\r\n\x00\r\n\r\n")
    assert answer == b"" or parsed(answer).status < 500


async def test_a_client_that_does_not_take_its_answer_loses_the_connection_R25() -> None:
    released = asyncio.Event()

    async def pour(_request: web.Request) -> web.Response:
        released.set()
        return web.Response(body=bytes(50_000_000))

    route = chassis.web.Route("GET", "/", pour, "test.page.read")
    async with (
        serving([route], chassis.web.Limits(answer_deadline_s=0.05)) as site,
        asyncio.timeout(PATIENCE_S),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await released.wait()
        await site.stop(grace_s=PATIENCE_S)
        # Nothing is in flight any more, and of the answer only what fitted into buffers on the way.
        assert len(await rest_of(reader)) < 50_000_000
        writer.close()


# Load and ending


class Gate:
    """A handler that waits until it is let go, and tells when it has been reached."""

    def __init__(self) -> None:
        self.is_reached = asyncio.Event()
        self.may_pass = asyncio.Event()

    async def wait(self, _request: web.Request) -> web.Response:
        self.is_reached.set()
        await self.may_pass.wait()
        return web.Response(text="done")

    @property
    def routes(self) -> list[chassis.web.Route]:
        return [chassis.web.Route("GET", "/", self.wait, "test.page.read")]


async def test_more_requests_than_served_at_a_time_are_503_at_once_R23() -> None:
    gate = Gate()
    async with serving(gate.routes, chassis.web.Limits(requests_max=1)) as site:
        first = asyncio.create_task(ask(site.port, "GET /"))
        await gate.is_reached.wait()
        second = await ask(site.port, "GET /")
        assert (second.status, second.document["code"]) == (503, "overloaded")
        assert second.headers["retry-after"] == "1"
        gate.may_pass.set()
        assert (await first).status == 200


async def unfinished(port: int, *lines: str) -> asyncio.StreamWriter:
    """Begin a request whose body never comes whole, and return once the server waits for the rest."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = ["POST /wait HTTP/1.1", "Host: x", "Expect: 100-continue", *lines, "", ""]
    writer.write("\r\n".join(head).encode())
    async with asyncio.timeout(PATIENCE_S):
        assert b"100 Continue" in await reader.readuntil(b"\r\n\r\n")
    writer.write(b"1")
    return writer


async def test_clients_that_are_slow_with_their_bodies_keep_nobody_out_R25() -> None:
    gate = Gate()
    gate.may_pass.set()
    routes = [*gate.routes, chassis.web.Route("POST", "/wait", gate.wait, "test.page.written")]
    async with serving(routes, chassis.web.Limits(requests_max=2)) as site:
        slow = [await unfinished(site.port, "Content-Length: 10") for _ in range(3)]
        assert (await ask(site.port, "GET /")).status == 200
        for writer in slow:
            writer.close()


@pytest.mark.parametrize(
    "size", ["Content-Length: 70000", "Transfer-Encoding: chunked"], ids=["said", "unsaid"]
)
async def test_more_large_bodies_than_held_at_a_time_are_503_and_small_ones_pass_R23(size: str) -> None:
    gate = Gate()
    gate.may_pass.set()
    routes = [chassis.web.Route("POST", "/wait", gate.wait, "test.page.written")]
    limits = chassis.web.Limits(large_bodies_max=1)
    async with serving(routes, limits, body_bytes_max=100_000) as site:
        large = await unfinished(site.port, size)
        refused = await ask(site.port, "POST /wait", body=b"1" * 70_000)
        assert (refused.status, refused.document["code"]) == (503, "overloaded")
        assert (await ask(site.port, "POST /wait", body=b"small")).status == 200
        large.close()


async def test_more_connections_than_held_at_a_time_are_closed_R23() -> None:
    gate = Gate()
    async with serving(gate.routes, chassis.web.Limits(connections_max=1)) as site:
        first = asyncio.create_task(ask(site.port, "GET /"))
        await gate.is_reached.wait()
        assert await exchange(site.port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") == b""
        gate.may_pass.set()
        assert (await first).status == 200


async def test_a_request_in_flight_is_finished_while_stopping_R16() -> None:
    gate = Gate()
    async with serving(gate.routes) as site:
        port = site.port
        request = asyncio.create_task(ask(port, "GET /", is_kept=True))
        await gate.is_reached.wait()
        stopping = asyncio.create_task(site.stop(grace_s=PATIENCE_S))
        gate.may_pass.set()
        answer = await request
        await stopping
        assert (answer.body, answer.headers["connection"]) == (b"done", "close")
        with pytest.raises(ConnectionError):
            await asyncio.open_connection("127.0.0.1", port)


async def test_a_request_that_outlasts_the_grace_is_cut_off_R16() -> None:
    gate = Gate()
    async with serving(gate.routes) as site:
        request = asyncio.create_task(exchange(site.port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
        await gate.is_reached.wait()
        await site.stop(grace_s=0.01)
        assert await request == b""


async def test_an_address_in_use_refuses_the_start(port: int) -> None:
    site = chassis.web.Site(
        listen=chassis.env.Address("127.0.0.1", port), tls=None, routes=ROUTES, body_bytes_max=1
    )
    with pytest.raises(chassis.errors.StartRefused) as caught:
        await site.start()
    assert caught.value.code == "address_unavailable"


# TLS


async def test_a_renewed_certificate_is_shown_to_the_next_caller_without_a_restart_R15() -> None:
    authority = Authority()
    current = [authority.issue("localhost")]
    context = chassis.crypto.tls.CurrentContext(lambda: current[0], chassis.crypto.tls.public_context)
    trusting = ssl.create_default_context(cadata=authority.ca_pem.decode())

    async def shown(port: int, name: str | None) -> str:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname=name)
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return ssl.DER_cert_to_PEM_cert(der)

    async with serving(certificates=context) as site:
        assert await shown(site.port, "localhost") == current[0].certificate_pem.decode()
        current[0] = authority.issue("localhost")
        assert await shown(site.port, "localhost") == current[0].certificate_pem.decode()
        answer = parsed(
            await exchange(
                site.port, b"GET /refuse HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", trusting
            )
        )
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        trusting.check_hostname = False
        assert await shown(site.port, "") == current[0].certificate_pem.decode()


# The private site


async def test_readiness_is_the_truth_about_every_dependency_R16() -> None:
    readiness = chassis.web.Readiness("store", "keys")
    site = chassis.web.private_site(LOOPBACK, readiness, chassis.metrics.Registry())
    await site.start()
    assert (await ask(site.port, "GET /readyz")).status == 503
    readiness.set("store", ok=True)
    assert (await ask(site.port, "GET /readyz")).document == {
        "ready": False,
        "truths": {"store": True, "keys": False},
    }
    readiness.set("keys", ok=True)
    assert (await ask(site.port, "GET /readyz")).status == 200
    readiness.set("store", ok=False)
    assert (await ask(site.port, "GET /readyz")).status == 503
    assert (await ask(site.port, "GET /livez")).status == 200
    await site.stop(grace_s=0)


async def test_metrics_are_served_as_prometheus_text() -> None:
    registry = chassis.metrics.Registry()
    registry.gauge("sallyport_up", "Up.").set(1)
    site = chassis.web.private_site(LOOPBACK, chassis.web.Readiness(), registry)
    await site.start()
    answer = await ask(site.port, "GET /metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert b"sallyport_up 1.0" in answer.body
    await site.stop(grace_s=0)


def test_readiness_is_false_while_nothing_has_been_said() -> None:
    assert not chassis.web.Readiness().is_ready
