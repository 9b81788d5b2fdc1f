"""The public ports: HTTP in and out of the core."""

import asyncio
import contextlib
import time

from aiohttp import web
from multidict import CIMultiDict

import simulator.amazon
from simulator.amazon import Amazon
from simulator.exchange import Answer, Request

# How often a queue is looked at while somebody waits for a letter.
LOOK_S = 0.05
# In so many pieces a body drips.
PIECES = 20
READ_BYTES = 65_536
PIECE_BYTES_MAX = 1_048_576


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
