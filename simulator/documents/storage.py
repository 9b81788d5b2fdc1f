"""Amazon's storage: presigned links, and what lies behind them.

A link lives LINK_LIVES of virtual time and is good for one method and one object. Whatever headers were
declared when it was made must come back unchanged, as with S3. Contents are made when they are fetched, or
were uploaded; uploads live in memory.

Source: SP-API documentation, "Reports API: retrieve a report" (five minutes); S3, "Authenticating Requests:
Using Query Parameters".
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode, urlsplit

from simulator.exchange import Request
from simulator.seed import Seed

LINK_LIVES = timedelta(minutes=5)
BUCKET = "/simulated-documents"
UPLOADS_MAX = 1_000
# All uploads together; the oldest gives way.
UPLOADED_BYTES_MAX = 256 * 1_048_576
DEFAULT_ORIGIN = "https://storage.simulated.example"

_DATE_FORM = "%Y%m%dT%H%M%SZ"
_SIGNATURE = "X-Amz-Signature"


class StorageRefusal(Exception):
    """An error of the storage: a status, the code in its XML, a text, and more elements of it."""

    def __init__(self, status: int, code: str, text: str, **elements: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text
        self.elements = elements


@dataclass(frozen=True)
class Content:
    """What lies behind a link: its bytes as they are stored, and whose they are."""

    body: bytes = field(repr=False)
    content_type: str
    seller_id: str = ""


Opener = Callable[[str], Content | None]


class Storage:
    """Makes links, checks them, and keeps what was uploaded.

    `origin` is where the storage is reached; whoever opens the sockets sets it.
    """

    def __init__(self, seed: Seed) -> None:
        self.origin = DEFAULT_ORIGIN
        self._key = seed.digest("storage")
        self._openers: dict[str, Opener] = {}
        # Whose the places are that were given out for uploads.
        self._slots: dict[str, str] = {}
        self._uploaded: dict[str, bytes] = {}

    def serve(self, folder: str, opener: Opener) -> None:
        """Let `opener` make what lies in a folder; it gets the object's name."""
        self._openers[folder] = opener

    def link(self, folder: str, name: str, now: datetime, *, is_gzip_told: bool = False) -> str:
        """Return a link from which an object can be fetched; with `is_gzip_told` as Content-Encoding gzip."""
        told = [("response-content-encoding", "gzip")] if is_gzip_told else []
        return self._signed("GET", f"{BUCKET}/{folder}/{name}", now, headers={}, told=told)

    def slot(self, name: str, seller_id: str, now: datetime, *, headers: Mapping[str, str]) -> str:
        """Return a link to which an object can be uploaded, with these headers (lower case) and no others."""
        return self._signed("PUT", self.reserve(name, seller_id), now, headers=headers)

    def reserve(self, name: str, seller_id: str) -> str:
        """Give out a place for an upload; return its path."""
        path = f"{BUCKET}/uploads/{name}"
        self._slots[path] = seller_id
        while len(self._slots) > UPLOADS_MAX:
            self._forget(next(iter(self._slots)))
        return path

    def uploaded(self, name: str, seller_id: str) -> bytes | None:
        """Return what a seller's application uploaded under a name; None when nothing, empty when not yet.

        Raises:
            KeyError: no such place was given out to it.
        """
        key = f"{BUCKET}/uploads/{name}"
        if self._slots[key] != seller_id:
            raise KeyError(name)
        return self._uploaded.get(key)

    def check(self, request: Request, now: datetime) -> None:
        """Return if a request comes with a link that is good for it.

        Raises:
            StorageRefusal: 403, the link has ended, was altered, or was made for other headers; 400, the
            request shows a token beside it.
        """
        if "authorization" in request.headers:
            raise StorageRefusal(400, "InvalidArgument", "Only one auth mechanism allowed")
        query = dict(request.query)
        try:
            made_at = datetime.strptime(query["X-Amz-Date"], _DATE_FORM).replace(tzinfo=UTC)
            names, given = query["X-Amz-SignedHeaders"].split(";"), query[_SIGNATURE]
        except (KeyError, ValueError) as error:
            raise StorageRefusal(403, "AccessDenied", "Access Denied") from error
        headers = {name: request.headers.get(name, "") for name in names}
        rest = [(name, value) for name, value in request.query if name != _SIGNATURE]
        right = self._signature(request.method, request.path, headers=headers, query=rest)
        if not hmac.compare_digest(given.encode(), right.encode()):
            raise StorageRefusal(403, "SignatureDoesNotMatch", MISMATCH)
        if not made_at <= now + LINK_LIVES or now >= made_at + LINK_LIVES:
            ended_at = (made_at + LINK_LIVES).strftime("%Y-%m-%dT%H:%M:%SZ")
            raise StorageRefusal(403, "AccessDenied", "Request has expired", Expires=ended_at)

    def fetch(self, path: str) -> Content:
        """Return an object.

        Raises:
            StorageRefusal: 404, there is none.
        """
        folder, _, name = path.removeprefix(f"{BUCKET}/").partition("/")
        opener = self._openers.get(folder)
        content = opener(name) if opener else None
        if content is None:
            raise StorageRefusal(404, "NoSuchKey", "The specified key does not exist.", Key=path[1:])
        return content

    def received(self) -> list[tuple[str, str, bytes]]:
        """Return what was uploaded, oldest first: its name, whose it is, and the bytes."""
        uploads = f"{BUCKET}/uploads/"
        return [(key.removeprefix(uploads), self._slots[key], body) for key, body in self._uploaded.items()]

    def put(self, path: str, body: bytes) -> str:
        """Keep an object that was uploaded; return whose it is.

        Raises:
            StorageRefusal: 404, its place was given up.
        """
        seller_id = self._slots.get(path)
        if seller_id is None:
            raise StorageRefusal(404, "NoSuchKey", "The specified key does not exist.", Key=path[1:])
        self._uploaded[path] = body
        while sum(map(len, self._uploaded.values())) > UPLOADED_BYTES_MAX:
            del self._uploaded[next(iter(self._uploaded))]
        return seller_id

    def _forget(self, key: str) -> None:
        del self._slots[key]
        self._uploaded.pop(key, None)

    def _signed(
        self,
        method: str,
        key: str,
        now: datetime,
        *,
        headers: Mapping[str, str],
        told: Sequence[tuple[str, str]] = (),
    ) -> str:
        signed = {**headers, "host": urlsplit(self.origin).netloc}
        query = [
            *told,
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Date", now.strftime(_DATE_FORM)),
            ("X-Amz-SignedHeaders", ";".join(sorted(signed))),
            ("X-Amz-Expires", str(int(LINK_LIVES.total_seconds()))),
            ("X-Amz-Credential", f"SIMULATED/{now:%Y%m%d}/us-east-1/s3/aws4_request"),
        ]
        signature = self._signature(method, key, headers=signed, query=query)
        return f"{self.origin}{quote(key)}?{urlencode([*query, (_SIGNATURE, signature)])}"

    def _signature(
        self, method: str, path: str, *, headers: Mapping[str, str], query: Sequence[tuple[str, str]]
    ) -> str:
        said = [f"{name}:{headers[name]}" for name in sorted(headers)]
        text = "\n".join((method, path, urlencode(sorted(query)), *said))
        return hmac.digest(self._key, text.encode(), "sha256").hex()


MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your key and signing method."
)
