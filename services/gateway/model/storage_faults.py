"""Refusals on the documents' face, in the shape of Amazon's storage: libraries look for its words there.

Source: Amazon S3 API Reference, "Error responses"; amazon-sp-api (npm), `_validateUpOrDownloadSuccess`.
"""

from xml.sax.saxutils import escape

from chassis.errors import SallyportError
from services.gateway.model import faults
from services.gateway.model.calls import Answer

XML_TYPE = "application/xml"
_CONTENT_TYPE = "content-type"
_BODY = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{}</Code><Message>{}</Message></Error>'


def render(error: SallyportError, request_id: str) -> Answer:
    """Return the answer that tells whoever moves a document of an error: status and headers as everywhere.

    Args:
        error: any of ours, or one that a peer described.
        request_id: of the request.
    """
    told = faults.render(error, request_id)
    headers = [(name, XML_TYPE if name == _CONTENT_TYPE else value) for name, value in told.headers]
    return Answer(told.status, headers, _BODY.format(escape(error.code), escape(error.text)).encode())
