"""Requests whose framing is wrong: smuggling, heads out of bounds, broken chunks, other protocols, cuts.

Source: RFC 9112, 2.2 (bare CR, leading lines), 5.1 (space before the colon), 5.2 (folded lines), 6.1 to 6.3
(Transfer-Encoding, Content-Length, both), 7.1 (chunks), 11.2 (request smuggling).
"""

from collections.abc import Callable

from bench.malformed.attempts import HIDDEN_MARK, HOST, ID_HEADER, Attempt, Manner, Source, whole

TARGET = "/orders/v0/orders"
TOKEN_HEADER = "x-amz-access-token"  # noqa: S105 - a header's name
LINE_OVER_BYTES = 9_000
HEAD_OVER_BYTES = 70_000
FIELDS_OVER = 150
BODY_OVER_BYTES = 11 * 1024 * 1024

Make = Callable[[Source], Attempt]

LENGTHS = ("+5", "-1", "5, 6", "5 5", "0x5", "5.0", "", "1e1", "99999999999999999999999", "\u0665", "5;a")
CODINGS = (
    "chunked, identity",
    "identity",
    "xchunked",
    "chunked, chunked",
    "gzip, chunked",
    "Chunked\x0b",
    "chunked;a=b",
    "",
)
# Broken: what comes behind them was never announced as another request.
BROKEN_CHUNKS = (
    b"5\r\nhello",
    b"5\r\nhello\r\n",
    b"5\r\nhelloworld\r\n0\r\n\r\n",
    b"-5\r\nhello\r\n0\r\n\r\n",
    b"0x5\r\nhello\r\n0\r\n\r\n",
    b"5;\x00=a\r\nhello\r\n0\r\n\r\n",
    b"ffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    b"5\nhello\n0\n\n",
    b"\r\n5\r\nhello\r\n0\r\n\r\n",
    b"zz\r\nhello\r\n0\r\n\r\n",
)
# Sound, and more than anybody needs.
ODD_CHUNKS = (
    b"5 \r\nhello\r\n0\r\n\r\n",
    b"5;" + b"a" * LINE_OVER_BYTES + b"\r\nhello\r\n0\r\n\r\n",
    b"5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n",
    b"5\r\nhello\r\n0\r\n" + b"X: y\r\n" * FIELDS_OVER + b"\r\n",
    b"1\r\na\r\n" * 5_000 + b"0\r\n\r\n",
)
LINES = (
    "GET {target} HTTP/0.9",
    "GET {target} HTTP/1.2",
    "GET {target} HTTP/2.0",
    "GET {target} HTTP/9.9",
    "GET {target} http/1.1",
    "GET {target}",
    "GET  {target}  HTTP/1.1",
    "GET\t{target}\tHTTP/1.1",
    " GET {target} HTTP/1.1",
    "get {target} HTTP/1.1",
    "BREW {target} HTTP/1.1",
    "TRACE {target} HTTP/1.1",
    "G\x00T {target} HTTP/1.1",
    "PRI * HTTP/2.0",
    "OPTIONS * HTTP/1.1",
    "CONNECT amazon.com:443 HTTP/1.1",
    "GET http://sellingpartnerapi-na.amazon.com{target} HTTP/1.1",
    "GET //evil.example{target} HTTP/1.1",
    "GET {target} HTTP/1.1 GET",
    "M" * 300 + " {target} HTTP/1.1",
    "",
)
FIELDS = (
    "Host: other.example",
    "X-Folded: a\r\n b",
    " Leading: a",
    "Space : a",
    "No colon",
    ": no name",
    "Nul: a\x00b",
    "Return: a\rb",
    "N\x01me: a",
    "Content-Length : 5",
    "Transfer-Encoding : chunked",
    "Transfer-Encoding\t: chunked",
    "Connection: close, x-amz-access-token",
    "Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    "Expect: 200-maybe",
    "Trailer: Content-Length",
    "TE: trailers, chunked",
)


def two_lengths(source: Source) -> Attempt:
    """Return a request whose end is told twice, or in a way that not everybody reads alike."""
    hidden = _hidden(source)
    told = source.random.choice(
        (
            f"Content-Length: {len(hidden)}\r\nContent-Length: 0",
            f"Content-Length: 0\r\nContent-Length: {len(hidden)}",
            f"Content-Length: {len(hidden)}\r\nTransfer-Encoding: chunked",
            f"Transfer-Encoding: chunked\r\nContent-Length: {len(hidden)}",
            *(f"Content-Length: {length}" for length in LENGTHS),
            *(f"Transfer-Encoding: {coding}" for coding in CODINGS),
        )
    )
    return _ambiguous(source, "two ends", fields=told, rest=b"0\r\n\r\n" + hidden)


def odd_chunks(source: Source) -> Attempt:
    """Return a request with odd chunks; behind those that are broken another is hidden."""
    rests = (*(chunks + _hidden(source) for chunks in BROKEN_CHUNKS), *ODD_CHUNKS)
    return _ambiguous(source, "chunks", fields="Transfer-Encoding: chunked", rest=source.random.choice(rests))


def odd_field(source: Source) -> Attempt:
    """Return a request with a header line that is none, or that only some read, and another in its body."""
    hidden = _hidden(source)
    fields = f"Content-Length: {len(hidden)}\r\n{source.random.choice(FIELDS)}"
    return _ambiguous(source, "header line", fields=fields, rest=hidden)


def odd_line(source: Source) -> Attempt:
    """Return a request whose first line is not one."""
    line = source.random.choice(LINES).format(target=TARGET)
    version = source.random.choice(("\r\n", "\n", "\r"))
    fields = f"Host: {HOST}\r\n{ID_HEADER}: {source.ids.next()}\r\n\r\n"
    return Attempt("request line", f"{line}{version}{fields}".encode(), Manner.LOOSE)


def bare_ends(source: Source) -> Attempt:
    """Return a request whose lines end otherwise than they must."""
    end = source.random.choice(("\n", "\r", "\r\r\n", "\n\r", "\x0b\r\n", "\u2028"))
    sent = _lines(source).replace("\r\n", end).encode() + _hidden(source)
    return Attempt("line ends", sent, Manner.LOOSE)


def large_head(source: Source) -> Attempt:
    """Return a request whose head is beyond one of its bounds."""
    lines = _lines(source)[:-2]
    grown = source.random.choice(
        (
            lines + f"X-Long: {'a' * LINE_OVER_BYTES}\r\n\r\n",
            lines + "".join(f"X-{n}: {'a' * 500}\r\n" for n in range(FIELDS_OVER)) + "\r\n",
            lines + "".join(f"X-{n}: a\r\n" for n in range(FIELDS_OVER)) + "\r\n",
            lines + f"Cookie: {'a=b; ' * (HEAD_OVER_BYTES // 5)}\r\n\r\n",
            f"GET /{'a' * LINE_OVER_BYTES} HTTP/1.1\r\nHost: {HOST}\r\n\r\n",
            f"GET {TARGET}?{'a=b&' * (HEAD_OVER_BYTES // 4)} HTTP/1.1\r\nHost: {HOST}\r\n\r\n",
        )
    )
    return Attempt("large head", grown.encode(), Manner.LOOSE)


def large_body(source: Source) -> Attempt:
    """Return a request that announces more than anybody may send, and sends a little of it."""
    fields = f"Content-Length: {source.random.choice((BODY_OVER_BYTES, 2**31, 2**63, 2**64))}"
    sent = _lines(source, "POST", fields).encode() + source.noise(2_000)
    return Attempt("large body", sent, Manner.LOOSE)


def cut(source: Source) -> Attempt:
    """Return a valid request that ends somewhere in the middle."""
    sent = _valid_post(source)
    return Attempt("cut off", sent[: source.random.randrange(1, len(sent))], Manner.CUT)


def no_http(source: Source) -> Attempt:
    """Return bytes of another protocol, or of none, inside TLS."""
    sent = source.random.choice(
        (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"SSH-2.0-OpenSSH_9.9\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
            b"EHLO example.com\r\n",
            b"\x00" * 512,
            b"\xff" * 512,
            b"\r\n" * 2_000,
            source.noise(4_000),
        )
    )
    return Attempt("no HTTP", sent, Manner.LOOSE)


def no_tls(source: Source) -> Attempt:
    """Return what comes to the public port without TLS, or breaks its handshake."""
    sent = source.random.choice(
        (_lines(source).encode(), b"\x16\x03\x01\x00\x05hello", b"\x80\x2e\x01\x00\x02", source.noise(600))
    )
    return Attempt("no TLS", sent, Manner.LOOSE, is_plain=True)


MAKERS: tuple[Make, ...] = (
    two_lengths,
    odd_chunks,
    odd_field,
    odd_line,
    bare_ends,
    large_head,
    large_body,
    cut,
    no_http,
    no_tls,
)


def _ambiguous(source: Source, family: str, *, fields: str, rest: bytes) -> Attempt:
    return Attempt(family, _lines(source, "POST", fields).encode() + rest, Manner.AMBIGUOUS)


def _lines(source: Source, method: str = "GET", fields: str = "") -> str:
    """Return a head that ends in an empty line."""
    more = f"{fields}\r\n" if fields else ""
    return (
        f"{method} {TARGET} HTTP/1.1\r\nHost: {HOST}\r\n{ID_HEADER}: {source.ids.next()}\r\n"
        f"{TOKEN_HEADER}: {source.token()}\r\n{more}\r\n"
    )


def _hidden(source: Source) -> bytes:
    """Return a request that nobody sends: an answer to it would be another's."""
    return whole("GET", TARGET, {TOKEN_HEADER: source.token()}, ident=source.ids.next(HIDDEN_MARK))


def _valid_post(source: Source) -> bytes:
    body = b'{"restrictedResources":[{"method":"GET","path":"/orders/v0/orders"}]}'
    headers = {TOKEN_HEADER: source.token(), "Content-Type": "application/json"}
    return whole(
        "POST", "/tokens/2021-03-01/restrictedDataToken", headers, ident=source.ids.next(), body=body
    )
