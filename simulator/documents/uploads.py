"""Places to upload to that no feed reads: Uploads 2020-11-01 and the Services API's documents."""

from typing import Any

from simulator import exchange
from simulator.call import Call
from simulator.documents.forms import Forms
from simulator.documents.storage import Storage
from simulator.seed import Mint

TEXT_SIZE_MAX = 256
# Images of A+ content are uploaded by form. Source: SP-API, "A+ Content API Use Case Guide".
CONTENT_DOCUMENTS = "aplus/2020-11-01/contentDocuments"
IMAGE_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/tiff": "tif"}

Document = dict[str, Any]


class Uploads:
    """Answers with documents; the caller has checked token and plan."""

    def __init__(self, *, storage: Storage, forms: Forms, mint: Mint) -> None:
        self._storage = storage
        self._forms = forms
        self._mint = mint

    def create_destination(self, call: Call) -> Document:
        """Return the answer of createUploadDestinationForResource.

        Raises:
            Refusal: 400, contentMD5 or marketplaceIds is missing; for A+ content, an image's type.
        """
        request = call.request
        digest = request.first("contentMD5")
        if not digest or len(digest) > TEXT_SIZE_MAX or not request.listed("marketplaceIds"):
            raise exchange.invalid_input("Invalid Input", "contentMD5 and marketplaceIds must be specified.")
        content_type = request.first("contentType")
        if call.parameters["resource"] == CONTENT_DOCUMENTS:
            return self._image_destination(call, content_type)
        headers = {"Content-MD5": digest}
        if content_type:
            headers["Content-Type"] = content_type[:TEXT_SIZE_MAX]
        return {"payload": self._destination(call, headers)}

    def create_service_destination(self, call: Call) -> Document:
        """Return the answer of the Services API's createServiceDocumentUploadDestination.

        Raises:
            Refusal: 400, contentType is missing.
        """
        body = call.body()
        content_type = body.get("contentType")
        if not isinstance(content_type, str) or not 1 <= len(content_type) <= TEXT_SIZE_MAX:
            raise exchange.invalid_input("Invalid Input", "contentType must be specified.")
        destination = self._destination(call, {"Content-Type": content_type})
        encryption = {
            "standard": "AES",
            "initializationVector": "AAAAAAAAAAAAAAAAAAAAAA==",
            "key": "A" * 43 + "=",
        }
        return {"payload": {**destination, "encryptionDetails": encryption}}

    def _image_destination(self, call: Call, content_type: str | None) -> Document:
        ending = IMAGE_ENDINGS.get(content_type or "")
        if ending is None:
            raise exchange.invalid_input("Invalid Input", "contentType must be that of an image.")
        name = f"{self._mint.identifier()}.{ending}"
        ident, url = self._forms.link(name, call.access.seller.seller_id, call.now)
        return {"errors": [], "payload": {"uploadDestinationId": ident, "url": url, "headers": None}}

    def _destination(self, call: Call, headers: dict[str, str]) -> Document:
        name = self._mint.identifier()
        signed = {each.lower(): value for each, value in headers.items()}
        url = self._storage.slot(name, call.access.seller.seller_id, call.now, headers=signed)
        return {"uploadDestinationId": name, "url": url, "headers": headers}
