"""A rig with documents beside the forwarding path."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from chassis.secrecy import Secret
from fakes.entropy import FakeEntropy
from fakes.gateway_storage import FakeFetched, FakeReceiver, FakeStorage
from services.gateway.forward.document_ports import DocumentPorts
from services.gateway.forward.document_records import DocumentRecords
from services.gateway.forward.documents import Documents, Upload
from services.gateway.model.documents import (
    DOWNLOAD,
    UPLOAD,
    Capability,
    DocumentClass,
)
from tests.unit.gateway.forwarding import Rig

URL = "https://s3.amazonaws.com/bucket/document?X-Amz-Signature=5e"
TYPE = "text/xml; charset=UTF-8"
BODY = bytes(range(256)) * 40
# How much time passes between looks at whether a document has been moved.
LOOK_S = 0.5


class Moving(Rig):
    """The forwarding path's rig, with documents beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.storage = FakeStorage(objects={URL: FakeFetched(BODY, length_bytes=len(BODY))})
        ports = DocumentPorts(
            capabilities=self.capabilities,
            storage=self.storage,
            signals=self.signals,
            clock=self.clock,
            entropy=FakeEntropy(),
        )
        records = DocumentRecords(
            audit=self.audit,
            clock=self.clock,
            entropy=FakeEntropy(),
            signals=self.signals,
            allowance=self.allowance,
        )
        self.documents = Documents(ports=ports, identities=self.identities, records=records)

    def capability(self, token: str, **changes: Any) -> str:
        device = self.auth.devices[token]
        made = Capability(
            url=Secret(URL),
            method=DOWNLOAD,
            content_type="",
            headers=(),
            operation="reports_2021-06-30.getReportDocument",
            purpose="unstated",
            document_class=DocumentClass.PLAIN,
            device_id=device.device_id,
            seller_id=device.seller_id,
            scopes=device.scopes,
            access_token=Secret(token),
        )
        return self.capabilities.seal(replace(made, **changes))

    def personal(self, token: str) -> str:
        return self.capability(token, document_class=DocumentClass.PERSONAL)

    def uploading(self, token: str, **changes: Any) -> str:
        operation = "feeds_2021-06-30.createFeedDocument"
        return self.capability(
            token, **{"method": UPLOAD, "operation": operation, "content_type": TYPE, **changes}
        )

    async def read(self, spelled: str, receiver: FakeReceiver | None = None) -> FakeReceiver:
        taking = receiver or FakeReceiver()
        await self.finish(self.documents.send(spelled, "request-1", taking))
        return taking

    async def write(self, spelled: str, *chunks: bytes, **changes: Any) -> None:
        made = Upload(TYPE, "", sum(map(len, chunks)), parts(*chunks))
        await self.finish(self.documents.take(spelled, "request-1", replace(made, **changes)))

    async def finish(self, doing: Coroutine[Any, Any, None]) -> None:
        """Let time pass until a document has been moved, or has not."""
        task = asyncio.create_task(doing)
        while not task.done():
            await self.clock.advance(LOOK_S)
        await task


async def parts(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@asynccontextmanager
async def listening(rig: Rig) -> AsyncIterator[None]:
    """Hear revocations while inside."""
    task = asyncio.create_task(rig.identities.watch())
    await rig.clock.advance(0)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def working(rig: Moving) -> AsyncIterator[None]:
    """Do what runs beside documents while inside."""
    tasks = [asyncio.ensure_future(work()) for _, work in rig.documents.tasks]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
