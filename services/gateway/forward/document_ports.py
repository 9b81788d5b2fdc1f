"""What moving documents needs from outside, as Protocols; the files at the edges fit them by shape."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from chassis.clock import Clock
from chassis.entropy import Entropy
from chassis.secrecy import Secret
from services.gateway.model.documents import Capability


class Fetched(Protocol):
    """A document that has begun to arrive from Amazon's storage."""

    @property
    def content_type(self) -> str:
        """As the storage says; empty when it does not."""
        ...

    @property
    def content_encoding(self) -> str:
        """As the storage says; empty when it does not."""
        ...

    @property
    def length_bytes(self) -> int | None:
        """None when the storage does not say."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the bytes as they arrive, not decoded.

        Raises:
            UpstreamTimeout, UpstreamLost: they do not.
        """
        ...


class Storage(Protocol):
    """Amazon's storage of documents."""

    def fetch(self, url: Secret[str]) -> AbstractAsyncContextManager[Fetched]:
        """Give a document.

        Raises:
            DocumentEnded, DocumentMissing, StorageUnavailable, UpstreamUnreachable, UpstreamTimeout,
                UpstreamLost, UpstreamInvalid: there is none.
        """
        ...

    async def store(
        self,
        url: Secret[str],
        headers: Sequence[tuple[str, str]],
        chunks: AsyncIterator[bytes],
        *,
        length_bytes: int,
    ) -> None:
        """Return when the storage has taken a document whole; what `chunks` raises is raised here.

        Raises:
            DocumentRefused: the storage does not take it.
            DocumentEnded, DocumentMissing, StorageUnavailable, UpstreamUnreachable, UpstreamTimeout,
                UpstreamLost, UpstreamInvalid: as `fetch`.
        """
        ...

    async def submit(
        self, url: Secret[str], content_type: str, chunks: AsyncIterator[bytes], *, length_bytes: int
    ) -> None:
        """Return when the storage has taken the file of a form; what `chunks` raises is raised here.

        Args:
            url: without a query.
            content_type: of the form, with its boundary.
            chunks: the form, of `length_bytes` together.
            length_bytes: of the whole.

        Raises:
            SallyportError: as `store`.
        """
        ...


class Opening(Protocol):
    """Who opens capabilities."""

    def open(self, spelled: str, method: str) -> Capability:
        """Return what a capability stands for.

        Raises:
            DocumentUnknown, DocumentEnded: nothing, or nothing any more.
            KeyServiceUnavailable: nothing can be opened right now.
        """
        ...


class Receiver(Protocol):
    """The desktop that takes a document."""

    async def begin(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """Send the head of an answer."""
        ...

    async def write(self, chunk: bytes) -> None:
        """Send a part of the document; returns when the client has taken enough of what was sent before."""
        ...

    async def end(self) -> None:
        """Finish the answer."""
        ...


class Signals(Protocol):
    """What is counted of documents."""

    def moved(self, method: str, code: str, size_bytes: int) -> None:
        """Count one document, or a part of one: which way, what ended it ("whole", or a code), how much."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentPorts:
    """Everything outside that moving documents stands on."""

    capabilities: Opening
    storage: Storage
    signals: Signals
    clock: Clock
    entropy: Entropy
