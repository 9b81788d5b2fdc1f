"""The SP-API face: whatever no other door takes is a call of Amazon's API, and goes to the forwarder.

What a call names in Host, or signs in Amazon's old way, is read and never obeyed. Errors look like
Amazon's, because libraries read them.
"""

from typing import Protocol

from aiohttp import web

import chassis.errors
import chassis.trace
from chassis.web import Route
from services.gateway.model import faults
from services.gateway.model.calls import Answer, Call, Proof
from services.gateway.model.inputs import InvalidRequest
from services.gateway.proof import PROOF_HEADER, ProofVerifier
from services.gateway.web.render import respond

TOKEN_HEADER = "x-amz-access-token"  # noqa: S105 - a header's name
SCHEME = "dpop "


class Forwarder(Protocol):
    """The forwarding path."""

    async def handle(self, call: Call) -> Answer:
        """Return what the desktop hears, whatever happened."""
        ...


class SpapiDoor:
    """Calls of Amazon's API."""

    def __init__(self, *, forwarder: Forwarder, proofs: ProofVerifier) -> None:
        self._forwarder = forwarder
        self._proofs = proofs

    def route(self) -> Route:
        """Return the way in; it takes every path, so it comes last."""
        return Route("*", "/{path:.*}", self._call, "gateway.call.answered", render_error=self._refuse)

    async def _call(self, request: web.Request) -> web.Response:
        access_token, is_bound = _access_token(request)
        proof = self._proof(request, access_token) if is_bound else None
        call = Call(
            method=request.method,
            target=request.raw_path,
            headers=[(name.lower(), value) for name, value in request.headers.items()],
            body=await request.read(),
            host=request.headers.get("Host", "").lower(),
            access_token=access_token,
            proof=proof,
            request_id=chassis.trace.request_id(),
        )
        answer = await self._forwarder.handle(call)
        return respond(self._offered(request, answer))

    def _refuse(self, request: web.Request, error: chassis.errors.SallyportError) -> web.Response:
        return respond(self._offered(request, faults.render(error, chassis.trace.request_id())))

    def _offered(self, request: web.Request, answer: Answer) -> Answer:
        """Return the answer, with a fresh nonce when the call came with a proof."""
        if PROOF_HEADER in request.headers:
            answer.headers.extend(self._proofs.offer())
        return answer

    def _proof(self, request: web.Request, access_token: str) -> Proof:
        """Return the proof that came with a call.

        Raises:
            InvalidDpopProof: none did, or one that is not of this call.
            UseDpopNonce: it carries no nonce that still lives.
        """
        headers = request.headers.getall(PROOF_HEADER, [])
        path = request.raw_path.partition("?")[0]
        return self._proofs.verify(headers, method=request.method, path=path, access_token=access_token)


def _access_token(request: web.Request) -> tuple[str, bool]:
    """Return the token that a call carries, or an empty text, and whether it comes as a bound one.

    Raises:
        InvalidRequest: it carries two that differ.
    """
    plain = request.headers.getall(TOKEN_HEADER, [])
    authorizations = request.headers.getall("Authorization", [])
    bound = [held[len(SCHEME) :].strip() for held in authorizations if held.lower().startswith(SCHEME)]
    found = {*plain, *bound}
    if len(found) > 1:
        raise InvalidRequest("The call carries two access tokens.")
    return found.pop() if found else "", bool(bound) or PROOF_HEADER in request.headers
