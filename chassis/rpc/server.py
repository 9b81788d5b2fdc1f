"""Serves RPCs: who calls, may they, how long may it take, and what becomes of an error."""

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import grpc
import grpc.aio

import chassis.clock
import chassis.crypto.digest
import chassis.crypto.tls
import chassis.entropy
import chassis.env
import chassis.errors
import chassis.identity
import chassis.log
import chassis.trace
from chassis import ciphers
from chassis.rpc import status, transport
from chassis.rpc.methods import Method, Service, rows

CALLS_MAX = 1_000
MISTAKE_ID_BYTES = 8
PROCESS_ID_CHARS = 16

if TYPE_CHECKING:
    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]
    Handler: TypeAlias = grpc.RpcMethodHandler[Any, Any]
else:
    Context = grpc.aio.ServicerContext
    Handler = grpc.RpcMethodHandler

_log = chassis.log.get("rpc")
_caller: ContextVar[str] = ContextVar("caller")
_process: ContextVar[str] = ContextVar("process")


def caller() -> str:
    """Return the verified name of who made the call being handled, e.g. "gateway".

    Raises:
        LookupError: no call is being handled.
    """
    return _caller.get()


def calling_process() -> str:
    """Return what tells the calling process from others of its name: drawn from its certificate.

    A process whose certificate was renewed is another one.

    Raises:
        LookupError: no call is being handled.
    """
    return _process.get()


class Server:
    """One process's gRPC door. Certificates are taken from the keeper at every handshake."""

    def __init__(
        self,
        *,
        listen: chassis.env.Address,
        keeper: chassis.identity.Keeper,
        services: Sequence[Service],
        clock: chassis.clock.Clock,
    ) -> None:
        """Check the tables; nothing listens before `start`.

        Raises:
            StartRefused: `methods_incomplete`, or `tls_required` when grpc was loaded before chassis.rpc.
        """
        if not ciphers.IS_TLS_1_3_ONLY:
            raise chassis.errors.StartRefused(
                "tls_required", "import chassis.rpc before anything that imports grpc"
            )
        self._listen = listen
        self._keeper = keeper
        self._services = services
        self._gate = _Gate({path: row for service in services for path, row in rows(service).items()}, clock)
        self._server: grpc.aio.Server | None = None
        self._shown: chassis.crypto.tls.Certificate | None = None
        self.port = 0

    async def start(self) -> None:
        """Listen; `port` is the one really taken.

        Raises:
            StartRefused: `address_unavailable`.
        """
        server = grpc.aio.server(
            interceptors=[self._gate], options=transport.SERVER_OPTIONS, maximum_concurrent_rpcs=CALLS_MAX
        )
        for service in self._services:
            service.add(service.servicer, server)
        self._shown = self._keeper.current
        credentials = grpc.dynamic_ssl_server_credentials(
            transport.server_certificate(self._shown),
            # The stubs forget that None means "as before".
            cast("Callable[[], grpc.ServerCertificateConfiguration]", self._fresh_certificate),
            require_client_authentication=True,
        )
        try:
            self.port = server.add_secure_port(str(self._listen), credentials)
        except RuntimeError as error:
            raise chassis.errors.StartRefused(
                "address_unavailable", f"cannot listen on {self._listen}"
            ) from error
        await server.start()
        self._server = server

    async def stop(self, grace_s: float) -> None:
        """Take no more calls, and return when those under way have ended, at most `grace_s` seconds later."""
        if self._server is not None:
            await self._server.stop(grace_s)

    def _fresh_certificate(self) -> grpc.ServerCertificateConfiguration | None:
        """Return the certificate for the handshake that begins, None for the one shown before.

        gRPC asks on a thread of its own; reading and setting one attribute each needs no lock.
        """
        certificate = self._keeper.current
        if certificate is self._shown:
            return None
        self._shown = certificate
        return transport.server_certificate(certificate)


class _Gate(grpc.aio.ServerInterceptor):
    """What every call passes before and after its handler."""

    def __init__(self, table: dict[str, Method], clock: chassis.clock.Clock) -> None:
        self._table = table
        self._clock = clock
        self._entropy = chassis.entropy.SystemEntropy()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Return the handler of a call with the gate around it."""
        handler = await continuation(handler_call_details)
        row = self._table.get(handler_call_details.method)
        if handler is None or row is None:
            # A path that no service has: gRPC answers that it is not implemented.
            return cast("Handler", None)
        if handler.response_streaming:
            return self._guarded_stream(row, handler)
        return self._guarded(row, handler)

    def _guarded(self, row: Method, handler: Handler) -> Handler:
        inner = cast("Callable[[object, Context], Awaitable[object]]", handler.unary_unary)

        async def serve(request: object, context: Context) -> object:
            async with self._around(row, context):
                return await inner(request, context)

        return grpc.unary_unary_rpc_method_handler(
            serve, handler.request_deserializer, handler.response_serializer
        )

    def _guarded_stream(self, row: Method, handler: Handler) -> Handler:
        inner = cast("Callable[[object, Context], AsyncGenerator[object]]", handler.unary_stream)

        # It writes, and is no generator: what is bound around a call is then undone in the call's own task.
        async def serve(request: object, context: Context) -> None:
            async with self._around(row, context), aclosing(inner(request, context)) as answers:
                async for answer in answers:
                    await context.write(answer)

        return grpc.unary_stream_rpc_method_handler(
            serve, handler.request_deserializer, handler.response_serializer
        )

    @asynccontextmanager
    async def _around(self, row: Method, context: Context) -> AsyncIterator[None]:
        """Admit the call, bound it in time, and turn what goes wrong into a status."""
        sent = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        with (
            chassis.trace.bind_request_id(sent.get(transport.REQUEST_ID)),
            chassis.trace.continued(sent.get(transport.TRACEPARENT)),
            self._reported(row) as report,
        ):
            try:
                report.caller = _identity(context)
                _admit(report.caller, row)
                with _bound(report.caller, _process_id(context)):
                    async with _limited(row.deadline_s):
                        with chassis.trace.span(row.event, caller=report.caller):
                            yield
            except chassis.errors.SallyportError as error:
                report.failure = error
            except Exception as error:  # noqa: BLE001 - our mistake: whole in the log, an id to the caller
                report.failure = self._mistake(error)
            if report.failure is not None:
                trailers = status.trailers_of(report.failure)
                await context.abort(status.code_of(report.failure), report.failure.text, trailers)

    @contextmanager
    def _reported(self, row: Method) -> Iterator["_Report"]:
        """Write the line that every call leaves in the log, however it ends."""
        report = _Report()
        started_s = self._clock.monotonic_s()
        try:
            yield report
        finally:
            _log.at(
                "info" if report.failure is None else chassis.errors.treatment_of(report.failure).log_level,
                "call_served",
                kind=row.event,
                caller=report.caller,
                outcome=report.outcome,
                duration_ms=round((self._clock.monotonic_s() - started_s) * 1000, 1),
            )

    def _mistake(self, error: Exception) -> chassis.errors.Internal:
        mistake_id = self._entropy.token(MISTAKE_ID_BYTES).hex()
        _log.error("call_failed", mistake_id=mistake_id, error=error)
        return chassis.errors.Internal(f"Something went wrong ({mistake_id}).")


@dataclass
class _Report:
    """What is known of a call when it ends."""

    caller: str = ""
    failure: chassis.errors.SallyportError | None = None

    @property
    def outcome(self) -> str:
        if self.failure is not None:
            return self.failure.code
        # Thrown out of the handler from outside, as when the caller has left.
        return "done" if sys.exc_info()[0] is None else "cancelled"


def _admit(name: str, row: Method) -> None:
    if name not in row.callers:
        raise status.CallerNotAllowed


@contextmanager
def _bound(name: str, process_id: str = "") -> Iterator[None]:
    caller_before, process_before = _caller.set(name), _process.set(process_id)
    try:
        yield
    finally:
        _process.reset(process_before)
        _caller.reset(caller_before)


@asynccontextmanager
async def _limited(deadline_s: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(deadline_s) as limit:
            yield
    except TimeoutError as error:
        if limit.expired():
            raise status.DeadlineExceeded from error
        raise


def _identity(context: Context) -> str:
    """Return whom the caller's certificate names: exactly one of our DNS names, on a TLS 1.3 connection."""
    proven = context.auth_context()
    names = [name.decode("ascii", "replace") for name in proven.get("x509_subject_alternative_name", ())]
    ours = [
        name.removesuffix(transport.NAME_SUFFIX) for name in names if name.endswith(transport.NAME_SUFFIX)
    ]
    if len(ours) != 1 or list(proven.get("ssl_tls_version", ())) != [transport.TLS_VERSION]:
        raise status.CallerUnknown
    return ours[0]


def _process_id(context: Context) -> str:
    certificates = context.auth_context().get("x509_pem_cert", ())
    return chassis.crypto.digest.sha256(b"".join(certificates)).hex()[:PROCESS_ID_CHARS]
