"""The wire between nodes, in process: what `chassis.rpc` does with sockets, done with function calls.

The services' own edges stand on both ends: `peers` speaks through generated stubs, `rpc` answers through its
servicers, and the METHODS tables say who may call and for how long. Errors arrive as `chassis.rpc` rebuilds
them. Certificates and bytes are what is left out.
"""

import asyncio
import functools
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import chassis.errors
import chassis.rpc
from chassis.rpc import server
from chassis.rpc.methods import Method
from chassis.rpc.status import DeadlineExceeded, PeerUnavailable
from sallyport.simulate.faults import Faults, Way
from sallyport.simulate.nodes import Life, Mistake, Node

Stub = TypeVar("Stub")

STREAM_STEP_S_MAX = 60.0
"""A stream whose next answer travels longer is broken; long enough for a line to be silent and not broken."""

_END = object()

Heard = Callable[[str, Any], None]
"""Sees each request whose sender was told that it succeeded: method and request."""


@dataclass(frozen=True)
class Call:
    """One request on its way.

    Attributes:
        path: "/<proto service>/<method>".
        caller: who the certificate says that it is.
        is_on_line: whether it goes over a stream of requests; each has a stream of its own here.
    """

    path: str
    request: Any
    caller: str
    is_on_line: bool = False

    @property
    def name(self) -> str:
        """The method's name."""
        return self.path.rpartition("/")[2]

    def answering(self, method: Callable[..., Any]) -> Awaitable[Any]:
        """Return what gives the answer of a method to this call."""
        return _only_answer(method, self.request) if self.is_on_line else method(self.request, None)

    def method(self, node: Node[Any]) -> tuple[Callable[..., Any], chassis.rpc.Method]:
        """Return what answers the call on a node, and its row.

        Raises:
            LookupError: nothing does.
        """
        for service in node.house.services:
            if self.path.startswith(f"/{service.descriptor.full_name}/"):
                return getattr(service.servicer, self.name), service.methods[self.name]
        raise LookupError(self.path)


class Wire:
    """Carries calls to whoever serves them."""

    def __init__(self, *, faults: Faults, choices: random.Random, mistake: Mistake, heard: Heard) -> None:
        self._faults = faults
        self._choices = choices
        self._mistake = mistake
        self._heard = heard
        self._nodes: Mapping[str, Sequence[Node[Any]]] = {}

    def open(self, nodes: Mapping[str, Sequence[Node[Any]]]) -> None:
        """Connect everybody: the nodes of each service by its name; their houses have `services`."""
        self._nodes = nodes

    def channel(self, process: Life, peer: str, *, caller: str, deadline_s: float) -> chassis.rpc.Channel:
        """Return the way from a process to a service, in the shape of the real one.

        Args:
            process: who calls.
            peer: the service's name.
            caller: the identity that the caller's certificate would name.
            deadline_s: of each call.
        """
        way = Way(process=process, to=peer, lost=PeerUnavailable, limit_s=deadline_s)
        return cast("chassis.rpc.Channel", _Channel(self, way, caller))

    async def ask(self, way: Way, call: Call) -> Any:
        """Return the answer to one request."""

        async def deliver() -> Any:
            node = self._pick(way.to)
            return await node.life.serve(lambda: self._handle(node, call))

        answer = await self._faults.around(way, call.name, deliver)
        self._heard(call.name, call.request)
        return answer

    async def follow(self, way: Way, call: Call) -> AsyncIterator[Any]:
        """Give the answers to one request as they come, until the line breaks; it never has a gap."""
        node = self._pick(way.to)
        told: asyncio.Queue[Any] = asyncio.Queue()
        end = node.life.start(_pump(node, call, told))
        stream_way = replace(way, limit_s=STREAM_STEP_S_MAX)
        try:
            while True:
                together = [await told.get()]
                while not told.empty():
                    together.append(told.get_nowait())
                await self._faults.around(stream_way, "told", _travel)
                for answer in together:
                    if answer is _END:
                        return
                    if isinstance(answer, chassis.errors.SallyportError):
                        raise answer
                    yield answer
        finally:
            end()

    async def _handle(self, node: Node[Any], call: Call) -> Any:
        method, row = call.method(node)
        try:
            row.check(call.caller)
            with _called_by(call.caller):
                return await _in_time(row, call.answering(method))
        except chassis.errors.SallyportError as error:
            raise _rebuilt(error) from error
        except Exception as error:
            self._mistake(f"{node.name} {call.name}", error)
            raise chassis.errors.Internal from error

    def _pick(self, service: str) -> Node[Any]:
        up = [node for node in self._nodes[service] if node.is_up]
        if not up:
            raise PeerUnavailable
        return self._choices.choice(up)


class _Channel:
    """Fits `chassis.rpc.Channel` as far as peers use it, and the gRPC channel that a generated stub takes."""

    def __init__(self, wire: Wire, way: Way, caller: str) -> None:
        self._wire = wire
        self._way = way
        self._caller = caller

    def stub(self, stub_class: Callable[[Any], Stub]) -> Stub:
        """Return the generated stub."""
        return stub_class(self)

    def unary_unary(self, path: str, *_: object, **__: object) -> Callable[..., Awaitable[Any]]:
        """Return one method of a stub."""

        async def call(request: Any, *, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - gRPC's own
            way = self._way if timeout is None else replace(self._way, limit_s=timeout)
            return await self._wire.ask(way, Call(path, request, self._caller))

        return call

    def unary_stream(self, path: str, *_: object, **__: object) -> Callable[[Any], AsyncIterator[Any]]:
        """Return one streaming method of a stub."""

        def call(request: Any) -> AsyncIterator[Any]:
            return self._wire.follow(self._way, Call(path, request, self._caller))

        return call

    def stream_stream(self, path: str, *_: object, **__: object) -> str:
        """Return what `line` takes."""
        return path

    def line(self, path: str) -> "_Line":
        """Return a way to ask one thing after the other."""
        call = functools.partial(Call, path, caller=self._caller, is_on_line=True)
        return _Line(self._wire, self._way, call)


class _Line:
    """Fits `chassis.rpc.Line` as far as peers use it."""

    def __init__(self, wire: Wire, way: Way, call: Callable[[Any], Call]) -> None:
        self._wire = wire
        self._way = way
        self._call = call

    async def ask(self, request: Any) -> Any:
        """Return the answer to a request."""
        return await self._wire.ask(self._way, self._call(request))


async def _in_time(row: Method, answering: Awaitable[Any]) -> Any:
    """Return an answer within the row's deadline, as the server does.

    Raises:
        DeadlineExceeded: see `chassis.rpc.server`.
    """
    limit = asyncio.timeout(row.deadline_s)
    try:
        async with limit:
            return await answering
    except TimeoutError as error:
        if limit.expired():
            raise DeadlineExceeded from error
        raise


@contextmanager
def _called_by(name: str) -> Iterator[None]:
    """Have a method of a node see who calls it; a call has no task of its own here."""
    # The wire stands where the server stands.
    caller_before, process_before = server._caller.set(name), server._process.set("")  # noqa: SLF001
    try:
        yield
    finally:
        server._process.reset(process_before)  # noqa: SLF001
        server._caller.reset(caller_before)  # noqa: SLF001


async def _pump(node: Node[Any], call: Call, told: asyncio.Queue[Any]) -> None:
    """Put a stream's answers where its reader takes them; whatever ends it, the reader hears of it."""
    method, row = call.method(node)
    try:
        row.check(call.caller)
        with _called_by(call.caller):
            async with aclosing(cast("Any", method(call.request, None))) as answers:
                async for answer in answers:
                    told.put_nowait(answer)
        told.put_nowait(_END)
    except chassis.errors.SallyportError as error:
        told.put_nowait(_rebuilt(error))
    finally:
        told.put_nowait(PeerUnavailable())


async def _only_answer(method: Callable[..., Any], request: Any) -> Any:
    """Return the answer to a request that is alone on its stream."""

    async def requests() -> AsyncIterator[Any]:
        yield request

    async with aclosing(cast("Any", method(requests(), None))) as answers:
        return await anext(answers)


async def _travel() -> None:
    """Do nothing but arrive."""


def _rebuilt(error: chassis.errors.SallyportError) -> chassis.errors.SallyportError:
    """Return an error as its caller sees it: the bare kind with the reason's code and text."""
    return chassis.errors.rebuild(
        chassis.errors.kind_of(error).__name__,
        code=error.code,
        text=error.text,
        http_status=error.http_status,
        retry_after_s=error.retry_after_s,
    )
