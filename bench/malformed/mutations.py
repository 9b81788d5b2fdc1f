"""Valid requests, broken at random: bytes flipped, lost, repeated, spliced in from another one."""

from collections.abc import Callable
from random import Random

from bench.malformed.attempts import Attempt, Manner, Source, whole
from bench.malformed.contents import FORM_TYPE, JSON_TYPE
from bench.malformed.framing import TARGET, TOKEN_HEADER

MUTATIONS_MAX = 6
STRETCH_BYTES_MAX = 40
# What parsers trip over, more often than chance would bring it.
TELLING = (
    b"\x00",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b":",
    b" ",
    b"%",
    b"%00",
    b"\xff",
    b"\xc3\x28",
    b"chunked",
    b"0",
    b"-",
    b"99999999999",
    b"{",
    b"[",
    b'"',
    b"\\u0000",
    b"..",
    b"/",
    b"?",
    b"#",
    b"HTTP/1.1",
)

Mutation = Callable[[Random, bytes, bytes], bytes]


def mutated(source: Source) -> Attempt:
    """Return a valid request with one to MUTATIONS_MAX mutations."""
    random = source.random
    sent, other = (random.choice(VALID)(source) for _ in range(2))
    for _ in range(random.randint(1, MUTATIONS_MAX)):
        sent = random.choice(MUTATIONS)(random, sent, other)
    return Attempt("mutation", sent, Manner.LOOSE)


def _flip(random: Random, sent: bytes, _other: bytes) -> bytes:
    at = random.randrange(len(sent))
    return sent[:at] + bytes([sent[at] ^ (1 << random.randrange(8))]) + sent[at + 1 :]


def _replace(random: Random, sent: bytes, _other: bytes) -> bytes:
    at = random.randrange(len(sent))
    return sent[:at] + random.choice(TELLING) + sent[at + 1 :]


def _insert(random: Random, sent: bytes, _other: bytes) -> bytes:
    at = random.randrange(len(sent))
    return sent[:at] + random.choice(TELLING) + sent[at:]


def _lose(random: Random, sent: bytes, _other: bytes) -> bytes:
    at = random.randrange(len(sent))
    return sent[:at] + sent[at + random.randint(1, STRETCH_BYTES_MAX) :] or sent


def _repeat(random: Random, sent: bytes, _other: bytes) -> bytes:
    at = random.randrange(len(sent))
    stretch = sent[at : at + random.randint(1, STRETCH_BYTES_MAX)]
    return sent[:at] + stretch * random.randint(2, 5) + sent[at:]


def _splice(random: Random, sent: bytes, other: bytes) -> bytes:
    at, there = random.randrange(len(sent)), random.randrange(len(other))
    return sent[:at] + other[there : there + STRETCH_BYTES_MAX] + sent[at:]


MUTATIONS: tuple[Mutation, ...] = (_flip, _flip, _replace, _insert, _lose, _repeat, _splice)


def _list(source: Source) -> bytes:
    query = "MarketplaceIds=ATVPDKIKX0DER&CreatedAfter=2026-01-01T00%3A00%3A00Z"
    return whole("GET", f"{TARGET}?{query}", {TOKEN_HEADER: source.token()}, ident=source.ids.next())


def _read(source: Source) -> bytes:
    path = f"{TARGET}/902-0000000-0000000/address"
    return whole("GET", path, {TOKEN_HEADER: source.token()}, ident=source.ids.next())


def _restrict(source: Source) -> bytes:
    body = (
        b'{"restrictedResources":[{"method":"GET","path":"/orders/v0/orders","dataElements":["buyerInfo"]}]}'
    )
    headers = {TOKEN_HEADER: source.token(), "Content-Type": JSON_TYPE}
    path = "/tokens/2021-03-01/restrictedDataToken"
    return whole("POST", path, headers, ident=source.ids.next(), body=body)


def _refresh(source: Source) -> bytes:
    own = source.valid
    form = f"grant_type=refresh_token&client_id={own.device_id}&refresh_token={own.refresh_token}".encode()
    return whole("POST", "/auth/o2/token", {"Content-Type": FORM_TYPE}, ident=source.ids.next(), body=form)


def _begin(source: Source) -> bytes:
    form, headers = b"client_id=desktop&scope=orders", {"Content-Type": FORM_TYPE}
    return whole("POST", "/oauth/device_authorization", headers, ident=source.ids.next(), body=form)


def _page(source: Source) -> bytes:
    path = source.random.choice(("/portal/sign-in", "/oauth/authorize?response_type=code&client_id=desktop"))
    return whole("GET", path, {"Cookie": "a=b"}, ident=source.ids.next())


VALID: tuple[Callable[[Source], bytes], ...] = (_list, _read, _restrict, _refresh, _begin, _page)
