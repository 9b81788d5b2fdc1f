"""The SP-API face: whatever no other way takes is a call of Amazon's API, and goes to the forwarder.

What a call names in Host, or signs in Amazon's old way, is read and never obeyed. Errors look like
Amazon's, because libraries read them.
"""

from typing import Protocol

from services.gateway.door.limits import BODY_BYTES_MAX
from services.gateway.door.request import Head, Request
from services.gateway.door.ways import ANY_METHOD, ANY_PATH, Way
from services.gateway.model.calls import Answer, Call, Proof
from services.gateway.model.fields import Fields
from services.gateway.model.inputs import InvalidRequest
from services.gateway.proof import PROOF_HEADER, ProofVerifier

TOKEN_HEADER = "x-amz-access-token"  # noqa: S105 - a header's name
SCHEME = "dpop "

_PROOF = PROOF_HEADER.lower()


class Forwarder(Protocol):
    """The forwarding path."""

    async def handle(self, call: Call) -> Answer:
        """Return what the desktop hears, whatever happened."""
        ...

    async def turn_away(
        self, access_token: str, request_id: str, *, came_from: str, is_bound: bool
    ) -> Answer | None:
        """Return what a stranger hears; None for a device."""
        ...


class SpapiFace:
    """Calls of Amazon's API."""

    def __init__(self, *, forwarder: Forwarder, proofs: ProofVerifier) -> None:
        self._forwarder = forwarder
        self._proofs = proofs

    def way(self) -> Way:
        """Return the way in; it takes every request, so it comes last."""
        return Way(ANY_METHOD, ANY_PATH, self, "gateway.call.answered")

    async def handle(self, request: Request) -> None:
        """See Face; a call that comes with a proof is answered with a fresh nonce, whatever the answer.

        Raises:
            InvalidRequest: it carries two tokens that differ.
            InvalidDpopProof, UseDpopNonce, KeyServiceUnavailable: see `ProofVerifier.verify`.
            BodyTooLarge, MalformedRequest, EncodingNotServed, RequestTimeout: see `Request.receive`.
        """
        head, fields = request.head, request.head.fields
        shown = fields.values(_PROOF)
        if shown:
            for name, value in self._proofs.offer():
                request.add_header(name, value)
        access_token, is_bound = fields.once(_access_token)
        if not request.is_body_whole:
            # Places for large bodies are few, and a slow stranger would keep one from a device.
            refusal = await self._forwarder.turn_away(
                access_token,
                request.request_id,
                came_from=request.came_from,
                is_bound=is_bound or bool(shown),
            )
            if refusal is not None:
                request.answer(refusal)
                return
        body = await request.receive(BODY_BYTES_MAX)
        call = Call(
            method=head.method,
            target=head.target,
            fields=fields,
            body=body,
            host=fields.value("host").lower(),
            came_from=request.came_from,
            access_token=access_token,
            proof=self._proof(head, shown, access_token) if is_bound or shown else None,
            request_id=request.request_id,
        )
        request.answer(await self._forwarder.handle(call))

    def _proof(self, head: Head, shown: list[str], access_token: str) -> Proof:
        path = head.target.partition("?")[0]
        return self._proofs.verify(shown, method=head.method, path=path, access_token=access_token)


def _access_token(fields: Fields) -> tuple[str, bool]:
    """Return the token that a call carries, or an empty text, and whether it comes as a bound one.

    Raises:
        InvalidRequest: it carries two that differ.
    """
    plain, authorizations = fields.values(TOKEN_HEADER), fields.values("authorization")
    if len(plain) == 1 and not authorizations:
        return plain[0], False
    bound = [held[len(SCHEME) :].strip() for held in authorizations if held.lower().startswith(SCHEME)]
    found = {*plain, *bound}
    if len(found) > 1:
        raise InvalidRequest("The call carries two access tokens.")
    return found.pop() if found else "", bool(bound)
