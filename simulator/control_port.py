"""The control port: plain HTTP, for tests and for whoever plays with the simulated Amazon by hand."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aiohttp import web

from simulator.control_values import ControlRefused
from simulator.controls import Controls
from simulator.documents.controls import DocumentControls

BODY_BYTES_MAX = 65_536
PREFIX = "/_simulator"
_ORDER = "/orders/{order_id}"
_APPLICATION = "/applications/{application_id}"

Document = dict[str, Any]
Handler = Callable[[web.Request], Any]
Change = Callable[[Document], Document]
Look = Callable[[web.Request], Document]


def control_app(controls: Controls, documents: DocumentControls) -> web.Application:
    """Return the application of the control port."""
    app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[_as_json])
    app.router.add_routes(_changes(controls, documents))
    app.router.add_routes(_looks(controls, documents))
    app.router.add_routes(_deeds(controls))
    return app


def _changes(controls: Controls, documents: DocumentControls) -> Iterator[web.RouteDef]:
    """Yield what takes a document and changes something."""
    changes: Mapping[str, Change] = {
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
        yield web.post(PREFIX + path, _changing(change))
    yield web.post(f"{PREFIX}{_APPLICATION}/secret", _named(controls.rotate_secret))
    yield web.post(f"{PREFIX}{_APPLICATION}/enrolment", _named(controls.enrol))


def _looks(controls: Controls, documents: DocumentControls) -> Iterator[web.RouteDef]:
    """Yield what tells something and changes nothing."""
    looks: Mapping[str, Look] = {
        "/health": lambda _: controls.health(),
        "/clock": lambda _: controls.time(),
        "/sellers": lambda _: controls.sellers(),
        "/orders": lambda r: controls.orders(r.query.get("seller_id"), r.query.get("status")),
        _ORDER: lambda r: controls.order(r.match_info["order_id"]),
        "/consents": lambda _: controls.consents(),
        "/hostility": lambda _: controls.hostility(),
        "/queue": lambda _: controls.queue(),
        "/sandbox": lambda _: controls.sandbox(),
        "/documents": lambda _: documents.settings(),
        "/jobs": lambda _: documents.jobs(),
        "/uploads": lambda _: documents.uploads(),
        f"{_APPLICATION}/secrets": lambda r: controls.secrets(r.match_info["application_id"]),
        "/calls": lambda r: controls.calls(_whole(r, "after", 0), _whole(r, "limit", 1_000)),
    }
    for path, look in looks.items():
        yield web.get(PREFIX + path, _looking(look))
    yield web.get(f"{PREFIX}/objects/{{folder}}/{{name}}", _holding(documents))


def _deeds(controls: Controls) -> Iterator[web.RouteDef]:
    """Yield what is done without a document."""
    yield web.delete(f"{PREFIX}/calls", _looking(lambda _: controls.clear_calls()))
    yield web.delete(f"{PREFIX}/faults", _looking(lambda _: controls.clear_faults()))
    yield web.post(f"{PREFIX}{_ORDER}/ship", _looking(lambda r: controls.ship(r.match_info["order_id"])))
    yield web.post(
        f"{PREFIX}{_ORDER}/deliver", _looking(lambda r: controls.deliver(r.match_info["order_id"]))
    )


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
