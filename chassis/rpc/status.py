"""Errors on the wire: a gRPC status for everybody's tools, and trailing metadata for our own other side."""

from collections.abc import Mapping
from http import HTTPStatus

import grpc
import grpc.aio

import chassis.errors

KIND = "sallyport-kind"
CODE = "sallyport-code"
HTTP_STATUS = "sallyport-http-status"
RETRY_AFTER_MS = "sallyport-retry-after-ms"
TEXT_CHARS_MAX = 1_000


class CallerUnknown(chassis.errors.Unauthenticated):
    """The connection's certificate does not name one of our identities, or the connection is not TLS 1.3."""

    code = "caller_unknown"
    text = "The caller's certificate does not name an identity."


class CallerNotAllowed(chassis.errors.Denied):
    """The method's row does not list this caller."""

    code = "caller_not_allowed"
    text = "This caller may not call this method."


class DeadlineExceeded(chassis.errors.Unavailable):
    """The answer was not there in time; whether anything happened is not known."""

    code = "deadline_exceeded"
    text = "The answer took too long."


class PeerUnavailable(chassis.errors.Unavailable):
    """The other process cannot be reached, or went away in the middle of the call."""

    code = "peer_unavailable"
    text = "A service that is needed cannot be reached right now."


class PeerOverloaded(chassis.errors.Unavailable):
    """The other process has as much to do as it takes on."""

    code = "peer_overloaded"
    text = "A service that is needed has too much to do right now."


class MethodUnknown(chassis.errors.Internal):
    """The other process serves no such method: it is of another release. Nothing has happened."""

    code = "method_unknown"


class MessageTooLarge(chassis.errors.InvalidInput):
    """A request or an answer is larger than a connection carries."""

    code = "message_too_large"
    text = "The message is too large."
    http_status = 413


# What gRPC itself says when no handler of ours has spoken; whatever is not here is our mistake.
_WITHOUT_WORDS: Mapping[grpc.StatusCode, type[chassis.errors.SallyportError]] = {
    grpc.StatusCode.UNAVAILABLE: PeerUnavailable,
    grpc.StatusCode.CANCELLED: PeerUnavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.RESOURCE_EXHAUSTED: PeerOverloaded,
    grpc.StatusCode.UNIMPLEMENTED: MethodUnknown,
    grpc.StatusCode.UNAUTHENTICATED: CallerUnknown,
    grpc.StatusCode.PERMISSION_DENIED: CallerNotAllowed,
}


def code_of(error: chassis.errors.SallyportError) -> grpc.StatusCode:
    """Return the gRPC status of an error's kind."""
    return grpc.StatusCode[chassis.errors.treatment_of(error).grpc_status]


def trailers_of(error: chassis.errors.SallyportError) -> tuple[tuple[str, str], ...]:
    """Return what the other side needs to build the error again; its text travels as the status's details."""
    trailers = {
        KIND: chassis.errors.kind_of(error).__name__,
        CODE: error.code,
        HTTP_STATUS: str(error.http_status),
    }
    if error.retry_after_s is not None:
        trailers[RETRY_AFTER_MS] = f"{error.retry_after_s * 1000:.0f}"
    return tuple(trailers.items())


def rebuilt(failure: grpc.aio.AioRpcError) -> chassis.errors.SallyportError:
    """Return the error that the other side raised, or what gRPC's own status means."""
    trailers = {key: str(value) for key, value in failure.trailing_metadata() or ()}
    if KIND not in trailers:
        return _meant(failure)
    retry_after_ms = trailers.get(RETRY_AFTER_MS)
    return chassis.errors.rebuild(
        trailers[KIND],
        code=trailers[CODE],
        text=(failure.details() or "")[:TEXT_CHARS_MAX],
        http_status=int(trailers.get(HTTP_STATUS, HTTPStatus.INTERNAL_SERVER_ERROR)),
        retry_after_s=None if retry_after_ms is None else int(retry_after_ms) / 1000,
    )


def _meant(failure: grpc.aio.AioRpcError) -> chassis.errors.SallyportError:
    # One status for two things: only gRPC's words tell a message too large from a process too busy.
    if failure.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and "message larger" in (failure.details() or ""):
        return MessageTooLarge()
    return _WITHOUT_WORDS.get(failure.code(), chassis.errors.Internal)()
