"""A form on its way: a client's comes in, and Amazon's goes out, with the same file and other fields.

Amazon's storage wants to know how long a form is before its first byte, and nobody knows where a client's
file ends before its last: a line end may follow the form, or not. So what follows the file goes out as it
came in but for the boundary, and from the file on both forms differ in length by just that.
"""

from collections.abc import AsyncIterator

from chassis.secrecy import Secret
from services.gateway.forward.document_ports import Storage
from services.gateway.model import forms, uploads
from services.gateway.model.documents import Capability, ContentTypeDiffers, DocumentFormInvalid
from services.gateway.model.form_reader import FORM_TYPE, FormReader, boundary_of

BOUNDARY_BYTES = 16


class DocumentForm:
    """One form on its way."""

    def __init__(
        self, capability: Capability, *, content_type: str, length_bytes: int, chance: bytes
    ) -> None:
        """Prepare.

        Args:
            capability: for a form.
            content_type: of the client's request.
            length_bytes: of the client's form.
            chance: BOUNDARY_BYTES that nobody can guess, so that no file holds the boundary made of them.

        Raises:
            DocumentFormInvalid: what comes is none.
        """
        self._destination = forms.destination(capability.url.reveal())
        self._declared = capability.content_type
        self._boundary = chance.hex()
        boundary = boundary_of(content_type)
        self._longer_bytes = len(self._boundary) - len(boundary)
        self._reader = FormReader(boundary, names=self._destination.names, length_bytes=length_bytes)

    async def store(self, storage: Storage, chunks: AsyncIterator[bytes]) -> None:
        """Return when the storage has taken the file.

        Args:
            storage: is not asked before the client's file has begun.
            chunks: of the client's form.

        Raises:
            DocumentFormInvalid, ContentTypeDiffers: the form may not be passed on; nothing is stored then.
            SallyportError: as the storage's `submit`, and what `chunks` raises.
        """
        begun = await self._begun(chunks)
        opening = forms.opening(
            self._destination,
            content_type=self._declared or self._reader.content_type,
            file_type=self._reader.file_type,
            boundary=self._boundary,
        )
        await storage.submit(
            Secret(self._destination.url),
            f"{FORM_TYPE}; boundary={self._boundary}",
            self._written(opening + begun, chunks),
            length_bytes=len(opening) + self._reader.rest_bytes + self._longer_bytes,
        )

    async def _begun(self, chunks: AsyncIterator[bytes]) -> bytes:
        """Return what came of the file together with the last of what stands before it."""
        async for chunk in chunks:
            begun = self._reader.take(chunk)
            if self._reader.is_at_file:
                break
        else:
            raise DocumentFormInvalid
        own = self._reader.content_type
        if own and self._declared and not uploads.is_same_type(self._declared, own):
            raise ContentTypeDiffers
        return begun

    async def _written(self, opening: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield Amazon's form; its end only once the client's was seen."""
        yield opening
        async for chunk in chunks:
            part = self._reader.take(chunk)
            if part:
                yield part
        yield forms.closing(self._boundary) + self._reader.end()
