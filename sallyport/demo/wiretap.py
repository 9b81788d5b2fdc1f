"""A wire tap on the desktop's side: passes every byte on and keeps a copy of both directions in clear.

It stands at the gateway's public address with the gateway's own kind of certificate and dials the gateway
behind it, so what it keeps is all that any desktop or browser ever saw.
"""

import asyncio
import contextlib
import ssl
from pathlib import Path
from typing import Self

CHUNK_BYTES = 65_536


class Wiretap:
    """Listen on loopback, dial `gateway_port`, append both directions to `capture`.

    Args:
        certificate: PEM file with the certificate chain and its key, shown to the desktop.
        trust: how the gateway's certificate is verified.
    """

    def __init__(
        self, *, listen_port: int, gateway_port: int, certificate: Path, trust: ssl.SSLContext, capture: Path
    ) -> None:
        self._listen_port = listen_port
        self._gateway_port = gateway_port
        self._certificate = certificate
        self._trust = trust
        self._capture = capture
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate)
        self._file = self._capture.open("ab")
        self._server = await asyncio.start_server(self._serve, "localhost", self._listen_port, ssl=context)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self._file.close()

    def captured(self) -> bytes:
        """Return all that has passed so far."""
        self._file.flush()
        return self._capture.read_bytes()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        if connection is None:
            raise RuntimeError("a connection is always served by a task")
        self._connections.add(connection)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._join(reader, writer)
        finally:
            self._connections.discard(connection)
            writer.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("localhost", self._gateway_port, ssl=self._trust)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, back))
                group.create_task(self._pass_on(there, writer))
        finally:
            back.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            self._file.write(chunk)
            writer.write(chunk)
            await writer.drain()
        writer.close()
