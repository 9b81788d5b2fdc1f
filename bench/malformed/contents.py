"""Requests that are sound HTTP and wrong inside: targets, encodings, JSON, forms, proofs, hosts, methods."""

import base64
import functools
import gzip
import json
import sys
import zlib
from collections.abc import Mapping
from random import Random

import brotli

from bench.malformed.attempts import Attempt, Manner, Source, whole
from bench.malformed.framing import TARGET, TOKEN_HEADER, Make

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TOKEN_PATHS = ("/auth/o2/token", "/oauth/token")
FORM_PATHS = (
    *TOKEN_PATHS,
    "/oauth/device_authorization",
    "/oauth/revoke",
    "/oauth/introspect",
    "/portal/sign-in",
)
CALLS = (
    ("POST", "/tokens/2021-03-01/restrictedDataToken"),
    ("POST", "/reports/2021-06-30/reports"),
    ("POST", "/orders/v0/orders/902-0000000-0000000/shipmentConfirmation"),
    ("PATCH", "/listings/2021-08-01/items/A1/SKU"),
)
JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"
DEEP = 100_000
BOMB_BYTES = 64 * 1024 * 1024
DIGITS = 50_000
FIELDS_OVER = 2_000

SEGMENTS = (
    "..",
    ".",
    "%2e%2e",
    "%252e%252e",
    "..;",
    "%00",
    "%0d%0aX-Injected:%20a",
    "%2f..%2f",
    "%5c..%5c",
    "%c0%ae%c0%ae",
    "%ff%fe",
    "%ed%a0%80",
    "%",
    "%zz",
    "%u002e",
    "a" * 4_000,
    "{orderId}",
    "<script>",
    "'or'1'='1",
    "\u00e9",
    "\u202e",
    "",
    "%F0%9F%92%A9",
    "902-0000000-0000000;jsessionid=1",
    "*",
    "~",
)
QUERIES = (
    "a=1&" * 300,
    "CreatedAfter=%00",
    "CreatedAfter=%ff",
    "CreatedAfter=" + "9" * 10_000,
    "MarketplaceIds=" + ",".join(["ATVPDKIKX0DER"] * 400),
    "MarketplaceIds[]=a&MarketplaceIds[0]=b",
    "MarketplaceIds=%25252e",
    "NextToken=" + "%41" * 3_000,
    "=&=&=",
    "&&&&",
    "?" * 100,
    "#fragment",
    "MarketplaceIds=a b",
    "MarketplaceIds=\u00e9",
    "MarketplaceIds=Atza%7Csecret",
    "__proto__[x]=1",
)
JSONS = (
    b"[" * DEEP,
    b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    b'{"restrictedResources":' + b"[" * 1_000 + b"]" * 1_000 + b"}",
    b'{"a":1e999999}',
    b'{"a":-1e-999999}',
    b'{"a":' + b"9" * DIGITS + b"}",
    b'{"a":NaN,"b":Infinity}',
    b'{"a":"\\ud800"}',
    b'{"a":"\\udc00\\ud800"}',
    b'{"a":"\xff\xfe"}',
    b'\xef\xbb\xbf{"a":1}',
    b'{"a":1,"a":2}',
    b'{"a":1}{"b":2}',
    b'{"a":}',
    b'{"a":"' + b"x" * 200_000 + b'"}',
    b"null",
    b"true",
    b'"text"',
    b"",
    b"\x00",
    b"'{}'",
    b'{"__proto__":{"a":1}}',
    b'{"restrictedResources":[{"method":"GET","path":"/../../x","dataElements":["\\u0000"]}]}',
    b'{"restrictedResources":[' + b'{"method":"GET","path":"/orders/v0/orders"},' * 500 + b"{}]}",
    b'{"grant_type":["refresh_token"],"client_id":{"$ne":""}}',
    '{"grant_type":"refresh_token","client_id":"x"}'.encode("utf-16"),
    '{"grant_type":"refresh_token"}'.encode("utf-32"),
)
FORMS = (
    b"grant_type=refresh_token&grant_type=authorization_code",
    b"grant_type=%zz&client_id=%",
    b"grant_type=\xff\xfe",
    b"&" * 3_000,
    b"a=b&" * FIELDS_OVER,
    b"grant_type=" + b"a" * 20_000,
    b"grant_type=refresh_token&client_id=%00&refresh_token=%0d%0a",
    b"grant_type=refresh_token;client_id=a",
    b"grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=desktop&device_code=",
    b"--b\r\nContent-Disposition: form-data; name=grant_type\r\n\r\nrefresh_token\r\n--b--",
    b"scope=" + b"orders+" * 2_000,
)
HOSTS = (
    "sellingpartnerapi-eu.amazon.com",
    "sandbox.sellingpartnerapi-na.amazon.com:443",
    "api.amazon.com",
    "localhost:99999",
    "[::1]",
    "[::1",
    "a" * 300,
    "a b",
    "\u00e9.example",
    "user@evil.example",
    "localhost#",
)


def odd_target(source: Source) -> Attempt:
    """Return a call whose path or query is not one."""
    parts = ["orders", "v0", "orders"]
    for _ in range(source.random.randint(1, 3)):
        parts.insert(source.random.randint(0, len(parts)), source.random.choice(SEGMENTS))
    target = "/" + "/".join(parts)
    if source.random.random() < 0.5:
        target = f"{TARGET}?{source.random.choice(QUERIES)}"
    method = source.random.choice(("GET", "GET", "POST", "DELETE"))
    sent = whole(method, target, {TOKEN_HEADER: source.token()}, ident=source.ids.next())
    is_line = " " not in target and target.isascii()
    return Attempt("target", sent, Manner.WHOLE if is_line else Manner.LOOSE)


def odd_encoding(source: Source) -> Attempt:
    """Return a body that is not what its Content-Encoding says, or too much when it is decoded."""
    encoding, body = source.random.choice(_encoded())
    return _call(source, "encoding", body, headers={"Content-Encoding": encoding, "Content-Type": JSON_TYPE})


def odd_json(source: Source) -> Attempt:
    """Return JSON that is none, or that some parsers die of."""
    body = source.random.choice(JSONS)
    if source.random.random() < 0.5:
        path = source.random.choice(TOKEN_PATHS)
        return _posted(source, "JSON", path, body=body, headers={"Content-Type": JSON_TYPE})
    return _call(source, "JSON", body, headers={"Content-Type": JSON_TYPE})


def odd_form(source: Source) -> Attempt:
    """Return a form that is none."""
    kind = source.random.choice(
        (FORM_TYPE, f"{FORM_TYPE};charset=utf-7", "multipart/form-data; boundary=b", "", "/")
    )
    path = source.random.choice(FORM_PATHS)
    return _posted(source, "form", path, body=source.random.choice(FORMS), headers={"Content-Type": kind})


def odd_proof(source: Source) -> Attempt:
    """Return a request with a broken DPoP proof, bearer or Basic header."""
    proof = _proof(source.random)
    named = source.random.choice(
        (
            {"DPoP": proof, "Authorization": f"DPoP {source.token()}"},
            {"DPoP": proof, TOKEN_HEADER: source.token()},
            {"Authorization": f"Bearer {proof}"},
            {"Authorization": f"Basic {proof}"},
            {"Authorization": "DPoP", "DPoP": ""},
            {"Authorization": f"AWS4-HMAC-SHA256 {proof}", TOKEN_HEADER: source.token()},
            {TOKEN_HEADER: source.token() + "\u00e9"},
            {TOKEN_HEADER: "a" * 4_000},
        )
    )
    if source.random.random() < 0.3:
        form = b"grant_type=authorization_code&client_id=desktop&code=x"
        return _posted(
            source, "proof", "/oauth/token", body=form, headers={"Content-Type": FORM_TYPE, **named}
        )
    return Attempt("proof", whole("GET", TARGET, named, ident=source.ids.next()))


def odd_host(source: Source) -> Attempt:
    """Return a call under a Host that is none of ours."""
    sent = whole("GET", TARGET, {TOKEN_HEADER: source.token()}, ident=source.ids.next())
    host = source.random.choice(HOSTS)
    return Attempt("host", sent.replace(b"localhost", host.encode(), 1), Manner.LOOSE)


def odd_method(source: Source) -> Attempt:
    """Return a request with a method that its path does not take."""
    method = source.random.choice(("PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND", "LINK", "QUERY"))
    path = source.random.choice(
        (*FORM_PATHS, TARGET, "/portal", "/.well-known/openid-configuration", "/_doc/x")
    )
    sent = whole(method, path, {TOKEN_HEADER: source.token()}, ident=source.ids.next())
    return Attempt("method", sent, Manner.LOOSE if method == "HEAD" else Manner.WHOLE)


def odd_document(source: Source) -> Attempt:
    """Return a request for a document under a link that was never given, with a body that need not fit."""
    sealed = source.random.choice(
        (_base64url(source.noise(200)), "x", "", "../x", "a" * 3_000, "%00", "\u00e9")
    )
    method = source.random.choice(("GET", "PUT", "POST", "HEAD"))
    body = source.noise(5_000) if method == "PUT" else b""
    headers = {"Content-Type": source.random.choice(("text/plain", "", "a/b; c", "\x01"))}
    sent = whole(method, f"/_doc/{sealed}", headers, ident=source.ids.next(), body=body)
    return Attempt("document", sent, Manner.LOOSE)


MAKERS: tuple[Make, ...] = (
    odd_target,
    odd_encoding,
    odd_json,
    odd_form,
    odd_proof,
    odd_host,
    odd_method,
    odd_document,
)


def _call(source: Source, family: str, body: bytes, *, headers: Mapping[str, str]) -> Attempt:
    method, path = source.random.choice(CALLS)
    sent = whole(method, path, {TOKEN_HEADER: source.token(), **headers}, ident=source.ids.next(), body=body)
    return Attempt(family, sent)


def _posted(source: Source, family: str, path: str, *, body: bytes, headers: Mapping[str, str]) -> Attempt:
    return Attempt(family, whole("POST", path, headers, ident=source.ids.next(), body=body))


@functools.cache
def _encoded() -> tuple[tuple[str, bytes], ...]:
    zeros = bytes(BOMB_BYTES)
    bomb, plain = gzip.compress(zeros, 9, mtime=0), b'{"a":1}'
    packed = gzip.compress(plain, mtime=0)
    return (
        ("gzip", bomb),
        ("gzip, gzip", gzip.compress(bomb, 9, mtime=0)),
        ("deflate", zlib.compress(zeros, 9)),
        ("gzip", packed[:-5]),
        ("gzip", packed + b"trailing"),
        ("gzip", packed * 50),
        ("gzip", plain),
        ("deflate", b"\x00\xff"),
        ("br", b"\xff" * 100),
        ("br", brotli.compress(zeros, quality=5)),
        ("br", brotli.compress(plain) + b"trailing"),
        ("zstd", zstd.compress(zeros)),
        ("zstd", zstd.compress(plain) * 50),
        ("zstd", b"\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff"),
        ("zstd", b""),
        ("identity", packed),
        ("gzip;q=1", packed),
        ("compress", plain),
        (", ,", plain),
        ("gzip," * 40, packed),
    )


def _proof(random: Random) -> str:
    """Return something with the looks of a signed token, and no proof of anything."""
    key = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}
    header = random.choice(
        (
            {"typ": "dpop+jwt", "alg": "none", "jwk": key},
            {"typ": "dpop+jwt", "alg": "HS256", "jwk": {"kty": "oct", "k": "AA"}},
            {"typ": "dpop+jwt", "alg": "ES256", "jwk": {**key, "d": "AA"}},
            {"typ": "dpop+jwt", "alg": "ES256", "jwk": key, "crit": ["x"]},
            {"typ": "dpop+jwt", "alg": "RS256", "jwk": {"kty": "RSA", "n": "A" * 3_000, "e": "AQAB"}},
            {"typ": "JWT", "alg": "ES256", "kid": "../../etc/passwd"},
            {"typ": "dpop+jwt", "alg": "ES256", "jku": "https://evil.example/keys"},
            {"alg": ["ES256"], "typ": {"a": 1}, "jwk": []},
            {"typ": "dpop+jwt", "alg": "Ed25519", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": ""}},
        )
    )
    claims: object = random.choice(
        (
            {"jti": "a", "htm": "GET", "htu": "x", "iat": 10**30},
            {"jti": 1, "htm": [], "htu": None, "iat": "now"},
            {"jti": "a" * 3_000, "htm": "GET", "htu": "http://localhost/", "iat": -1},
            {},
            [],
        )
    )
    parts = [_base64url(json.dumps(each).encode()) for each in (header, claims)]
    parts.append(_base64url(random.randbytes(64)))
    broken = random.choice(
        (".".join(parts), ".".join(parts[:2]), ".".join(parts * 2), "..", "a.b.c", parts[0] + ".=.=")
    )
    return random.choice((broken, broken[: random.randint(1, len(broken))]))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
