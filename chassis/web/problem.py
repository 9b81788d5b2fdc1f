"""Errors as HTTP answers: problem documents (RFC 9457), and what aiohttp's own errors mean to us.

Only `code`, `text` and the request id of an error go out. Whatever is not a SallyportError is shown
as Internal; its details stay in the log under the request id.
"""

import json
import math
from collections.abc import Callable
from http import HTTPStatus

from aiohttp import web

import chassis.errors
import chassis.trace

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:sallyport:error:"
RETRY_AFTER_S_DEFAULT = 1.0
RETRY_AFTER_S_MAX = 86_400.0

ErrorRenderer = Callable[[web.Request, chassis.errors.SallyportError], web.Response]


class MalformedRequest(chassis.errors.InvalidInput):
    """What arrived is not HTTP as we accept it."""

    code = "malformed_request"
    text = "The request is malformed."


class HeadTooLarge(chassis.errors.InvalidInput):
    """Request line or headers pass their bound."""

    code = "head_too_large"
    text = "The request's headers are too large."
    http_status = 431


class BodyTooLarge(chassis.errors.InvalidInput):
    """The body, after decompression, passes its bound."""

    code = "body_too_large"
    text = "The request's body is too large."
    http_status = 413


class RequestTimeout(chassis.errors.InvalidInput):
    """The request did not arrive within its deadline."""

    code = "request_timeout"
    text = "The request did not arrive in time."
    http_status = 408


class MethodNotAllowed(chassis.errors.InvalidInput):
    """The path exists, but not with this method."""

    code = "method_not_allowed"
    text = "This method is not allowed here."
    http_status = 405


class Overloaded(chassis.errors.Unavailable):
    """More requests are in flight than this process serves at a time."""

    code = "overloaded"
    text = "Too many requests are in flight."


# After these nobody knows where the next request would begin, or the client was too slow to be waited for.
ENDING = (MalformedRequest, HeadTooLarge, BodyTooLarge, RequestTimeout)


def as_problem(_request: web.BaseRequest | None, error: chassis.errors.SallyportError) -> web.Response:
    """Return the problem document that tells of an error."""
    document = {
        "type": TYPE_PREFIX + error.code,
        "title": HTTPStatus(error.http_status).phrase,
        "status": error.http_status,
        "code": error.code,
        "detail": error.text,
        "request_id": chassis.trace.request_id(),
    }
    return web.Response(
        status=error.http_status,
        body=json.dumps(document).encode(),
        content_type=CONTENT_TYPE,
    )


def retry_after(error: chassis.errors.SallyportError) -> str | None:
    """Return the Retry-After value in whole seconds, for errors that may pass by themselves."""
    if not chassis.errors.treatment_of(error).is_retryable:
        return None
    delay_s = RETRY_AFTER_S_DEFAULT if error.retry_after_s is None else error.retry_after_s
    return str(math.ceil(min(max(delay_s, RETRY_AFTER_S_DEFAULT), RETRY_AFTER_S_MAX)))


def understood(error: BaseException) -> chassis.errors.SallyportError:
    """Return the error to show for anything that a handler or aiohttp raised."""
    if isinstance(error, chassis.errors.SallyportError):
        return error
    if isinstance(error, web.HTTPException):
        return _of_status(error.status)
    return chassis.errors.Internal()


def _of_status(status: int) -> chassis.errors.SallyportError:
    match status:
        case HTTPStatus.NOT_FOUND:
            return chassis.errors.NotFound()
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return MethodNotAllowed()
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return BodyTooLarge()
    is_theirs = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return MalformedRequest() if is_theirs else chassis.errors.Internal()
