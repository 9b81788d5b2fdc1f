"""Links to documents in answers: who may have one, and ours in the place of Amazon's.

What a report or a feed holds is not in the answer that brings its link: it is told by earlier answers, which
name a document and its type together. What is not known counts as personal.
"""

from collections.abc import Mapping
from typing import Protocol

from chassis.errors import SallyportError
from chassis.recent import Recent
from chassis.secrecy import Secret
from services.gateway.catalogue.documents import DocumentTable
from services.gateway.catalogue.table import Catalogue
from services.gateway.forward.buyer_documents import BuyerDocuments
from services.gateway.forward.journey import Journey
from services.gateway.forward.ports import Signals
from services.gateway.model import forms, targets, uploads
from services.gateway.model.application_policy import ApplicationPolicy
from services.gateway.model.calls import Device
from services.gateway.model.documents import (
    FORM,
    UPLOAD,
    Capability,
    DocumentClass,
    tells_types,
    told_types,
)
from services.gateway.model.links import DocumentHosts, LinkPaths, read_answer
from services.gateway.model.operations import Operation

NO_TYPE = ""
# About 300 bytes each.
TYPES_KEPT_MAX = 50_000


class DocumentTypes(Protocol):
    """What is known about the types of sellers' documents."""

    async def learn(self, seller_id: str, types: Mapping[str, str]) -> None:
        """Keep what was told: document id → type; at most TYPES_MAX.

        Raises:
            Unavailable: it could not be kept.
        """
        ...

    async def find(self, seller_id: str, document_id: str) -> str:
        """Return a document's type; empty when it is not known.

        Raises:
            Unavailable: nobody can say.
        """
        ...


class Sealing(Protocol):
    """Who makes capabilities."""

    def link(self, capability: Capability) -> str:
        """Return a capability as a link to this gateway.

        Raises:
            UpstreamInvalid: Amazon's link is too long to be carried.
            KeyServiceUnavailable: there is no key right now.
        """
        ...


class RememberedTypes:
    """Fits `DocumentTypes`: what all replicas know, and this process's own memory of what it met last.

    A library that polls one report tells its type again and again; storage hears of it once.
    """

    def __init__(self, shared: DocumentTypes) -> None:
        self._shared = shared
        self._types: Recent[tuple[str, str], str] = Recent(TYPES_KEPT_MAX)

    async def learn(self, seller_id: str, types: Mapping[str, str]) -> None:
        """Keep what is new; see `DocumentTypes`."""
        new = {each: type_ for each, type_ in types.items() if self._types.get((seller_id, each)) != type_}
        if new:
            await self._shared.learn(seller_id, new)
        for document_id, type_ in new.items():
            self._types.put((seller_id, document_id), type_)

    async def find(self, seller_id: str, document_id: str) -> str:
        """Return a document's type; empty when no replica knows it."""
        known = self._types.get((seller_id, document_id))
        if known is None:
            known = await self._shared.find(seller_id, document_id)
            if known:
                self._types.put((seller_id, document_id), known)
        return known


class DocumentLinks:
    """Knows documents by their operations, and rewrites the answers that bring their links."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        table: DocumentTable,
        types: DocumentTypes,
        hosts: DocumentHosts,
        sealing: Sealing,
        signals: Signals,
    ) -> None:
        """Prepare.

        Args:
            catalogue: knows where answers hold links.
            table: knows what documents hold.
            types: remembers reports' and feeds' types.
            hosts: where documents may lie.
            sealing: makes capabilities.
            signals: counts what could not be kept or found, and what is hidden.
        """
        self._paths = {
            operation.name: LinkPaths(operation.document_links)
            for operation in catalogue
            if operation.document_links
        }
        self._buyers = BuyerDocuments(catalogue, give=self._buyers_link, signals=signals)
        self._telling = {each.name for each in catalogue if each.document_links or tells_types(each.name)}
        self._telling |= self._buyers.operations
        self._table = table
        self._types = types
        self._hosts = hosts
        self._sealing = sealing
        self._signals = signals

    async def classify(
        self,
        operation: Operation,
        device: Device,
        parameters: Mapping[str, str],
        *,
        policy: ApplicationPolicy,
    ) -> DocumentClass:
        """Return what the documents hold to which an operation's answer links.

        A document of unknown type for which the device shows a restricted handle is taken for a restricted
        one: Amazon knows better, and says so.

        Args:
            operation: what is called; its answers link to documents.
            device: who calls.
            parameters: of the call's path, by name.
            policy: may name more types of reports as personal.
        """
        parameter = self._table.type_parameter(operation.name)
        type_ = NO_TYPE
        if parameter:
            type_ = await self._known_type(device.seller_id, parameters[parameter])
            if not type_ and device.restrictions:
                return DocumentClass.RESTRICTED
        document_class = self._table.document_class(operation.name, type_)
        is_stricter = document_class is DocumentClass.PLAIN and policy.is_personal_report(type_)
        return DocumentClass.PERSONAL if is_stricter else document_class

    def are_told(self, operation: Operation) -> bool:
        """Return whether answers of an operation tell of documents: with a link, or with their types."""
        return operation.name in self._telling

    async def show(self, journey: Journey, body: bytes) -> bytes:
        """Return a successful answer as the desktop may see it: with our links in the place of Amazon's.

        What it tells about documents' types is kept; when it cannot be, that is counted.

        Raises:
            UpstreamInvalid: not readable; a link that may not be followed, or where none is expected.
            KeyServiceUnavailable: no link of ours can be made right now.
        """
        name = journey.operation.name
        if tells_types(name):
            await self._learn(journey.device.seller_id, told_types(name, read_answer(body)))
        return self._rewritten(journey, self._buyers.show(journey, body))

    async def _learn(self, seller_id: str, types: Mapping[str, str]) -> None:
        try:
            if types:
                await self._types.learn(seller_id, types)
        except SallyportError as error:
            self._signals.side_failed("document_types", error.code)

    def _rewritten(self, journey: Journey, body: bytes) -> bytes:
        paths, document_class = self._paths.get(journey.operation.name), journey.document_class
        if paths is None or document_class is None:
            return body

        def link_for(url: str) -> str:
            self._hosts.check(url)
            capability = self._capability(journey, document_class, url=url, answer=body)
            link = self._sealing.link(capability)
            return f"{link}?{forms.sealed_query(url)}" if capability.method == FORM else link

        return paths.rewrite(body, link_for)

    def _buyers_link(self, journey: Journey, url: str) -> str:
        self._hosts.check(url)
        return self._sealing.link(self._capability(journey, DocumentClass.PERSONAL, url=url, answer=b""))

    async def _known_type(self, seller_id: str, document_id: str) -> str:
        try:
            return await self._types.find(seller_id, document_id)
        except SallyportError as error:
            self._signals.side_failed("document_types", error.code)
            return NO_TYPE

    def _capability(
        self, journey: Journey, document_class: DocumentClass, *, url: str, answer: bytes
    ) -> Capability:
        method, content_type = self._table.method(journey.operation.name), ""
        headers: tuple[tuple[str, str], ...] = ()
        if method == UPLOAD:
            method = FORM if forms.is_form(url) else UPLOAD
            # What a form must hold stands in its link; nothing is asked for beside it.
            headers = () if method == FORM else uploads.wanted_headers(read_answer(answer))
            named = next(targets.values(targets.split(journey.query), uploads.TYPE_PARAMETERS), "")
            content_type = uploads.declared_type(journey.body, named)
        return Capability(
            url=Secret(url),
            method=method,
            content_type=dict(headers).get(uploads.CONTENT_TYPE, content_type),
            headers=tuple(each for each in headers if each[0] != uploads.CONTENT_TYPE),
            operation=journey.operation.name,
            purpose=journey.plan.purpose,
            document_class=document_class,
            device_id=journey.device.device_id,
            seller_id=journey.device.seller_id,
            scopes=journey.device.scopes,
            access_token=Secret(journey.call.access_token),
            order_id=journey.order_id,
        )
