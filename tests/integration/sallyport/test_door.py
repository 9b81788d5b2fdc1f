"""What the TLS door of the embedded Postgres lets through, byte by byte."""

import asyncio
import ssl
import struct

import pytest

import chassis.crypto.tls
import chassis.db
import sallyport.engines.door
import sallyport.engines.postgres
from tests.conftest import KeeperFor, PoolFor

VERSION_3 = 3 << 16
SSL_REQUEST = struct.pack("!II", 8, sallyport.engines.door.SSL_REQUEST)
GSS_REQUEST = struct.pack("!II", 8, sallyport.engines.door.GSS_REQUEST)

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def _startup(*words: str, code: int = VERSION_3) -> bytes:
    body = b"".join(word.encode() + b"\0" for word in words) + b"\0"
    return struct.pack("!II", len(body) + 8, code) + body


@pytest.fixture
async def tls(keeper_for: KeeperFor, postgres: sallyport.engines.postgres.Postgres) -> ssl.SSLContext:
    """What auth shows at the door."""
    context = chassis.crypto.tls.client_context((await keeper_for("auth")).current)
    context.load_verify_locations(postgres.ca_file)
    return context


async def _knock(postgres: sallyport.engines.postgres.Postgres) -> Streams:
    return await asyncio.open_connection(sallyport.engines.postgres.HOST, postgres.port)


async def _enter(postgres: sallyport.engines.postgres.Postgres, tls: ssl.SSLContext) -> Streams:
    reader, writer = await _knock(postgres)
    writer.write(SSL_REQUEST)
    assert await reader.readexactly(1) == b"S"
    await writer.start_tls(tls, server_hostname="localhost")
    return reader, writer


async def _answer(streams: Streams, *packets: bytes) -> bytes:
    """Return all that comes back before the door closes."""
    reader, writer = streams
    writer.writelines(packets)
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_role_of_the_certificate_gets_a_session_T24(
    postgres: sallyport.engines.postgres.Postgres, tls: ssl.SSLContext
) -> None:
    reader, writer = await _enter(postgres, tls)
    writer.write(_startup("user", "auth", "database", "sallyport"))
    kind, size, accepted = struct.unpack("!cII", await reader.readexactly(9))
    assert (kind, size, accepted) == (b"R", 8, 0)
    writer.close()


@pytest.mark.parametrize(
    "packet",
    [
        _startup("user", "postgres", "database", "sallyport"),
        _startup("database", "sallyport"),
        _startup("user", "auth", "user", "postgres"),
        _startup("user", "postgres", "user", "auth"),
        _startup("user", ""),
        _startup("options", "user", "database", "auth"),
    ],
    ids=["another", "none", "its own first", "its own last", "empty", "as a value"],
)
async def test_any_other_role_gets_none_T24(
    postgres: sallyport.engines.postgres.Postgres, tls: ssl.SSLContext, packet: bytes
) -> None:
    answer = await _answer(await _enter(postgres, tls), packet)
    assert answer.startswith(b"E")
    assert b"C28000\0" in answer


@pytest.mark.parametrize(
    "packet",
    [struct.pack("!II", 1_000_000, VERSION_3), struct.pack("!II", 4, VERSION_3), _startup(code=2 << 16)],
    ids=["too long", "too short", "another protocol"],
)
async def test_packet_out_of_form_is_refused_T10(
    postgres: sallyport.engines.postgres.Postgres, tls: ssl.SSLContext, packet: bytes
) -> None:
    assert (await _answer(await _enter(postgres, tls), packet)).startswith(b"E")


@pytest.mark.parametrize("request_", [_startup("user", "auth"), b"GET / HTTP/1.1\r\n\r\n"])
async def test_client_that_does_not_ask_for_tls_is_refused_T24(
    postgres: sallyport.engines.postgres.Postgres, request_: bytes
) -> None:
    assert b"TLS is required" in await _answer(await _knock(postgres), request_[:8])


async def test_client_may_ask_for_gss_once_before_tls(
    postgres: sallyport.engines.postgres.Postgres,
) -> None:
    reader, writer = await _knock(postgres)
    writer.write(GSS_REQUEST)
    assert await reader.readexactly(1) == b"N"
    assert await _answer((reader, writer), GSS_REQUEST) == b"N"


async def test_what_is_slipped_in_before_tls_breaks_the_handshake_T24(
    postgres: sallyport.engines.postgres.Postgres,
) -> None:
    answer = await _answer(await _knock(postgres), SSL_REQUEST + _startup("user", "auth"))
    assert answer.startswith(b"S")
    assert b"R\0\0\0\x08" not in answer


async def test_server_that_is_away_is_said_to_be(
    postgres: sallyport.engines.postgres.Postgres, tls: ssl.SSLContext
) -> None:
    postgres.server.kill()
    await postgres.wait()
    try:
        answer = await _answer(await _enter(postgres, tls), _startup("user", "auth"))
    finally:
        await postgres.start()
    assert b"C57P03\0" in answer


async def test_what_follows_the_startup_packet_at_once_arrives_behind_it(
    postgres: sallyport.engines.postgres.Postgres, tls: ssl.SSLContext
) -> None:
    query = b"SELECT 'heard'\0"
    statement = b"Q" + struct.pack("!I", len(query) + 4) + query
    goodbye = b"X" + struct.pack("!I", 4)
    packet = _startup("user", "auth", "database", "sallyport")
    assert b"heard" in await _answer(await _enter(postgres, tls), packet + statement + goodbye)


async def test_much_more_than_the_door_holds_arrives_whole_both_ways(pool_for: PoolFor) -> None:
    text = "0123456789" * 3_000_000
    pool = await pool_for("auth")
    async with pool.acquire() as connection:
        assert await connection.fetchval("SELECT reverse($1)", text) == text[::-1]


async def test_statement_is_cancelled_through_the_door(pool_for: PoolFor) -> None:
    pool = await pool_for("auth")
    async with pool.acquire() as connection:
        with pytest.raises(TimeoutError):
            await connection.execute("SELECT pg_sleep(60)", timeout=0.05)
        assert await connection.fetchval("SELECT 1") == 1
