"""Who a token speaks for, what it reaches, and restricted data tokens.

Source: SP-API documentation, "Tokens API" and "Tokens API Use Case Guide".
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import simulator.events
from simulator import exchange, operations
from simulator.applications import Application, Applications
from simulator.call import Call
from simulator.events import TokenIssued
from simulator.ledger import Ledger
from simulator.operations import Operation, Restriction
from simulator.seed import Mint
from simulator.world import Seller, World

TOKEN_LIVES = timedelta(seconds=3_600)
RESOURCES_MAX = 50
METHODS = ("GET", "PUT", "POST", "DELETE")
TOKEN_HEADER = "x-amz-access-token"  # noqa: S105 - the name of a header


class Kind(StrEnum):
    """What sort of token it is; the values are what the record of calls shows."""

    ACCESS = "access"
    GRANTLESS = "grantless"
    REFRESH = "refresh"
    RESTRICTED = "restricted"


PREFIXES = {
    Kind.ACCESS: "Atza|",
    Kind.GRANTLESS: "Atza|",
    Kind.REFRESH: "Atzr|",
    Kind.RESTRICTED: "Atz.sprdt|",
}
_SIZES_BYTES = {Kind.ACCESS: 240, Kind.GRANTLESS: 240, Kind.REFRESH: 300, Kind.RESTRICTED: 360}


def mint(kind: Kind, source: Mint) -> str:
    """Return a new token in the shape of its kind, far below the 2048 bytes that Amazon reserves."""
    return source.token(PREFIXES[kind], size_bytes=_SIZES_BYTES[kind])


def kind_of(text: str) -> str:
    """Return the kind that a token's prefix claims, for the record; `other` for no known prefix."""
    claims = (kind.value for kind, prefix in PREFIXES.items() if text.startswith(prefix))
    return next(claims, "other") if text else ""


class Tokens:
    """Accepts tokens and makes restricted ones."""

    def __init__(self, *, ledger: Ledger, world: World, applications: Applications, mint: Mint) -> None:
        self._ledger = ledger
        self._world = world
        self._applications = applications
        self._mint = mint

    def accept(self, text: str, *, now: datetime) -> tuple[TokenIssued, Application, Seller]:
        """Return a token that is valid for some seller's data, its application and that seller.

        Raises:
            Refusal: 403, the token is missing, unknown, expired, grantless, or its consent has ended.
        """
        if not text:
            raise exchange.denied("Access token is missing in the request header.")
        token = self._ledger.token(text)
        if token is None or token.kind == Kind.REFRESH:
            raise exchange.denied("The access token you provided is revoked, malformed or invalid.")
        if now >= token.expires_at:
            raise exchange.denied("The access token you provided has expired.")
        consent = self._ledger.consent(token.consent_id, now)
        application = self._applications.by_id(token.application_id)
        seller = self._world.seller(consent.seller_id) if consent else None
        if application is None or seller is None:
            raise exchange.denied()
        return token, application, seller

    def accept_own(self, text: str, scope: str, *, now: datetime) -> Application:
        """Return the application whose own token this is.

        Raises:
            Refusal: 403, the token is missing, unknown, expired, a seller's, or of another scope.
        """
        token = self._ledger.token(text) if text else None
        application = self._applications.by_id(token.application_id) if token else None
        if token is None or application is None or token.scope != scope or now >= token.expires_at:
            raise exchange.denied()
        return application

    def create_restricted(self, call: Call) -> dict[str, Any]:
        """Return the answer of createRestrictedDataToken.

        Raises:
            Refusal: 400, a resource is malformed, not restricted, or beyond the application's roles.
        """
        body, application = call.body(), call.access.application
        if body.get("targetApplication") is not None:
            raise exchange.invalid_input("Delegation to a target application is not simulated.")
        resources = body.get("restrictedResources")
        if not isinstance(resources, list) or not 1 <= len(resources) <= RESOURCES_MAX:
            raise exchange.invalid_input(f"restrictedResources must list 1 to {RESOURCES_MAX} resources.")
        checked = tuple(_resource(resource, application) for resource in resources)
        token = mint(Kind.RESTRICTED, self._mint)
        self._ledger.commit(
            TokenIssued(
                token_digest=simulator.events.digest(token),
                kind=Kind.RESTRICTED,
                application_id=application.application_id,
                expires_at=call.now + TOKEN_LIVES,
                consent_id=call.access.consent_id,
                resources=checked,
            )
        )
        return {"restrictedDataToken": token, "expiresIn": int(TOKEN_LIVES.total_seconds())}


def reach(token: TokenIssued, application: Application, operation: Operation, *, path: str) -> frozenset[str]:
    """Return the data elements a token may show in one call.

    Raises:
        Refusal: 403, the operation needs a restricted token, or the restricted token does not name it.
    """
    if token.kind == Kind.RESTRICTED:
        named = [
            elements
            for method, resource, elements in token.resources
            if method == operation.method and resource in (operation.path, path)
        ]
        if not named:
            raise exchange.denied()
        return frozenset(element for elements in named for element in elements)
    if operation.restriction is Restriction.ALWAYS:
        raise exchange.denied()
    if operation.restriction is Restriction.DATA:
        return frozenset()
    return application.elements


def _resource(resource: Any, application: Application) -> tuple[str, str, tuple[str, ...]]:
    """Return one resource of a request, checked.

    Raises:
        Refusal: 400, with the reason Amazon gives.
    """
    if not isinstance(resource, dict) or resource.get("method") not in METHODS:
        message = "Request is missing or has invalid parameters"
        raise exchange.Refusal(400, "InvalidRequest", message, details="Resource not provided.")
    method, path = resource["method"], resource.get("path")
    operation = operations.restricted(method, path) if isinstance(path, str) else None
    if operation is None:
        raise exchange.invalid_input("Invalid Input", "The path is not that of a restricted resource.")
    if path == operation.path and operation.path in operations.SPECIFIC_PATHS_ONLY:
        raise exchange.invalid_input("Invalid Input", "This resource takes a specific path only.")
    elements = _elements(resource.get("dataElements"), operation)
    _check_roles(elements, operation, application)
    return method, str(path), elements


def _elements(given: Any, operation: Operation) -> tuple[str, ...]:
    """Return the data elements a resource asks for; those of an operation restricted always are implied."""
    if operation.restriction is not Restriction.DATA:
        if given:
            raise exchange.invalid_input("Invalid Input", "dataElements don't apply to this resource.")
        return tuple(sorted(operation.elements))
    if not isinstance(given, list) or not given or not {str(name) for name in given} <= operation.elements:
        raise exchange.invalid_input(
            "Invalid Input", f"dataElements must be among {sorted(operation.elements)}."
        )
    return tuple(sorted({str(name) for name in given}))


def _check_roles(elements: tuple[str, ...], operation: Operation, application: Application) -> None:
    missing = [element for element in elements if element not in application.elements]
    if not missing and (operation.elements or application.roles):
        return
    if operation.restriction is not Restriction.DATA:
        raise exchange.invalid_input("Application do not have access to some or all requested resource")
    listed = ", ".join(missing)
    raise exchange.invalid_input(
        f"Application does not have access to one or more requested data elements: [{listed}]"
    )
