"""A whole body without its Content-Encoding, within its bound whatever it was packed from (T-09)."""

import zlib
from collections.abc import Sequence

from services.gateway.door.faults import BodyTooLarge, EncodingNotServed, MalformedRequest

# Source: zlib's inflateInit2: how to be told of gzip's wrapper, and of none.
_GZIP_BITS = 16 + zlib.MAX_WBITS
_RAW_BITS = -zlib.MAX_WBITS
# Source: RFC 1950, 2.2: the compression method in a zlib header's first byte.
_METHOD_BITS, _DEFLATE_METHOD = 0x0F, 8


def decoded(body: bytes, encodings: Sequence[str], bytes_max: int) -> bytes:
    """Return a body as it was before it was encoded.

    Args:
        body: whole, as it came.
        encodings: every Content-Encoding header of its request.
        bytes_max: of the result.

    Raises:
        BodyTooLarge: the result passes `bytes_max`.
        EncodingNotServed: not gzip, deflate or none; or several.
        MalformedRequest: the body is not what the header says.
    """
    named = ",".join(encodings).lower().strip()
    if named in {"", "identity"}:
        if len(body) > bytes_max:
            raise BodyTooLarge
        return body
    if named in {"gzip", "x-gzip"}:
        return _inflated(body, _GZIP_BITS, bytes_max)
    if named == "deflate":
        # Some clients leave the zlib wrapper out (RFC 9110, 8.4.1.2).
        is_wrapped = bool(body) and body[0] & _METHOD_BITS == _DEFLATE_METHOD
        return _inflated(body, zlib.MAX_WBITS if is_wrapped else _RAW_BITS, bytes_max)
    raise EncodingNotServed


def _inflated(body: bytes, bits: int, bytes_max: int) -> bytes:
    inflater = zlib.decompressobj(bits)
    try:
        text = inflater.decompress(body, bytes_max + 1)
    except zlib.error as error:
        raise MalformedRequest from error
    if len(text) > bytes_max:
        raise BodyTooLarge
    if not inflater.eof or inflater.unused_data:
        raise MalformedRequest
    return text
