"""Bodies at the door: how long what frames them may be, and that nobody cuts them into crumbs (T-09)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.door.bodies import (
    CHUNK_BYTES_MEAN_MIN,
    CHUNK_LINE_BYTES_MAX,
    CRUMBS_MAX,
    TRAILER_BYTES_MAX,
    ChunkedBody,
    SizedBody,
)
from services.gateway.door.faults import MalformedRequest

END = b"0\r\n\r\n"


def taken(body: ChunkedBody | SizedBody, pieces: list[bytes]) -> tuple[bytes, bytes]:
    """Return what a body holds, and what followed it; pieces arrive one after another."""
    unread, parts = bytearray(), list[bytes]()
    for piece in pieces:
        unread += piece
        part, used = body.take(unread)
        parts.append(part)
        del unread[:used]
    assert body.is_whole
    return b"".join(parts), bytes(unread)


def one_by_one(data: bytes) -> list[bytes]:
    return [bytes([each]) for each in data]


def chunks(count: int, size: int) -> bytes:
    return b"%x\r\n%b\r\n" % (size, b"x" * size) * count


@pytest.mark.parametrize("pieces", [lambda data: [data], one_by_one], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(
    ("data", "is_taken"),
    [
        (b"1;".ljust(CHUNK_LINE_BYTES_MAX, b"e") + b"\r\nx\r\n" + END, True),
        (b"1;".ljust(CHUNK_LINE_BYTES_MAX + 1, b"e") + b"\r\nx\r\n" + END, False),
        (b"0\r\n" + b"a: ".ljust(TRAILER_BYTES_MAX, b"b") + b"\r\n\r\n", True),
        (b"0\r\n" + b"a: ".ljust(TRAILER_BYTES_MAX + 1, b"b") + b"\r\n\r\n", False),
        (b"0\r\n" + b"a: ".ljust(TRAILER_BYTES_MAX - 2, b"b") + b"\r\nc:\r\n\r\n", True),
        (b"0\r\n" + b"a: ".ljust(TRAILER_BYTES_MAX - 1, b"b") + b"\r\nc:\r\n\r\n", False),
        (chunks(CRUMBS_MAX, 1) + END, True),
        (chunks(CRUMBS_MAX + 1, 1) + END, False),
        (chunks(CRUMBS_MAX + 1, CHUNK_BYTES_MEAN_MIN) + END, True),
        (chunks(CRUMBS_MAX + 1, CHUNK_BYTES_MEAN_MIN - 1) + END, False),
        (b"00000001\r\nx\r\n" + END, True),
        (b"000000001\r\nx\r\n" + END, False),
    ],
    ids=lambda value: value if isinstance(value, bool) else f"{value[:6].decode()!r} {len(value)}",
)
def test_what_frames_chunks_may_be_so_long_and_no_longer_T09(
    pieces: object, data: bytes, *, is_taken: bool
) -> None:
    cut = pieces(data)  # type: ignore[operator]
    if is_taken:
        assert taken(ChunkedBody(), cut)[1] == b""
    else:
        with pytest.raises(MalformedRequest):
            taken(ChunkedBody(), cut)


@pytest.mark.parametrize(
    "data",
    [
        b"1;".ljust(CHUNK_LINE_BYTES_MAX + 2, b"e"),
        b"1\r\nxy",
        b"1\r\nx\ry",
        b"1\n",
        b"0\r\n" + b"a: ".ljust(TRAILER_BYTES_MAX + 2, b"b"),
    ],
    ids=lambda data: f"{data[:7].decode()!r}",
)
def test_what_cannot_become_a_chunk_or_a_trailer_is_refused_before_its_line_ends_T09(data: bytes) -> None:
    with pytest.raises(MalformedRequest):
        ChunkedBody().take(data)


@given(data=st.binary(max_size=40), length=st.integers(0, 20), cuts=st.lists(st.integers(0, 40), max_size=5))
def test_a_body_of_a_length_ends_there_however_it_is_cut_T09(
    data: bytes, length: int, cuts: list[int]
) -> None:
    data = data.ljust(length, b"x")
    ends = sorted({*(min(cut, len(data)) for cut in cuts), len(data)})
    pieces = [data[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
    assert taken(SizedBody(length), pieces) == (data[:length], data[length:])
