"""Authlib's client, unmodified, in the bound profile: an adapter below it proves each request.

Authlib knows PKCE, the device grant, rotation and revocation, and nothing of DPoP; requests lets an
application put itself below it. A desktop developer would do the same.
"""

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Self

import requests
from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.jwk import OKPKey

CLIENT_ID = "desktop"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
ASKS_FOR_NONCE = "use_dpop_nonce"

Errand = Callable[[dict[str, str]], None]


class ProvingAdapter(requests.adapters.HTTPAdapter):
    """Adds a DPoP proof to each request, with the newest nonce heard; asks again once when told to."""

    def __init__(self) -> None:
        super().__init__()
        self._key = OKPKey.generate_key("Ed25519")
        self._nonce = ""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        answer = self._prove(request, options)
        asked = f"{answer.headers.get('WWW-Authenticate', '')} {answer.text}"
        if answer.status_code in {400, 401} and ASKS_FOR_NONCE in asked:
            answer = self._prove(request, options)
        return answer

    def _prove(self, request: requests.PreparedRequest, options: dict[str, Any]) -> requests.Response:
        request.headers["DPoP"] = self._proof(request)
        answer = super().send(request, **options)
        self._nonce = answer.headers.get("DPoP-Nonce", self._nonce)
        return answer

    def _proof(self, request: requests.PreparedRequest) -> str:
        claims: dict[str, Any] = {
            "jti": secrets.token_urlsafe(16),
            "htm": request.method,
            "htu": str(request.url or "").partition("?")[0],
            "iat": int(time.time()),
        }
        if self._nonce:
            claims["nonce"] = self._nonce
        scheme, _, token = str(request.headers.get("Authorization", "")).partition(" ")
        if scheme == "DPoP":
            digest = hashlib.sha256(token.encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        header = {"typ": "dpop+jwt", "alg": "Ed25519", "jwk": self._key.as_dict(private=False)}
        return jwt.encode(header, claims, self._key, algorithms=["Ed25519"])


def run(issuer: str, ca_file: str, resource: str, errand: Errand) -> dict[str, Any]:
    """Return what was seen; the person is asked by errands."""
    with _Loopback() as loopback, _session(ca_file, loopback.redirect_uri) as session:
        metadata = session.get(f"{issuer}/.well-known/oauth-authorization-server", withhold_token=True).json()
        first = _sign_in(session, metadata, loopback, errand)
        second = dict(session.refresh_token(metadata["token_endpoint"], first["refresh_token"]))
        granted = _let_in(session, metadata, errand)
        statuses = [_call(session, issuer + resource, token) for token in (second, granted)]
    return {
        "token_types": [first["token_type"], granted["token_type"]],
        "rotated": first["refresh_token"] != second["refresh_token"],
        "statuses": statuses,
    }


def _session(ca_file: str, redirect_uri: str) -> OAuth2Session:
    session = OAuth2Session(
        client_id=CLIENT_ID,
        token_endpoint_auth_method="none",
        code_challenge_method="S256",
        scope="orders",
        redirect_uri=redirect_uri,
    )
    session.trust_env, session.verify = False, ca_file
    session.mount("https://", ProvingAdapter())
    return session


def _sign_in(
    session: OAuth2Session, metadata: dict[str, Any], loopback: "_Loopback", errand: Errand
) -> dict[str, Any]:
    verifier = secrets.token_urlsafe(48)
    url, state = session.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    errand({"approve": url})
    return dict(
        session.fetch_token(
            metadata["token_endpoint"],
            authorization_response=loopback.arrived(),
            state=state,
            code_verifier=verifier,
        )
    )


def _let_in(session: OAuth2Session, metadata: dict[str, Any], errand: Errand) -> dict[str, Any]:
    asked = {"client_id": CLIENT_ID, "scope": "orders"}
    begun = session.post(metadata["device_authorization_endpoint"], data=asked, withhold_token=True).json()
    errand({"letIn": begun["user_code"], "at": begun["verification_uri_complete"]})
    return dict(
        session.fetch_token(
            metadata["token_endpoint"], grant_type=DEVICE_CODE, device_code=begun["device_code"]
        )
    )


def _call(session: OAuth2Session, url: str, token: dict[str, Any]) -> int:
    headers = {"Authorization": f"DPoP {token['access_token']}"}
    status: int = session.get(url, headers=headers, withhold_token=True).status_code
    return status


class _Loopback:
    """A listener on this machine; its redirect URI, and the URL with which the browser comes back."""

    def __enter__(self) -> Self:
        came: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                came.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"You can close this window.")

            def log_message(self, format: str, *_: object) -> None:  # noqa: A002
                """Say nothing."""

        self._came = came
        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.handle_request)
        self._thread.start()
        self.redirect_uri = f"http://127.0.0.1:{self._server.server_port}/callback"
        return self

    def arrived(self) -> str:
        self._thread.join()
        return self.redirect_uri.removesuffix("/callback") + self._came[0]

    def __exit__(self, *_: object) -> None:
        self._server.server_close()
