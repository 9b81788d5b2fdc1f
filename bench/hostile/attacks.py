"""What a hostile upstream says, and what a desktop may hear of it."""

import asyncio
import gzip
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Play = Callable[[asyncio.StreamWriter], Awaitable[None]]

# Far more than any bound of the gateway's; no play goes on for ever.
PARTS_MAX = 2_000
PART = b" " * 65_536
DRIP_S = 0.01
BOMB = gzip.compress(gzip.compress(bytes(1 << 20)) + bytes(256 << 20), compresslevel=9)
# Stands in everything that must not reach a desktop.
EVIL = b"EVIL"
TOKEN = b"Atza|" + EVIL
FAIR = b'{"payload":{"AmazonOrderId":"fair","OrderStatus":"Unshipped"}}'

INVALID = frozenset({502})
LATE = frozenset({504})
# An answer that nobody here needs to read is passed on as it is.
PASSED_UNREAD = frozenset({200, 502})


@dataclass(frozen=True)
class Attack:
    """One way to be hostile.

    Attributes:
        statuses: what a desktop may hear, as docs/errors.md has it.
        is_slow: it takes a call's whole time.
        is_early: the answer comes before the request's body is read.
    """

    name: str
    play: Play
    statuses: frozenset[int] = INVALID
    is_slow: bool = False
    is_early: bool = False


def wire(status: str, body: bytes = FAIR, **headers: str) -> bytes:
    """Return an answer as bytes; underscores in header names stand for hyphens, empty values for none."""
    named = {"content_type": "application/json", "content_length": str(len(body)), **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in named.items() if value]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


def saying(*parts: bytes) -> Play:
    """Send bytes."""

    async def play(writer: asyncio.StreamWriter) -> None:
        writer.writelines(parts)
        await writer.drain()

    return play


def going_on(head: bytes, part: bytes, pause_s: float = 0.0) -> Play:
    """Send a beginning, and then the same again and again."""

    async def play(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        for _ in range(PARTS_MAX):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return play


def broken(said: bytes) -> Play:
    """Send a beginning and reset the connection."""

    async def play(writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()
        writer.transport.abort()

    return play


async def silent(_: asyncio.StreamWriter) -> None:
    """Say nothing, for longer than anybody waits."""
    await asyncio.sleep(60.0)


def failing(status: str, body: bytes, **headers: str) -> Play:
    """Send a failure."""
    return saying(wire(status, body, **headers))


CHUNKED = {"content_length": "", "transfer_encoding": "chunked"}
CHUNK = b"10000\r\n" + PART + b"\r\n"
PAGE = b"<html><script>" + EVIL + b"</script></html>"
MARKUP = b'{"errors":[{"code":"<b>","message":"a\\r\\nset-cookie: x","details":"' + TOKEN + b'"}]}'

ATTACKS = (
    Attack("bomb", saying(wire("200 OK", BOMB, content_encoding="gzip"))),
    Attack("cut-gzip", saying(wire("200 OK", gzip.compress(FAIR)[:-9], content_encoding="gzip"))),
    Attack("false-gzip", saying(wire("200 OK", EVIL, content_encoding="gzip"))),
    Attack("unasked-encoding", saying(wire("200 OK", EVIL, content_encoding="br"))),
    Attack("endless-body", going_on(wire("200 OK", b"", **CHUNKED), CHUNK)),
    Attack("endless-head", going_on(b"HTTP/1.1 200 OK\r\nx-endless: ", PART)),
    Attack("endless-interim", going_on(b"", b"HTTP/1.1 100 Continue\r\n\r\n")),
    Attack("many-fields", saying(wire("200 OK", FAIR, **{f"x_{number}": "1" for number in range(500)}))),
    Attack(
        "switch", saying(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n")
    ),
    Attack("redirect", saying(wire("302 Found", b"", location="https://evil.example/"))),
    Attack("two-framings", saying(wire("200 OK", b"0\r\n\r\n", transfer_encoding="chunked"))),
    Attack("no-framing", broken(wire("200 OK", FAIR, content_length=""))),
    Attack("odd-length", saying(wire("200 OK", FAIR, content_length="+9"))),
    Attack("huge-length", saying(wire("200 OK", b"", content_length=str(1 << 40)))),
    Attack("odd-chunk", saying(wire("200 OK", b"zz\r\n", **CHUNKED))),
    Attack("folded-field", saying(wire("200 OK", x_folded="a\r\n b"))),
    Attack("garbage", saying(os.urandom(4_096) + EVIL)),
    Attack("other-version", saying(wire("200 OK").replace(b"HTTP/1.1", b"HTTP/2.0"))),
    Attack("status-600", saying(wire("600 Strange"))),
    Attack("half-answer", broken(wire("200 OK", FAIR, content_length="4096"))),
    Attack("reset", broken(b"")),
    Attack("deep-json", saying(wire("200 OK", b"[" * 1_000_000))),
    Attack("wide-json", saying(wire("200 OK", b"[" + b"[]," * 2_000_000 + b"[]]"))),
    Attack("infinite-number", saying(wire("200 OK", b'{"payload":1e999}')), PASSED_UNREAD),
    Attack("token", saying(wire("200 OK", b'{"payload":"' + TOKEN + b'"}'))),
    Attack("escaped-token", saying(wire("200 OK", b'{"payload":"Atza\\u007c' + EVIL + b'"}'))),
    Attack("page", saying(wire("200 OK", PAGE, content_type="text/html"))),
    Attack("refusing-page", failing("403 Forbidden", PAGE, content_type="text/html"), frozenset({403})),
    Attack("markup-in-error", failing("400 Bad Request", MARKUP), frozenset({400})),
    Attack("endless-error", failing("500 Error", PART * 100 + EVIL), frozenset({500})),
    Attack("absurd-wait", failing("503 Busy", b"{}", retry_after="9" * 30), frozenset({503})),
    Attack("two-answers", saying(wire("200 OK"), wire("200 OK", EVIL)), frozenset({200})),
    Attack("early-answer", failing("413 Too Large", b'{"errors":[]}'), frozenset({413}), is_early=True),
    Attack("drip", going_on(wire("200 OK", b"", content_length="1000000"), b" ", DRIP_S), LATE, is_slow=True),
    Attack("silence", silent, LATE, is_slow=True),
)
BY_NAME = {attack.name: attack for attack in ATTACKS}
