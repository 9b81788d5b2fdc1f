"""Packed bodies: opened within their bound whatever they are, and nothing is taken for what it is not."""

import contextlib
import subprocess
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.gateway.door.decoding import decoded
from services.gateway.door.faults import BodyTooLarge, EncodingNotServed, MalformedRequest
from services.gateway.model import codings
from tests.unit.gateway.packing import (
    LARGE_WINDOW,
    MIB,
    PACKERS,
    bomb,
    skippable_frame,
    with_dictionary,
    zeros_mib,
    zstd_frame,
)

PLAIN = b'{"reportType":"GET_MERCHANT_LISTINGS_ALL_DATA"}' * 20
# More than several pieces of every coding's.
LONG = bytes(range(256)) * 4_096
SERVED = ["gzip", "deflate", "br", "zstd"]

packers = st.sampled_from(sorted(PACKERS))
# Repeated, so that there is something to pack, and more than a piece now and then.
plains = st.builds(lambda part, times: part * times, st.binary(max_size=200), st.integers(1, 2_000))


@given(name=packers, plain=plains)
def test_what_was_packed_is_opened_as_it_was_T09(name: str, plain: bytes) -> None:
    encoding, pack = PACKERS[name]
    assert decoded(pack(plain), [encoding], len(plain)) == plain


@given(name=packers, plain=plains.filter(bool))
def test_a_byte_beyond_the_bound_is_too_much_T09(name: str, plain: bytes) -> None:
    encoding, pack = PACKERS[name]
    with pytest.raises(BodyTooLarge):
        decoded(pack(plain), [encoding], len(plain) - 1)


@given(name=packers, plain=plains, data=st.data())
def test_half_a_body_is_none_T09(name: str, plain: bytes, data: st.DataObject) -> None:
    encoding, pack = PACKERS[name]
    packed = pack(plain)
    assume(len(packed) > 1)
    end = data.draw(st.integers(1, len(packed) - 1))
    with pytest.raises(MalformedRequest):
        decoded(packed[:end], [encoding], len(plain))


@given(name=packers, plain=plains, more=st.binary(min_size=1, max_size=50))
def test_nothing_follows_a_body_T09(name: str, plain: bytes, more: bytes) -> None:
    encoding, pack = PACKERS[name]
    with pytest.raises(MalformedRequest):
        decoded(pack(plain) + more, [encoding], len(plain))


@pytest.mark.parametrize("name", sorted(PACKERS))
def test_nor_does_another_body_T09(name: str) -> None:
    encoding, pack = PACKERS[name]
    with pytest.raises(MalformedRequest):
        decoded(pack(LONG) * 2, [encoding], 4 * len(LONG))


@given(encoding=st.sampled_from(SERVED), noise=st.binary(min_size=1, max_size=300))
def test_noise_is_refused_or_within_the_bound_T10(encoding: str, noise: bytes) -> None:
    with contextlib.suppress(BodyTooLarge, MalformedRequest):
        assert len(decoded(noise, [encoding], 1_000)) <= 1_000


@given(name=packers, plain=plains, data=st.data())
def test_a_stream_may_come_in_any_pieces(name: str, plain: bytes, data: st.DataObject) -> None:
    encoding, pack = PACKERS[name]
    packed = pack(plain)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(packed)), max_size=10)) - {len(packed)})
    opener, opened = codings.opener(codings.coding([encoding])), list[bytes]()
    for begin, end in zip([0, *cuts], [*cuts, len(packed)], strict=True):
        opened += opener.open(packed[begin:end])
    assert b"".join(opened) == plain
    assert all(len(piece) <= codings.PIECE_BYTES_MAX for piece in opened)
    assert (opener.is_whole, opener.rest) == (True, b"")


UNOPENED = {
    "a window beyond the coding's": ("zstd", zstd_frame(zeros_mib(1), window_log=24)),
    "a window beyond all memory": ("zstd", b"\x28\xb5\x2f\xfd\x00\xff" + bytes(30)),
    "a large window of br": ("br", LARGE_WINDOW),
    "a dictionary": ("zstd", with_dictionary(PLAIN)),
    "a preset dictionary": ("deflate", b"\x78\xbb\x00\x00\x00\x01" + bytes(20)),
    "a frame behind one to be skipped": ("zstd", skippable_frame(PLAIN) + PACKERS["zstd"][1](PLAIN)),
    "another coding's": ("br", PACKERS["gzip"][1](PLAIN)),
    "nothing packed": ("zstd", PLAIN),
    "a broken checksum": ("gzip", PACKERS["gzip"][1](PLAIN)[:-8] + bytes(8)),
}


@pytest.mark.parametrize(("encoding", "body"), UNOPENED.values(), ids=UNOPENED.keys())
def test_what_is_not_a_body_in_a_coding_is_refused_T09(encoding: str, body: bytes) -> None:
    with pytest.raises(MalformedRequest):
        decoded(body, [encoding], MIB)


def test_the_largest_window_of_each_coding_is_opened() -> None:
    """Source: RFC 9659, 3 (8 MiB); RFC 7932, 9.1 (16 MiB, which `bomb` asks for)."""
    assert codings.ZSTD_WINDOW_LOG_MAX == 23
    assert decoded(zstd_frame(zeros_mib(9), window_log=23), ["zstd"], 9 * MIB) == bytes(9 * MIB)
    assert decoded(bomb("br", 17), ["br"], 17 * MIB) == bytes(17 * MIB)


@pytest.mark.parametrize(
    "encodings",
    [["compress"], ["br, gzip"], ["gzip", "gzip"], ["gzip;q=1"], ["dcz"], ["dcb"], [", ,"], ["zstd,"], ["*"]],
)
def test_another_encoding_or_several_are_not_served(encodings: list[str]) -> None:
    with pytest.raises(EncodingNotServed):
        decoded(PLAIN, encodings, MIB)


@pytest.mark.parametrize("encodings", [[], [""], ["identity"], [" Identity "]])
def test_what_is_not_packed_is_taken_as_it_is(encodings: list[str]) -> None:
    assert decoded(PLAIN, encodings, len(PLAIN)) == PLAIN
    with pytest.raises(BodyTooLarge):
        decoded(PLAIN, encodings, len(PLAIN) - 1)


# Opens a file in a process of its own, and tells by how many KiB that process has ever grown while it did.
GROWTH = """
import pathlib, sys
from services.gateway.door.decoding import decoded
from services.gateway.door.faults import BodyTooLarge

def peak_kib():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

encoding, body = sys.argv[1], pathlib.Path(sys.argv[2]).read_bytes()
before = peak_kib()
try:
    decoded(body, [encoding], 1_048_576)
except BodyTooLarge:
    print(peak_kib() - before)
"""
# The bound, the largest window there is, which br fills before it tells anything, and 3 MiB for all else.
GROWTH_KIB_MAX = (1 + 16 + 3) * 1_024


@pytest.mark.parametrize("encoding", SERVED)
def test_a_bomb_costs_no_more_than_its_bound_and_a_window_T09(
    encoding: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("bombs") / encoding
    file.write_bytes(bomb(encoding, 64))
    told = subprocess.run(
        [sys.executable, "-c", GROWTH, encoding, str(file)], capture_output=True, check=True, timeout=60
    )
    assert int(told.stdout) <= GROWTH_KIB_MAX
