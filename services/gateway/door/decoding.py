"""A whole body without its Content-Encoding, within its bound whatever it was packed from (T-09)."""

import io
from collections.abc import Sequence

from services.gateway.door.faults import BodyTooLarge, MalformedRequest
from services.gateway.model import codings


def decoded(body: bytes, encodings: Sequence[str], bytes_max: int) -> bytes:
    """Return a body as it was before it was encoded.

    Args:
        body: whole, as it came; not empty.
        encodings: every Content-Encoding header of its request.
        bytes_max: of the result.

    Raises:
        BodyTooLarge: the result passes `bytes_max`; no more than a piece of it was opened beyond.
        EncodingNotServed: none of `model.codings`, or several.
        MalformedRequest: the body is not what the header says, or something follows it.
    """
    coding = codings.coding(encodings)
    if coding != codings.IDENTITY:
        return _opened(body, coding, bytes_max)
    if len(body) > bytes_max:
        raise BodyTooLarge
    return body


def _opened(body: bytes, coding: str, bytes_max: int) -> bytes:
    opener, opened = codings.opener(coding), io.BytesIO()
    try:
        for piece in opener.open(body):
            opened.write(piece)
            if opened.tell() > bytes_max:
                raise BodyTooLarge
    except codings.EncodingBroken as error:
        raise MalformedRequest from error
    if not opener.is_whole or opener.rest:
        raise MalformedRequest
    return opened.getvalue()
