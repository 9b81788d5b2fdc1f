"""Who may call what, with which of Amazon's tokens, and what of the answer they may see.

- An operation of the application's own, or one that answers with a document's link, is refused.
- An operation that always needs a restricted data token gets one, whoever asks: a device without
  the scope `pii` sees its answer masked.
- One that answers less without such a token gets an ordinary one, unless the device has the scope
  and presents a restricted handle naming data elements: no list fetches data nobody asked for.
- A restricted handle is good only for what it names, as at Amazon. One that is for another developer's use
  is served with a token that Amazon delegates to that developer's application.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from services.gateway.model.audit import Kind
from services.gateway.model.calls import Device, Restriction
from services.gateway.model.faults import (
    DocumentsNotServed,
    OperationNotForSellers,
    RestrictionMismatch,
    ScopeMissing,
)
from services.gateway.model.operations import Operation, TokenRule

SCOPE_CALL = "orders"
SCOPE_PII = "pii"


@dataclass(frozen=True, slots=True)
class Plan:
    """How one call is forwarded.

    Attributes:
        restriction: what the restricted data token is for; None: the ordinary token serves.
        is_masked: whether customers' data is hidden in the answer.
        audit_kind: which event the call is; None when it neither shows such data nor changes anything.
    """

    restriction: Restriction | None
    is_masked: bool
    audit_kind: Kind | None


def plan(operation: Operation, device: Device, path: str) -> Plan:
    """Return how a device's call of an operation is forwarded.

    Args:
        operation: what is called.
        device: who calls, as auth vouches for it.
        path: the call's own path, canonical.

    Raises:
        OperationNotForSellers: it needs the application's own token.
        DocumentsNotServed: its answer carries links that must not reach a desktop.
        ScopeMissing: the device may not call operations at all.
        RestrictionMismatch: the device shows a handle that does not name this call.
    """
    if operation.grantless_scope:
        raise OperationNotForSellers
    if operation.document_links:
        raise DocumentsNotServed
    if SCOPE_CALL not in device.scopes:
        raise ScopeMissing
    named = _named(operation, device, path)
    sees_pii = SCOPE_PII in device.scopes
    is_masked = operation.mask is not None and not sees_pii
    restriction = _restriction(operation, named if sees_pii else None)
    if restriction is not None and device.target_application:
        restriction = replace(restriction, target_application=device.target_application)
    return Plan(restriction, is_masked, _kind(operation, is_masked))


def check_search(operation: Operation, device: Device, names: Collection[str]) -> None:
    """Return unless a call searches by what its answer would hide: a hit tells as much as the answer.

    Args:
        operation: what is called.
        device: who calls.
        names: of the call's query parameters.

    Raises:
        ScopeMissing: the search is by customers' data and the device may not see any.
    """
    if SCOPE_PII not in device.scopes and operation.personal_parameters.intersection(names):
        raise ScopeMissing


def is_named(restriction: Restriction, method: str, path: str) -> bool:
    """Return whether a handle's restriction, specific or generic, names a call."""
    if restriction.method != method:
        return False
    theirs, ours = restriction.path.split("/"), path.split("/")
    return len(theirs) == len(ours) and all(map(_fits, theirs, ours))


def _named(operation: Operation, device: Device, path: str) -> Restriction | None:
    if not device.restrictions:
        return None
    for restriction in device.restrictions:
        if is_named(restriction, operation.method, path):
            return restriction
    raise RestrictionMismatch


def _fits(theirs: str, ours: str) -> bool:
    return theirs == ours or (theirs.startswith("{") and theirs.endswith("}"))


def _restriction(operation: Operation, named: Restriction | None) -> Restriction | None:
    if operation.token is TokenRule.ALWAYS:
        return Restriction(operation.method, operation.path)
    if operation.token is TokenRule.DATA and named is not None:
        wanted = tuple(each for each in operation.data_elements if each in named.data_elements)
        return Restriction(operation.method, operation.path, wanted) if wanted else None
    return None


def _kind(operation: Operation, is_masked: bool) -> Kind | None:
    if operation.mask is not None:
        return Kind.PII_MASKED if is_masked else Kind.PII_READ
    return None if operation.is_read else Kind.OPERATION_CALLED
