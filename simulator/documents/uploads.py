"""Places to upload to that no feed reads: Uploads 2020-11-01 and the Services API's documents."""

from typing import Any

from simulator import exchange
from simulator.call import Call
from simulator.documents.storage import Storage
from simulator.seed import Mint

TEXT_SIZE_MAX = 256

Document = dict[str, Any]


class Uploads:
    """Answers with documents; the caller has checked token and plan."""

    def __init__(self, *, storage: Storage, mint: Mint) -> None:
        self._storage = storage
        self._mint = mint

    def create_destination(self, call: Call) -> Document:
        """Return the answer of createUploadDestinationForResource.

        Raises:
            Refusal: 400, contentMD5 or marketplaceIds is missing.
        """
        request = call.request
        digest = request.first("contentMD5")
        if not digest or len(digest) > TEXT_SIZE_MAX or not request.listed("marketplaceIds"):
            raise exchange.invalid_input("Invalid Input", "contentMD5 and marketplaceIds must be specified.")
        headers = {"Content-MD5": digest}
        if content_type := request.first("contentType"):
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

    def _destination(self, call: Call, headers: dict[str, str]) -> Document:
        name = self._mint.identifier()
        signed = {each.lower(): value for each, value in headers.items()}
        url = self._storage.slot(name, call.access.seller.seller_id, call.now, headers=signed)
        return {"uploadDestinationId": name, "url": url, "headers": headers}
