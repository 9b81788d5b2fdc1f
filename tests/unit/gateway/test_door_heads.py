"""Heads at the door: headers found by their names, and answers of which no header ends a line early."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.door import answers
from services.gateway.door.request import Head

NAMES = st.sampled_from(["host", "authorization", "dpop", "x-amz-access-token"])
REQUEST_ID = "request-0001"


@given(st.lists(st.tuples(NAMES, st.sampled_from(["", "a", "b"])), max_size=6), NAMES)
def test_a_head_tells_every_value_of_a_name_in_order_and_the_first_of_them_T09(
    headers: list[tuple[str, str]], name: str
) -> None:
    head, expected = Head("GET", "/", headers), [value for known, value in headers if known == name]
    assert head.values(name) == expected
    assert head.header(name) == (expected[0] if expected else "")


def answered(headers: list[tuple[str, str]]) -> bytes:
    return answers.head(200, headers, length=0, request_id=REQUEST_ID, is_last=False)


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
