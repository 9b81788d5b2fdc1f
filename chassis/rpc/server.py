"""Serves RPCs: who calls, may they, how long may it take, and what becomes of an error."""

import asyncio
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

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
from chassis.rpc.hearing import Hearing
from chassis.rpc.methods import Method, Service, rows

CALLS_MAX = 1_000
MISTAKE_ID_BYTES = 8
PROCESS_ID_CHARS = 16
# What a connection proves, as gRPC calls it.
PROVEN_NAMES = "x509_subject_alternative_name"
PROVEN_VERSION = "ssl_tls_version"
PROVEN_CERTIFICATE = "x509_pem_cert"
# Certificates of callers, of one hour each; about 2 KB each.
PEERS_REMEMBERED_MAX = 256

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


def _nothing_more() -> None:
    """Do nothing: every stream of answers comes to its own end."""


class Server:
    """One process's gRPC door. Certificates are taken from the keeper at every handshake."""

    def __init__(
        self,
        *,
        listen: chassis.env.Address,
        keeper: chassis.identity.Keeper,
        services: Sequence[Service],
        clock: chassis.clock.Clock,
        farewell: Callable[[], None] = _nothing_more,
    ) -> None:
        """Check the tables; nothing listens before `start`.

        Args:
            listen: where; port 0 takes any free one.
            keeper: of our own certificate.
            services: all that are served.
            clock: for durations.
            farewell: called when the server stops; ends streams of answers that would go on for ever.

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
        self._farewell = farewell
        self._gate = _Gate({path: row for service in services for path, row in rows(service).items()}, clock)
        self._server: grpc.aio.Server | None = None
        self._shown: chassis.crypto.tls.Certificate | None = None
        self.port = 0

    async def start(self) -> None:
        """Listen; `port` is the one really taken.

        Raises:
            StartRefused: `address_unavailable`.
        """
        server = grpc.aio.server(options=transport.SERVER_OPTIONS, maximum_concurrent_rpcs=CALLS_MAX)
        for service in self._services:
            service.add(service.servicer, _Registrar(server, self._gate))
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
        self._gate.hearing.close()
        self._farewell()
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


class _Registrar:
    """The part of a gRPC server that generated code uses; each handler is taken with the gate around it."""

    def __init__(self, server: grpc.aio.Server, gate: "_Gate") -> None:
        self._server = server
        self._gate = gate

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """Leave it: generated code names the same handlers again, one by one."""

    def add_registered_method_handlers(self, service_name: str, handlers: Mapping[str, Handler]) -> None:
        guarded = {
            name: self._gate.guarded(f"/{service_name}/{name}", handler) for name, handler in handlers.items()
        }
        self._server.add_registered_method_handlers(service_name, guarded)


class _Gate:
    """What every call passes before and after its handler."""

    def __init__(self, table: dict[str, Method], clock: chassis.clock.Clock) -> None:
        self._table = table
        self._clock = clock
        self._entropy = chassis.entropy.SystemEntropy()
        self.hearing = Hearing()

    def guarded(self, path: str, handler: Handler) -> Handler:
        """Return a handler with the gate around it."""
        if handler.request_streaming:
            return self._guarded_line(self._table[path], handler)
        if handler.response_streaming:
            return self._guarded_stream(self._table[path], handler)
        return self._guarded(self._table[path], handler)

    def _guarded(self, row: Method, handler: Handler) -> Handler:
        inner = cast("Callable[[object, Context], Awaitable[object]]", handler.unary_unary)

        async def serve(request: object, context: Context) -> object:
            return await self._serve(row, context, lambda: inner(request, context))

        return grpc.unary_unary_rpc_method_handler(
            serve, handler.request_deserializer, handler.response_serializer
        )

    def _guarded_stream(self, row: Method, handler: Handler) -> Handler:
        inner = cast("Callable[[object, Context], AsyncGenerator[object]]", handler.unary_stream)

        # It writes, and is no generator: what is bound around a call then stays in the call's own task.
        async def serve(request: object, context: Context) -> None:
            await self._serve(row, context, lambda: _write(inner(request, context), context))

        return grpc.unary_stream_rpc_method_handler(
            serve, handler.request_deserializer, handler.response_serializer
        )

    def _guarded_line(self, row: Method, handler: Handler) -> Handler:
        inner = cast(
            "Callable[[AsyncIterator[object], Context], AsyncGenerator[object]]", handler.stream_stream
        )

        # As above; of gRPC's two ways to hear requests it takes the one that leaves no generator open.
        async def serve(_: object, context: Context) -> None:
            async def converse() -> None:
                await context.send_initial_metadata(((transport.IS_HEARD, "yes"),))
                await _write(inner(self.hearing.requests(context.read), context), context)

            await self._serve(row, context, converse)

        return grpc.stream_stream_rpc_method_handler(
            serve, handler.request_deserializer, handler.response_serializer
        )

    async def _serve(self, row: Method, context: Context, handle: Callable[[], Awaitable[object]]) -> object:
        """Return what a handler returns; turn what goes wrong into a status; leave a line in the log."""
        started_s = self._clock.monotonic_s()
        sent = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        report = _Report()
        with (
            chassis.trace.bind_request_id(sent.get(transport.REQUEST_ID)),
            chassis.trace.continued(sent.get(transport.TRACEPARENT)),
        ):
            try:
                return await _admitted(row, context, report=report, handle=handle)
            except chassis.errors.SallyportError as error:
                report.failure = error
            except Exception as error:  # noqa: BLE001 - our mistake: whole in the log, an id to the caller
                report.failure = self._mistake(error)
            finally:
                duration_s = self._clock.monotonic_s() - started_s
                _log.at(
                    report.level,
                    "call_served",
                    kind=row.event,
                    caller=report.caller,
                    outcome=report.outcome,
                    duration_ms=round(duration_s * 1000, 1),
                )
            trailers = status.trailers_of(report.failure)
            return await context.abort(status.code_of(report.failure), report.failure.text, trailers)

    def _mistake(self, error: Exception) -> chassis.errors.Internal:
        mistake_id = self._entropy.token(MISTAKE_ID_BYTES).hex()
        _log.error("call_failed", mistake_id=mistake_id, error=error)
        return chassis.errors.Internal(f"Something went wrong ({mistake_id}).")


async def _write(answers: AsyncGenerator[object], context: Context) -> None:
    async with aclosing(answers):
        async for answer in answers:
            await context.write(answer)


@dataclass(slots=True)
class _Report:
    """What is known of a call when it ends; one that is thrown out from outside neither fails nor is done."""

    caller: str = ""
    failure: chassis.errors.SallyportError | None = None
    is_done: bool = False

    @property
    def outcome(self) -> str:
        if self.failure is not None:
            return self.failure.code
        return "done" if self.is_done else "cancelled"

    @property
    def level(self) -> str:
        return "info" if self.failure is None else chassis.errors.treatment_of(self.failure).log_level


async def _admitted(
    row: Method, context: Context, *, report: _Report, handle: Callable[[], Awaitable[object]]
) -> object:
    """Return what the handler returns, within its row's deadline, to a proven caller whom the row lists."""
    peer = _proven(context)
    report.caller = peer.name
    row.check(peer.name)
    # Nobody takes these back: each call has a task of its own.
    _caller.set(peer.name)
    _process.set(peer.process_id)
    limit = asyncio.timeout(row.deadline_s)
    try:
        async with limit:
            with chassis.trace.span(row.event, caller=peer.name):
                answer = await handle()
    except TimeoutError as error:
        if limit.expired():
            raise status.DeadlineExceeded from error
        raise
    report.is_done = True
    return answer


class _Peer(NamedTuple):
    """Who calls; see `caller` and `calling_process`."""

    name: str
    process_id: str


def _proven(context: Context) -> _Peer:
    """Return whom the connection proves.

    Raises:
        CallerUnknown: nobody of ours, or not over TLS 1.3.
    """
    proven = context.auth_context()
    return _peer(
        tuple(proven.get(PROVEN_NAMES, ())),
        tuple(proven.get(PROVEN_VERSION, ())),
        tuple(proven.get(PROVEN_CERTIFICATE, ())),
    )


@functools.lru_cache(PEERS_REMEMBERED_MAX)
def _peer(names: tuple[bytes, ...], versions: tuple[bytes, ...], certificates: tuple[bytes, ...]) -> _Peer:
    """Return whom a certificate names: exactly one of our DNS names, on a TLS 1.3 connection.

    Raises:
        CallerUnknown: it names none, or several, or the connection is not TLS 1.3.
    """
    texts = [name.decode("ascii", "replace") for name in names]
    ours = [
        text.removesuffix(transport.NAME_SUFFIX) for text in texts if text.endswith(transport.NAME_SUFFIX)
    ]
    if len(ours) != 1 or list(versions) != [transport.TLS_VERSION]:
        raise status.CallerUnknown
    digest = chassis.crypto.digest.sha256(b"".join(certificates))
    return _Peer(ours[0], digest.hex()[:PROCESS_ID_CHARS])
