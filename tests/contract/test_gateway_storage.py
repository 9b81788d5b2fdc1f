"""The port to Amazon's storage: the same suite on the fake and over real TLS, and what only sockets do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

import chassis.crypto.tls
from chassis.secrecy import Secret
from fakes.certificates import Authority
from fakes.gateway_storage import FakeFetched, FakeStorage
from fakes.storage_server import CHUNK, StorageServer, digest_of, giving, saying, taking
from services.gateway import storage
from services.gateway.forward.document_ports import Storage
from services.gateway.model.documents import (
    DocumentEnded,
    DocumentMissing,
    DocumentRefused,
    StorageUnavailable,
)
from services.gateway.model.faults import UpstreamInvalid, UpstreamLost, UpstreamTimeout, UpstreamUnreachable

CHUNKS = 3
BODY = CHUNK * CHUNKS
FORM_TYPE = "multipart/form-data; boundary=5e"


class Stage(Protocol):
    """One way to have a storage with a document in it."""

    @property
    def storage(self) -> Storage: ...

    def url(self, path: str) -> Secret[str]: ...

    def stored(self, path: str) -> tuple[int, bool]: ...


class Fake:
    def __init__(self) -> None:
        document = FakeFetched(BODY, "text/plain", length_bytes=len(BODY))
        self.storage = FakeStorage(objects={"/document": document})

    def url(self, path: str) -> Secret[str]:
        return Secret(path)

    def stored(self, path: str) -> tuple[int, bool]:
        return (len(self.storage.stored[path][0]), True) if path in self.storage.stored else (0, False)


class Real:
    def __init__(self, server: StorageServer, client: storage.Storage) -> None:
        self.server = server
        self.storage = client

    def url(self, path: str) -> Secret[str]:
        return Secret(self.server.url(path))

    def stored(self, path: str) -> tuple[int, bool]:
        seen = [each for each in self.server.seen if each.target.startswith(path)]
        return (seen[-1].body_bytes, seen[-1].is_whole) if seen else (0, False)


@asynccontextmanager
async def over_sockets(folder: Path, *, is_guarded: bool = False) -> AsyncIterator[Real]:
    authority = Authority()
    server = StorageServer({"/document": giving(CHUNKS), "/upload": taking})
    await server.start(chassis.crypto.tls.public_context(authority.issue("localhost")))
    tls = chassis.crypto.tls.outward_context(authority.write_ca(folder))
    try:
        async with storage.Storage.connect(tls=tls, is_guarded=is_guarded) as client:
            yield Real(server, client)
    finally:
        await server.stop()


@pytest.fixture(params=["fake", "real"])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    if request.param == "fake":
        yield Fake()
        return
    async with over_sockets(tmp_path) as made:
        yield made


@pytest.fixture
async def sockets(tmp_path: Path) -> AsyncIterator[Real]:
    async with over_sockets(tmp_path) as made:
        yield made


async def fetched(stage: Stage, path: str) -> bytes:
    async with stage.storage.fetch(stage.url(path)) as document:
        return b"".join([chunk async for chunk in document.chunks()])


async def parts(*chunks: bytes, fault: Exception | None = None) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    if fault is not None:
        raise fault


async def test_a_document_comes_whole_and_says_what_it_is(stage: Stage) -> None:
    async with stage.storage.fetch(stage.url("/document")) as document:
        told = (document.content_type, document.content_encoding, document.length_bytes)
        assert told == ("text/plain", "", len(BODY))
        assert b"".join([chunk async for chunk in document.chunks()]) == BODY


async def test_a_missing_document_is_told_as_such(stage: Stage) -> None:
    with pytest.raises(DocumentMissing):
        await fetched(stage, "/nothing")


async def test_an_upload_is_stored_whole(stage: Stage) -> None:
    headers = [("content-type", "text/xml")]
    await stage.storage.store(stage.url("/upload"), headers, parts(CHUNK, CHUNK), length_bytes=2 * len(CHUNK))
    assert stage.stored("/upload") == (2 * len(CHUNK), True)


async def test_what_an_uploads_chunks_raise_is_raised_and_nothing_is_stored_T06(stage: Stage) -> None:
    chunks = parts(CHUNK, fault=KeyError())
    with pytest.raises(KeyError):
        await stage.storage.store(stage.url("/upload"), [], chunks, length_bytes=2 * len(CHUNK))
    assert not stage.stored("/upload")[1]


async def test_a_form_is_stored_whole(stage: Stage) -> None:
    length = 2 * len(CHUNK)
    await stage.storage.submit(stage.url("/upload"), FORM_TYPE, parts(CHUNK, CHUNK), length_bytes=length)
    assert stage.stored("/upload") == (length, True)


async def test_what_a_forms_chunks_raise_is_raised_and_nothing_is_stored_T06(stage: Stage) -> None:
    chunks = parts(CHUNK, fault=KeyError())
    with pytest.raises(KeyError):
        await stage.storage.submit(stage.url("/upload"), FORM_TYPE, chunks, length_bytes=2 * len(CHUNK))
    assert not stage.stored("/upload")[1]


# --- what only sockets do

REFUSALS = (
    ("403 Forbidden", DocumentEnded),
    ("410 Gone", DocumentEnded),
    ("404 Not Found", DocumentMissing),
    ("429 Slow", StorageUnavailable),
    ("500 Internal", StorageUnavailable),
    ("503 Slow Down", StorageUnavailable),
    ("206 Partial Content", UpstreamInvalid),
    ("204 No Content", UpstreamInvalid),
    ("301 Moved", UpstreamInvalid),
)


@pytest.mark.parametrize(("status", "refusal"), [*REFUSALS, ("400 Bad Request", DocumentEnded)])
async def test_a_refused_download_is_told_in_words_T29_T31(
    sockets: Real, status: str, refusal: type[Exception]
) -> None:
    sockets.server.plays["/x"] = saying(status, b"<secret/>", location=sockets.server.url("/document"))
    with pytest.raises(refusal) as raised:
        await fetched(sockets, "/x")
    assert "secret" not in str(raised.value)
    assert [each.target.partition("?")[0] for each in sockets.server.seen] == ["/x"]


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "204 No Content"])
async def test_a_form_is_taken_in_whatever_words_the_storage_says_so(sockets: Real, status: str) -> None:
    body = b"" if status.startswith("204") else b"<PostResponse/>"
    sockets.server.plays["/x"] = saying(status, body, location="https://evil.example/")
    await sockets.storage.submit(sockets.url("/x"), FORM_TYPE, parts(b"x"), length_bytes=1)
    assert len(sockets.server.seen) == 1


FORM_REFUSALS = [each for each in REFUSALS if not each[0].startswith("204")]


@pytest.mark.parametrize(
    ("status", "refusal"),
    [*FORM_REFUSALS, ("400 Entity Too Large", DocumentRefused), ("303 See Other", UpstreamInvalid)],
)
async def test_a_refused_form_is_told_in_words_T29_T31(
    sockets: Real, status: str, refusal: type[Exception]
) -> None:
    sockets.server.plays["/x"] = saying(status, b"<secret/>", location=sockets.server.url("/upload"))
    with pytest.raises(refusal):
        await sockets.storage.submit(sockets.url("/x"), FORM_TYPE, parts(b"x"), length_bytes=1)
    assert [each.target.partition("?")[0] for each in sockets.server.seen] == ["/x"]


async def test_of_a_form_nothing_but_its_type_and_length_is_told(sockets: Real) -> None:
    await sockets.storage.submit(sockets.url("/upload"), FORM_TYPE, parts(CHUNK), length_bytes=len(CHUNK))
    (sent,) = sockets.server.seen
    assert (sent.method, sent.digest) == ("POST", digest_of(1))
    assert set(sent.headers) - {"accept-encoding"} == {"host", "content-type", "content-length"}
    assert (sent.headers["content-type"], sent.headers["content-length"]) == (FORM_TYPE, str(len(CHUNK)))


@pytest.mark.parametrize(("status", "refusal"), [*REFUSALS, ("400 Bad Request", DocumentRefused)])
async def test_a_refused_upload_is_told_in_words_T29_T31(
    sockets: Real, status: str, refusal: type[Exception]
) -> None:
    sockets.server.plays["/x"] = saying(status, b"<secret/>", location=sockets.server.url("/upload"))
    with pytest.raises(refusal):
        await sockets.storage.store(sockets.url("/x"), [], parts(b"x"), length_bytes=1)
    assert [each.target.partition("?")[0] for each in sockets.server.seen] == ["/x"]


async def test_nothing_but_what_is_needed_is_sent(sockets: Real) -> None:
    await fetched(sockets, "/document")
    headers = [("content-type", "text/xml"), ("x-amz-meta", "a")]
    await sockets.storage.store(sockets.url("/upload"), headers, parts(CHUNK), length_bytes=len(CHUNK))
    read, written = sockets.server.seen
    assert set(read.headers) == {"host", "accept-encoding"}
    assert read.headers["accept-encoding"] == "identity"
    assert set(written.headers) - {"accept-encoding"} == {
        "host",
        "content-type",
        "x-amz-meta",
        "content-length",
    }
    assert written.digest == digest_of(1)


async def test_bytes_that_are_packed_stay_packed(sockets: Real) -> None:
    sockets.server.plays["/packed"] = saying("200 OK", b"\x1f\x8b not unpacked", content_encoding="gzip")
    async with sockets.storage.fetch(sockets.url("/packed")) as document:
        assert document.content_encoding == "gzip"
        assert b"".join([chunk async for chunk in document.chunks()]) == b"\x1f\x8b not unpacked"


@pytest.mark.parametrize("header", ["\x07bell", "x" * 300, "text/plain; \x80"])
async def test_a_header_that_is_not_plain_is_not_told_T30(sockets: Real, header: str) -> None:
    sockets.server.plays["/odd"] = saying("200 OK", b"x", content_type=header)
    try:
        async with sockets.storage.fetch(sockets.url("/odd")) as document:
            assert document.content_type == ""
    except UpstreamInvalid:
        assert "\x07" in header


async def test_a_document_that_breaks_off_is_lost_T29(sockets: Real) -> None:
    sockets.server.plays["/cut"] = giving(CHUNKS, cut_after=1)
    with pytest.raises(UpstreamLost):
        await fetched(sockets, "/cut")


async def test_garbage_is_no_answer_T29(sockets: Real) -> None:
    async def garbage(_seen: object, _reader: object, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x16\x03\x01 NOT HTTP\r\n\r\n")

    sockets.server.plays["/garbage"] = garbage
    with pytest.raises((UpstreamInvalid, UpstreamLost)):
        await fetched(sockets, "/garbage")


async def test_a_document_without_an_end_of_its_own_is_no_answer_T29(sockets: Real) -> None:
    async def endless(_seen: object, _reader: object, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhalf of it")

    sockets.server.plays["/endless"] = endless
    with pytest.raises(UpstreamInvalid):
        await fetched(sockets, "/endless")


async def test_a_lost_connection_is_not_tried_again_by_itself(sockets: Real) -> None:
    async def once(_seen: object, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx")
        await reader.readuntil(b"\r\n\r\n")

    sockets.server.plays["/once"] = once
    assert await fetched(sockets, "/once") == b"x"
    with pytest.raises(UpstreamLost):
        await fetched(sockets, "/once")
    assert len(sockets.server.seen) == 1


async def test_silence_is_a_timeout_T29(sockets: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silence(_seen: object, reader: asyncio.StreamReader, _writer: object) -> None:
        await reader.read()

    monkeypatch.setattr(storage, "IDLE_S_MAX", 0.05)
    sockets.server.plays["/silence"] = silence
    with pytest.raises(UpstreamTimeout):
        await sockets.storage.store(sockets.url("/silence"), [], parts(b"x"), length_bytes=1)


async def test_a_chunk_that_comes_when_the_patience_is_just_over_is_no_fault_of_ours() -> None:
    async def last() -> AsyncIterator[bytes]:
        yield CHUNK

    outflow, sent = storage._Outflow(last()), []

    async def send_too_late() -> None:
        async with asyncio.timeout(0) as patience:
            try:
                await asyncio.Event().wait()
            finally:
                sent.extend([chunk async for chunk in outflow.flow(patience)])

    with pytest.raises(TimeoutError):
        await send_too_late()
    assert (sent, outflow.fault) == ([CHUNK], None)


async def test_who_leaves_early_closes_the_connection(sockets: Real) -> None:
    sockets.server.plays["/long"] = giving(10_000)
    async with sockets.storage.fetch(sockets.url("/long")) as document:
        await anext(document.chunks())
    (seen,) = sockets.server.seen
    await seen.is_over.wait()
    assert not seen.is_whole


async def test_a_slow_taker_slows_the_storage_down(sockets: Real) -> None:
    sockets.server.plays["/long"] = giving(1_000)
    async with sockets.storage.fetch(sockets.url("/long")) as document:
        await anext(document.chunks())
        (seen,) = sockets.server.seen
        before = -1
        while seen.body_bytes != before:
            before = seen.body_bytes
            await asyncio.sleep(0.05)
        assert seen.body_bytes < 16 * 1_048_576


async def test_a_storage_that_is_not_there_cannot_be_reached(sockets: Real) -> None:
    await sockets.server.stop()
    with pytest.raises(UpstreamUnreachable):
        await fetched(sockets, "/document")


async def test_outside_development_only_public_addresses_are_dialled_T05(tmp_path: Path) -> None:
    async with over_sockets(tmp_path, is_guarded=True) as guarded:
        with pytest.raises(UpstreamUnreachable):
            await fetched(guarded, "/document")
        with pytest.raises(UpstreamInvalid):
            async with guarded.storage.fetch(Secret(f"https://127.0.0.1:{guarded.server.port}/document")):
                pass
        assert not guarded.server.seen
