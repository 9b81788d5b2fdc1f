"""Calls to Amazon's SP-API endpoints: bytes out, bytes back, within bounds.

Owns the connections. Never follows a redirect, never sends a request anywhere but to the configured
base URLs, never logs a body, a header or an address. What comes back is taken whole or not at all: at
most BODY_BYTES_MAX after decompression and within the caller's time (T-05, T-29). One call of `send` is
one request: whether to ask again is the caller's decision.

aiohttp would by itself ask again, also for PUT and DELETE, when a connection breaks, and has no public
switch for it; the lock file pins aiohttp, and a test counts the requests.
"""

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Self
from urllib.parse import urlsplit

import aiohttp
import yarl

from services.gateway.model.calls import Region, UpstreamAnswer, UpstreamRequest
from services.gateway.model.faults import UpstreamInvalid, UpstreamLost, UpstreamTimeout, UpstreamUnreachable

TOKEN_HEADER = "x-amz-access-token"  # noqa: S105 - a header's name

# Amazon's largest answers (labels, 100 orders) are well below.
BODY_BYTES_MAX = 16 * 1_048_576
CHUNK_BYTES = 65_536
CONNECTIONS_MAX = 256
CONNECT_S_MAX = 5.0
# Amazon's load balancers close idle connections after a minute.
KEEP_ALIVE_S = 30.0
GZIP_WINDOW_BITS = 16 + zlib.MAX_WBITS


class Amazon:
    """Fits `forward.ports.Upstream`."""

    def __init__(self, *, session: aiohttp.ClientSession, base_urls: Mapping[Region, str]) -> None:
        self._session = session
        self._base_urls = MappingProxyType({region: _origin(url) for region, url in base_urls.items()})

    @classmethod
    @asynccontextmanager
    async def connect(cls, *, base_urls: Mapping[Region, str], tls: ssl.SSLContext) -> AsyncIterator[Self]:
        """Keep connections to Amazon while inside.

        Args:
            base_urls: one https origin for each region, without a path.
            tls: verifies Amazon's certificates, e.g. `chassis.crypto.tls.outward_context`.

        Raises:
            ValueError: a base URL is not an https origin.
        """
        connector = aiohttp.TCPConnector(
            ssl=tls, limit=CONNECTIONS_MAX, keepalive_timeout=KEEP_ALIVE_S, ttl_dns_cache=60
        )
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S_MAX),
            auto_decompress=False,
            trust_env=False,
        ) as session:
            session._retry_connection = False  # noqa: SLF001 - see above
            yield cls(session=session, base_urls=base_urls)

    async def send(self, request: UpstreamRequest, *, timeout_s: float) -> UpstreamAnswer:
        """Return Amazon's whole answer.

        Raises:
            UpstreamTimeout: nothing whole within `timeout_s`.
            UpstreamInvalid: a redirect, too large, or not HTTP.
            UpstreamLost: the connection broke before the answer was whole.
            UpstreamUnreachable: there never was one.
        """
        try:
            async with asyncio.timeout(timeout_s):
                return await self._exchange(request)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise UpstreamUnreachable from error
        except TimeoutError as error:
            raise UpstreamTimeout from error
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            raise UpstreamLost from error
        except aiohttp.ClientError as error:
            raise UpstreamInvalid from error

    async def _exchange(self, request: UpstreamRequest) -> UpstreamAnswer:
        target = f"{request.path}?{request.query}" if request.query else request.path
        url = yarl.URL(self._base_urls[request.region] + target, encoded=True)
        headers = [
            *request.headers,
            ("accept-encoding", "gzip"),
            (TOKEN_HEADER, request.token.reveal()),
        ]
        async with self._session.request(
            request.method, url, headers=headers, data=request.body or None, allow_redirects=False
        ) as response:
            if not 200 <= response.status < 600 or 300 <= response.status < 400:
                raise UpstreamInvalid
            body = await _whole(response)
            kept = [(name.lower(), value) for name, value in response.headers.items()]
            return UpstreamAnswer(response.status, kept, body)


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    """Return the body, decompressed, if it stays within BODY_BYTES_MAX.

    Raises:
        UpstreamInvalid: it does not, or it is compressed in a way that was not asked for.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise UpstreamInvalid
    unpacker = zlib.decompressobj(GZIP_WINDOW_BITS) if encoding == "gzip" else None
    whole = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        whole += _unpacked(unpacker, chunk, BODY_BYTES_MAX + 1 - len(whole)) if unpacker else chunk
        if len(whole) > BODY_BYTES_MAX:
            raise UpstreamInvalid
    if unpacker and whole and not unpacker.eof:
        raise UpstreamInvalid
    return bytes(whole)


def _unpacked(unpacker: "zlib._Decompress", chunk: bytes, bytes_max: int) -> bytes:
    """Return what a compressed chunk holds, at most `bytes_max` of it."""
    try:
        return unpacker.decompress(chunk, bytes_max)
    except zlib.error as error:
        raise UpstreamInvalid from error


def _origin(url: str) -> str:
    parts = urlsplit(url)
    is_origin = parts.scheme == "https" and parts.netloc and parts.path in {"", "/"} and not parts.query
    if not is_origin or parts.username is not None:
        raise ValueError("the base URL of a region is an https origin")
    return f"https://{parts.netloc}"
