"""The sockets: HTTP in and out of the core, for the public ports and for the control port."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

import simulator.amazon
from simulator.amazon import Amazon
from simulator.control_values import ControlRefused
from simulator.controls import Controls
from simulator.documents.controls import DocumentControls
from simulator.exchange import Answer, Request

CONTROL_BODY_BYTES_MAX = 65_536
PREFIX = "/_simulator"
# How often a queue is looked at while somebody waits for a letter.
LOOK_S = 0.05
# In so many pieces a body drips.
PIECES = 20
READ_BYTES = 65_536
PIECE_BYTES_MAX = 1_048_576

Document = dict[str, Any]


def public_app(amazon: Amazon, faces: frozenset[str]) -> web.Application:
    """Return the application of a port that serves some of Amazon's faces."""

    async def handle(incoming: web.Request) -> web.StreamResponse:
        request = await _request(incoming)
        await _letter(incoming, amazon, request)
        answer = amazon.answer(request, faces)
        try:
            return await _answered(incoming, answer)
        finally:
            amazon.end(answer.ordinal, time.monotonic())

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    return app


async def _letter(incoming: web.Request, amazon: Amazon, request: Request) -> None:
    """Return once there is a letter for who waits for one, or when they wait no longer."""
    patience_s = amazon.awaits_letter(request)
    while patience_s > 0 and incoming.transport is not None:
        await asyncio.sleep(LOOK_S)
        patience_s = min(patience_s - LOOK_S, amazon.awaits_letter(request))


async def _answered(incoming: web.Request, answer: Answer) -> web.StreamResponse:
    """Return the response when it is on its way, so that whoever called has it or never will."""
    if answer.delay_s:
        await asyncio.sleep(answer.delay_s)
    if answer.is_hung_up and incoming.transport is not None:
        incoming.transport.abort()
    if answer.drip_s or answer.sent_bytes is not None or len(answer.body) > PIECE_BYTES_MAX:
        return await _sent_in_pieces(incoming, answer)
    response = web.Response(status=answer.status, body=answer.body, headers=CIMultiDict(answer.headers))
    with contextlib.suppress(ConnectionError):
        await response.prepare(incoming)
        await response.write_eof()
    return response


async def _sent_in_pieces(incoming: web.Request, answer: Answer) -> web.StreamResponse:
    """Send a body slowly, or only its beginning, or one that is too large for one piece."""
    response = web.StreamResponse(status=answer.status, headers=CIMultiDict(answer.headers))
    response.content_length = len(answer.body)
    sent = answer.body if answer.sent_bytes is None else answer.body[: answer.sent_bytes]
    size = max(-(-len(sent) // PIECES), 1) if answer.drip_s else PIECE_BYTES_MAX
    with contextlib.suppress(ConnectionError):
        await response.prepare(incoming)
        for begin in range(0, len(sent), size):
            await response.write(sent[begin : begin + size])
            await asyncio.sleep(answer.drip_s / PIECES)
        if len(sent) < len(answer.body) and incoming.transport is not None:
            incoming.transport.close()
        await response.write_eof()
    return response


async def _request(incoming: web.Request) -> Request:
    began_s = time.monotonic()
    peer = incoming.transport.get_extra_info("peername") if incoming.transport else None
    return Request(
        method=incoming.method,
        path=incoming.path,
        query=tuple(incoming.query.items()),
        headers={name.lower(): value for name, value in incoming.headers.items()},
        body=await _body(incoming),
        client=f"{peer[0]}:{peer[1]}" if peer else "",
        began_s=began_s,
    )


async def _body(incoming: web.Request) -> bytes:
    """Return a request's body, within what its face takes."""
    bytes_max = simulator.amazon.body_bytes_max(incoming.path)
    body = bytearray()
    async for chunk in incoming.content.iter_chunked(READ_BYTES):
        body += chunk
        if len(body) > bytes_max:
            raise web.HTTPRequestEntityTooLarge(max_size=bytes_max, actual_size=len(body))
    return bytes(body)


def control_app(controls: Controls, documents: DocumentControls) -> web.Application:
    """Return the application of the control port."""
    app = web.Application(client_max_size=CONTROL_BODY_BYTES_MAX, middlewares=[_as_json])
    changes: dict[str, Callable[[Document], Document]] = {
        "/clock": controls.turn_clock,
        "/consent": controls.consent,
        "/consents": controls.grant,
        "/consents/revoke": controls.revoke,
        "/hostility": controls.set_hostility,
        "/faults": controls.script_fault,
        "/plans": controls.set_plan,
        "/queue": controls.send_letter,
        "/sandbox": controls.set_sandbox,
        "/documents": documents.set,
        "/outcomes": documents.order_outcome,
    }
    for path, change in changes.items():
        app.router.add_post(PREFIX + path, _changing(change))
    looks: dict[str, Callable[[web.Request], Document]] = {
        "/health": lambda _: controls.health(),
        "/clock": lambda _: controls.time(),
        "/sellers": lambda _: controls.sellers(),
        "/orders": lambda r: controls.orders(r.query.get("seller_id"), r.query.get("status")),
        "/orders/{order_id}": lambda r: controls.order(r.match_info["order_id"]),
        "/consents": lambda _: controls.consents(),
        "/hostility": lambda _: controls.hostility(),
        "/queue": lambda _: controls.queue(),
        "/sandbox": lambda _: controls.sandbox(),
        "/documents": lambda _: documents.settings(),
        "/jobs": lambda _: documents.jobs(),
        "/uploads": lambda _: documents.uploads(),
        "/applications/{application_id}/secrets": lambda r: controls.secrets(r.match_info["application_id"]),
        "/calls": lambda r: controls.calls(_whole(r, "after", 0), _whole(r, "limit", 1_000)),
    }
    for path, look in looks.items():
        app.router.add_get(PREFIX + path, _looking(look))
    app.router.add_delete(f"{PREFIX}/calls", _looking(lambda _: controls.clear_calls()))
    app.router.add_delete(f"{PREFIX}/faults", _looking(lambda _: controls.clear_faults()))
    app.router.add_post(
        f"{PREFIX}/orders/{{order_id}}/ship", _looking(lambda r: controls.ship(r.match_info["order_id"]))
    )
    app.router.add_post(
        f"{PREFIX}/orders/{{order_id}}/deliver",
        _looking(lambda r: controls.deliver(r.match_info["order_id"])),
    )
    app.router.add_get(f"{PREFIX}/objects/{{folder}}/{{name}}", _holding(documents))
    application = f"{PREFIX}/applications/{{application_id}}"
    app.router.add_post(f"{application}/secret", _named(controls.rotate_secret))
    app.router.add_post(f"{application}/enrolment", _named(controls.enrol))
    return app


Handler = Callable[[web.Request], Any]


def _changing(change: Callable[[Document], Document]) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        return web.json_response(change(await _document(request)))

    return handle


def _looking(look: Callable[[web.Request], Document]) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        return web.json_response(look(request))

    return handle


def _named(change: Callable[[str, Document], Document]) -> Handler:
    """Return the handler of a change to the application in the path."""

    async def handle(request: web.Request) -> web.Response:
        body = await _document(request) if request.can_read_body else {}
        return web.json_response(change(request.match_info["application_id"], body))

    return handle


def _holding(documents: DocumentControls) -> Handler:
    """Return the handler that gives an object's bytes."""

    async def handle(request: web.Request) -> web.Response:
        named = request.match_info
        return web.Response(body=documents.content(named["folder"], named["name"]))

    return handle


@web.middleware
async def _as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer errors as JSON, and refuse what a web page in a browser could send here unasked."""
    if request.headers.get("Origin") is not None:
        return web.json_response({"error": "the control interface is not for web pages"}, status=403)
    try:
        response: web.StreamResponse = await handler(request)
    except ControlRefused as refused:
        return web.json_response({"error": str(refused)}, status=refused.status)
    except web.HTTPException as error:
        return web.json_response({"error": error.reason}, status=error.status)
    return response


async def _document(request: web.Request) -> Document:
    try:
        document = json.loads(await request.read())
    except (ValueError, RecursionError) as error:
        raise ControlRefused(400, "the body is not JSON") from error
    if not isinstance(document, dict):
        raise ControlRefused(400, "the body is not a JSON object")
    return document


def _whole(request: web.Request, name: str, default: int) -> int:
    try:
        return max(int(request.query.get(name, default)), 0)
    except ValueError as error:
        raise ControlRefused(400, f"{name} must be a whole number") from error
