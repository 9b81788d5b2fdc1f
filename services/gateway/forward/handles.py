"""Restricted handles: what the gateway gives a library that asks for a restricted data token.

The library gets a token of ours that says what it asked for. Amazon's own token is fetched later,
for the one call at hand, and never leaves.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from services.gateway.catalogue.table import Catalogue
from services.gateway.forward.journey import Found, Journey
from services.gateway.forward.ports import AuthPeer
from services.gateway.forward.rate_limiter import RateLimiter
from services.gateway.model.calls import Restriction, Source, UpstreamAnswer
from services.gateway.model.faults import BodyInvalid, OperationNotAllowed
from services.gateway.model.operations import TokenRule

OPERATION = "tokens_2021-03-01.createRestrictedDataToken"

# Source: SP-API, Tokens API model: CreateRestrictedDataTokenRequest.
RESOURCES_MAX = 50


class Handles:
    """Answers createRestrictedDataToken as Amazon would."""

    def __init__(self, *, catalogue: Catalogue, auth: AuthPeer, limiter: RateLimiter) -> None:
        self._catalogue = catalogue
        self._auth = auth
        self._limiter = limiter

    def is_meant(self, journey: Journey) -> bool:
        """Return whether a call asks for a restricted data token."""
        return journey.operation.name == OPERATION

    async def give(self, journey: Journey) -> Found:
        """Return Amazon's answer with a handle of ours in it.

        Raises:
            BodyInvalid: not what the operation takes, or it names an operation that is not restricted.
            Denied: it names an operation that the policy does not open to the device, or not for that use.
            QuotaExceeded: at Amazon's own rate for this operation.
            SallyportError: auth's refusal, for one when it asks in favour of an application not named.
        """
        restrictions, target_application = self._asked(journey)
        with await self._limiter.acquire(journey.permit_request, until_s=journey.until_s) as permit:
            permit.spend()
            handle, life_s = await self._auth.restrict_access(
                journey.call.access_token, restrictions, target_application
            )
        body = orjson.dumps({"restrictedDataToken": handle, "expiresIn": life_s})
        return Found(UpstreamAnswer(200, (), body), Source.GATEWAY)

    def _asked(self, journey: Journey) -> tuple[list[Restriction], str]:
        """Return the operations asked for, and the application in whose favour; empty for our own."""
        try:
            document = orjson.loads(journey.body)
        except orjson.JSONDecodeError as error:
            raise BodyInvalid from error
        if not isinstance(document, dict):
            raise BodyInvalid
        target = "" if document.get("targetApplication") is None else _text(document, "targetApplication")
        resources = document.get("restrictedResources")
        if not isinstance(resources, list) or not 1 <= len(resources) <= RESOURCES_MAX:
            raise BodyInvalid
        return [self._restriction(journey, each, target) for each in resources], target

    def _restriction(self, journey: Journey, resource: object, target_application: str) -> Restriction:
        if not isinstance(resource, dict):
            raise BodyInvalid
        method, path = _text(resource, "method").upper(), _text(resource, "path")
        elements = resource.get("dataElements") or []
        try:
            operation, _ = self._catalogue.match(method, path.split("/")[1:])
        except OperationNotAllowed as error:
            raise BodyInvalid("A restricted resource names no operation of the catalogue.") from error
        if operation.token is TokenRule.ORDINARY:
            raise BodyInvalid("A restricted resource names an operation that is not restricted.")
        journey.rules.view(operation, journey.device, journey.plan.purpose)
        if target_application:
            journey.rules.check_delegation(operation, target_application)
        if not isinstance(elements, list) or not all(each in operation.data_elements for each in elements):
            raise BodyInvalid(
                "A restricted resource asks for data elements that the operation does not know."
            )
        return Restriction(method, path, tuple(sorted(set(elements))))


def _text(resource: Mapping[str, Any], name: str) -> str:
    value = resource.get(name)
    if not isinstance(value, str):
        raise BodyInvalid
    return value
