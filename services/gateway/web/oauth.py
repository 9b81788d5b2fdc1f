"""OAuth for the vendor's desktop application: its tokens, from the first question to the last.

Every token given here is bound to the key that proves itself with the request (RFC 9449). A desktop that
is let in on another machine's browser may prove its key already when it asks for its codes. Giving a token
up needs no proof: whoever shows it could do worse with it. Asking about one needs the device's own token
and key.
"""

from collections.abc import Mapping, Sequence

import orjson
from aiohttp import web

import chassis.errors
import chassis.trace
from chassis.secrecy import Secret
from chassis.web import Route
from services.gateway.model import inputs, token_faults
from services.gateway.model.calls import Answer
from services.gateway.model.device_facts import read_facts
from services.gateway.model.device_grants import BegunGrant
from services.gateway.model.faults import TokenMissing
from services.gateway.model.inspection import INACTIVE
from services.gateway.model.native import TokenSet, read_scopes
from services.gateway.proof import PROOF_HEADER, ProofVerifier
from services.gateway.service import NativeApps, Watch
from services.gateway.web import grants
from services.gateway.web.desktops import DEVICE, USER_CODE
from services.gateway.web.metadata import (
    DEVICE_AUTHORIZATION,
    INTROSPECT,
    METADATA_AGE_S,
    METADATA_PATHS,
    REVOKE,
    TOKEN,
    metadata,
)
from services.gateway.web.render import respond

FACE = "oauth"
SCHEME = "dpop "


class OAuthFace:
    """The desktop application's own requests."""

    def __init__(self, *, apps: NativeApps, watch: Watch, proofs: ProofVerifier, issuer: str) -> None:
        self._apps = apps
        self._watch = watch
        self._proofs = proofs
        self._issuer = issuer
        self._metadata = orjson.dumps(metadata(issuer))

    def routes(self) -> Sequence[Route]:
        """Return the ways in."""
        rows = (
            (TOKEN, self._give, "gateway.token.granted", self._refuse),
            (DEVICE_AUTHORIZATION, self._begin, "gateway.device_grant.begun", self._refuse),
            (REVOKE, self._revoke, "gateway.token.revoked", self._refuse),
            (INTROSPECT, self._inspect, "gateway.token.inspected", self._refuse_asker),
        )
        described = [Route("GET", path, self._describe, "gateway.metadata.viewed") for path in METADATA_PATHS]
        return described + [
            Route("POST", path, handler, event, render_error=refuse) for path, handler, event, refuse in rows
        ]

    async def _describe(self, _request: web.Request) -> web.Response:
        headers = {"Cache-Control": f"public, max-age={METADATA_AGE_S}"}
        return web.Response(body=self._metadata, content_type="application/json", headers=headers)

    async def _give(self, request: web.Request) -> web.Response:
        fields = await self._fields(request)
        grant = grants.read_grant(fields, _client_id(request, fields))
        thumbprint = self._proven(request, TOKEN)
        return self._tell(request, _handed(await self._apps.redeem(grant, thumbprint)))

    async def _begin(self, request: web.Request) -> web.Response:
        fields = await self._fields(request)
        client_id = _client_id(request, fields)
        is_proven = PROOF_HEADER in request.headers
        thumbprint = self._proven(request, DEVICE_AUTHORIZATION) if is_proven else ""
        begun = await self._apps.begin(
            client_id, read_scopes(fields), read_facts(fields), key_thumbprint=thumbprint
        )
        return self._tell(request, _codes(begun, self._issuer + DEVICE))

    async def _revoke(self, request: web.Request) -> web.Response:
        fields = await self._fields(request)
        token = Secret(inputs.required(fields, "token"))
        await self._apps.revoke(_client_id(request, fields), token)
        return self._tell(request, None)

    async def _inspect(self, request: web.Request) -> web.Response:
        fields = await self._fields(request)
        access_token = own_token(request.headers.getall("Authorization", []))
        thumbprint = self._proven(request, INTROSPECT, access_token)
        token = Secret(inputs.required(fields, "token"))
        found = await self._apps.inspect(Secret(access_token), thumbprint, token)
        return self._tell(request, INACTIVE if found is None else found.members(self._issuer))

    async def _fields(self, request: web.Request) -> Mapping[str, str]:
        fields = inputs.read_form(await request.read())
        await self._watch.check(fields.values(), face=FACE, request_id=chassis.trace.request_id())
        return fields

    def _proven(self, request: web.Request, path: str, access_token: str | None = None) -> str:
        """Return the thumbprint of the key that the request proves, once; see `ProofVerifier.verify`."""
        headers = request.headers.getall(PROOF_HEADER, [])
        proof = self._proofs.verify(headers, method="POST", path=path, access_token=access_token)
        proof.use_up()
        return proof.thumbprint

    def _tell(self, request: web.Request, members: Mapping[str, object] | None) -> web.Response:
        body = b"" if members is None else orjson.dumps(members)
        return self._offered(request, Answer(200, list(token_faults.NO_STORE), body))

    def _refuse(self, request: web.Request, error: chassis.errors.SallyportError) -> web.Response:
        return self._offered(request, token_faults.render(error, chassis.trace.request_id()))

    def _refuse_asker(self, request: web.Request, error: chassis.errors.SallyportError) -> web.Response:
        return self._offered(request, token_faults.render_asker(error, chassis.trace.request_id()))

    def _offered(self, request: web.Request, answer: Answer) -> web.Response:
        """Return the response, with a fresh nonce when the request came with a proof."""
        if PROOF_HEADER in request.headers:
            answer.headers.extend(self._proofs.offer())
        return respond(answer)


def refuse(_request: web.Request, error: chassis.errors.SallyportError) -> web.Response:
    """Return the answer that tells a client why it gets no token."""
    return respond(token_faults.render(error, chassis.trace.request_id()))


def _client_id(request: web.Request, fields: Mapping[str, str]) -> str:
    return grants.client_id(fields, request.headers.getall("Authorization", []))


def own_token(authorizations: Sequence[str]) -> str:
    """Return the access token with which a device asks.

    Raises:
        TokenMissing: none, not under the scheme for bound ones, or bytes that are no token's.
    """
    if len(authorizations) != 1:
        raise TokenMissing
    (held,) = authorizations
    if not held.isascii() or not held.lower().startswith(SCHEME):
        raise TokenMissing
    return held[len(SCHEME) :].strip()


def _handed(tokens: TokenSet) -> Mapping[str, object]:
    return {
        "access_token": tokens.access_token.reveal(),
        "token_type": "DPoP",
        "expires_in": tokens.expires_in_s,
        "refresh_token": tokens.refresh_token.reveal(),
        "scope": " ".join(tokens.scopes),
    }


def _codes(begun: BegunGrant, verification_uri: str) -> Mapping[str, object]:
    """Return what a desktop is told (RFC 8628, 3.2)."""
    return {
        "device_code": begun.device_code.reveal(),
        "user_code": begun.user_code,
        "verification_uri": verification_uri,
        "verification_uri_complete": f"{verification_uri}?{USER_CODE}={begun.user_code}",
        "expires_in": begun.expires_in_s,
        "interval": begun.interval_s,
    }
