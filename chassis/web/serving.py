"""What happens to one request between its head and its answer.

It gets an id, its whole body within bounds or a refusal, its handler, the headers every answer has,
and one log line that names the route's event kind and never the path, query, headers or body.

Only a request that has arrived whole takes one of the places of those being served, so that slow clients
cannot take them all (R-25). Large bodies are fewer than connections, which bounds their memory (R-23).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from types import MappingProxyType

from aiohttp import web

import chassis.errors
import chassis.log
import chassis.trace
from chassis.web import connection, problem
from chassis.web.connection import REQUEST_ID_HEADER, SERVER_NAME
from chassis.web.places import Places
from chassis.web.problem import ErrorRenderer

BODY_DEADLINE_S = 30.0
CONNECTIONS_MAX = 4096
REQUESTS_MAX = 1024
# A body is large when it may be larger than this: tokens, forms and nearly all calls are smaller.
SMALL_BODY_BYTES_MAX = 64 * 1024
LARGE_BODIES_MAX = 32

UNROUTED_EVENT = "web.path.refused"

_REQUEST_ID = web.RequestKey("request_id", str)
_ON_EVERY_ANSWER: Mapping[str, str] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Cache-Control": "no-store",
    }
)
# Source: RFC 6797, 6.1. It holds for every port of the host.
_STRICT_TRANSPORT: Mapping[str, str] = MappingProxyType({"Strict-Transport-Security": "max-age=31536000"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = chassis.log.get("web")


@dataclass(frozen=True)
class Route:
    """One way in.

    Attributes:
        method: an HTTP method; "*" takes any.
        path: aiohttp's path pattern; "/{path:.*}" takes what no other route takes.
        handler: gets a request whose body has been read whole and is within its bounds.
        event: event kind, "<svc>.<noun>.<verb-past>".
        render_error: how errors look on this route.
        is_quiet: whether served requests are logged for debugging only.
    """

    method: str
    path: str
    handler: Handler
    event: str
    render_error: ErrorRenderer = problem.as_problem
    is_quiet: bool = False


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds that a site may set tighter or wider than the defaults."""

    head_deadline_s: float = connection.HEAD_DEADLINE_S
    body_deadline_s: float = BODY_DEADLINE_S
    answer_deadline_s: float = connection.ANSWER_DEADLINE_S
    connections_max: int = CONNECTIONS_MAX
    requests_max: int = REQUESTS_MAX
    large_bodies_max: int = LARGE_BODIES_MAX


DEFAULT_LIMITS = Limits()


def security_headers(*, is_strict_transport: bool) -> Mapping[str, str]:
    """Return what every answer carries, unless whoever answers said otherwise.

    Args:
        is_strict_transport: whether browsers may come to this host over TLS alone from now on.
    """
    return {**_ON_EVERY_ANSWER, **_STRICT_TRANSPORT} if is_strict_transport else _ON_EVERY_ANSWER


class Serving:
    """Carries requests through; counts those in flight, so that a site can be drained."""

    def __init__(self, *, body_bytes_max: int, limits: Limits, is_strict_transport: bool) -> None:
        self._body_bytes_max = body_bytes_max
        self._limits = limits
        self._headers = security_headers(is_strict_transport=is_strict_transport)
        self._routes: dict[web.AbstractRoute, Route] = {}
        self._in_flight = 0
        self._served = Places(limits.requests_max)
        self._large_bodies = Places(limits.large_bodies_max)
        self._is_draining = False
        self._idle = asyncio.Event()

    def application(self, routes: Sequence[Route]) -> web.Application:
        """Return aiohttp's application for these routes, which are tried in order."""
        app = web.Application(client_max_size=self._body_bytes_max, middlewares=[self.serve])
        app.on_response_prepare.append(self.complete_head)
        for route in routes:
            self._routes[app.router.add_route(route.method, route.path, route.handler)] = route
        return app

    async def drain(self, grace_s: float) -> None:
        """Return when no request is in flight, or after `grace_s`; answers now end their connections."""
        self._is_draining = True
        if not self._in_flight:
            return
        self._idle.clear()
        try:
            async with asyncio.timeout(grace_s):
                await self._idle.wait()
        except TimeoutError:
            _log.warning("requests_cut_off", count=self._in_flight)

    @web.middleware
    async def serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Serve one request; aiohttp's middleware."""
        route = self._routes.get(request.match_info.route)
        event = route.event if route else UNROUTED_EVENT
        self._in_flight += 1
        try:
            given = request.headers.get(REQUEST_ID_HEADER)
            with chassis.trace.serving(given, event=event, method=request.method) as request_id:
                request[_REQUEST_ID] = request_id
                return await self._answer(request, handler, route)
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()

    async def complete_head(self, request: web.Request, response: web.StreamResponse) -> None:
        """Add what every answer carries, unless its handler said otherwise; aiohttp's signal."""
        for name, value in self._headers.items():
            response.headers.setdefault(name, value)
        response.headers["Server"] = SERVER_NAME
        response.headers[REQUEST_ID_HEADER] = request[_REQUEST_ID]
        if self._is_draining:
            response.headers["Connection"] = "close"
            response.force_close()

    async def _answer(
        self,
        request: web.Request,
        handler: Handler,
        route: Route | None,
    ) -> web.StreamResponse:
        began_s = asyncio.get_running_loop().time()
        raised: Exception | None = None
        try:
            response = await self._handle(request, handler, route)
        except web.HTTPRedirection as redirection:
            response = web.Response(status=redirection.status, headers=redirection.headers)
        except Exception as error:  # noqa: BLE001 - the edge: whatever happened becomes an answer
            raised = error
            response = _refusal(request, error, route)
        duration_ms = round((asyncio.get_running_loop().time() - began_s) * 1000, 1)
        _note(request, response, route=route, raised=raised, duration_ms=duration_ms)
        if raised is not None and request.writer.output_size > 0:
            # Half an answer is out: only the end of the connection can tell that the rest will not come.
            raise ConnectionResetError
        return response

    async def _handle(
        self, request: web.Request, handler: Handler, route: Route | None
    ) -> web.StreamResponse:
        if route is None:
            return await handler(request)
        if (request.content_length or 0) > self._body_bytes_max:
            raise problem.BodyTooLarge
        with self._large_bodies.taken() if _may_be_large(request) else nullcontext():
            await self._receive(request)
            with self._served.taken():
                return await handler(request)

    async def _receive(self, request: web.Request) -> None:
        """Read the whole body into the request, within its bounds."""
        if request.transport is None:
            # Gone before anybody read: aiohttp takes that for a mistake of whoever reads.
            raise problem.MalformedRequest
        try:
            async with asyncio.timeout(self._limits.body_deadline_s):
                await request.read()
        except TimeoutError as error:
            raise problem.RequestTimeout from error
        except web.HTTPRequestEntityTooLarge as error:
            raise problem.BodyTooLarge from error
        except (web.RequestPayloadError, OSError) as error:
            # However its connection ended: TLS has errors of its own.
            raise problem.MalformedRequest from error


def _may_be_large(request: web.Request) -> bool:
    """Return whether a body may fill more than SMALL_BODY_BYTES_MAX: one whose size nobody said may."""
    size = None if "Content-Encoding" in request.headers else request.content_length
    return request.body_exists and (size is None or size > SMALL_BODY_BYTES_MAX)


def _refusal(request: web.Request, error: Exception, route: Route | None) -> web.Response:
    shown = problem.understood(error)
    render = route.render_error if route else problem.as_problem
    response = render(request, shown)
    if (delay := problem.retry_after(shown)) is not None:
        response.headers.setdefault("Retry-After", delay)
    # What has not come of the body would stand where the next request begins.
    if isinstance(shown, problem.ENDING) or not request.content.is_eof():
        response.force_close()
    return response


def _note(
    request: web.Request,
    response: web.StreamResponse,
    *,
    route: Route | None,
    raised: Exception | None,
    duration_ms: float,
) -> None:
    told = {
        "kind": route.event if route else UNROUTED_EVENT,
        "method": request.method,
        "status": response.status,
        "duration_ms": duration_ms,
    }
    if raised is None:
        _log.at("debug" if route and route.is_quiet else "info", "request_served", **told)
        return
    shown = problem.understood(raised)
    level = chassis.errors.treatment_of(shown).log_level
    # Only what nobody foresaw is told with the places it passed; a refusal has said its reason.
    details = {"error": raised} if level == "error" else {}
    _log.at(level, "request_refused", **told, code=shown.code, **details)
