"""What is legal in a policy file and probably not meant: rules that name nothing, or that nothing reaches."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches

from services.gateway.model.application_policy import ANY, ApplicationPolicy, FieldRule, Terms, is_named
from services.gateway.model.kept_answers import may_be_kept
from services.gateway.model.operations import Operation, TokenRule
from services.gateway.model.policy import SCOPE_LENT
from services.gateway.model.policy_file import Problem

_Judge = Callable[[Operation], bool]
_Patterns = tuple[str, tuple[str, ...], _Judge, str]

NO_SUCH_OPERATION = "names no operation"


def advise(
    policy: ApplicationPolicy, operations: Collection[Operation], lines: Mapping[str, int]
) -> list[Problem]:
    """Return what its author should look at again, in the file's order.

    Args:
        policy: one that can be followed.
        operations: every one that there is.
        lines: where its keys stand, from `policy_file.lines`.
    """
    found = [
        (key, f"{pattern!r} {_reason(pattern, operations, otherwise)}")
        for key, patterns, is_meant, otherwise in _patterns(policy)
        for pattern in patterns
        if not any(is_meant(each) for each in operations if is_named(each.name, (pattern,)))
    ]
    found += _unreached(policy.fields, operations)
    problems = [
        Problem(lines.get(key, lines.get(key.partition(".")[0], 0)), key, text) for key, text in found
    ]
    return sorted(problems, key=lambda problem: problem.line)


def _patterns(policy: ApplicationPolicy) -> Iterator[_Patterns]:
    """Yield each list of patterns with what at least one of its operations should be, and what if none is."""
    yield "deny", policy.denied, _is_any, NO_SUCH_OPERATION
    for at, opening in enumerate(policy.openings):
        otherwise = "names only operations of the application's own; those are opened by [[grantless]]"
        yield f"allow[{at}].operations", opening.operations, _is_of_seller, otherwise
    for at, grantless in enumerate(policy.grantless):
        otherwise = "names no operation that can be opened this way: only those for notifications can"
        yield f"grantless[{at}].operations", grantless.terms.operations, _is_lent, otherwise
    for at, delegation in enumerate(policy.delegations):
        otherwise = "names no operation that takes a restricted token"
        yield f"delegates[{at}].operations", delegation.operations, _is_restricted, otherwise
    for at, cache in enumerate(policy.caches):
        otherwise = (
            "names no read whose answers may be served again: these tell of people, orders or documents"
        )
        yield f"caches[{at}].operations", cache.operations, may_be_kept, otherwise
    for at, budget in enumerate(policy.budgets):
        yield f"budgets[{at}].operations", budget.operations, _is_any, NO_SUCH_OPERATION
    for at, rule in enumerate(policy.fields):
        otherwise = "names no operation whose answers have such members"
        yield f"fields[{at}].operations", rule.terms.operations, _has(rule), otherwise


def _is_any(_: Operation) -> bool:
    return True


def _is_of_seller(operation: Operation) -> bool:
    return not operation.grantless_scope


def _is_lent(operation: Operation) -> bool:
    return operation.grantless_scope == SCOPE_LENT


def _is_restricted(operation: Operation) -> bool:
    return operation.token is not TokenRule.ORDINARY


def _has(rule: FieldRule) -> _Judge:
    return lambda operation: any(_tells(rule, kind) for kind in operation.pii)


def _reason(pattern: str, operations: Collection[Operation], otherwise: str) -> str:
    names = [each.name for each in operations]
    if any(is_named(name, (pattern,)) for name in names):
        return otherwise
    alike = get_close_matches(pattern, names, n=1)
    return f"{NO_SUCH_OPERATION}; did you mean {alike[0]!r}?" if alike else NO_SUCH_OPERATION


def _unreached(rules: Sequence[FieldRule], operations: Collection[Operation]) -> Iterator[tuple[str, str]]:
    """Yield the rules about fields of which nothing is left by those before them."""
    for at, rule in enumerate(rules):
        wider = [each for each in rules[:at] if _is_wider(each.terms, rule.terms)]
        meant = [each for each in operations if each.pii and rule.terms.names(each.name)]
        told = [(each, kind) for each in meant for kind in each.pii if _tells(rule, kind)]
        if told and all(any(_decides(each, *pair) for each in wider) for pair in told):
            yield f"fields[{at}]", "decides nothing: rules before it decide all of this already"


def _decides(rule: FieldRule, operation: Operation, kind: str) -> bool:
    return rule.terms.names(operation.name) and _tells(rule, kind)


def _tells(rule: FieldRule, kind: str) -> bool:
    return kind in rule.sights or ANY in rule.sights


def _is_wider(terms: Terms, others: Terms) -> bool:
    """Return whether whoever meets the other terms meets these, leaving operations aside."""
    return (
        terms.scopes <= others.scopes
        and (not terms.profiles or (bool(others.profiles) and others.profiles <= terms.profiles))
        and (not terms.purposes or (bool(others.purposes) and others.purposes <= terms.purposes))
    )
