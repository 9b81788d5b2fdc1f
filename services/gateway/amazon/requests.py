"""A call to Amazon as the bytes of an HTTP/1.1 request."""

from services.gateway.model.calls import UpstreamRequest

TOKEN_HEADER = "x-amz-access-token"  # noqa: S105 - a header's name


def encode(request: UpstreamRequest, host: str) -> bytes:
    """Return the whole request; its only secret is the token.

    Args:
        request: built by us; its parts are trusted to mean what they say, not to hold no line break.
        host: of the origin it goes to, with a port unless that is 443.

    Raises:
        ValueError: a part would begin another line, or another word of the first one (T-09).
    """
    target = f"{request.path}?{request.query}" if request.query else request.path
    if " " in target:
        raise ValueError("a target has no blank")
    lines = [
        f"{request.method} {target} HTTP/1.1",
        f"host: {host}",
        *[f"{name}: {value}" for name, value in request.headers],
        "accept-encoding: gzip",
        f"{TOKEN_HEADER}: {request.token.reveal()}",
    ]
    # Amazon refuses a GET with a length. Source: SP-API, "Resolve Common HTTP and Authorization Error Codes".
    if request.body or request.method != "GET":
        lines.append(f"content-length: {len(request.body)}")
    said = "".join(lines)
    if "\r" in said or "\n" in said or "\0" in said:
        raise ValueError("a part of a request has no line break")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + request.body
