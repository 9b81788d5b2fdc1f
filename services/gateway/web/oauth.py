"""OAuth for the vendor's desktop application: what this server can do, and the token endpoint.

Every token given here is bound to the key that proves itself with the request (RFC 9449).
"""

from collections.abc import Mapping, Sequence

import orjson
from aiohttp import web

import chassis.errors
import chassis.trace
from chassis.secrecy import Secret
from chassis.web import Route
from services.gateway.model import inputs, token_faults
from services.gateway.model.calls import PROOF_ALGORITHMS, Answer
from services.gateway.model.native import (
    CHALLENGE_METHOD,
    SCOPE_PROMISES,
    VERIFIER,
    CodeGrant,
    RefreshGrant,
    TokenSet,
)
from services.gateway.proof import PROOF_HEADER, ProofVerifier
from services.gateway.service import NativeApps, Watch
from services.gateway.web.authorize import AUTHORIZE
from services.gateway.web.render import respond

TOKEN = "/oauth/token"  # noqa: S105 - a path
DOOR = "oauth"
# Clients may ask again after this long; nothing in it changes without a release.
METADATA_AGE_S = 3_600


class OAuthDoor:
    """The desktop application's own requests."""

    def __init__(self, *, apps: NativeApps, watch: Watch, proofs: ProofVerifier, issuer: str) -> None:
        self._apps = apps
        self._watch = watch
        self._proofs = proofs
        self._metadata = orjson.dumps(metadata(issuer))

    def routes(self) -> Sequence[Route]:
        """Return the ways in."""
        described = "gateway.metadata.viewed"
        return [
            Route("GET", "/.well-known/oauth-authorization-server", self._describe, described),
            Route("GET", "/.well-known/openid-configuration", self._describe, described),
            Route("POST", TOKEN, self._give, "gateway.token.granted", render_error=self._refuse),
        ]

    async def _describe(self, _request: web.Request) -> web.Response:
        headers = {"Cache-Control": f"public, max-age={METADATA_AGE_S}"}
        return web.Response(body=self._metadata, content_type="application/json", headers=headers)

    async def _give(self, request: web.Request) -> web.Response:
        fields = inputs.read_form(await request.read())
        await self._watch.check(fields.values(), door=DOOR, request_id=chassis.trace.request_id())
        grant = _grant(fields, _client_id(fields, request.headers.getall("Authorization", [])))
        proof = self._proofs.verify(request.headers.getall(PROOF_HEADER, []), method="POST", path=TOKEN)
        answer = _tell(await self._apps.redeem(grant, proof.thumbprint))
        return respond(self._offered(request, answer))

    def _refuse(self, request: web.Request, error: chassis.errors.SallyportError) -> web.Response:
        return respond(self._offered(request, token_faults.render(error, chassis.trace.request_id())))

    def _offered(self, request: web.Request, answer: Answer) -> Answer:
        """Return the answer, with a fresh nonce when the request came with a proof."""
        if PROOF_HEADER in request.headers:
            answer.headers.extend(self._proofs.offer())
        return answer


def metadata(issuer: str) -> Mapping[str, object]:
    """Return what clients learn about this server; it names only what is served.

    Source: RFC 8414, section 2; RFC 9207; RFC 9449, 5.1.
    """
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + AUTHORIZE,
        "token_endpoint": issuer + TOKEN,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "scopes_supported": list(SCOPE_PROMISES),
        "code_challenge_methods_supported": [CHALLENGE_METHOD],
        "token_endpoint_auth_methods_supported": ["none"],
        "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
        "authorization_response_iss_parameter_supported": True,
    }


def refuse(_request: web.Request, error: chassis.errors.SallyportError) -> web.Response:
    """Return the answer that tells a client why it gets no token."""
    return respond(token_faults.render(error, chassis.trace.request_id()))


def _client_id(fields: Mapping[str, str], authorizations: Sequence[str]) -> str:
    """Return the client's name, from the body or from HTTP Basic with an empty password.

    Raises:
        InvalidRequest: none, two that differ, or one with a secret.
    """
    named = {inputs.basic_user(authorization) for authorization in authorizations}
    if "client_id" in fields:
        named.add(fields["client_id"])
    if len(named) != 1 or "client_secret" in fields:
        raise inputs.InvalidRequest("The client names itself once, by its client_id alone.")
    return named.pop()


def _grant(fields: Mapping[str, str], client_id: str) -> CodeGrant | RefreshGrant:
    match fields.get("grant_type"):
        case "authorization_code":
            verifier = inputs.required(fields, "code_verifier")
            if VERIFIER.fullmatch(verifier) is None:
                raise inputs.InvalidRequest("code_verifier must have 43 to 128 unreserved characters.")
            return CodeGrant(
                client_id=client_id,
                code=Secret(inputs.required(fields, "code")),
                code_verifier=Secret(verifier),
                redirect_uri=inputs.required(fields, "redirect_uri"),
            )
        case "refresh_token":
            token = Secret(inputs.required(fields, "refresh_token"))
            return RefreshGrant(client_id=client_id, refresh_token=token)
        case None:
            raise inputs.InvalidRequest("grant_type is missing.")
        case _:
            raise token_faults.UnsupportedGrant


def _tell(tokens: TokenSet) -> Answer:
    members = {
        "access_token": tokens.access_token.reveal(),
        "token_type": "DPoP",
        "expires_in": tokens.expires_in_s,
        "refresh_token": tokens.refresh_token.reveal(),
        "scope": " ".join(tokens.scopes),
    }
    return Answer(200, list(token_faults.NO_STORE), orjson.dumps(members))
