"""Handshakes with newcomers: each is shown the certificate of the moment, in bounded time and without noise.

TLS is aiofastnet's. Its contexts must have no callbacks, least of all for SNI: those end the process. None is
needed, because a context is asked for at every handshake.
"""

import asyncio
import logging
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import aiofastnet

from services.gateway.door import limits

# How OpenSSL spells what went wrong. Whoever waits for the handshake, or reads, is told of the same.
_OPENSSL_ERROR = re.compile(r"[0-9A-F]+:error:[0-9A-F]+:")


class Handshakes:
    """Brings newcomers together with their protocols.

    Args:
        tls: gives the context for each handshake; None lets everybody in without one.
    """

    def __init__(self, tls: Callable[[], ssl.SSLContext] | None) -> None:
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._under_way: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """Return how many are under way."""
        return len(self._under_way)

    def begin(self, newcomer: socket.socket, protocol: asyncio.Protocol) -> None:
        """Have a protocol made a connection of, unless the handshake fails."""
        handshake = self._loop.create_task(self._shake(newcomer, protocol))
        self._under_way.add(handshake)
        handshake.add_done_callback(self._under_way.discard)

    def break_off(self) -> None:
        """End all that are under way."""
        for handshake in self._under_way:
            handshake.cancel()

    async def _shake(self, newcomer: socket.socket, protocol: asyncio.Protocol) -> None:
        try:
            # Or an answer would wait until the client has confirmed what TLS sent before it.
            newcomer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await aiofastnet.connect_accepted_socket(self._loop, lambda: protocol, newcomer, **self._terms())
        except OSError:
            # Strangers may leave in the middle of it; nobody needs to be told.
            newcomer.close()

    def _terms(self) -> dict[str, Any]:
        if self._tls is None:
            return {}
        return {
            "ssl": self._tls(),
            "ssl_handshake_timeout": limits.HANDSHAKE_DEADLINE_S,
            "ssl_shutdown_timeout": limits.ANSWER_DEADLINE_S,
            "ssl_incoming_bio_size": limits.TLS_INCOMING_BYTES,
            "ssl_outgoing_bio_size": limits.TLS_OUTGOING_BYTES,
        }


@contextmanager
def quiet(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """While inside, tell nobody of strangers who leave in the middle of a handshake, or talk nonsense."""
    before = loop.get_exception_handler()
    library = logging.getLogger(aiofastnet.__name__)

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if _is_departure(context):
            return
        if before is None:
            loop.default_exception_handler(context)
        else:
            before(loop, context)

    loop.set_exception_handler(handle)
    library.addFilter(_is_no_openssl_error)
    try:
        yield
    finally:
        library.removeFilter(_is_no_openssl_error)
        if loop.get_exception_handler() is handle:
            loop.set_exception_handler(before)


def _is_departure(context: dict[str, Any]) -> bool:
    """Return whether aiofastnet tells of an end of file in a handshake: so, and with no error made."""
    return (
        context.get("message") == "SSL handshake failed" and context.get("exception") is ConnectionResetError
    )


def _is_no_openssl_error(record: logging.LogRecord) -> bool:
    return _OPENSSL_ERROR.match(record.getMessage()) is None
