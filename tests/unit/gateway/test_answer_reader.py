"""Amazon's answers, read from a connection: alike however they are cut, and nothing beyond a bound (T-29)."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.amazon.answers import (
    FIELDS_MAX,
    HEAD_BYTES_MAX,
    INTERIM_MAX,
    WIRE_BYTES_MAX,
    AnswerReader,
)
from services.gateway.amazon.bodies import BODY_BYTES_MAX
from services.gateway.model.calls import UpstreamAnswer
from services.gateway.model.faults import UpstreamInvalid
from tests.contract.amazon_origin import wire

CHUNKED = {"content_length": "", "transfer_encoding": "chunked"}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PACKED = gzip.compress(b'{"a":1}')


def read(pieces: list[bytes]) -> tuple[UpstreamAnswer | None, bool]:
    """Return the answer that pieces of the wire are, and whether the connection may serve again.

    Raises:
        UpstreamInvalid: they are none.
    """
    reader = AnswerReader()
    reader.expect()
    for number, piece in enumerate(pieces, 1):
        answer = reader.feed(piece)
        if answer is not None:
            return answer, reader.is_kept and number == len(pieces)
    return None, False


def verdict(pieces: list[bytes]) -> object:
    try:
        return read(pieces)
    except UpstreamInvalid:
        return UpstreamInvalid


def fields(count: int) -> dict[str, str]:
    """Return fields that make an answer's head hold so many, with those that `wire` gives it."""
    return {f"x_{number}": "1" for number in range(count - 2)}


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


ANSWERS = {
    "a length": wire("200 OK"),
    "nothing": b"HTTP/1.1 204 No Content\r\n\r\n",
    "a failure": wire("503 Later", b"[]", retry_after="3"),
    "chunks": wire("200 OK", chunk(b"{") + chunk(b"}") + b"0\r\nx-a: b\r\n\r\n", **CHUNKED),
    "packed": wire("200 OK", PACKED, content_encoding="gzip"),
    "packed chunks": wire("200 OK", chunk(PACKED) + b"0\r\n\r\n", content_encoding="gzip", **CHUNKED),
    "a goodbye": wire("200 OK", connection="close"),
    "half": wire("200 OK", b"{", content_length="2"),
    "half of what is packed": wire("200 OK", PACKED[:-1], content_encoding="gzip"),
    "more than is packed": wire("200 OK", PACKED + b"x", content_encoding="gzip"),
    "a redirect": wire("302 Found", location="https://evil.example"),
    "two framings": wire("200 OK", b"0\r\n\r\n", transfer_encoding="chunked"),
    "garbage": b"\x16\x03\x01",
}


@given(
    interim=st.sampled_from([0, 1, INTERIM_MAX, INTERIM_MAX + 1]),
    said=st.sampled_from(sorted(ANSWERS)),
    more=st.sampled_from([b"", b"x", wire("200 OK", b"another")]),
    cuts=st.lists(st.integers(1, 300), max_size=6),
)
def test_an_answer_is_read_alike_however_it_is_cut_T29(
    interim: int, said: str, more: bytes, cuts: list[int]
) -> None:
    data = CONTINUE * interim + ANSWERS[said] + more
    ends = sorted({*(cut for cut in cuts if cut < len(data)), len(data)})
    pieces = [data[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
    assert verdict(pieces) == verdict([data])


@pytest.mark.parametrize(("interim", "is_taken"), [(INTERIM_MAX, True), (INTERIM_MAX + 1, False)])
def test_so_many_interim_answers_come_before_one_and_no_more_T29(interim: int, *, is_taken: bool) -> None:
    assert (verdict([CONTINUE * interim + wire("200 OK")]) is not UpstreamInvalid) is is_taken


@pytest.mark.parametrize(("count", "is_taken"), [(FIELDS_MAX, True), (FIELDS_MAX + 1, False)])
def test_a_head_and_its_trailer_have_so_many_fields_and_no_more_T29(count: int, *, is_taken: bool) -> None:
    in_head = wire("200 OK", b"{}", **fields(count))
    with_trailer = wire("200 OK", b"2\r\n{}\r\n0\r\nx-a: b\r\n\r\n", **CHUNKED, **fields(count - 1))
    for said in (in_head, with_trailer):
        assert (verdict([said]) is not UpstreamInvalid) is is_taken


@pytest.mark.parametrize(("body_bytes", "is_taken"), [(BODY_BYTES_MAX, True), (BODY_BYTES_MAX + 1, False)])
def test_a_body_has_so_many_bytes_and_no_more_T29(body_bytes: int, *, is_taken: bool) -> None:
    body = bytes(body_bytes)
    by_length = wire("200 OK", body)
    in_chunks = wire("200 OK", chunk(body) + b"0\r\n\r\n", **CHUNKED)
    for said in (by_length, in_chunks):
        assert (verdict([said]) is not UpstreamInvalid) is is_taken


def test_a_length_beyond_the_bound_is_refused_before_the_body_comes_T29() -> None:
    assert verdict([wire("200 OK", b"", content_length=str(BODY_BYTES_MAX + 1))]) is UpstreamInvalid


def test_what_only_frames_a_body_has_an_end_too_T29() -> None:
    """A chunk's extension may be of any length, for the parser."""
    piece = b"e" * HEAD_BYTES_MAX
    pieces = [wire("200 OK", b"1;", **CHUNKED)] + [piece] * (WIRE_BYTES_MAX // len(piece))
    assert read(pieces[:-1]) == (None, False)
    with pytest.raises(UpstreamInvalid):
        read(pieces)


def test_each_answer_of_a_connection_has_the_whole_bounds_for_itself() -> None:
    reader, said = AnswerReader(), CONTINUE * INTERIM_MAX + wire("200 OK", b"{}", **fields(FIELDS_MAX))
    for _ in range(2):
        reader.expect()
        answer = reader.feed(said)
        assert answer is not None
        assert (answer.body, reader.is_kept) == (b"{}", True)


def test_what_nobody_asked_for_is_no_answer_T29() -> None:
    reader = AnswerReader()
    reader.expect()
    reader.feed(wire("200 OK"))
    with pytest.raises(UpstreamInvalid):
        reader.feed(wire("200 OK"))
