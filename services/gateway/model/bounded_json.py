"""JSON from strangers, read into values within bounds of size, depth and number (T-10, T-29).

A small text can become a large tree: sixteen megabytes of "[]," would be half a gigabyte of lists. So the
marks that begin or part values are counted first, which costs a small part of reading. Depth beyond 1,024
and numbers beyond a double are refused by orjson.
"""

import orjson

# A text as JSON spells it, quotes included: for patterns, with DOTALL, that look through JSON unread.
TEXT = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
# Amazon's largest answers hold some ten thousand values; every mark may also stand in a text.
MARKS_MAX = 500_000
# As orjson has it.
DEPTH_MAX = 1_024
_NESTING = b"[{"
_MARKS = b"," + _NESTING
# Counted at a time, so that counting ends soon where there are too many.
SLICE_BYTES = 65_536


class Unreadable(ValueError):
    """Not JSON, or more of it than is read; holds nothing of the text."""


def read(data: bytes, *, bytes_max: int) -> object:
    """Return the value that a JSON text tells.

    Args:
        data: UTF-8.
        bytes_max: how long it may be.

    Raises:
        Unreadable: it is too long, too deep, too full, or not JSON.
    """
    if len(data) > bytes_max or _has_more(data, _MARKS, MARKS_MAX):
        raise Unreadable
    try:
        value: object = orjson.loads(data)
    except orjson.JSONDecodeError:
        # What the error tells would hold the text.
        raise Unreadable from None
    return value


def check(data: bytes, *, bytes_max: int) -> None:
    """Return unless a JSON text that is passed on unread would be too deep or too full for whoever reads it.

    One with few enough marks cannot be; only others are read.

    Raises:
        Unreadable: it is, or cannot be read.
    """
    if _has_more(data, _NESTING, DEPTH_MAX):
        read(data, bytes_max=bytes_max)


def _has_more(data: bytes, marks: bytes, count_max: int) -> bool:
    """Return whether more than `count_max` of some bytes stand in a text.

    Leaving them out takes a third of the time of counting each.
    """
    if len(data) <= count_max:
        return False
    count = 0
    for start in range(0, len(data), SLICE_BYTES):
        piece = data[start : start + SLICE_BYTES]
        count += len(piece) - len(piece.translate(None, marks))
        if count > count_max:
            return True
    return False
