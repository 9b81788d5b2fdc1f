"""What a restricted handle is good for: only what it names, as at Amazon."""

from collections.abc import Collection, Sequence

from services.gateway.model.calls import Restriction
from services.gateway.model.operations import Operation, TokenRule

# The data elements that a call asks for.
Elements = tuple[str, ...]


def elements_asked(restrictions: Sequence[Restriction], operation: Operation, path: str) -> Elements | None:
    """Return the data elements that a call asks for by its handle; None when the handle does not name it.

    Args:
        restrictions: of the handle; empty for an ordinary token, which asks for none.
        operation: that is called.
        path: the call's own, canonical.
    """
    if not restrictions:
        return ()
    for restriction in restrictions:
        if _is_template_of(restriction, operation) or is_restriction_of(restriction, operation.method, path):
            return restriction.data_elements
    return None


def is_restriction_of(restriction: Restriction, method: str, path: str) -> bool:
    """Return whether a handle's restriction, specific or generic, names a call."""
    if restriction.method != method:
        return False
    theirs, ours = restriction.path.split("/"), path.split("/")
    return len(theirs) == len(ours) and all(map(_fits, theirs, ours))


def needed(
    operation: Operation, asked: Elements, seen: Collection[str]
) -> tuple[Restriction | None, Elements]:
    """Return what a restricted token is needed for, None for an ordinary one; and elements asked for in vain.

    Args:
        operation: that is called.
        asked: the data elements that the call asks for.
        seen: those of which the caller sees something.
    """
    if operation.token is TokenRule.ALWAYS:
        return Restriction(operation.method, operation.path), ()
    if operation.token is not TokenRule.DATA:
        return None, ()
    known = [each for each in operation.data_elements if each in asked]
    wanted = tuple(each for each in known if each in seen)
    withheld = tuple(each for each in known if each not in seen)
    return Restriction(operation.method, operation.path, wanted) if wanted else None, withheld


def _is_template_of(restriction: Restriction, operation: Operation) -> bool:
    """Return whether a restriction names every call of an operation, spelled as Amazon's model spells it."""
    return restriction.path == operation.path and restriction.method == operation.method


def _fits(theirs: str, ours: str) -> bool:
    return theirs == ours or (theirs.startswith("{") and theirs.endswith("}"))
