"""The TLS door of the embedded PostgreSQL, whose wheel is built without TLS; a process of its own.

    client ──TLS 1.3, both certificates checked──▶ door ──Unix socket only the door may use──▶ PostgreSQL

- Speaks exactly what a PostgreSQL server with TLS speaks before a session begins, so that services connect
  the same way here and to a cluster's server: SSLRequest, TLS, then the start-up packet.
- A session begins only for the role that is the common name of the client's certificate, as the server's own
  `cert` method demands; a client without TLS, or without a certificate of the services' authority, gets none.
- After the start-up packet it passes bytes on, in both directions, and understands none of them.

Source: PostgreSQL 18 documentation, chapter 54, "Frontend/Backend Protocol".
"""

import argparse
import asyncio
import socket
import ssl
import struct
from dataclasses import dataclass
from pathlib import Path

import uvloop

SSL_REQUEST = 80_877_103
GSS_REQUEST = 80_877_104
CANCEL_REQUEST = 80_877_102
REQUEST_BYTES = 8
# Source: PostgreSQL, MAX_STARTUP_PACKET_LENGTH.
STARTUP_BYTES_MAX = 10_000
PROTOCOL_MAJOR = 3
CHUNK_BYTES = 64 * 1024
CONNECTIONS_MAX = 200
BACKLOG_MAX = 200
# A client may ask once for GSS before it asks for TLS.
REQUESTS_MAX = 2
OPENING_S_MAX = 10.0
ACCESS_REFUSED = "28000"
NOT_READY = "57P03"


@dataclass(frozen=True)
class Guest:
    """A client inside TLS; what it says is read from `words` until it is joined to the server."""

    transport: asyncio.Transport
    words: asyncio.StreamReader


class Refused(Exception):
    """A client gets no session; the text and the SQL state go to the client."""

    def __init__(self, text: str, state: str = ACCESS_REFUSED) -> None:
        self.state = state
        super().__init__(text)


@dataclass(frozen=True)
class Door:
    """Where the server is, and how clients prove who they are."""

    server: Path
    tls: ssl.SSLContext

    async def welcome(self, guest: socket.socket) -> None:
        """Serve one client until either side ends."""
        with guest:
            try:
                async with asyncio.timeout(OPENING_S_MAX):
                    client = await self._secure(guest)
            except (OSError, TimeoutError, Refused):
                return
            try:
                await self._serve(client)
            finally:
                client.transport.close()

    async def _serve(self, client: Guest) -> None:
        ended = asyncio.Event()
        try:
            async with asyncio.timeout(OPENING_S_MAX):
                packet = await _startup_packet(client.words)
                _admit(packet, client.transport.get_extra_info("peercert"))
                server = await self._reach_server(_Way(client.transport, ended))
        except Refused as refusal:
            client.transport.write(_error_response(refusal))
            return
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return
        server.write(packet)
        try:
            await _join(client, server, ended)
        finally:
            server.close()

    async def _secure(self, guest: socket.socket) -> Guest:
        """Return the client inside TLS.

        The request is read from the bare socket, not one byte more: what a third party slips in before the
        handshake becomes part of the handshake and breaks it.
        """
        loop = asyncio.get_running_loop()
        for _ in range(REQUESTS_MAX):
            request = b""
            while len(request) < REQUEST_BYTES:
                part = await loop.sock_recv(guest, REQUEST_BYTES - len(request))
                if not part:
                    raise Refused("the client left")
                request += part
            size, code = struct.unpack("!II", request)
            if size != REQUEST_BYTES or code not in {SSL_REQUEST, GSS_REQUEST}:
                await loop.sock_sendall(guest, _error_response(Refused("TLS is required")))
                raise Refused("TLS is required")
            if code == SSL_REQUEST:
                break
            await loop.sock_sendall(guest, b"N")
        else:
            raise Refused("TLS is required")
        await loop.sock_sendall(guest, b"S")
        words = asyncio.StreamReader(limit=CHUNK_BYTES)
        transport, _ = await loop.connect_accepted_socket(
            lambda: asyncio.StreamReaderProtocol(words), guest, ssl=self.tls
        )
        return Guest(transport, words)

    async def _reach_server(self, way: "_Way") -> asyncio.Transport:
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_unix_connection(lambda: way, str(self.server))
        except OSError as error:
            raise Refused("the database system is not available", NOT_READY) from error
        return transport


class _Way(asyncio.BufferedProtocol):
    """Passes on what one side says to the other side, no faster than that one takes it.

    It hangs on the transport of the side that speaks, and so is also told how that one takes what it hears.
    A buffer of its own saves uvloop from making one of 256 KB for every read.
    """

    def __init__(self, other: asyncio.Transport, ended: asyncio.Event) -> None:
        self._other = other
        self._ended = ended
        self._chunk = memoryview(bytearray(CHUNK_BYTES))

    def get_buffer(self, _: int) -> memoryview:
        return self._chunk

    def buffer_updated(self, nbytes: int) -> None:
        self._other.write(bytes(self._chunk[:nbytes]))

    def pause_writing(self) -> None:
        if not self._other.is_closing():
            self._other.pause_reading()

    def resume_writing(self) -> None:
        if not self._other.is_closing():
            self._other.resume_reading()

    def connection_lost(self, _: Exception | None) -> None:
        self._other.close()
        self._ended.set()


async def _startup_packet(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(4)
    (size,) = struct.unpack("!I", head)
    if not REQUEST_BYTES <= size <= STARTUP_BYTES_MAX:
        raise Refused("invalid length of startup packet")
    return head + await reader.readexactly(size - len(head))


def _admit(packet: bytes, certificate: dict[str, object]) -> None:
    """Return if the packet asks for the role that the certificate names.

    A request to cancel names no role: it carries the secret of the session that it cancels.
    """
    (code,) = struct.unpack_from("!I", packet, 4)
    if code == CANCEL_REQUEST:
        return
    if code >> 16 != PROTOCOL_MAJOR:
        raise Refused("unsupported frontend protocol")
    words = packet[8:].rstrip(b"\0").split(b"\0")
    roles = [value for name, value in zip(words[::2], words[1::2], strict=False) if name == b"user"]
    if roles != [name.encode() for name in _common_names(certificate)]:
        raise Refused("certificate authentication failed")


def _common_names(certificate: dict[str, object]) -> list[str]:
    subject = certificate.get("subject", ())
    assert isinstance(subject, tuple)
    return [value for part in subject for name, value in part if name == "commonName"]


def _error_response(refusal: Refused) -> bytes:
    fields = {"S": "FATAL", "V": "FATAL", "C": refusal.state, "M": str(refusal)}
    body = b"".join(f"{name}{value}".encode() + b"\0" for name, value in fields.items()) + b"\0"
    return b"E" + struct.pack("!I", len(body) + 4) + body


async def _join(client: Guest, server: asyncio.Transport, ended: asyncio.Event) -> None:
    """Pass bytes on until one side ends; first what the client said while the server was being reached."""
    client.transport.set_protocol(_Way(server, ended))
    if client.transport.is_closing():
        return
    client.words.feed_eof()
    server.write(await client.words.read())
    await ended.wait()


async def _serve(door: Door, port: int) -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", port), backlog=BACKLOG_MAX) as listener:
        listener.setblocking(False)
        places = asyncio.Semaphore(CONNECTIONS_MAX)
        async with asyncio.TaskGroup() as guests:
            while True:
                await places.acquire()
                guest, _ = await loop.sock_accept(listener)
                guest.setblocking(False)
                guest.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                guests.create_task(door.welcome(guest)).add_done_callback(lambda _: places.release())


def _tls(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    context.load_verify_locations(folder / "clients.pem")
    return context


def main() -> None:
    """Serve until a signal ends the process."""
    parser = argparse.ArgumentParser(description="TLS door of the embedded PostgreSQL")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--server", type=Path, required=True, help="the server's Unix socket")
    parser.add_argument(
        "--tls", type=Path, required=True, help="folder of server.pem, server.key, clients.pem"
    )
    arguments = parser.parse_args()
    uvloop.run(_serve(Door(arguments.server, _tls(arguments.tls)), arguments.port))


if __name__ == "__main__":
    main()
