"""Heads at the door: headers found by their names, and answers of which no header ends a line early."""

from collections.abc import Callable, Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import SallyportError
from services.gateway.door import answers, heads, limits
from services.gateway.door.faults import (
    HeadTooLarge,
    MalformedRequest,
    MethodNotImplemented,
    UpgradeNotServed,
    VersionNotServed,
)
from services.gateway.door.heads import CHUNKED, Framing, HeadReader
from services.gateway.model.fields import Fields

NAMES = st.sampled_from(["host", "authorization", "dpop", "x-amz-access-token"])
REQUEST_ID = "request-0001"


@given(st.lists(st.tuples(NAMES, st.sampled_from(["", "a", "b"])), max_size=6), NAMES)
def test_fields_tell_every_value_of_a_name_in_order_and_the_first_of_them_T09(
    headers: list[tuple[str, str]], name: str
) -> None:
    fields, expected = Fields(headers), [value for known, value in headers if known == name]
    assert fields.values(name) == expected
    assert fields.value(name) == (expected[0] if expected else "")
    assert list(fields) == headers


def test_what_was_found_out_about_fields_is_asked_once_and_what_was_raised_again() -> None:
    asked: list[Fields] = []

    def find(fields: Fields) -> int:
        asked.append(fields)
        if len(asked) == 1:
            raise LookupError
        return len(asked)

    fields = Fields([("host", "a")])
    with pytest.raises(LookupError):
        fields.once(find)
    assert [fields.once(find), fields.once(find)] == [2, 2]


LINES = st.lists(
    st.sampled_from(
        [
            *(
                "GET /a HTTP/1.1",
                "GET /b?c=d HTTP/1.1",
                "GET /a HTTP/1.0",
                "POST /a HTTP/1.1",
                "get /a HTTP/1.1",
            ),
            *(
                "host: a",
                "host:  b ",
                "content-length: 5",
                "transfer-encoding: chunked",
                "x: y",
                "x : y",
                " x",
            ),
            *("connection: close", "expect: 100-continue", "upgrade: h2c", ""),
        ]
    ),
    min_size=1,
    max_size=4,
)


def verdict(reader: HeadReader, data: bytes) -> object:
    try:
        head, framing = reader.read(data)
    except SallyportError as error:
        return type(error)
    return head.method, head.target, list(head.fields), framing


@given(st.lists(LINES, min_size=1, max_size=6))
def test_a_head_is_read_alike_whatever_was_read_before_it_T09(asked: list[list[str]]) -> None:
    reader = HeadReader()
    for lines in asked:
        data = "".join(f"{line}\r\n" for line in [*lines, ""]).encode()
        assert verdict(reader, data) == verdict(HeadReader(), data)


def test_heads_with_proofs_take_no_place_among_those_that_come_again() -> None:
    reader, plain = HeadReader(), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    before, _ = reader.read(plain)
    for number in range(limits.HEADS_KNOWN_MAX):
        reader.read(b"GET / HTTP/1.1\r\nHost: x\r\nDPoP: %d\r\n\r\n" % number)
    after, _ = reader.read(plain)
    assert after.fields is before.fields


def test_a_large_head_takes_no_place_among_those_that_come_again_R23() -> None:
    reader, large = HeadReader(), field_of(limits.HEAD_KNOWN_BYTES_MAX)
    before, _ = reader.read(large)
    after, _ = reader.read(large)
    assert after.fields is not before.fields


def test_nothing_stays_of_what_was_read_when_it_is_to_be_forgotten() -> None:
    reader, plain = HeadReader(), b"GET / HTTP/1.1\r\nHost: x\r\nx-amz-access-token: t\r\n\r\n"
    before, _ = reader.read(plain)
    reader.forget()
    after, _ = reader.read(plain)
    assert after.fields is not before.fields


def test_who_asks_for_a_tunnel_or_another_protocol_hears_which_is_not_served() -> None:
    with pytest.raises(MethodNotImplemented):
        HeadReader().read(b"CONNECT /x HTTP/1.1\r\nHost: x\r\n\r\n")
    with pytest.raises(UpgradeNotServed):
        HeadReader().read(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_llhttp_refuses_no_character_of_a_target_that_is_taken_here_T09(version: str) -> None:
    """A target before known fields is not shown to llhttp again."""
    letters = [chr(code) for code in range(0x21, 0x7F) if chr(code) != "#"]
    for target in (*(f"/{letter}" for letter in letters), *(f"/a?{letter}b" for letter in letters)):
        head, _ = HeadReader().read(f"GET {target} HTTP/{version}\r\nhost: a\r\n\r\n".encode())
        assert head.target == target


KEPT = Framing(0, is_kept=True, is_old=False, expects_continue=False)
LAST = KEPT._replace(is_kept=False)
OLD = LAST._replace(is_old=True)
ASKING = ("content-length: 5", "expect: 100-Continue")


@pytest.mark.parametrize(
    ("version", "lines", "framing"),
    [
        ("1.1", [], KEPT),
        ("1.1", ["connection: keep-alive"], KEPT),
        ("1.1", ["connection: closed"], KEPT),
        ("1.1", ["connection: close"], LAST),
        ("1.1", ["connection: te, Close"], LAST),
        ("1.1", ["connection: te", "connection: close"], LAST),
        ("1.1", ["content-length: 5"], KEPT._replace(length=5)),
        ("1.1", ["content-length: 5", "connection: close"], LAST._replace(length=5)),
        ("1.1", ["transfer-encoding: Chunked"], KEPT._replace(length=CHUNKED)),
        ("1.1", ASKING, KEPT._replace(length=5, expects_continue=True)),
        ("1.1", ["content-length: 0", "expect: 100-continue"], KEPT),
        ("1.1", ["expect: 100-continue"], KEPT),
        ("1.0", [], OLD),
        ("1.0", ["connection: keep-alive"], OLD),
        ("1.0", ASKING, OLD._replace(length=5)),
    ],
)
def test_a_head_says_where_its_request_ends_and_whether_another_may_follow_T09(
    version: str, lines: Sequence[str], framing: Framing
) -> None:
    head = "\r\n".join([f"POST / HTTP/{version}", "host: x", *lines, "", ""])
    assert HeadReader().read(head.encode())[1] == framing


START = b"GET / HTTP/1.1\r\n"
HOST = b"Host: x\r\n"


def request_line_of(size_bytes: int) -> bytes:
    path, version = b"GET /", b" HTTP/1.1"
    return path.ljust(size_bytes - len(version), b"a") + version + b"\r\n" + HOST + b"\r\n"


def field_of(size_bytes: int) -> bytes:
    return START + HOST + b"X-A: ".ljust(size_bytes, b"a") + heads.END


def head_of(size_bytes: int) -> bytes:
    field = b"X-A: ".ljust(8_000, b"a") + b"\r\n"
    whole = START + HOST + field * ((size_bytes - 100) // len(field)) + b"X-B: "
    return whole.ljust(size_bytes - len(heads.END), b"b") + heads.END


def fields_of(count: int) -> bytes:
    return START + HOST + b"X-A: a\r\n" * (count - 1) + b"\r\n"


BOUNDS = [
    (request_line_of, limits.HEAD_LINE_BYTES_MAX),
    (field_of, limits.HEAD_LINE_BYTES_MAX),
    (head_of, limits.HEAD_BYTES_MAX),
    (fields_of, limits.HEAD_FIELDS_MAX),
]


def read_as_it_comes(data: bytes, sizes: Iterable[int]) -> None:
    """Have a head looked at when so much of it has come, and read when all has."""
    line_at = 0
    for size in sizes:
        line_at = heads.check_beginning(data[:size], line_at)
    HeadReader().read(data)


@pytest.mark.parametrize("last_seen", [range(0), range(-5, 0)], ids=["at once", "in pieces"])
@pytest.mark.parametrize(("make", "most"), BOUNDS)
def test_a_head_may_be_so_large_and_no_larger_however_it_comes_T09(
    make: Callable[[int], bytes], most: int, last_seen: range
) -> None:
    largest, too_large = make(most), make(most + 1)
    read_as_it_comes(largest, [len(largest) + each for each in last_seen])
    with pytest.raises(HeadTooLarge):
        read_as_it_comes(too_large, [len(too_large) + each for each in last_seen])


@pytest.mark.parametrize(
    ("beginning", "error"),
    [
        (b"GET / HTTP/1.1\nHost: x\n", MalformedRequest),
        (START + b"Host: x\n", MalformedRequest),
        (START + b"Host: x\rX-A: b\r\n", MalformedRequest),
        (b"HELO there\r\n", MalformedRequest),
        (b"GET / HTTP/2\r\n", VersionNotServed),
        (b"GET /".ljust(limits.HEAD_LINE_BYTES_MAX + 2, b"a"), HeadTooLarge),
        (START + b"X-A: ".ljust(limits.HEAD_LINE_BYTES_MAX + 2, b"a"), HeadTooLarge),
        (START + b"X-A: b\r\n" * (limits.HEAD_BYTES_MAX // 8), HeadTooLarge),
    ],
    ids=lambda value: f"{value[:24].decode()!r} {len(value)}" if isinstance(value, bytes) else value.__name__,
)
def test_what_cannot_become_a_head_is_refused_before_it_ends_T09(
    beginning: bytes, error: type[SallyportError]
) -> None:
    with pytest.raises(error):
        heads.check_beginning(beginning, 0)


def answered(headers: list[tuple[str, str]]) -> bytes:
    return answers.head(
        200, headers, length=0, request_id=REQUEST_ID, is_last=False, is_strict_transport=True
    )


@given(st.text(st.characters(max_codepoint=255), max_size=10), st.booleans())
def test_a_header_with_a_control_character_is_not_sent_and_any_other_is_T09(
    text: str, is_in_name: bool
) -> None:
    header = (f"x-{text}", "a") if is_in_name else ("x-a", text)
    if any((ord(letter) < 0x20 and letter != "\t") or letter == "\x7f" for letter in text):
        with pytest.raises(ValueError, match="control character"):
            answered([("x-before", "b"), header])
    else:
        line = f"\r\n{header[0]}: {header[1]}\r\n".encode("latin-1")
        assert answered([("x-before", "b"), header]).count(line) == 1


def test_a_header_beyond_latin_1_is_not_sent() -> None:
    with pytest.raises(ValueError, match="latin-1"):
        answered([("x-a", "\u20ac")])
