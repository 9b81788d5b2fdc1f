"""Moving documents: from Amazon's storage to a desktop, and from a desktop to Amazon's storage.

- Whoever holds a capability moves one document one way, as long as the device stands for which it was made.
  A stream is cut within seconds of the device's revocation; while auth cannot be heard it goes on for
  DOUBT_S_MAX and no longer (T-01).
- A chunk is handed on before the next one is read, so a slow side slows the other one down and no document
  is ever in memory. How many move at once is bounded, for each device, each seller and in all (T-32).
- That personal data is about to leave, or that something is about to be written, is durable before (R-01).
- What a desktop sends is watched for Amazon's credentials (`upload_watch`); nothing of a document that holds
  one is kept at Amazon, because its storage takes documents whole or not at all (T-06).
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial

from chassis.errors import SallyportError, Unauthenticated, Unavailable
from chassis.secrecy import Secret
from services.gateway.forward.document_forms import BOUNDARY_BYTES, DocumentForm
from services.gateway.forward.document_ports import DocumentPorts, Fetched, Receiver
from services.gateway.forward.document_records import DocumentRecords
from services.gateway.forward.identities import Identities
from services.gateway.forward.questions import OURS
from services.gateway.forward.upload_watch import UploadWatch, UploadWatches
from services.gateway.model import uploads
from services.gateway.model.audit import Result
from services.gateway.model.documents import (
    DOWNLOAD,
    FORM,
    UPLOAD,
    Capability,
    ContentTypeDiffers,
    DocumentEnded,
    DocumentFormInvalid,
    DocumentsBusy,
    DocumentTooLarge,
    LengthRequired,
    StorageUnavailable,
)
from services.gateway.model.faults import ENDED, ScopeMissing, UpstreamLost, UpstreamUnreachable

# Reports of a whole catalogue have hundreds of megabytes, packed. Whatever is larger is a mistake or a trap.
DOCUMENT_BYTES_MAX = 2 * 1_073_741_824
# About half a megabyte each, in buffers on both sides.
STREAMS_MAX = 256
STREAMS_PER_DEVICE_MAX = 8
STREAMS_PER_SELLER_MAX = 64
# For how long a stream goes on while nobody can say whether its device still stands. With the longest silence
# that goes unnoticed (Identities, 45 s) that makes the minute of T-01.
DOUBT_S_MAX = 15.0
ASK_AGAIN_S = 2.0
# Amazon's storage asks to be left alone now and then; until a byte has left, it is asked once more.
FETCHES_MAX = 3
PAUSE_S_MAX = 0.5

CONTENT_ENCODING = "content-encoding"
# A document is data, not a page of ours: no browser shows it, runs it, or takes it for something else (T-30).
GUARDS = (
    ("cache-control", "no-store"),
    ("content-disposition", "attachment"),
    ("content-security-policy", "sandbox; default-src 'none'"),
    ("x-content-type-options", "nosniff"),
)


@dataclass(frozen=True, slots=True)
class Upload:
    """A document as a desktop sends it.

    Attributes:
        length_bytes: None when the client does not say.
    """

    content_type: str
    content_encoding: str
    length_bytes: int | None
    chunks: AsyncIterator[bytes] = field(repr=False)


@dataclass(slots=True, eq=False)
class _Stream:
    """One document on its way.

    Attributes:
        sure_at_s, asked_at_s: the monotonic moments of the last certainty about its device, and question.
    """

    capability: Capability
    sure_at_s: float
    asked_at_s: float
    is_doubted: bool = False
    moved_bytes: int = 0


class Documents:
    """Serves capabilities.

    Attributes:
        tasks: name and work of what has to run beside documents, for ever.
    """

    def __init__(self, *, ports: DocumentPorts, identities: Identities, records: DocumentRecords) -> None:
        self._ports = ports
        self._clock = ports.clock
        self._identities = identities
        self._records = records
        self._watches = UploadWatches()
        self._streams: dict[_Stream, None] = {}
        self._held: Counter[str] = Counter()
        self.tasks: Sequence[tuple[str, Callable[[], Awaitable[None]]]] = (
            ("late_document_outcomes", records.tell_late),
        )
        identities.on_news(self._doubt)

    async def send(self, spelled: str, request_id: str, receiver: Receiver) -> None:
        """Move a document to a desktop; its answer has been ended when this returns.

        Args:
            spelled: the capability, as a stranger shows it.
            request_id: for the audit log.
            receiver: whose answer has not begun; when this raises after it has, it must be broken off.

        Raises:
            SallyportError: see model/documents.py, model/faults.py; and the receiver's own errors.
        """
        capability = self._ports.capabilities.open(spelled, DOWNLOAD)
        with self._place(capability) as stream:
            await self._admit(capability, request_id)
            if not capability.is_personal:
                await self._pour(stream, receiver)
                return
            async with self._records.told(capability, request_id) as telling:
                try:
                    await self._pour(stream, receiver)
                finally:
                    telling.moved_bytes = stream.moved_bytes
                    telling.result = Result.UNKNOWN if stream.moved_bytes else Result.NOT_DONE
                telling.result = Result.DONE

    async def take(self, spelled: str, request_id: str, upload: Upload) -> None:
        """Move a document from a desktop to Amazon; it lies there whole when this returns.

        Raises:
            ContentTypeDiffers, LengthRequired, DocumentTooLarge: it may not be sent like this.
            EncodingNotServed, EncodingBroken: nobody could look into it.
            CredentialsNotAccepted: it holds one of Amazon's.
            SallyportError: see model/documents.py, model/faults.py; and what its chunks raise.
        """
        capability = self._ports.capabilities.open(spelled, UPLOAD)
        _check_type(capability, upload)
        store = partial(
            self._ports.storage.store,
            capability.url,
            _headers_to_storage(capability, upload),
            length_bytes=_checked_length(upload),
        )
        await self._write(capability, request_id, upload, store=store)

    async def take_form(self, spelled: str, request_id: str, upload: Upload) -> None:
        """Move a document in a form from a desktop to Amazon; it lies there whole when this returns.

        Args:
            spelled: the capability, as a stranger shows it.
            request_id: for the audit log.
            upload: the form.

        Raises:
            DocumentFormInvalid, ContentTypeDiffers, LengthRequired, DocumentTooLarge: it may not be sent so.
            CredentialsNotAccepted: it holds one of Amazon's.
            SallyportError: see model/documents.py, model/faults.py; and what its chunks raise.
        """
        capability = self._ports.capabilities.open(spelled, FORM)
        if upload.content_encoding:
            raise DocumentFormInvalid
        form = DocumentForm(
            capability,
            content_type=upload.content_type,
            length_bytes=_checked_length(upload),
            chance=self._ports.entropy.token(BOUNDARY_BYTES),
        )
        store = partial(form.store, self._ports.storage)
        await self._write(capability, request_id, upload, store=store)

    async def _write(
        self,
        capability: Capability,
        request_id: str,
        upload: Upload,
        *,
        store: Callable[[AsyncIterator[bytes]], Awaitable[None]],
    ) -> None:
        """Have an upload's chunks stored, told before and after, as long as its device stands."""
        encoding = _content_encoding(capability, upload)
        with self._place(capability) as stream, self._watches.watching(encoding) as watch:
            await self._admit(capability, request_id)
            async with self._records.told(capability, request_id) as telling:
                try:
                    await store(self._watched(stream, upload.chunks, watch))
                except Unavailable:
                    # The storage may have taken it, and not been heard.
                    telling.result = Result.UNKNOWN
                    raise
                finally:
                    telling.moved_bytes = stream.moved_bytes
                telling.result = Result.DONE

    async def _pour(self, stream: _Stream, receiver: Receiver) -> None:
        async with AsyncExitStack() as stack:
            fetched = await self._fetched(stack, stream.capability.url)
            if (fetched.length_bytes or 0) > DOCUMENT_BYTES_MAX:
                raise DocumentTooLarge
            await receiver.begin(200, _headers_to_desktop(fetched))
            async for chunk in fetched.chunks():
                await self._advance(stream, chunk)
                await receiver.write(chunk)
        await receiver.end()

    async def _fetched(self, stack: AsyncExitStack, url: Secret[str]) -> Fetched:
        for attempt in range(FETCHES_MAX - 1):
            try:
                return await stack.enter_async_context(self._ports.storage.fetch(url))
            except (StorageUnavailable, UpstreamLost, UpstreamUnreachable):
                await self._clock.sleep(self._ports.entropy.uniform(0.0, PAUSE_S_MAX * 2**attempt))
        return await stack.enter_async_context(self._ports.storage.fetch(url))

    async def _watched(
        self, stream: _Stream, chunks: AsyncIterator[bytes], watch: UploadWatch
    ) -> AsyncIterator[bytes]:
        """Yield an upload's chunks, each after a look for credentials."""
        async for chunk in chunks:
            await watch.look(chunk)
            await self._advance(stream, chunk)
            yield chunk

    async def _advance(self, stream: _Stream, chunk: bytes) -> None:
        """Let one more chunk pass.

        Raises:
            DocumentTooLarge: it is one too many.
            SallyportError: the device does not stand any more, or nobody has been able to say for too long.
        """
        stream.moved_bytes += len(chunk)
        if stream.moved_bytes > DOCUMENT_BYTES_MAX:
            raise DocumentTooLarge
        now_s = self._clock.monotonic_s()
        if not stream.is_doubted and self._identities.is_listening():
            stream.sure_at_s = now_s
        elif now_s - stream.asked_at_s >= ASK_AGAIN_S:
            stream.asked_at_s = now_s
            await self._ask(stream)

    async def _ask(self, stream: _Stream) -> None:
        # What is told while the answer is under way counts after it.
        stream.is_doubted = False
        try:
            await self._check(stream.capability)
        except Unavailable:
            stream.is_doubted = True
            if self._clock.monotonic_s() - stream.sure_at_s > DOUBT_S_MAX:
                raise
            return
        stream.sure_at_s = self._clock.monotonic_s()

    async def _admit(self, capability: Capability, request_id: str) -> None:
        try:
            await self._check(capability)
        except ScopeMissing as error:
            await self._records.refuse(capability, request_id, error)
            raise

    async def _check(self, capability: Capability) -> None:
        """Return if the device may move the document right now.

        Raises:
            DocumentEnded: its access token has.
            Unauthenticated, Unavailable: it was revoked; auth cannot be asked.
            ScopeMissing: the document is personal, and the device has lost a scope since.
        """
        try:
            device = await self._identities.who(capability.access_token.reveal(), OURS)
        except Unauthenticated as error:
            if error.code in ENDED:
                raise DocumentEnded from error
            raise
        if capability.is_personal and not device.scopes >= capability.scopes:
            raise ScopeMissing

    @contextmanager
    def _place(self, capability: Capability) -> Iterator[_Stream]:
        """Give one of the places for documents on their way, and count what became of it."""
        device_id, seller_id = capability.device_id, capability.seller_id
        is_full = (
            len(self._streams) >= STREAMS_MAX
            or self._held[seller_id] >= STREAMS_PER_SELLER_MAX
            or self._held[device_id] >= STREAMS_PER_DEVICE_MAX
        )
        if is_full:
            raise DocumentsBusy
        now_s, code = self._clock.monotonic_s(), "broken"
        stream = _Stream(capability, sure_at_s=now_s, asked_at_s=now_s - ASK_AGAIN_S)
        self._streams[stream] = None
        self._held.update((device_id, seller_id))
        try:
            yield stream
            code = "whole"
        except SallyportError as error:
            code = error.code
            raise
        finally:
            del self._streams[stream]
            self._held.subtract((device_id, seller_id))
            self._held = +self._held
            self._ports.signals.moved(capability.method, code, stream.moved_bytes)

    def _doubt(self, device_id: str | None) -> None:
        """Hear that something about a device has changed, or, with None, that nothing is known for sure."""
        for stream in self._streams:
            if device_id is None or stream.capability.device_id == device_id:
                stream.is_doubted = True


def _check_type(capability: Capability, upload: Upload) -> None:
    """Let an upload pass that is what it was declared to be."""
    if capability.content_type and not uploads.is_same_type(capability.content_type, upload.content_type):
        raise ContentTypeDiffers


def _checked_length(upload: Upload) -> int:
    """Return how long an upload is, if it may be sent as it is."""
    if upload.length_bytes is None:
        raise LengthRequired
    if upload.length_bytes > DOCUMENT_BYTES_MAX:
        raise DocumentTooLarge
    return upload.length_bytes


def _content_encoding(capability: Capability, upload: Upload) -> str:
    """Return what an upload goes to Amazon encoded with; what its link was signed for goes first."""
    return dict(capability.headers).get(CONTENT_ENCODING, upload.content_encoding)


def _headers_to_storage(capability: Capability, upload: Upload) -> list[tuple[str, str]]:
    """Return what is sent with an upload: what the link was signed for, and what its bytes are."""
    content_type = capability.content_type or uploads.plain(upload.content_type)
    own = [(uploads.CONTENT_TYPE, content_type)] if content_type else []
    wanted = {name for name, _ in capability.headers}
    encoding = uploads.plain(upload.content_encoding)
    if encoding and CONTENT_ENCODING not in wanted:
        own.append((CONTENT_ENCODING, encoding))
    return [*own, *capability.headers]


def _headers_to_desktop(fetched: Fetched) -> list[tuple[str, str]]:
    headers = [("content-type", fetched.content_type or uploads.OCTETS), *GUARDS]
    if fetched.content_encoding:
        headers.append(("content-encoding", fetched.content_encoding))
    if fetched.length_bytes is not None:
        headers.append(("content-length", str(fetched.length_bytes)))
    return headers
