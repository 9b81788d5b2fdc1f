"""What strangers' bytes may cost, and what of them is seen through: JSON, waits, hidden credentials."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.gateway_ports import json_answer
from services.gateway.model import bounded_json, exchange
from services.gateway.model.calls import UpstreamAnswer
from services.gateway.model.faults import UpstreamInvalid
from services.gateway.model.tripwire import (
    DECODING_ROUNDS_MAX,
    MARKS,
    OVERLAP_BYTES,
    PIECE_BYTES,
    finds_credential,
    holds_credential,
    pieces,
)

ROOM = 16 * 1_048_576


# --- JSON


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 1_000_000,
        b"[" * 1_025 + b"]" * 1_025,
        b'{"a":' * 1_000_000,
        b"[],".join([b""] * 1_100_000),
        b"[1e999]",
        b"1" * 5_000,
        b"{",
        b"",
        b"\xff",
        b'"\\ud800"',
    ],
)
def test_json_beyond_bounds_is_unreadable_and_says_nothing_of_itself_T10(text: bytes) -> None:
    with pytest.raises(bounded_json.Unreadable) as refusal:
        bounded_json.read(text, bytes_max=ROOM)
    assert refusal.value.__cause__ is None
    assert not refusal.value.args


@pytest.mark.parametrize("take", [exchange.check_success, exchange.read_success])
@pytest.mark.parametrize("body", [b"[" * 1_000_000, b"[[]," * 500_000 + b"[]" + b"]" * 500_000])
def test_an_answer_too_deep_or_too_full_is_not_passed_on_T29(
    take: Callable[[UpstreamAnswer], object], body: bytes
) -> None:
    with pytest.raises(UpstreamInvalid):
        take(json_answer(body))


def test_a_large_and_flat_answer_passes() -> None:
    answer = json_answer(b"[" + b"[]," * 5_000 + b"[]]")
    exchange.check_success(answer)
    assert exchange.read_success(answer) == [[]] * 5_001


def test_a_text_as_long_as_its_bound_is_read() -> None:
    assert bounded_json.read(b"[1,2]", bytes_max=5) == [1, 2]
    with pytest.raises(bounded_json.Unreadable):
        bounded_json.read(b"[1,2]", bytes_max=4)


def test_a_text_shorter_than_the_bounds_is_still_read_for_depth_T29() -> None:
    deep = b"[" * (bounded_json.DEPTH_MAX + 1) + b"]" * (bounded_json.DEPTH_MAX + 1)
    assert len(deep) < bounded_json.MARKS_MAX
    with pytest.raises(bounded_json.Unreadable):
        bounded_json.check(deep, bytes_max=ROOM)
    bounded_json.check(b"[" * bounded_json.DEPTH_MAX, bytes_max=ROOM)


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"errors":' + b"[" * 200_000, b"x" * 300_000])
def test_a_failure_that_cannot_be_read_is_told_in_our_words_T29(body: bytes) -> None:
    answer = exchange.failure(json_answer(body, 500), "request-1")
    assert json.loads(answer.body)["errors"][0]["code"] == "InternalFailure"
    assert not exchange.refuses_token(json_answer(body, 403))


@pytest.mark.parametrize(
    "page", [b"<html><body><h1>403 Forbidden</h1>token expired</body></html>", b"<!DOCTYPE html>", b""]
)
@pytest.mark.parametrize("status", [400, 403])
def test_a_page_instead_of_an_error_is_told_as_one_and_costs_no_token_T30(status: int, page: bytes) -> None:
    said = json_answer(page, status)
    answer = exchange.failure(said, "request-1")
    assert (answer.status, b"<" in answer.body) == (status, False)
    assert not exchange.refuses_token(said)


@pytest.mark.parametrize("status", [101, 302, 399, 600])
def test_what_is_neither_success_nor_failure_is_told_to_nobody_T29(status: int) -> None:
    with pytest.raises(UpstreamInvalid):
        exchange.failure(json_answer(b"{}", status), "request-1")


# --- how long Amazon asks to wait


@pytest.mark.parametrize(
    ("asked", "wait_s"),
    [
        ("3", 3.0),
        (" 60 ", 60.0),
        ("61", 0.0),
        ("99999999999999999999", 0.0),
        ("-1", 0.0),
        ("1e9", 0.0),
        ("nan", 0.0),
        ("٣", 0.0),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 0.0),
        ("", 0.0),
    ],
)
def test_an_absurd_wait_is_not_obeyed_T29(asked: str, wait_s: float) -> None:
    assert exchange.retry_after_s(json_answer(b"", 503, retry_after=asked)) == wait_s


# --- hidden credentials

FORMS = [
    lambda char: char,
    lambda char: f"\\u{ord(char):04x}",
    lambda char: f"\\u{ord(char):04X}",
    lambda char: f"\\\\u{ord(char):04x}",
    lambda char: f"\\\\\\\\u{ord(char):04x}",
    lambda char: f"%{ord(char):02x}",
    lambda char: f"%{ord(char):02X}",
    lambda char: f"%25{ord(char):02X}",
    lambda char: f"%5Cu{ord(char):04x}",
    lambda char: f"\\u0025{ord(char):02x}",
]


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(MARKS), st.data())
def test_a_credential_is_found_however_its_characters_are_written_T06(
    mark: bytes, data: st.DataObject
) -> None:
    forms = data.draw(st.lists(st.sampled_from(FORMS), min_size=len(mark), max_size=len(mark)))
    hidden = "".join(form(char) for form, char in zip(forms, mark.decode(), strict=True))
    assert finds_credential(f'{{"note":"see {hidden}abc"}}'.encode())


@settings(deadline=None)
@given(
    st.sampled_from(MARKS),
    st.sampled_from([b"%c", b"\\u%04x", b"\\\\\\\\u%04X", b"%%%02x"]),
    st.integers(min_value=-200, max_value=200),
    st.sampled_from([b"a", b"\\u00e9"]),
)
def test_a_credential_stands_whole_in_one_piece_of_a_large_body_T06(
    mark: bytes, form: bytes, offset: int, filling: bytes
) -> None:
    before = filling * ((2 * (PIECE_BYTES - OVERLAP_BYTES) + offset) // len(filling))
    body = before + b" " + b"".join(form % char for char in mark) + b"x" * PIECE_BYTES
    assert [finds_credential(piece) for piece in pieces(body)].count(True) >= 1


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES, 1_000_003])
def test_pieces_are_bounded_and_leave_nothing_out_T06(size: int) -> None:
    body = bytes(number % 251 for number in range(size))
    first, *rest = pieces(body)
    assert first + b"".join(piece[OVERLAP_BYTES:] for piece in rest) == body
    assert all(len(piece) <= PIECE_BYTES for piece in (first, *rest))


@pytest.mark.parametrize("mark", MARKS)
def test_a_credential_under_layers_of_percent_encoding_is_found_T06(mark: bytes) -> None:
    hidden = b"".join(b"%%%02x" % char for char in mark)
    for _ in range(DECODING_ROUNDS_MAX):
        assert finds_credential(hidden)
        hidden = hidden.replace(b"%", b"%25")


@pytest.mark.parametrize("mark", MARKS)
def test_a_token_in_a_document_is_found_however_it_is_escaped_T31(mark: bytes) -> None:
    escaped = "".join(f"\\u{char:04x}" for char in mark)
    for told in (mark.decode(), escaped, mark.decode().replace("|", "\\u007C")):
        assert holds_credential(f'{{"payload":"{told}x"}}'.encode())


def test_what_only_looks_a_little_like_a_credential_passes() -> None:
    for text in (b"Atza", b"%41tza", b"a %257C b", b"\\u007c", b"amzn1.application-oa2-client.x", b"100%"):
        assert not finds_credential(text)
        assert not holds_credential(text)
