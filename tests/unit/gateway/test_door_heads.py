"""Heads at the door: headers found by their names, and answers of which no header ends a line early."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import SallyportError
from services.gateway.door import answers, limits
from services.gateway.door.heads import HeadReader
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
def test_a_head_is_read_alike_whatever_was_read_before_it_T09(heads: list[list[str]]) -> None:
    reader = HeadReader()
    for lines in heads:
        data = "".join(f"{line}\r\n" for line in [*lines, ""]).encode()
        assert verdict(reader, data) == verdict(HeadReader(), data)


def test_heads_with_proofs_take_no_place_among_those_that_come_again() -> None:
    reader, plain = HeadReader(), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    before, _ = reader.read(plain)
    for number in range(limits.HEADS_KNOWN_MAX):
        reader.read(b"GET / HTTP/1.1\r\nHost: x\r\nDPoP: %d\r\n\r\n" % number)
    after, _ = reader.read(plain)
    assert after.fields is before.fields


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_llhttp_refuses_no_character_of_a_target_that_is_taken_here_T09(version: str) -> None:
    """A target before known fields is not shown to llhttp again."""
    letters = [chr(code) for code in range(0x21, 0x7F) if chr(code) != "#"]
    for target in (*(f"/{letter}" for letter in letters), *(f"/a?{letter}b" for letter in letters)):
        head, _ = HeadReader().read(f"GET {target} HTTP/{version}\r\nhost: a\r\n\r\n".encode())
        assert head.target == target


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
