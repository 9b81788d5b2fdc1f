"""The door's readers beside other readers: llhttp's view of a head and of chunks, aiohttp's of a path."""

import re

import httptools
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given, settings
from hypothesis import strategies as st

import chassis.errors
import sallyport.inventory
from services.gateway.door import Way, Ways, heads
from services.gateway.door.bodies import ChunkedBody
from services.gateway.door.ways import ANY_METHOD, ANY_PATH

NAMES = st.from_regex(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=9, max_codepoint=255), max_size=20)


class Listener:
    """Takes down all that llhttp says."""

    def __init__(self) -> None:
        self.fields: list[tuple[str, str]] = []
        self.body = b""
        self.is_whole = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.decode().lower(), value.decode("latin-1").strip(" \t")))

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        self.is_whole = True


@settings(max_examples=50)
@given(st.lists(st.tuples(NAMES, VALUES), max_size=6))
def test_a_head_that_is_taken_says_what_llhttp_says_T09(fields: list[tuple[str, str]]) -> None:
    lines = "".join(f"{name}:{value}\r\n" for name, value in [("Host", "x"), *fields])
    data = f"POST / HTTP/1.1\r\n{lines}\r\n".encode("latin-1")
    try:
        head, _ = heads.HeadReader().read(data)
    except chassis.errors.SallyportError:
        return
    listener = Listener()
    httptools.HttpRequestParser(listener).feed_data(data)
    assert list(head.fields) == listener.fields


def taken(data: bytes, sizes: list[int]) -> tuple[bytes, bytes] | None:
    """Return a chunked body, and what followed it; None when it was refused or not whole."""
    body, unread, parts = ChunkedBody(), bytearray(), []
    pieces, at = [], 0
    for size in sizes:
        pieces.append(data[at : at + size])
        at += size
    try:
        for piece in [*pieces, data[at:]]:
            unread += piece
            while True:
                part, used = body.take(unread)
                del unread[:used]
                if not part:
                    break
                parts.append(part)
    except chassis.errors.SallyportError:
        return None
    return (b"".join(parts), bytes(unread)) if body.is_whole else None


CHUNKS = st.lists(
    st.one_of(
        st.builds(lambda part: b"%x\r\n%b\r\n" % (len(part), part), st.binary(min_size=1, max_size=20)),
        st.sampled_from([b"1;a=b\r\nx\r\n", b"0\r\n\r\n", b"0\r\nA: b\r\n\r\n", b"01\r\nx\r\n", b"\r\n"]),
        st.sampled_from([b"1\nx\r\n", b"1 \r\nx\r\n", b"1\r\nxy\r\n", b"0x1\r\nx\r\n", b"-1\r\n", b"0\r\n"]),
        st.binary(max_size=5),
    ),
    max_size=5,
).map(b"".join)


@given(CHUNKS, st.lists(st.integers(0, 10), max_size=6))
def test_chunks_that_are_taken_are_those_of_llhttp_however_they_are_cut_T09(
    data: bytes, sizes: list[int]
) -> None:
    whole = taken(data, [])
    assert taken(data, sizes) == whole
    if whole is None:
        return
    body, rest = whole
    listener = Listener()
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    httptools.HttpRequestParser(listener).feed_data(head + data[: len(data) - len(rest)])
    assert (listener.is_whole, listener.body) == (True, body)


class Face:
    async def handle(self, _request: object) -> None:
        """Answer nothing: here only the way counts."""


PAGE, CALL = Face(), Face()
ROUTES = sallyport.inventory.faces_with_nothing_behind().routes()


@pytest.fixture(scope="module")
def router() -> web.UrlDispatcher:
    router = web.UrlDispatcher()
    for route in ROUTES:
        router.add_route(route.method, route.path, _nothing)
    return router


async def _nothing(_request: web.Request) -> web.Response:
    return web.Response()


def filled(path: str, values: list[str]) -> str:
    """Return a path with something in place of its parameters."""
    for value in values:
        path = re.sub(r"\{[^{}]+\}", lambda _, value=value: value, path, count=1)  # type: ignore[misc]
    return path


PATHS = st.one_of(
    st.builds(
        filled,
        st.sampled_from([route.path for route in ROUTES]),
        st.lists(st.sampled_from(["a", "a%2Fb", "a/b", "", "..", "a.b~c"]), min_size=3, max_size=3),
    ),
    st.from_regex(r"(/[a-z.%]{0,8}){1,4}", fullmatch=True),
    st.sampled_from([f"{route.path}/" for route in ROUTES if "{" not in route.path]),
    # What stands in for a request here would take two slashes for the beginning of a host.
).filter(lambda path: not path.startswith("//"))


@settings(max_examples=60)
@given(path=PATHS, method=st.sampled_from(["GET", "POST", "HEAD", "PUT"]))
async def test_what_goes_to_the_pages_is_what_they_have_a_route_for(
    router: web.UrlDispatcher, path: str, method: str
) -> None:
    ways = Ways([*(Way(each.method, each.path, PAGE) for each in ROUTES), Way(ANY_METHOD, ANY_PATH, CALL)])
    match = await router.resolve(make_mocked_request(method, path))
    expected = CALL if match.http_exception else PAGE
    assert ways.find(method, path + "?a=b").face is expected
