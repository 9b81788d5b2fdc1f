"""The HTTP edge over real sockets: errors, what every answer has, and the private site."""

import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

import chassis.metrics
import chassis.trace
import chassis.web
from tests.integration.chassis.web_stage import (
    CATCH_ALL,
    LOOPBACK,
    ROUTES,
    ask,
    exchange,
    in_own_shape,
    refuse,
    serving,
)


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
