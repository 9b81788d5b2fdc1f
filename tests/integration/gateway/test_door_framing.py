"""What is not one clear request: each kind has its answer, ends the connection, and hides no second one."""

import gzip
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.gateway.door import heads, limits
from tests.integration.gateway.door import LIMITS, Recorder, exchange, heard, request, serving
from tests.unit.gateway.packing import PACKERS, bomb, with_dictionary, zeros_mib, zstd_frame

SECOND = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
HOST = b"Host: x\r\n"


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([b"POST /first HTTP/1.1", b"Host: x", *lines, b"", b""]) + body


CHUNKED = b"Transfer-Encoding: chunked"

IN_DOUBT = {
    # Two framings, or one that nobody can be sure of
    "length and chunks": (post(b"Content-Length: 4", CHUNKED, body=b"0\r\n\r\n"), 400),
    "chunks and length": (post(CHUNKED, b"Content-Length: 4", body=b"0\r\n\r\n"), 400),
    "two lengths": (post(b"Content-Length: 0", b"Content-Length: 35"), 400),
    "the same length twice": (post(b"Content-Length: 1", b"Content-Length: 1", body=b"x"), 400),
    "a list of lengths": (post(b"Content-Length: 1, 1", body=b"x"), 400),
    "a signed length": (post(b"Content-Length: +1", body=b"x"), 400),
    "a negative length": (post(b"Content-Length: -1", body=b"x"), 400),
    "a length in hex": (post(b"Content-Length: 0x1", body=b"x"), 400),
    "an empty length": (post(b"Content-Length:"), 400),
    "a length with a space": (post(b"Content-Length: 1 1", body=b"x"), 400),
    "a length beyond all numbers": (post(b"Content-Length: 99999999999999999999"), 400),
    "a length that nobody could send": (post(b"Content-Length: 1000000000000000"), 400),
    "a length in other digits": (post(b"Content-Length: \xd9\xa1", body=b"x"), 400),
    "gzip before chunks": (post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"), 400),
    "chunks not last": (post(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"), 400),
    "chunks twice": (post(CHUNKED, CHUNKED, body=b"0\r\n\r\n"), 400),
    "chunks twice in one line": (post(b"Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"), 400),
    "another coding": (post(b"Transfer-Encoding: identity", body=b"0\r\n\r\n"), 400),
    "nearly chunks": (post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"), 400),
    "chunks in quotes": (post(b'Transfer-Encoding: "chunked"', body=b"0\r\n\r\n"), 400),
    "chunks behind a vertical tab": (post(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"), 400),
    "a space before the colon of a coding": (post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"), 400),
    "a space before the colon of a length": (post(b"Content-Length : 5", body=b"x"), 400),
    "chunks in HTTP/1.0": (b"POST / HTTP/1.0\r\n" + HOST + CHUNKED + b"\r\n\r\n0\r\n\r\n", 400),
    # Chunks that are none
    "a chunk without a size": (post(CHUNKED, body=b"\r\n\r\n"), 400),
    "a chunk with a signed size": (post(CHUNKED, body=b"+1\r\nx\r\n0\r\n\r\n"), 400),
    "a chunk with 0x": (post(CHUNKED, body=b"0x1\r\nx\r\n0\r\n\r\n"), 400),
    "a chunk with an underscore": (post(CHUNKED, body=b"1_0\r\nx\r\n0\r\n\r\n"), 400),
    "a chunk with an endless size": (post(CHUNKED, body=b"0000000000000001\r\nx\r\n0\r\n\r\n"), 400),
    "a chunk longer than its size": (post(CHUNKED, body=b"1\r\nxy\r\n0\r\n\r\n"), 400),
    "a chunk that ends with a bare LF": (post(CHUNKED, body=b"1\r\nx\n0\r\n\r\n"), 400),
    "a size that ends with a bare LF": (post(CHUNKED, body=b"1\nx\r\n0\r\n\r\n"), 400),
    "a size that ends with a bare CR": (post(CHUNKED, body=b"1\rx\r\n0\r\n\r\n"), 400),
    "a bare LF in an extension": (post(CHUNKED, body=b"1;a\nb\r\nx\r\n0\r\n\r\n"), 400),
    "an endless extension": (post(CHUNKED, body=b"1;" + b"a" * 300 + b"\r\nx\r\n0\r\n\r\n"), 400),
    "a folded trailer": (post(CHUNKED, body=b"0\r\na: b\r\n c\r\n\r\n"), 400),
    "a trailer that is none": (post(CHUNKED, body=b"0\r\nGET / HTTP/1.1\r\n\r\n"), 400),
    "an endless trailer": (post(CHUNKED, body=b"0\r\n" + b"a: b\r\n" * 2500 + b"\r\n"), 400),
    "a body in crumbs": (post(CHUNKED, body=b"1\r\nx\r\n" * 2000 + b"0\r\n\r\n"), 400),
    # Heads that are none
    "a folded field": (post(b"X-A: b\r\n c"), 400),
    "a field that begins with a space": (post(b" X-A: b"), 400),
    "a bare LF between fields": (b"GET / HTTP/1.1\r\nHost: x\nX-A: b\r\n\r\n", 400),
    "bare LFs only": (b"GET / HTTP/1.1\nHost: x\n\n", 400),
    "a bare CR in a field": (post(b"X-A: b\rContent-Length: 35"), 400),
    "a NUL in a field": (post(b"X-A: b\x00c"), 400),
    "a control character in a field": (post(b"X-A: b\x01c"), 400),
    "a DEL in a field": (post(b"X-A: b\x7fc"), 400),
    "a field without a colon": (post(b"X-A"), 400),
    "a field without a name": (post(b": b"), 400),
    "a name that is no token": (post(b"X(A): b"), 400),
    "a name beyond ASCII": (post("X-Ä: b".encode()), 400),
    "empty lines in front": (b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a space in front": (b" GET / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "garbage": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    # Request lines that are none
    "no version": (b"GET /\r\n", 400),
    "two spaces": (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a tab": (b"GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a space behind": (b"GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400),
    "a space in the target": (b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "an absolute target": (b"GET http://x/orders HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a target of another host": (b"GET //evil.example/ HTTP/1.1 \r\nHost: x\r\n\r\n", 400),
    "an asterisk": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "an authority": (b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a fragment": (b"GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a target beyond ASCII": ("GET /ä HTTP/1.1\r\nHost: x\r\n\r\n".encode(), 400),
    "a NUL in the target": (b"GET /a\x00b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a relative target": (b"GET orders HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "no target": (b"GET HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "another protocol": (b"SOURCE / ICE/1.0\r\nHost: x\r\n\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
    "the same host twice": (b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400),
    "two hosts in HTTP/1.0": (b"GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n", 400),
    "a host with a space": (b"GET / HTTP/1.1\r\nHost: x y\r\n\r\n", 400),
    "a host with a path": (b"GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", 400),
    # What is HTTP, and not served
    "an upgrade": (post(b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"), 501),
    "an upgrade to HTTP/2": (post(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c"), 501),
    "an upgrade that is not connected": (post(b"Upgrade: h2c"), 501),
    "a tunnel": (b"CONNECT /x HTTP/1.1\r\nHost: x\r\n\r\n", 501),
    "an unknown method": (b"FLY / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
    "a method in lower case": (b"get / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
    "HTTP/2's preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "HTTP/3": (b"GET / HTTP/3\r\nHost: x\r\n\r\n", 505),
    "HTTP/1.2": (b"GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505),
    "another expectation": (post(b"Expect: 200-ok", b"Content-Length: 1", body=b"x"), 417),
    "two expectations": (post(b"Expect: 100-continue", b"Expect: 100-continue", b"Content-Length: 1"), 417),
    # What is too much
    "a long line": (post(b"X-A: " + b"b" * limits.HEAD_LINE_BYTES_MAX), 431),
    "a long target": (b"GET /" + b"a" * limits.HEAD_LINE_BYTES_MAX + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
    "many fields": (post(*(b"X-%d: b" % number for number in range(limits.HEAD_FIELDS_MAX))), 431),
    "a large head": (post(*(b"X-%d: %b" % (number, b"b" * 8000) for number in range(9))), 431),
    "a large body": (post(b"Content-Length: 1001", body=b"x" * 1001), 413),
    "a huge body": (post(b"Content-Length: 999999999999999"), 413),
    "large chunks": (post(CHUNKED, body=b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n"), 413),
    "a huge chunk": (post(CHUNKED, body=b"ffffffff\r\n" + b"x" * 2000), 413),
}


@pytest.mark.parametrize(("data", "status"), IN_DOUBT.values(), ids=IN_DOUBT.keys())
async def test_what_is_in_doubt_is_answered_once_and_ends_the_connection_T09(
    data: bytes, status: int
) -> None:
    face = Recorder()
    async with serving(face) as door:
        (answer,) = heard(await exchange(door.port, data + SECOND))
    assert (answer.status, answer.headers["connection"]) == (status, "close")
    assert answer.headers["x-request-id"] == answer.headers["x-amzn-requestid"]
    assert answer.headers["server"] == "sallyport"
    assert not face.seen


@pytest.mark.parametrize(("data", "status"), IN_DOUBT.values(), ids=IN_DOUBT.keys())
def test_a_head_that_is_refused_in_pieces_is_one_that_is_refused_whole_T09(data: bytes, status: int) -> None:
    """Early doubts are never stricter than the judgement on the whole head."""
    del status
    end = data.find(heads.END)
    line_at = 0
    for size in range(1, len(data) if end < 0 else end + 2):
        try:
            line_at = heads.check_beginning(data[:size], line_at)
        except Exception as early:  # noqa: BLE001 - whatever it is
            with pytest.raises(type(early)):
                heads.HeadReader().read(data[: end + len(heads.END)] if end >= 0 else data)
            return


def packed(wbits: int, body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=wbits)
    return packer.compress(body) + packer.flush()


BODY = b'{"reportType":"GET_MERCHANT_LISTINGS_ALL_DATA"}'
ENCODED = {
    "gzip": ("gzip", gzip.compress(BODY)),
    "x-gzip": ("x-gzip", gzip.compress(BODY)),
    "GZIP": ("GZIP", gzip.compress(BODY)),
    "deflate": ("deflate", packed(zlib.MAX_WBITS, BODY)),
    "raw deflate": ("deflate", packed(-zlib.MAX_WBITS, BODY)),
    "br": ("br", PACKERS["br"][1](BODY)),
    "zstd": ("zstd", PACKERS["zstd"][1](BODY)),
    "identity": ("identity", BODY),
}


@pytest.mark.parametrize(("encoding", "body"), ENCODED.values(), ids=ENCODED.keys())
async def test_a_body_arrives_decoded(encoding: str, body: bytes) -> None:
    face = Recorder()
    async with serving(face) as door:
        data = request("POST /", f"Content-Encoding: {encoding}", body=body, is_last=True)
        assert heard(await exchange(door.port, data))[0].status == 200
    assert face.seen == [("POST", "/", BODY)]


UNDECODABLE = {
    "another coding": ("compress", BODY, 415),
    "twice": ("gzip, gzip", gzip.compress(gzip.compress(BODY)), 415),
    "no gzip": ("gzip", BODY, 400),
    "half a gzip": ("gzip", gzip.compress(BODY)[:-9], 400),
    "more than a gzip": ("gzip", gzip.compress(BODY) + b"x", 400),
    "a bomb": ("gzip", gzip.compress(bytes(10_000_000)), 413),
    "a bomb without a wrapper": ("deflate", packed(-zlib.MAX_WBITS, bytes(10_000_000)), 413),
    "no br": ("br", BODY, 400),
    "half a br": ("br", PACKERS["br"][1](BODY)[:-3], 400),
    "more than a br": ("br", PACKERS["br"][1](BODY) + b"x", 400),
    "a bomb in br": ("br", bomb("br", 10), 413),
    "no zstd": ("zstd", BODY, 400),
    "half a zstd": ("zstd", PACKERS["zstd"][1](BODY)[:-3], 400),
    "two frames of zstd": ("zstd", PACKERS["zstd"][1](BODY) * 2, 400),
    "a dictionary": ("zstd", with_dictionary(BODY), 400),
    "a huge window": ("zstd", zstd_frame(zeros_mib(1), window_log=27), 400),
    "a bomb in zstd": ("zstd", bomb("zstd", 10), 413),
}


CODES = {400: "malformed_request", 413: "body_too_large", 415: "encoding_not_served"}


@pytest.mark.parametrize(("encoding", "body", "status"), UNDECODABLE.values(), ids=UNDECODABLE.keys())
async def test_a_body_that_cannot_be_decoded_is_refused_T09(encoding: str, body: bytes, status: int) -> None:
    face = Recorder(body_bytes_max=20_000)
    async with serving(face) as door:
        data = request("POST /", f"Content-Encoding: {encoding}", body=body)
        answer, *others = heard(await exchange(door.port, data + request("GET /next", is_last=True)))
    assert (answer.status, answer.code) == (status, CODES[status])
    # Only a coding that is not known leaves no doubt about the bytes.
    assert ("connection" in answer.headers) is (not others) is (status != 415)
    assert [target for _, target, _ in face.seen] == ["/next"] * len(others)


@pytest.mark.parametrize(("size", "status"), [(1000, 200), (1001, 413)])
async def test_a_body_is_measured_as_it_was_before_it_was_encoded_T09(size: int, status: int) -> None:
    async with serving(Recorder(body_bytes_max=1000)) as door:
        data = request("POST /", "Content-Encoding: gzip", body=gzip.compress(bytes(size)), is_last=True)
        (answer,) = heard(await exchange(door.port, data))
    assert answer.status == status


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300)
    | st.builds(lambda tail: b"POST / HTTP/1.1\r\nHost: x\r\n" + tail + b"\r\n\r\n", st.binary(max_size=60))
)
async def test_no_bytes_make_a_5xx_but_what_is_not_served_T10(data: bytes) -> None:
    async with serving(Recorder(), LIMITS) as door:
        for answer in heard(await exchange(door.port, data + b"\r\n\r\n\x00\r\n\r\n")):
            assert answer.status < 500 or answer.status in {501, 505}
