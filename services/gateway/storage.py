"""Amazon's storage of documents: bytes from a presigned link, bytes to one, within bounds.

Sends nothing but what it is given: no credentials, no cookies, no header of a desktop's. Follows no redirect,
decodes nothing, keeps no document: a chunk is handed on before the next is read. Never logs a link, and never
passes on what the storage says when it refuses, because that names buckets and keys (T-29, T-31). Outside
development it talks to public addresses only (T-05).
"""

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

import aiohttp
import yarl
from aiohttp.abc import AbstractResolver, ResolveResult

import chassis.addresses
from chassis.secrecy import Secret
from services.gateway.model.documents import (
    DocumentEnded,
    DocumentMissing,
    DocumentRefused,
    StorageUnavailable,
)
from services.gateway.model.faults import UpstreamInvalid, UpstreamLost, UpstreamTimeout, UpstreamUnreachable

CHUNK_BYTES = 65_536
# As many as there may be streams; see forward/documents.py.
CONNECTIONS_MAX = 256
CONNECT_S_MAX = 5.0
# Silence on either side of a stream; Amazon's storage is never silent for long.
IDLE_S_MAX = 30.0
# From the first byte to the last: 2 GiB at 10 Mbit/s.
WHOLE_S_MAX = 1_800.0

# What success is called. Source: Amazon S3 API Reference, "PUT Object"; "POST Object", success_action_status.
_TAKEN = frozenset({200})
_FORM_TAKEN = frozenset({200, 201, 204})

_PLAIN = re.compile(r"[\x20-\x7e]{0,256}")
_ENCODING = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{0,64}")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document that has begun to arrive.

    Attributes:
        content_type, content_encoding: as the storage says; empty when it does not.
        length_bytes: None when it does not say.
    """

    content_type: str
    content_encoding: str
    length_bytes: int | None
    response: aiohttp.ClientResponse

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the bytes as they arrive, not decoded; nothing is read ahead but a few chunks.

        Raises:
            UpstreamTimeout: the storage was silent for IDLE_S_MAX, or WHOLE_S_MAX is over.
            UpstreamLost: the connection broke before the end.
        """
        with _translated():
            async for chunk in self.response.content.iter_chunked(CHUNK_BYTES):
                yield chunk


class Storage:
    """Fits `forward.documents.Storage`."""

    def __init__(self, session: aiohttp.ClientSession, *, is_guarded: bool) -> None:
        self._session = session
        self._is_guarded = is_guarded

    @classmethod
    @asynccontextmanager
    async def connect(cls, *, tls: ssl.SSLContext, is_guarded: bool) -> AsyncIterator[Self]:
        """Keep connections to the storage while inside.

        Args:
            tls: verifies the storage's certificates, e.g. `chassis.crypto.tls.outward_context`.
            is_guarded: whether only public addresses are dialled.
        """
        resolver = PublicResolver() if is_guarded else aiohttp.ThreadedResolver()
        connector = aiohttp.TCPConnector(ssl=tls, limit=CONNECTIONS_MAX, resolver=resolver, ttl_dns_cache=60)
        timeout = aiohttp.ClientTimeout(total=WHOLE_S_MAX, sock_connect=CONNECT_S_MAX, sock_read=IDLE_S_MAX)
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=timeout,
            auto_decompress=False,
            trust_env=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            read_bufsize=CHUNK_BYTES,
        ) as session:
            # aiohttp would by itself ask again, and has no public switch for it; a test counts the requests.
            session._retry_connection = False  # noqa: SLF001
            yield cls(session, is_guarded=is_guarded)

    @asynccontextmanager
    async def fetch(self, url: Secret[str]) -> AsyncIterator[Fetched]:
        """Give a document; whoever leaves before its end has the connection closed.

        Args:
            url: presigned, on an allowed host.

        Raises:
            DocumentEnded, DocumentMissing: the link is over, or leads nowhere.
            StorageUnavailable: the storage fails, or wants to be left alone.
            UpstreamUnreachable, UpstreamTimeout, UpstreamLost: there is no answer.
            UpstreamInvalid: one that is no document, e.g. a redirect.
        """
        with _translated():
            response = await self._session.get(
                self._target(url), headers={"accept-encoding": "identity"}, allow_redirects=False
            )
        try:
            _check(response, refusal=DocumentEnded, success=_TAKEN)
            _check_framing(response)
            yield Fetched(
                content_type=_kept(response, "content-type", _PLAIN),
                content_encoding=_kept(response, "content-encoding", _ENCODING),
                length_bytes=response.content_length,
                response=response,
            )
        finally:
            # A connection whose answer was read to its end has gone back to the pool already.
            response.close()

    async def store(
        self,
        url: Secret[str],
        headers: Sequence[tuple[str, str]],
        chunks: AsyncIterator[bytes],
        *,
        length_bytes: int,
    ) -> None:
        """Return when the storage has taken a document whole.

        Args:
            url: presigned, on an allowed host.
            headers: what the link was signed for.
            chunks: of `length_bytes` together; what they raise is raised here, and nothing is stored then.
            length_bytes: of the whole.

        Raises:
            DocumentRefused: the storage does not take it, e.g. for its checksum.
            DocumentEnded, DocumentMissing, StorageUnavailable, UpstreamUnreachable, UpstreamTimeout,
                UpstreamLost, UpstreamInvalid: as `fetch`.
        """
        sized = [*headers, ("content-length", str(length_bytes))]
        await self._send("PUT", url, sized, chunks=chunks, success=_TAKEN)

    async def submit(
        self, url: Secret[str], content_type: str, chunks: AsyncIterator[bytes], *, length_bytes: int
    ) -> None:
        """Return when the storage has taken the file of a form.

        Args:
            url: on an allowed host, without a query.
            content_type: of the form, with its boundary.
            chunks: the form, of `length_bytes` together; what they raise is raised here, and nothing is
                stored then.
            length_bytes: of the whole.

        Raises:
            DocumentRefused: the storage does not take it, e.g. for its size.
            DocumentEnded: its policy is over, or allows something else.
            DocumentMissing, StorageUnavailable, UpstreamUnreachable, UpstreamTimeout, UpstreamLost,
                UpstreamInvalid: as `fetch`.
        """
        headers = [("content-type", content_type), ("content-length", str(length_bytes))]
        await self._send("POST", url, headers, chunks=chunks, success=_FORM_TAKEN)

    async def _send(
        self,
        method: str,
        url: Secret[str],
        headers: Sequence[tuple[str, str]],
        *,
        chunks: AsyncIterator[bytes],
        success: frozenset[int],
    ) -> None:
        outflow = _Outflow(chunks)
        try:
            with _translated():
                async with asyncio.timeout(WHOLE_S_MAX), asyncio.timeout(IDLE_S_MAX) as patience:
                    request = self._session.request(
                        method,
                        self._target(url),
                        headers=headers,
                        data=outflow.flow(patience),
                        allow_redirects=False,
                    )
                    async with request as response:
                        _check(response, refusal=DocumentRefused, success=success)
        except Exception:
            if outflow.fault is not None:
                raise outflow.fault from None
            raise

    def _target(self, url: Secret[str]) -> yarl.URL:
        target = yarl.URL(url.reveal(), encoded=True)
        if self._is_guarded and not chassis.addresses.may_be_public(target.host or ""):
            raise UpstreamInvalid
        return target


class PublicResolver(AbstractResolver):
    """Names, as long as every address behind them is a public one (T-05)."""

    def __init__(self) -> None:
        self._inner = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return a name's addresses.

        Raises:
            OSError: there are none, or some of them is not public.
        """
        found = await self._inner.resolve(host, port, family)
        if not all(chassis.addresses.is_public(each["host"]) for each in found):
            raise OSError("not a public address")
        return found

    async def close(self) -> None:
        """Let go of nothing."""
        await self._inner.close()


class _Outflow:
    """The chunks of an upload, and what they raised, which the library hides behind an error of its own."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self.fault: Exception | None = None

    async def flow(self, patience: asyncio.Timeout) -> AsyncIterator[bytes]:
        """Yield the chunks, each of which renews the patience with both sides."""
        try:
            async for chunk in self._chunks:
                _renew(patience)
                yield chunk
                _renew(patience)
        except Exception as error:
            self.fault = error
            raise


def _renew(patience: asyncio.Timeout) -> None:
    """Begin a patience anew, unless it is just over: whoever waits is told so, and takes no more."""
    if not patience.expired():
        patience.reschedule(asyncio.get_running_loop().time() + IDLE_S_MAX)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Turn the library's errors into ours."""
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise UpstreamUnreachable from error
    except TimeoutError as error:
        raise UpstreamTimeout from error
    except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
        raise UpstreamLost from error
    except aiohttp.ClientError as error:
        raise UpstreamInvalid from error


def _check(
    response: aiohttp.ClientResponse,
    *,
    refusal: type[DocumentEnded | DocumentRefused],
    success: frozenset[int],
) -> None:
    """Let an answer of the storage pass that means success.

    Source: Amazon S3 API Reference, "Error responses": 403 AccessDenied for a link that has ended, 400 for a
    wrong checksum or an ended session, 503 SlowDown.
    """
    match response.status:
        case status if status in success:
            return
        case 403 | 410:
            raise DocumentEnded
        case 404:
            raise DocumentMissing
        case 429:
            raise StorageUnavailable
        case status if 400 <= status < 500:
            raise refusal
        case status if 500 <= status < 600:
            raise StorageUnavailable
    raise UpstreamInvalid


def _check_framing(response: aiohttp.ClientResponse) -> None:
    """Let a document pass whose end can be told from a connection that broke."""
    is_chunked = "chunked" in response.headers.get("transfer-encoding", "").lower()
    if response.content_length is None and not is_chunked:
        raise UpstreamInvalid


def _kept(response: aiohttp.ClientResponse, name: str, form: re.Pattern[str]) -> str:
    value = response.headers.get(name, "")
    return value if form.fullmatch(value) else ""
