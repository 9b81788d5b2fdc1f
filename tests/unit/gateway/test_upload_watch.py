"""The trip-wire in what desktops upload: packed or not, cut wherever, and at a bounded price."""

import asyncio
import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.forward import upload_watch
from services.gateway.forward.upload_watch import UploadWatches
from services.gateway.model.codings import PIECE_BYTES_MAX, EncodingBroken, EncodingNotServed
from services.gateway.model.documents import DocumentsBusy, DocumentTooLarge
from services.gateway.model.tripwire import CredentialsNotAccepted
from tests.unit.gateway.packing import (
    LARGE_WINDOW,
    PACKERS,
    bomb,
    skippable_frame,
    with_dictionary,
    zeros_mib,
    zstd_frame,
)

SECRETS = [b"amzn1.oa2-cs.v1.0123456789", b"Atzr%257C0123456789", b"Atza|IwEB", b"Atz.sprdt|x"]
# Compressible, and more than a piece; no word of it is a mark, or could become one with what follows.
FEED = b"".join(b"<sku>%06d</sku><price>12.50</price>\n" % number for number in range(3_000))

packers = st.sampled_from(sorted(PACKERS))


def cut(data: bytes, at: Iterable[int]) -> list[bytes]:
    """Return data in chunks, none of them empty, cut at some of these places."""
    places = [0, *sorted({place for place in at if 0 < place < len(data)}), len(data)]
    return [data[begin:end] for begin, end in itertools.pairwise(places)]


async def look(encoding: str, *chunks: bytes) -> None:
    with UploadWatches().watching(encoding) as watch:
        for chunk in chunks:
            await watch.look(chunk)


@settings(deadline=None)
@given(
    name=packers,
    secret=st.sampled_from(SECRETS),
    at=st.integers(0, len(FEED)),
    cuts=st.lists(st.integers(1, 20_000), max_size=8),
)
async def test_a_packed_credential_is_found_wherever_it_is_and_however_it_comes_T06(
    name: str, secret: bytes, at: int, cuts: list[int]
) -> None:
    encoding, pack = PACKERS[name]
    with pytest.raises(CredentialsNotAccepted):
        await look(encoding, *cut(pack(FEED[:at] + secret + FEED[at:]), cuts))


@settings(deadline=None)
@given(name=packers, cuts=st.lists(st.integers(1, 20_000), max_size=8))
async def test_a_packed_document_without_one_passes(name: str, cuts: list[int]) -> None:
    encoding, pack = PACKERS[name]
    await look(encoding, *cut(pack(FEED), cuts))


@pytest.mark.parametrize("at", range(1, len(SECRETS[0]), 4))
@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
async def test_a_credential_across_two_streams_is_found_T06(encoding: str, at: int) -> None:
    pack = PACKERS[encoding][1]
    with pytest.raises(CredentialsNotAccepted):
        await look(encoding, pack(FEED + SECRETS[0][:at]) + pack(SECRETS[0][at:] + FEED))


async def test_a_credential_beside_what_is_packed_is_found_T06() -> None:
    with pytest.raises(CredentialsNotAccepted):
        await look("zstd", skippable_frame(SECRETS[0]) + PACKERS["zstd"][1](FEED))


async def test_a_file_that_is_gzips_is_looked_into_whatever_is_said_of_it_T06() -> None:
    packed = PACKERS["gzip"][1](FEED + SECRETS[0])
    await look("", PACKERS["gzip"][1](FEED))
    for encoding in ("", "identity"):
        with pytest.raises(CredentialsNotAccepted):
            await look(encoding, packed[:100], packed[100:])


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
async def test_streams_behind_each_other_are_one_document(encoding: str) -> None:
    packed = b"".join(PACKERS[encoding][1](part) for part in cut(FEED, range(0, len(FEED), 1_000)))
    await look(encoding, *cut(packed, range(0, len(packed), 777)))


UNOPENED = {
    "no gzip": ("gzip", FEED),
    "a file that only begins like gzip's": ("", PACKERS["gzip"][1](FEED)[:50] + FEED),
    "more than gzip": ("gzip", PACKERS["gzip"][1](FEED) + b"x" * 20),
    "more than deflate": ("deflate", PACKERS["deflate"][1](FEED) * 2),
    "more than br": ("br", PACKERS["br"][1](FEED) * 2),
    "no zstd": ("zstd", FEED),
    "a dictionary": ("zstd", with_dictionary(FEED)),
    "a window beyond the coding's": ("zstd", zstd_frame(zeros_mib(1), window_log=24)),
    "a large window of br": ("br", LARGE_WINDOW),
}


@pytest.mark.parametrize(("encoding", "body"), UNOPENED.values(), ids=UNOPENED.keys())
@pytest.mark.parametrize("step", [11, 100_000])
async def test_what_nobody_could_open_is_refused_T06(encoding: str, body: bytes, step: int) -> None:
    with pytest.raises(EncodingBroken):
        await look(encoding, *cut(body, range(0, len(body), step)))


@pytest.mark.parametrize("name", sorted(PACKERS))
async def test_what_breaks_off_has_been_looked_at_as_far_as_it_goes_T06(name: str) -> None:
    encoding, pack = PACKERS[name]
    await look(encoding, pack(FEED)[:-5])
    with pytest.raises(CredentialsNotAccepted):
        await look(encoding, pack(SECRETS[0] + 4 * FEED)[:-5])


@pytest.mark.parametrize("encoding", ["compress", "gzip, gzip", "aws-chunked"])
async def test_what_cannot_be_looked_into_is_not_served_T06(encoding: str) -> None:
    with pytest.raises(EncodingNotServed):
        await look(encoding, FEED)


# --- at a bounded price


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
async def test_a_bomb_is_given_up_before_it_costs_much_T09(encoding: str) -> None:
    packed = bomb(encoding, 64)
    with UploadWatches().watching(encoding) as watch:
        with pytest.raises(DocumentTooLarge):
            await watch.look(packed)
        opening = watch._opening
    assert opening is not None
    assert opening._opened_bytes <= upload_watch.RATIO_JUDGED_BYTES + PIECE_BYTES_MAX


@pytest.mark.parametrize("encoding", ["br", "zstd"])
async def test_a_feed_of_many_empty_columns_is_no_bomb_however_well_it_packs(encoding: str) -> None:
    rows = (b"SKU-%06d" % number + b"\t" * 300 + b"%d.50\n" % (number % 97) for number in range(56_000))
    feed = b"".join(rows)
    assert len(feed) > upload_watch.RATIO_JUDGED_BYTES
    await look(encoding, PACKERS[encoding][1](feed))


async def test_a_document_that_opens_to_more_than_passes_in_the_clear_is_too_large_T09(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pack = PACKERS["gzip"][1]
    monkeypatch.setattr(upload_watch, "OPENED_BYTES_MAX", len(FEED))
    await look("gzip", pack(FEED))
    with pytest.raises(DocumentTooLarge):
        await look("gzip", pack(FEED) + pack(b"x"))


async def test_streams_without_end_are_given_up_T09(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_watch, "STREAMS_MAX", 50)
    empty = PACKERS["gzip"][1](b"")
    await look("gzip", empty * 50)
    with pytest.raises(EncodingBroken):
        await look("gzip", empty * 51)


async def test_while_a_document_is_opened_others_have_their_turn_R25() -> None:
    turns, packed = 0, bomb("zstd", 8)

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    await look("zstd", packed)
    task.cancel()
    assert turns >= 8 * 1_048_576 // PIECE_BYTES_MAX


@pytest.mark.parametrize("encoding", sorted(upload_watch.WIDE))
def test_few_documents_with_large_windows_are_opened_at_once_R23(
    monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setattr(upload_watch, "WIDE_MAX", 1)
    watches = UploadWatches()
    for _ in range(2):
        with watches.watching(encoding):
            with pytest.raises(DocumentsBusy), watches.watching("br"):
                pass
            with watches.watching("gzip"), watches.watching(""):
                pass
