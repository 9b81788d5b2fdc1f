"""Calls another process.

When our certificate was renewed, new calls take a new connection, while those under way end on the old one.
"""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import grpc
import grpc.aio

import chassis.crypto.tls
import chassis.env
import chassis.identity
import chassis.trace
from chassis.rpc import status, transport
from chassis.rpc.line import Line, Stream

CLOSE_GRACE_S = 5.0

Stub = TypeVar("Stub")
Request = TypeVar("Request")
Answer = TypeVar("Answer")


@dataclass
class _Link:
    """One gRPC channel, made with one certificate."""

    certificate: chassis.crypto.tls.Certificate
    channel: grpc.aio.Channel
    calls: int = 0


@dataclass(frozen=True)
class _Rpc:
    """One method, as the generated stub describes it."""

    path: str
    serialize: Callable[[Any], bytes] | None
    deserialize: Callable[[bytes], Any] | None


class Channel:
    """The way to one peer. Errors that its handlers raise are raised here again; see `chassis.rpc.status`."""

    def __init__(
        self,
        *,
        address: chassis.env.Address,
        peer: str,
        keeper: chassis.identity.Keeper,
        deadline_s: float = 5.0,
    ) -> None:
        """Describe the way; nothing is dialled before the first call.

        Args:
            address: where the peer listens.
            peer: its identity, which its certificate must name.
            keeper: of our own certificate; started before the first call.
            deadline_s: of a call that names none. A stream that names none lives as long as the peer lets it.
        """
        self._address = address
        self._peer = peer
        self._keeper = keeper
        self._deadline_s = deadline_s
        self._live: _Link | None = None
        self._retired: list[_Link] = []
        self._lines: list[Line[Any, Any]] = []

    def stub(self, stub_class: Callable[[grpc.aio.Channel], Stub]) -> Stub:
        """Return the generated stub; its methods take the request and `timeout`, in seconds."""
        return stub_class(cast("grpc.aio.Channel", _Facade(self)))

    def line(self, method: "grpc.aio.StreamStreamMultiCallable[Request, Answer]") -> Line[Request, Answer]:
        """Return a way to ask one thing after the other.

        Args:
            method: of a stub of this channel; it streams both requests and answers.
        """
        # What the stub calls gRPC's is what `_Facade` gave it.
        begin = functools.partial(self._begin_stream, cast("_Rpc", method))
        line: Line[Request, Answer] = Line(begin, answer_s_max=self._deadline_s)
        self._lines.append(line)
        return line

    async def reach(self) -> None:
        """Return once the peer is connected and has shown that it is who it must be.

        Raises:
            PeerUnavailable: not within the deadline of a call.
        """
        link = self._begin()
        try:
            async with asyncio.timeout(self._deadline_s):
                await link.channel.channel_ready()
        except TimeoutError as error:
            raise status.PeerUnavailable from error
        finally:
            await self._end(link)

    async def close(self) -> None:
        """Return once calls under way have ended or, after CLOSE_GRACE_S, were cancelled."""
        for line in self._lines:
            await line.hang_up()
        links = [*self._retired, *([self._live] if self._live else [])]
        self._live, self._retired = None, []
        for link in links:
            await link.channel.close(CLOSE_GRACE_S)

    async def ask(self, rpc: _Rpc, request: object, timeout_s: float | None) -> object:
        """Return the answer to one request."""
        link = self._begin()
        call = link.channel.unary_unary(rpc.path, rpc.serialize, rpc.deserialize)
        try:
            return await call(request, timeout=timeout_s or self._deadline_s, metadata=_metadata())
        except grpc.aio.AioRpcError as failure:
            raise status.rebuilt(failure) from failure
        finally:
            await self._end(link)

    async def follow(self, rpc: _Rpc, request: object, timeout_s: float | None) -> AsyncIterator[object]:
        """Give the answers to one request as they come."""
        link = self._begin()
        call = link.channel.unary_stream(rpc.path, rpc.serialize, rpc.deserialize)(
            request, timeout=timeout_s, metadata=_metadata()
        )
        try:
            async for answer in call:
                yield answer
        except grpc.aio.AioRpcError as failure:
            raise status.rebuilt(failure) from failure
        finally:
            call.cancel()
            await self._end(link)

    def _begin_stream(self, rpc: _Rpc) -> Stream[Any, Any]:
        link = self._begin()
        call: grpc.aio.StreamStreamCall[bytes, Any]
        call = link.channel.stream_stream(rpc.path, None, rpc.deserialize)(metadata=_metadata())
        release = functools.partial(self._end, link)
        return Stream(call, serialize=rpc.serialize or bytes, release=release)

    def _begin(self) -> _Link:
        certificate = self._keeper.current
        if self._live is None or self._live.certificate is not certificate:
            if self._live is not None:
                self._retired.append(self._live)
            self._live = _Link(certificate, self._dial(certificate))
        self._live.calls += 1
        return self._live

    async def _end(self, link: _Link) -> None:
        link.calls -= 1
        if not self._retired:
            return
        idle = [retired for retired in self._retired if not retired.calls]
        self._retired = [retired for retired in self._retired if retired.calls]
        for retired in idle:
            await retired.channel.close()

    def _dial(self, certificate: chassis.crypto.tls.Certificate) -> grpc.aio.Channel:
        return grpc.aio.secure_channel(
            str(self._address),
            transport.channel_credentials(certificate),
            options=transport.channel_options(self._peer),
        )


class _Facade:
    """The part of a gRPC channel that generated stubs use; each call finds the connection of its moment."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def unary_unary(
        self,
        path: str,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool = False,
    ) -> Callable[..., Awaitable[object]]:
        rpc = _Rpc(path, request_serializer, response_deserializer)

        def call(request: object, *, timeout: float | None = None) -> Awaitable[object]:
            return self._channel.ask(rpc, request, timeout)

        return call

    def unary_stream(
        self,
        path: str,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool = False,
    ) -> Callable[..., AsyncIterator[object]]:
        rpc = _Rpc(path, request_serializer, response_deserializer)

        def call(request: object, *, timeout: float | None = None) -> AsyncIterator[object]:
            return self._channel.follow(rpc, request, timeout)

        return call

    def stream_stream(
        self,
        path: str,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool = False,
    ) -> _Rpc:
        """Return what `Channel.line` takes."""
        return _Rpc(path, request_serializer, response_deserializer)


def _metadata() -> tuple[tuple[str, str], ...]:
    known = {
        transport.REQUEST_ID: chassis.trace.request_id(),
        transport.TRACEPARENT: chassis.trace.traceparent(),
    }
    return tuple((key, value) for key, value in known.items() if value)
